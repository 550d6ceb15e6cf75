package seal_test

import (
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/seal"
)

// egetkey stands for the instruction.
func egetkey(q isa.KeyRequest) [isa.KeySize]byte {
	return [isa.KeySize]byte{byte(q.KeyName), q.KeyID[0]}
}

func Example() {
	var report isa.Report // of EREPORT
	keyID := [32]byte{42} // of RDRAND

	request := seal.Request(&report, seal.DefaultPolicy(&report), keyID)
	blob, err := seal.Seal(&request, egetkey(request), []byte("secret"), []byte("label"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(blob), "bytes")

	sealed, err := seal.Parse(blob)
	if err != nil {
		fmt.Println(err)
		return
	}
	plaintext, additional, err := sealed.Open(egetkey(sealed.Request()))
	fmt.Printf("%s, %s, %v\n", plaintext, additional, err)
	// Output:
	// 571 bytes
	// secret, label, <nil>
}

func ExampleParse() {
	_, err := seal.Parse([]byte("no blob"))
	fmt.Println(err, errors.Is(err, seal.ErrFormat))
	// Output: not sealed data: offset 7: a blob has at least 560 bytes true
}

func ExampleSize() {
	fmt.Println(seal.Size(0, 1), seal.Size(100, 1000), seal.Size(0, -1))
	// Output: 561 1660 -1
}
