package seal

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// FuzzParse checks that no blob makes Parse panic, that what it refuses it
// refuses in one line with an offset, and that an accepted blob, sealed anew
// with its own request, is the same blob but for its tag and ciphertext.
func FuzzParse(f *testing.F) {
	q := request()
	for _, texts := range [][2]string{{"plaintext", "additional"}, {"p", ""}, {"", "a"}} {
		blob, err := Seal(&q, testKey, []byte(texts[0]), []byte(texts[1]))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(blob)
		f.Add(blob[:HeaderSize])
	}
	f.Fuzz(func(t *testing.T, blob []byte) {
		s, err := Parse(blob)
		if err != nil {
			var fe *FormatError
			if !errors.As(err, &fe) && !errors.Is(err, ErrRequest) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %q", err)
			}
			if fe != nil && (fe.Offset < 0 || fe.Offset > len(blob)) {
				t.Fatalf("offset %d of %d bytes", fe.Offset, len(blob))
			}
			return
		}
		if Size(s.AdditionalLen(), s.PlaintextLen()) != len(blob) {
			t.Fatalf("%d+%d bytes in %d", s.PlaintextLen(), s.AdditionalLen(), len(blob))
		}
		plain, _, err := s.Open(testKey)
		if err != nil {
			plain = make([]byte, s.PlaintextLen())
		}
		q := s.Request()
		again, err := Seal(&q, testKey, plain, s.additional)
		if err != nil {
			t.Fatal(err)
		}
		end := HeaderSize + s.PlaintextLen()
		if !bytes.Equal(again[:offTag], blob[:offTag]) || !bytes.Equal(again[end:], blob[end:]) {
			t.Fatal("sealing again gives another blob")
		}
	})
}
