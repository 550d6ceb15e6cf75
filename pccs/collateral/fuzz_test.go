package collateral_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/feidi-dev/feidi/pccs/collateral"
)

// FuzzParseItem: what is taken for a name is the only one of its item.
func FuzzParseItem(f *testing.F) {
	for _, i := range append(served(), oldInfo) {
		f.Add(i.String())
	}
	check, err := collateral.NewChecker()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string) {
		i, err := collateral.ParseItem(name)
		if err != nil {
			return
		}
		if i.String() != name || i.Valid() != nil || i.Canonical() != i {
			t.Fatalf("%q is read as %+v, which is called %q", name, i, i)
		}
		found, err := check.Resolve(i)
		if err == nil && (found.Kind == collateral.CRL || found.Valid() != nil || i.Kind != collateral.CRL && found != i) {
			t.Fatalf("%q is resolved to %+v", name, found)
		}
	})
}

// FuzzCheck: whatever comes, an error is of one kind, and only what is genuine
// passes.
func FuzzCheck(f *testing.F) {
	s := newService()
	check, err := collateral.NewChecker(s.pki.Root.DER)
	if err != nil {
		f.Fatal(err)
	}
	items := append(served(), oldInfo)
	root := s.pki.Root.CRL()
	genuine := make([][]byte, len(items))
	for n, i := range items {
		body, chain := document(s.pki, i)
		genuine[n] = body
		f.Add(uint8(n), body, chain)
	}
	f.Fuzz(func(t *testing.T, n uint8, body, chain []byte) {
		i := items[int(n)%len(items)]
		d, err := check.Check(i, body, chain, root, s.now)
		kinds := 0
		for _, k := range []error{collateral.ErrForged, collateral.ErrUntrusted, collateral.ErrExpired} {
			if errors.Is(err, k) {
				kinds++
			}
		}
		switch {
		case err == nil && (d == nil || d.Item != i):
			t.Fatalf("%v: no error and no document", i)
		case err != nil && kinds != 1:
			t.Fatalf("%v: an error of %d kinds: %v", i, kinds, err)
		case d != nil && i.Kind != collateral.FMSPCs && !signedPart(body, genuine[int(n)%len(items)]):
			t.Fatalf("%v: a document passes that nobody has signed: %.200q", i, body)
		}
	})
}

// signedPart reports whether a document has all of a genuine one that is signed:
// around it there may be white space, and members that mean nothing.
func signedPart(body, genuine []byte) bool {
	if genuine[0] == '{' {
		from, to := bytes.IndexByte(genuine, ':')+1, bytes.LastIndex(genuine, []byte(`,"signature"`))
		return bytes.Contains(body, genuine[from:to])
	}
	return bytes.Contains(body, genuine[4:len(genuine)-80])
}
