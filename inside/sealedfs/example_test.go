package sealedfs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/feidi-dev/feidi/inside/sealedfs"
)

// notSecret is a Sealer that protects nothing. Inside an enclave, use the one
// of package inside.
type notSecret struct{}

func (notSecret) Seal(plaintext, additional []byte) ([]byte, error) {
	return append(bytes.Clone(plaintext), additional...), nil
}

func (notSecret) Unseal(blob []byte) (plaintext, additional []byte, err error) {
	if len(blob) < 32 {
		return nil, nil, errors.New("too short")
	}
	return bytes.Clone(blob[:32]), blob[32:], nil
}

func Example() {
	host, err := os.MkdirTemp("", "sealedfs")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(host)

	dir, err := sealedfs.Open(host, notSecret{}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer dir.Close()
	err = errors.Join(
		dir.MkdirAll("keys/old"),
		dir.WriteFile("keys/today", []byte("secret")),
		dir.Rename("keys/today", "keys/old/yesterday"),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		fmt.Println(name, d.IsDir(), err)
		return nil
	})
	data, err := dir.ReadFile("keys/old/yesterday")
	fmt.Printf("%s, %v\n", data, err)
	fmt.Println("generation", dir.Generation())
	// Output:
	// . true <nil>
	// keys true <nil>
	// keys/old true <nil>
	// keys/old/yesterday false <nil>
	// secret, <nil>
	// generation 4
}

func ExampleFS_Create() {
	host, err := os.MkdirTemp("", "sealedfs")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(host)
	dir, err := sealedfs.Open(host, notSecret{}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer dir.Close()

	w, err := dir.Create("log")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer w.Abort() // does nothing after Close
	for i := range 3 {
		fmt.Fprintln(w, "line", i)
	}
	_, err = dir.Stat("log")
	fmt.Println("before Close:", errors.Is(err, fs.ErrNotExist))
	if err := w.Close(); err != nil {
		fmt.Println(err)
		return
	}
	info, err := dir.Stat("log")
	fmt.Println("after Close:", info.Size(), err)
	// Output:
	// before Close: true
	// after Close: 21 <nil>
}
