package gobuild

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/goabi"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/measure"
	"github.com/feidi-dev/feidi/sign"
)

// checkImage reads an enclave file as any loader would.
func checkImage(t *testing.T, file []byte, o *Options) {
	t.Helper()
	m, err := image.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	s := m.SigStruct
	if s == nil {
		t.Fatal("no SIGSTRUCT")
	}
	if err := sign.Verify(s); err != nil {
		t.Error(err)
	}
	if got := measure.Image(m); got != s.EnclaveHash {
		t.Errorf("measured %x, and the SIGSTRUCT has %x", got, s.EnclaveHash)
	}
	if s.ISVProdID != o.ISVProdID || s.ISVSVN != o.ISVSVN || s.Date != sign.Date(o.Date) {
		t.Errorf("product %d, SVN %d, date %v", s.ISVProdID, s.ISVSVN, s.Date)
	}
	if debug := s.AttributeMask.Flags&isa.AttrDebug == 0; debug != o.Debug {
		t.Errorf("may be a debug enclave: %v", debug)
	}
	if len(m.Threads) != o.Threads || m.SSAFrameSize != 1 || m.Size&(m.Size-1) != 0 || m.Size > maxELRange {
		t.Errorf("%d threads, SSA frames of %d pages, ELRANGE of %#x", len(m.Threads), m.SSAFrameSize, m.Size)
	}

	// What the runtime is told is what the loader does.
	at := bytes.Index(file, goabi.Magic[:])
	param := func(i int) uint64 { return binary.LittleEndian.Uint64(file[at+8*i:]) }
	if param(paramSize) != m.Size || param(paramThreads) != uint64(o.Threads) || param(paramHeapSize) != roundUp(o.Heap, pageSize) || param(paramFlags) != 0 != o.DebugEnv {
		t.Errorf("parameters: ELRANGE %#x, %d threads, heap %#x, flags %#x", param(paramSize), param(paramThreads), param(paramHeapSize), param(paramFlags))
	}
	for i, th := range m.Threads {
		if want := param(paramTCS) + uint64(i)*param(paramStep); th.Offset != want || !th.Usable {
			t.Errorf("TCS %d is at %#x, usable %v, and the runtime looks at %#x", i, th.Offset, th.Usable, want)
		}
	}
	pages := map[uint64]image.Run{}
	for _, r := range m.Runs {
		for p := range r.Pages {
			pages[r.Offset+p*pageSize] = r
		}
	}
	for off := param(paramHeap); off < param(paramHeap)+param(paramHeapSize); off += pageSize {
		if r, ok := pages[off]; !ok || r.Flags != flagRW {
			t.Fatalf("page %#x of the heap: there %v, flags %v", off, ok, r.Flags)
		}
	}
	for i := range uint64(o.Threads) {
		tcs := param(paramTCS) + i*param(paramStep)
		for off, what := range map[int64]string{
			-1: "", -gatePages - 1: "rw", -2: "rw", -gatePages - 2: "", -gatePages - 3: "rw", -gatePages - 2 - exceptPages: "rw", -gatePages - 3 - exceptPages: "",
			0: "tcs", 1: "rw", 2: "rw", 3: "rw", 4: "rw",
		} {
			r, ok := pages[uint64(int64(tcs)+off*pageSize)]
			got := ""
			switch {
			case ok && r.Flags.PageType() == isa.PTTCS:
				got = "tcs"
			case ok && r.Flags == flagRW:
				got = "rw"
			case ok:
				got = "other"
			}
			if got != what {
				t.Errorf("thread %d: page TCS%+d is %q, want %q", i, off, got, what)
			}
		}
	}
}

// checkSections reads an enclave file as any tool would.
func checkSections(t *testing.T, file []byte) {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	note := f.Section(image.MetadataSection)
	if note == nil || note.Type != elf.SHT_NOTE || note.Addr != 0 || note.Flags&elf.SHF_ALLOC != 0 {
		t.Fatalf("section of the metadata: %+v", note)
	}
	for _, s := range f.Sections {
		if _, err := s.Data(); err != nil && s.Type != elf.SHT_NOBITS {
			t.Errorf("section %s: %v", s.Name, err)
		}
	}
	if f.Section(".text") == nil || f.Sections[len(f.Sections)-1] != note {
		t.Error("the names of the sections are not what they were")
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && p.Off+p.Filesz > note.Offset {
			t.Error("the metadata is loaded")
		}
	}
}

func TestLink(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"as it is":  func(*Options) {},
		"threads":   func(o *Options) { o.Threads = MaxThreads },
		"heap":      func(o *Options) { o.Heap = 100<<20 + 1 },
		"identity":  func(o *Options) { o.ISVProdID, o.ISVSVN = 7, 9 },
		"debug":     func(o *Options) { o.Debug, o.DebugEnv = true, true },
		"provision": func(o *Options) { o.Attributes = isa.AttrProvisionKey },
	} {
		t.Run(name, func(t *testing.T) {
			o := options()
			change(&o)
			program := newFake().build()
			before := bytes.Clone(program)
			file, err := Link(program, o)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(program, before) {
				t.Error("the program was changed")
			}
			check(t, file, o)
			if !IsEnclave(file) || IsProgram(file) || IsEnclave(program) || !IsProgram(program) {
				t.Error("not told apart from its program")
			}
			again, err := Link(program, o)
			if err != nil || !bytes.Equal(file, again) {
				t.Errorf("not the same again: %v", err)
			}
		})
	}
	for _, other := range [][]byte{nil, []byte("\x7fELF"), goabi.Magic[:], append([]byte("MZ"), goabi.Magic[:]...)} {
		if IsEnclave(other) || IsProgram(other) {
			t.Errorf("%x is taken for a Go program", other)
		}
	}
}

