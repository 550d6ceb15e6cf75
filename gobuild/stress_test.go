package gobuild

import (
	"bytes"
	"os"
	"testing"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/sign"
)

// TestStressReproducible builds the same source in two directories, with
// nothing in common but the Go toolchain: two overlays, two caches, and for
// the second one a cache of the go command that is empty, so that it compiles
// the standard library. The programs are equal byte for byte, and MRENCLAVE is
// the same for another signer on another day.
func TestStressReproducible(t *testing.T) {
	if os.Getenv("FEIDI_STRESS") == "" {
		t.Skip("compiles the standard library: set FEIDI_STRESS")
	}
	source := map[string]string{
		"main.go": "package main\n\nimport (\n\t\"crypto/sha256\"\n\t\"fmt\"\n\t\"runtime/debug\"\n)\n\nfunc main() {\n\tinfo, _ := debug.ReadBuildInfo()\n\tfmt.Println(sha256.Sum256([]byte(info.String())))\n}\n",
		"asm.s":   "TEXT ·call(SB), 4, $0\n\tSYSCALL\n\tRET\n",
		"call.go": "package main\n\nfunc call()\n\nvar _ = call\n",
	}
	var programs [2][]byte
	var images [2]*image.Image
	for i := range programs {
		if i == 1 {
			t.Setenv("GOCACHE", t.TempDir())
			t.Setenv("TMPDIR", t.TempDir())
		}
		tc := toolchain(t, t.TempDir())
		dir := module(t, source)
		b, err := tc.Compile(t.Context(), dir, ".", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		programs[i] = b
		o := options()
		o.Key, o.Date = testKeys()[i], o.Date.AddDate(0, i, 0)
		file, err := tc.Build(t.Context(), dir, ".", nil, o, nil)
		if err != nil {
			t.Fatal(err)
		}
		if images[i], err = image.Parse(file); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{dir, tc.cache, os.Getenv("GOCACHE")} {
			if path != "" && bytes.Contains(file, []byte(path)) {
				t.Errorf("the path %s is in the file", path)
			}
		}
	}
	if !bytes.Equal(programs[0], programs[1]) {
		t.Errorf("the programs differ: %d and %d bytes", len(programs[0]), len(programs[1]))
	}
	a, b := images[0].SigStruct, images[1].SigStruct
	if a.EnclaveHash != b.EnclaveHash {
		t.Errorf("MRENCLAVE %x, and elsewhere %x", a.EnclaveHash, b.EnclaveHash)
	}
	if sign.MRSigner(a) == sign.MRSigner(b) || a.Date == b.Date {
		t.Error("the signer and the date are the same")
	}
}
