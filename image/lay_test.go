package image

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestLay compares what a file will hold with what it holds once its metadata
// is there, for patches anywhere in the segments, over each other and across
// pages.
func TestLay(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		spec := baseSpec()
		spec.note = encode(t, baseMetadata(Version1_4))
		bare := spec.build()
		meta := baseMetadata(Version1_4)
		for range random.IntN(5) {
			s := bare.segments[random.IntN(2)]
			data := pattern(random.IntN(250), 1+random.IntN(6000))
			offset := s + uint64(random.IntN(5000))
			if offset+uint64(len(data)) < uint64(len(bare.file)) {
				meta.Patches = append(meta.Patches, Patch{offset, data})
			}
		}
		spec.note = encode(t, meta)
		file := spec.build().file
		before := bytes.Clone(file)
		want, err := Parse(file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Lay(file, meta)
		if err != nil {
			t.Fatal(err)
		}
		comparePages(t, flatten(got), flatten(want))
		if !bytes.Equal(file, before) {
			t.Fatal("Lay changed its input")
		}
		if got.Size != want.Size || got.SSAFrameSize != want.SSAFrameSize || got.Attributes != want.Attributes || got.MiscSelect != want.MiscSelect ||
			got.HeapSize != want.HeapSize || !slices.Equal(got.Threads, want.Threads) || got.Mode != ModeUnsigned || got.SigStruct != nil {
			t.Fatalf("%+v, want %+v", got, want)
		}
	}
}

func TestLayShares(t *testing.T) {
	spec := baseSpec()
	spec.note = encode(t, baseMetadata(Version1_4))
	file := spec.build().file
	m, err := Lay(file, baseMetadata(Version1_4))
	if err != nil {
		t.Fatal(err)
	}
	m.Runs[0].Data[7] ^= 0xFF
	if bytes.Equal(file, spec.build().file) {
		t.Error("the pages are a copy")
	}
}

func TestLayErrors(t *testing.T) {
	spec := baseSpec()
	spec.note = encode(t, baseMetadata(Version1_4))
	file := spec.build().file
	for name, change := range map[string]func(*Metadata){
		"patch outside": func(m *Metadata) { m.Patches = []Patch{{1 << 40, []byte{1}}} },
		"size":          func(m *Metadata) { m.EnclaveSize++ },
		"range":         func(m *Metadata) { m.ELRange = &ELRange{} },
		"no range":      func(m *Metadata) { m.Version = MakeVersion(11, 4) },
		"layout":        func(m *Metadata) { m.Layout[0].RVA++ },
	} {
		m := baseMetadata(Version1_4)
		change(m)
		if _, err := Lay(file, m); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Lay([]byte("SGXS"), baseMetadata(Version1_4)); !errors.Is(err, ErrMalformed) {
		t.Errorf("no ELF file: %v", err)
	}
}
