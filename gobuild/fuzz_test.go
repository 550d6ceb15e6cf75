package gobuild

import (
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/elf64"
	"github.com/feidi-dev/feidi/measure"
)

// FuzzLink links files that may be anything: the result, if there is one, is an
// enclave that is measured as its SIGSTRUCT says. It is not signed: that takes
// longer than all else.
func FuzzLink(f *testing.F) {
	f.Add(newFake().build())
	k := newFake()
	k.bss = 0
	f.Add(k.build())
	f.Fuzz(func(t *testing.T, b []byte) {
		// To measure much memory takes long, and finds nothing.
		if p, err := elf64.Parse(b); err == nil {
			for _, s := range p.Segments {
				if s.Size > 16<<20 && s.Size <= maxImage {
					t.Skip()
				}
			}
		}
		o := Options{Heap: MinHeap, Threads: MinThreads}
		l, meta, img, err := lay(b, &o)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Fatalf("error %q", err)
			}
			return
		}
		meta.SigStruct = sigStruct(&o, measure.Image(img))
		file, err := l.write(meta)
		if err != nil {
			return
		}
		m, err := image.Parse(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := measure.Image(m); got != meta.SigStruct.EnclaveHash {
			t.Fatalf("measured %x, and the SIGSTRUCT has %x", got, meta.SigStruct.EnclaveHash)
		}
	})
}
