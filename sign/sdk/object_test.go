package sdk_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"crypto/rsa"
	"crypto/sha3"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/elf64"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/sign"
	"github.com/feidi-dev/feidi/sign/config"
	"github.com/feidi-dev/feidi/sign/sdk"
)

var le = binary.LittleEndian

var day = time.Date(2026, 11, 23, 23, 59, 0, 0, time.FixedZone("", -3600)) // the 24th in UTC

// testKey is the same in every run.
var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	random := sha3.NewSHAKE256()
	random.Write([]byte("key of the tests of package sdk"))
	k, err := sign.GenerateKey(random)
	if err != nil {
		panic(err)
	}
	return k
})

// unsigned returns a file as the linker makes it, of SDK 2.26.
func unsigned(t testing.TB) []byte {
	t.Helper()
	b, err := toy.Build(toy.Options{Versions: []uint64{}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// object is an enclave file that a test changes.
type object struct {
	t testing.TB
	*elf64.File
}

func edit(t testing.TB, b []byte) *object {
	t.Helper()
	f, err := elf64.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return &object{t, f}
}

// section returns the section header with a name, in the file.
func (o *object) section(name string) []byte {
	s := o.Section(name)
	if s == nil {
		o.t.Fatalf("no section %s", name)
	}
	return o.Bytes[s.Header:][:elf64.SectionHeaderSize]
}

// rename gives a section another name, no longer than its own.
func (o *object) rename(from, to string) {
	at := bytes.Index(o.Bytes, []byte("\x00"+from+"\x00"))
	if at < 0 || len(to) > len(from) {
		o.t.Fatalf("%s cannot become %s", from, to)
	}
	copy(o.Bytes[at+1:], to+"\x00")
}

// segment returns the n-th program header of a kind.
func (o *object) segment(kind uint32, n int) []byte {
	for i := range o.Segments {
		if o.Segments[i].Kind == kind {
			if n == 0 {
				return o.Bytes[o.Segments[i].Header:][:elf64.SegmentHeaderSize]
			}
			n--
		}
	}
	o.t.Fatalf("no segment of kind %d", kind)
	return nil
}

// symbol returns the dynamic symbol with a name.
func (o *object) symbol(name string) []byte {
	symbols, _ := o.Symbols(elf64.SectionDynsym)
	i := 0
	for s := range symbols {
		if s.Name == name {
			return o.Data(o.Section(".dynsym"))[i*elf64.SymbolSize:][:elf64.SymbolSize]
		}
		i++
	}
	o.t.Fatalf("no symbol %s", name)
	return nil
}

// globalData returns g_global_data.
func (o *object) globalData() []byte {
	s := o.symbol("g_global_data")
	at, ok := o.Loaded(le.Uint64(s[8:]), le.Uint64(s[16:]))
	if !ok {
		o.t.Fatal("g_global_data is not in the file")
	}
	return o.Bytes[at:][:le.Uint64(s[16:])]
}

// release makes the file one of another SDK: its g_global_data has the size
// and, since 2.9.1, the version of that release.
func (o *object) release(size, major, minor, patch uint64) {
	le.PutUint64(o.globalData(), major<<32|minor<<16|patch)
	if size < 1656 {
		clear(o.globalData()[:8])
	}
	le.PutUint64(o.symbol("g_global_data")[16:], size)
}

func TestObjectErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*object)
		text string
	}{
		{"no ELF file", func(o *object) { o.Bytes[0] = 0 }, "no ELF magic"},
		{"32-bit", func(o *object) { o.Bytes[4] = 1 }, "class 1"},
		{"big-endian", func(o *object) { o.Bytes[5] = 2 }, "data encoding 2"},
		{"another version", func(o *object) { o.Bytes[6] = 2 }, "ELF version 2"},
		{"another machine", func(o *object) { o.Bytes[18] = 183 }, "-m64"},
		{"executable", func(o *object) { o.Bytes[16] = 2 }, "-shared"},

		{"no permissions", func(o *object) { le.PutUint32(o.segment(elf64.SegmentLoad, 1)[4:], 0) }, "no permissions"},
		{"alignment", func(o *object) { le.PutUint64(o.segment(elf64.SegmentLoad, 0)[48:], 16) }, "max-page-size"},
		{"odd alignment", func(o *object) { le.PutUint64(o.segment(elf64.SegmentLoad, 0)[48:], 3<<12) }, "max-page-size"},
		{"huge alignment", func(o *object) { le.PutUint64(o.segment(elf64.SegmentLoad, 0)[48:], 1<<63) }, "max-page-size"},
		{"overlap", func(o *object) { le.PutUint64(o.segment(elf64.SegmentLoad, 1)[16:], 0) }, "overlaps"},
		{"overlap of units", func(o *object) { le.PutUint64(o.segment(elf64.SegmentLoad, 0)[48:], 1<<21) }, "overlaps"},
		{"too long", func(o *object) { le.PutUint64(o.segment(elf64.SegmentLoad, 2)[40:], 1<<63) }, "does not fit"},
		{"too high", func(o *object) { le.PutUint64(o.segment(elf64.SegmentLoad, 2)[16:], 1<<63) }, "does not fit"},
		{"more in the file", func(o *object) { le.PutUint64(o.segment(elf64.SegmentLoad, 2)[40:], 1) }, "does not fit"},
		{"outside the file", func(o *object) { le.PutUint64(o.segment(elf64.SegmentLoad, 2)[8:], 1<<40) }, "outside the file"},
		{"nothing to load", func(o *object) {
			for i := range 3 {
				defer le.PutUint32(o.segment(elf64.SegmentLoad, i), 0)
			}
		}, "no segment to load"},
		{"static", func(o *object) { le.PutUint32(o.segment(elf64.SegmentDynamic, 0), 0) }, "no dynamic segment"},
		{"thread-local data", func(o *object) {
			s := o.segment(elf64.SegmentDynamic, 0)
			le.PutUint32(s, elf64.SegmentTLS)
			le.PutUint64(s[40:], 1<<60)
		}, "thread-local"},

		{"no dynamic symbols", func(o *object) { le.PutUint32(o.section(".dynsym")[4:], 1) }, "no dynamic symbols"},
		{"undefined symbol", func(o *object) { le.PutUint16(o.symbol("enclave_entry")[6:], 0) }, "1 undefined symbols (enclave_entry)"},
		{"no global data", func(o *object) { o.rename("g_global_data", "g_other") }, "whole-archive"},
		{"no entry", func(o *object) { o.rename("enclave_entry", "entry"); clear(o.Bytes[24:32]) }, "-e enclave_entry"},
		{"global data in no bytes", func(o *object) { le.PutUint64(o.symbol("g_global_data")[8:], 1<<40) }, "initialized data"},
		{"empty global data", func(o *object) { clear(o.symbol("g_global_data")[16:24]) }, "initialized data"},
		{"unknown global data", func(o *object) { le.PutUint64(o.symbol("g_global_data")[16:], 1700) }, "1.5 to 2.29"},
		{"contradiction", func(o *object) { le.PutUint64(o.globalData(), 2<<32|19<<16|100) }, "names 2.19"},
		{"a version from the future", func(o *object) { le.PutUint64(o.globalData(), 3<<32) }, "names 3.0"},

		{".ctors", func(o *object) { o.rename(".rodata", ".ctors") }, ".init_array"},
		{".init", func(o *object) { o.rename(".rodata", ".init") }, "-nostartfiles"},
		{"no room for metadata", func(o *object) { o.rename(".note.sgxmeta", ".note") }, "no section .note.sgxmeta"},
		{"another note", func(o *object) { o.Data(o.Section(image.MetadataSection))[12]++ }, "sgx_metadata"},
		{"note and section differ", func(o *object) { le.PutUint32(o.Data(o.Section(image.MetadataSection))[4:], 0x5000) }, "for a note of 0x5000"},
		{"metadata that is loaded", func(o *object) {
			p := o.segment(elf64.SegmentLoad, 2)
			size := uint64(len(o.Bytes)) - le.Uint64(p[8:])
			le.PutUint64(p[32:], size)
			le.PutUint64(p[40:], size)
		}, "flag ALLOC"},
		{"alignment of the note", func(o *object) { le.PutUint64(o.section(image.MetadataSection)[48:], 3) }, "aligned to 0x3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := edit(t, unsigned(t))
			c.edit(o)
			d := config.Default()
			_, err := sdk.Lay(o.Bytes, &d, sdk.Options{Date: day})
			var oe *sdk.ObjectError
			if !errors.Is(err, sdk.ErrObject) || !errors.As(err, &oe) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("error %v, want one with %q", err, c.text)
			} else if strings.Contains(err.Error(), "\n") || oe.Offset > uint64(len(o.Bytes)) {
				t.Errorf("error %q at %#x", err, oe.Offset)
			}
		})
	}
}

