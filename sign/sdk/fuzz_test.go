package sdk_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/measure"
	"github.com/feidi-dev/feidi/sign/config"
	"github.com/feidi-dev/feidi/sign/sdk"
)

// FuzzLay signs files that are changed in many places. Each 12 bytes of edits
// put up to 8 bytes at an offset of 4 into a good file, as many as its top
// bits say; bytes that begin as ELF does are a file themselves. What the
// signer accepts must measure as it says.
func FuzzLay(f *testing.F) {
	good, err := toy.Build(toy.Options{Versions: []uint64{}, TextRel: true})
	if err != nil {
		f.Fatal(err)
	}
	signed, err := sdk.Lay(good, ptrTo(config.Default()), sdk.Options{IgnoreRelocations: true})
	if err == nil {
		err = signed.Sign(testKey())
	}
	if err != nil {
		f.Fatal(err)
	}
	resigned := write(f, signed)
	f.Add([]byte{}, []byte{})
	f.Add([]byte("\x7fELF"), []byte{1})
	f.Fuzz(func(t *testing.T, edits, settings []byte) {
		file := bytes.Clone(good)
		at := func(i int) byte {
			if i < len(settings) {
				return settings[i]
			}
			return 0
		}
		if at(0)&1 != 0 {
			file = bytes.Clone(resigned)
		}
		if bytes.HasPrefix(edits, []byte("\x7fELF")) {
			file = edits
		} else {
			for ; len(edits) >= 12; edits = edits[12:] {
				where := le.Uint32(edits)
				offset := int(where&0xFFFFFF) % len(file)
				copy(file[offset:], edits[4:5+where>>29])
			}
		}
		c := config.Default()
		c.HeapInitSize, c.HeapMaxSize = uint64(at(1))<<12+4096, uint64(at(1))<<12+4096+uint64(at(2))<<12
		c.TCSNum = uint32(at(3)%8) + 1
		c.TCSMaxNum = c.TCSNum + uint32(at(4)%8)
		c.TCSMinPool = uint32(at(5)) % (c.TCSMaxNum + 1)
		c.MiscSelect, c.MiscMask = uint32(at(6)&1), ^uint32(at(6)>>1&1)
		c.ReservedMemMinSize = uint64(at(7)) << 12
		c.ReservedMemInitSize = c.ReservedMemMinSize + uint64(at(8))<<12
		c.ReservedMemMaxSize = c.ReservedMemInitSize + uint64(at(9))<<12
		c.PKRU, c.AMX = config.Feature(at(10)%3), config.Feature(at(11)%3)
		o := sdk.Options{Date: day, Resign: at(0)&2 != 0, IgnoreRelocations: at(0)&4 != 0, IgnoreInit: at(0)&8 != 0, MaxMeasured: 10 << 20}

		if d, err := sdk.Configuration(file); err == nil {
			if err := d.Validate(); err != nil {
				t.Fatalf("a configuration that is none: %v", err)
			}
		}
		u, err := sdk.Lay(file, &c, o)
		if err != nil {
			if strings.Contains(err.Error(), "\n") && !errors.Is(err, config.ErrInvalid) {
				t.Fatalf("error of more than a line: %q", err)
			}
			return
		}
		if err := u.Sign(testKey()); err != nil {
			t.Fatal(err)
		}
		out := write(t, u)
		if len(out) != len(file) {
			t.Fatalf("%d bytes became %d", len(file), len(out))
		}
		for _, opts := range [][]image.Option{nil, {image.WithEDMM()}} {
			m, err := image.Parse(out, opts...)
			if err != nil {
				t.Fatalf("what was signed: %v", err)
			}
			if measure.Image(m) != u.SigStruct().EnclaveHash {
				t.Fatalf("metadata %x measures %x, signed is %x", m.Version, measure.Image(m), u.SigStruct().EnclaveHash)
			}
		}
	})
}

func ptrTo[T any](v T) *T { return &v }
