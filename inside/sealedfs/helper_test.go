package sealedfs

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	mrand "math/rand/v2"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/seal"
)

// enclave is a Sealer as package inside has it: Intel's sealed data, under
// the keys of an enclave with a name.
type enclave string

func (e enclave) egetkey(q isa.KeyRequest) [isa.KeySize]byte {
	b, _ := q.AppendBinary([]byte(e))
	sum := sha256.Sum256(b)
	return [isa.KeySize]byte(sum[:])
}

func (e enclave) Seal(plaintext, additional []byte) ([]byte, error) {
	var id [32]byte
	rand.Read(id[:])
	q := seal.Request(new(isa.Report), isa.PolicyMRSigner, id)
	return seal.Seal(&q, e.egetkey(q), plaintext, additional)
}

func (e enclave) Unseal(blob []byte) (plaintext, additional []byte, err error) {
	s, err := seal.Parse(blob)
	if err != nil {
		return nil, nil, err
	}
	return s.Open(e.egetkey(s.Request()))
}

const sealer = enclave("test")

func mustOpen(t testing.TB, d disk) *FS {
	t.Helper()
	f, err := open(d, sealer, new(Options))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// tree is what a sealed directory holds: contents of files by name, and
// "/" for directories.
type tree map[string]string

func (a tree) String() string {
	var b strings.Builder
	for name, data := range a {
		fmt.Fprintf(&b, " %s(%d)", name, len(data))
	}
	return b.String()
}

func equal(a, b tree) bool { return maps.Equal(a, b) }

// read reads all of a sealed directory.
func read(f *FS) (tree, error) {
	all := tree{}
	err := fs.WalkDir(f, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			all[name] = "/"
			return nil
		}
		data, err := f.ReadFile(name)
		all[name] = string(data)
		return err
	})
	return all, err
}

// readBack opens a disk and reads all.
func readBack(d disk) (tree, error) {
	f, err := open(d, sealer, &Options{Exist: true})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return read(f)
}

// An operation of a test, and the tree that it makes of another.
type operation struct {
	name string
	do   func(f *FS) error
	to   func(t tree)
}

// text is content that repeats itself nowhere, so that no two chunks are alike.
func text(seed, n int) string {
	b := make([]byte, n)
	_, _ = mrand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)}).Read(b)
	return string(b)
}

func write(name, data string) operation {
	return operation{"write " + name, func(f *FS) error { return f.WriteFile(name, []byte(data)) }, func(t tree) { t[name] = data }}
}

// operations are one of each kind.
var operations = []operation{
	write("a", text(1, 100)),
	write("empty", ""),
	{"mkdir d", func(f *FS) error { return f.Mkdir("d") }, func(t tree) { t["d"] = "/" }},
	write("d/big", text(2, 2*chunkSize+5)),
	write("a", text(3, 200)),
	write("d/exact", text(4, chunkSize)),
	{"rename a", func(f *FS) error { return f.Rename("a", "d/a") }, func(t tree) { t["d/a"] = t["a"]; delete(t, "a") }},
	{"rename over", func(f *FS) error { return f.Rename("d/a", "empty") }, func(t tree) { t["empty"] = t["d/a"]; delete(t, "d/a") }},
	{"mkdirall", func(f *FS) error { return f.MkdirAll("x/y/z") }, func(t tree) { t["x"], t["x/y"], t["x/y/z"] = "/", "/", "/" }},
	{"rename d", func(f *FS) error { return f.Rename("d", "x/y/d") }, func(t tree) {
		for _, n := range []string{"d", "d/big", "d/exact"} {
			t["x/y/"+n] = t[n]
			delete(t, n)
		}
	}},
	{"create", func(f *FS) error {
		w, err := f.Create("x/made")
		if err != nil {
			return err
		}
		defer w.Abort()
		for i := range 3 {
			if _, err := w.Write([]byte(text(i, 30000))); err != nil {
				return err
			}
		}
		return w.Close()
	}, func(t tree) { t["x/made"] = text(0, 30000) + text(1, 30000) + text(2, 30000) }},
	{"remove", func(f *FS) error { return f.Remove("x/y/z") }, func(t tree) { delete(t, "x/y/z") }},
	{"removeall", func(f *FS) error { return f.RemoveAll("x/y") }, func(t tree) {
		for n := range t {
			if n == "x/y" || strings.HasPrefix(n, "x/y/") {
				delete(t, n)
			}
		}
	}},
	{"reseal", func(f *FS) error { return f.Reseal(sealer) }, func(tree) {}},
}

// isFault reports whether an error is one that a changed host may cause.
func isFault(err error) bool {
	return errors.Is(err, ErrTampered) || errors.Is(err, ErrRolledBack)
}