// TestIgnore has what the signer refuses unless it is told otherwise.
func TestIgnore(t *testing.T) {
	d := config.Default()
	relocated, err := toy.Build(toy.Options{Versions: []uint64{}, TextRel: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sdk.Lay(relocated, &d, sdk.Options{}); !errors.Is(err, sdk.ErrObject) || !strings.Contains(err.Error(), "changes code") {
		t.Errorf("a relocation of code: %v", err)
	}
	if _, err := sdk.Lay(relocated, &d, sdk.Options{IgnoreRelocations: true}); err != nil {
		t.Error(err)
	}
	strange := edit(t, bytes.Clone(relocated))
	le.PutUint32(strange.Data(strange.Section(".rela.dyn"))[8:], 5) // R_X86_64_COPY
	if _, err := sdk.Lay(strange.Bytes, &d, sdk.Options{IgnoreRelocations: true}); !errors.Is(err, sdk.ErrObject) || !strings.Contains(err.Error(), "kind 5") {
		t.Errorf("a relocation that nothing applies: %v", err)
	}

	o := edit(t, unsigned(t))
	o.rename(".rodata", ".init")
	if _, err := sdk.Lay(o.Bytes, &d, sdk.Options{IgnoreInit: true}); err != nil {
		t.Error(err)
	}

	weak := edit(t, unsigned(t))
	s := weak.symbol("enclave_entry")
	s[4] = elf64.SymbolWeak<<4 | elf64.SymbolFunc
	le.PutUint16(s[6:], 0)
	if _, err := sdk.Lay(weak.Bytes, &d, sdk.Options{}); err != nil {
		t.Errorf("an undefined weak symbol: %v; the entry point of the file serves", err)
	}

	signed := signedFile(t, unsigned(t), d)
	if _, err := sdk.Lay(signed, &d, sdk.Options{}); !errors.Is(err, sdk.ErrSigned) {
		t.Errorf("a signed file: %v", err)
	}
	if _, err := sdk.Lay(signed, &d, sdk.Options{Resign: true}); err != nil {
		t.Error(err)
	}
}