// MRENCLAVE is of the program, its heap and threads, and of nothing else.
func TestMeasurement(t *testing.T) {
	hash := func(k *fake, change func(*Options)) ([32]byte, [32]byte) {
		o := options()
		change(&o)
		file, err := Link(k.build(), o)
		if err != nil {
			t.Fatal(err)
		}
		m, err := image.Parse(file)
		if err != nil {
			t.Fatal(err)
		}
		return m.SigStruct.EnclaveHash, sign.MRSigner(m.SigStruct)
	}
	first, signer := hash(newFake(), func(*Options) {})
	for name, same := range map[string]func(*Options){
		"key": func(o *Options) { o.Key = testKeys()[1] }, "date": func(o *Options) { o.Date = o.Date.AddDate(1, 2, 3) },
		"SVN": func(o *Options) { o.ISVSVN++ }, "product": func(o *Options) { o.ISVProdID++ }, "debug": func(o *Options) { o.Debug = true },
	} {
		h, s := hash(newFake(), same)
		if h != first || s == signer != (name != "key") {
			t.Errorf("another %s: MRENCLAVE the same %v, MRSIGNER the same %v", name, h == first, s == signer)
		}
	}
	for name, other := range map[string]func(*Options){
		"heap": func(o *Options) { o.Heap += pageSize }, "number of threads": func(o *Options) { o.Threads++ }, "GODEBUG": func(o *Options) { o.DebugEnv = true },
	} {
		if h, _ := hash(newFake(), other); h == first {
			t.Errorf("another %s does not change MRENCLAVE", name)
		}
	}
	k := newFake()
	k.target -= 8
	if h, _ := hash(k, func(*Options) {}); h == first {
		t.Error("another program has the same MRENCLAVE")
	}
}

func TestOptions(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"small heap": {func(o *Options) { o.Heap = MinHeap - 1 }, "heap of 15 MB"}, "large heap": {func(o *Options) { o.Heap = maxELRange + 1 }, "heap of 32768 MB"},
		"heap and program": {func(o *Options) { o.Heap = maxELRange }, "smaller --heap"}, "few threads": {func(o *Options) { o.Threads = MinThreads - 1 }, "4 threads"},
		"many threads": {func(o *Options) { o.Threads = MaxThreads + 1 }, "1025 threads"}, "negative": {func(o *Options) { o.Threads = -1 }, "-1 threads"},
		"no key": {func(o *Options) { o.Key = nil }, "no key"},
	} {
		o := options()
		c.change(&o)
		for _, link := range []func() ([]byte, error){
			func() ([]byte, error) { return Link(newFake().build(), o) },
			func() ([]byte, error) { return LinkCached(t.TempDir(), newFake().build(), o) },
		} {
			if b, err := link(); b != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %q", name, err, c.want)
			}
		}
	}
	o := options()
	o.Heap, o.Threads = 0, 0
	if err := o.check(); err != nil || o.Heap != DefaultHeap || o.Threads != DefaultThreads {
		t.Errorf("defaults: %+v, %v", o, err)
	}
}

// Programs that are no enclaves, and what is said of them.
func TestLinkRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*fake)
		edit   func([]byte) []byte
		want   string
		is     error
	}{
		"empty":             {edit: func([]byte) []byte { return nil }, want: "cut short"},
		"cut short":         {edit: func(b []byte) []byte { return b[:len(b)-1] }, want: "lie outside"},
		"no ELF":            {edit: func(b []byte) []byte { b[0] = 0; return b }, want: "no ELF magic"},
		"no PIE":            {edit: func(b []byte) []byte { b[16] = 2; return b }, want: "-buildmode"},
		"arm64":             {edit: func(b []byte) []byte { b[18] = 183; return b }, want: "GOARCH"},
		"ordinary program":  {change: func(k *fake) { k.magics = 0 }, want: "-overlay"},
		"two runtimes":      {change: func(k *fake) { k.magics = 2 }, want: "-overlay"},
		"another entry":     {change: func(k *fake) { k.entry = 6 }, want: `begins at "main.main"`},
		"entry in between":  {edit: func(b []byte) []byte { b[24] += 1; return b }, want: "no function"},
		"order":             {change: func(k *fake) { k.functions[2], k.functions[3] = k.functions[3], k.functions[2] }, want: "runtime.enclocall behind runtime.enclret", is: ErrToolchain},
		"function between":  {change: func(k *fake) { k.functions[4], k.functions[6] = k.functions[6], k.functions[4] }, want: "runtime.enclrestore behind runtime.enclgate", is: ErrToolchain},
		"gate is cut short": {change: func(k *fake) { k.functions = k.functions[:5] }, want: "runtime.enclsigreturn", is: ErrToolchain},
		"dynamic linker":    {change: func(k *fake) { k.info = 3<<32 | 6 }, want: "relocation of kind 6, symbol 3"},
		"relocates text":    {change: func(k *fake) { k.target = fakeText }, want: "not in the data"},
		"relocates the end": {change: func(k *fake) { k.target = fakeData + fakeDataSize - 7 }, want: "not in the data"},
		"huge":              {change: func(k *fake) { k.bss = 1 << 40 }, want: "1024 MB at most"},
		"wraps":             {change: func(k *fake) { k.bss = 1<<64 - fakeData }, want: "1024 MB at most"},
	} {
		t.Run(name, func(t *testing.T) {
			k := newFake()
			if c.change != nil {
				c.change(k)
			}
			b := k.build()
			if c.edit != nil {
				b = c.edit(b)
			}
			_, err := Link(b, options())
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
