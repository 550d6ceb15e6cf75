package gobuild

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/binary"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/internal/elf64"
	"github.com/feidi-dev/feidi/internal/goabi"
	"github.com/feidi-dev/feidi/sign"
)

// fake is a program as the Go linker would lay it out, but small: the gate's
// functions without content, a function table, a relocation and the runtime's
// parameters.
type fake struct {
	functions []string
	entry     uint64 // which of them
	info      uint64 // of the relocation
	target    uint64 // of the relocation
	bss       uint64 // bytes after the data
	magics    int
}

// Addresses of a fake. In the file, the segments lie without the gaps between.
const (
	fakeText, fakeRead, fakeData = 0x1C0, 0x1400, 0x2900
	fakeReadAt, fakeDataAt       = 0x400, 0x900
	fakeStep                     = 16 // bytes of a function
	fakeDataSize                 = 0x100
)

func newFake() *fake {
	return &fake{functions: append(slices.Clone(gateFunctions), "main.main"), info: elf64.RelRelative, target: fakeData + 0xF0, bss: 0x3000, magics: 1}
}

func (k *fake) build() []byte {
	le := binary.LittleEndian
	b := make([]byte, fakeDataAt+fakeDataSize)
	for i := range k.functions {
		copy(b[fakeText+fakeStep*i:], append([]byte{0xC3}, bytes.Repeat([]byte{0xCC}, fakeStep-1)...))
	}
	textSize := uint64(fakeStep * len(k.functions))

	// The function table, as package scan reads it.
	names := []byte{0}
	var table, infos []byte
	n := uint32(len(k.functions))
	for i, name := range k.functions {
		table = le.AppendUint32(le.AppendUint32(table, uint32(fakeStep*i)), (2*n+1)*4+uint32(len(infos)))
		info := make([]byte, 44)
		le.PutUint32(info, uint32(fakeStep*i))
		le.PutUint32(info[4:], uint32(len(names)))
		infos = append(infos, info...)
		names = append(append(names, name...), 0)
	}
	table = le.AppendUint32(table, uint32(textSize))
	pcln := le.AppendUint32(le.AppendUint32(nil, 0xFFFFFFF1), 0x08010000)
	for _, v := range []uint64{uint64(n), 0, 0, 72, 0, 0, 0, 72 + uint64(len(names))} {
		pcln = le.AppendUint64(pcln, v)
	}
	pcln = slices.Concat(pcln, names, table, infos)
	rela := le.AppendUint64(le.AppendUint64(le.AppendUint64(nil, k.target), k.info), fakeText)
	relaAt := (len(pcln) + 7) &^ 7
	copy(b[fakeReadAt:], pcln)
	copy(b[fakeReadAt+relaAt:], rela)
	for i := range k.magics {
		copy(b[fakeDataAt+16+64*i:], goabi.Magic[:])
	}

	strings := "\x00.text\x00.gopclntab\x00.rela\x00.shstrtab\x00"
	stringsAt := uint64(len(b))
	b = append(b, strings...)
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	sectionsAt := uint64(len(b))
	for _, s := range [][7]uint64{ // name, kind, flags, address, offset, size, entry
		{},
		{1, 1, 6, fakeText, fakeText, textSize},
		{7, 1, 2, fakeRead, fakeReadAt, uint64(len(pcln))},
		{18, 4, 2, fakeRead + uint64(relaAt), fakeReadAt + uint64(relaAt), uint64(len(rela)), 24},
		{24, 3, 0, 0, stringsAt, uint64(len(strings))},
	} {
		b = le.AppendUint32(le.AppendUint32(b, uint32(s[0])), uint32(s[1]))
		for _, v := range []uint64{s[2], s[3], s[4], s[5], 0, 8, s[6]} {
			b = le.AppendUint64(b, v)
		}
	}

	copy(b, "\x7fELF\x02\x01\x01")
	le.PutUint16(b[16:], elf64.TypeDyn)
	le.PutUint16(b[18:], elf64.MachineAMD64)
	le.PutUint32(b[20:], 1)
	le.PutUint64(b[24:], fakeText+k.entry*fakeStep)
	le.PutUint64(b[32:], 64)
	le.PutUint64(b[40:], sectionsAt)
	for i, v := range []uint16{64, 56, 3, 64, 5, 4} {
		le.PutUint16(b[52+2*i:], v)
	}
	for i, s := range [][5]uint64{ // permissions, offset, address, size in the file and in memory
		{elf64.PermR | elf64.PermX, 0, 0, fakeText + textSize, fakeText + textSize},
		{elf64.PermR, fakeReadAt, fakeRead, uint64(relaAt + len(rela)), uint64(relaAt + len(rela))},
		{elf64.PermR | elf64.PermW, fakeDataAt, fakeData, fakeDataSize, fakeDataSize + k.bss},
	} {
		h := b[64+56*i:]
		le.PutUint32(h, elf64.SegmentLoad)
		le.PutUint32(h[4:], uint32(s[0]))
		le.PutUint64(h[8:], s[1])
		le.PutUint64(h[16:], s[2])
		le.PutUint64(h[24:], s[2])
		le.PutUint64(h[32:], s[3])
		le.PutUint64(h[40:], s[4])
		le.PutUint64(h[48:], pageSize)
	}
	return b
}

var testKeys = sync.OnceValue(func() (keys [2]*rsa.PrivateKey) {
	for i := range keys {
		k, err := sign.GenerateKey(rand.Reader)
		if err != nil {
			panic(err)
		}
		keys[i] = k
	}
	return keys
})

// options are options of a small enclave.
func options() Options {
	return Options{Heap: MinHeap, Threads: MinThreads, Key: testKeys()[0], Date: time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)}
}

// check holds that an enclave file is what the options say.
func check(t *testing.T, file []byte, o Options) {
	t.Helper()
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	checkImage(t, file, &o)
	checkSections(t, file)
}
