package toy

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/measure"
	"github.com/feidi-dev/feidi/sign"
)

var generateKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return sign.GenerateKey(rand.Reader) })

func testKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	k, err := generateKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// build builds, parses and checks the identity of an enclave.
func build(t *testing.T, o Options, opts ...image.Option) ([]byte, *image.Image) {
	t.Helper()
	o.Key = testKey(t)
	b, err := Build(o)
	if err != nil {
		t.Fatal(err)
	}
	m, err := image.Parse(b, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if m.SigStruct == nil {
		t.Fatal("no SIGSTRUCT")
	}
	if got := measure.Image(m); got != m.SigStruct.EnclaveHash {
		t.Errorf("measured %x, claimed %x", got, m.SigStruct.EnclaveHash)
	}
	if err := sign.Verify(m.SigStruct); err != nil {
		t.Error(err)
	}
	return b, m
}

func TestDefaults(t *testing.T) {
	_, m := build(t, Options{})
	if m.Mode != image.ModeHardware || m.Version != image.Version1_4 || len(m.Threads) != DefaultThreads ||
		m.SSAFrameSize != 1 || m.Attributes != (isa.Attributes{Flags: isa.AttrMode64Bit, XFRM: DefaultXFRM}) {
		t.Errorf("%+v", m)
	}
	for _, th := range m.Threads {
		if !th.Usable {
			t.Errorf("thread %+v", th)
		}
	}
	if name, plus, ok := m.Symbol(0x1000 + 3); !ok || name != "enclave_entry" || plus != 3 {
		t.Errorf("symbol %s+%d, %v", name, plus, ok)
	}
}

// The same options make the same bytes, so that identities can be compared.
func TestDeterministic(t *testing.T) {
	one, _ := build(t, Options{Salt: 5})
	two, _ := build(t, Options{Salt: 5})
	if string(one) != string(two) {
		t.Error("two builds differ")
	}
}

// Engines find the exit by decoding: every path leaves through one ENCLU,
// with its leaf loaded by the instruction before it unless TrapExit hides it.
func TestExitSite(t *testing.T) {
	const site = "\xB8\x04\x00\x00\x00\x0F\x01\xD7"
	for _, trap := range []bool{false, true} {
		b, _ := build(t, Options{TrapExit: trap})
		want := 1
		if trap {
			want = 0
		}
		if n := strings.Count(string(b), site); n != want {
			t.Errorf("TrapExit %v: %d sites", trap, n)
		}
	}
}

// Each thread is laid out as the SDK's runtimes expect: the stack ends 64 KiB
// below the TCS, the SSA follows it, and FS and GS point to the last page.
func TestThreads(t *testing.T) {
	const threads, frame, stack = 5, 3, 7
	_, m := build(t, Options{Threads: threads, SSAFrameSize: frame, StackPages: stack})
	if len(m.Threads) != threads {
		t.Fatalf("%d threads", len(m.Threads))
	}
	at := map[uint64]*image.Run{} // by page
	for i := range m.Runs {
		r := &m.Runs[i]
		for n := range r.Pages {
			at[r.Offset+n*isa.PageSize] = r
		}
	}
	for _, th := range m.Threads {
		page := make([]byte, isa.PageSize)
		r := at[th.Offset]
		r.Page((th.Offset-r.Offset)/isa.PageSize, page)
		var tcs isa.TCS
		if err := tcs.UnmarshalBinary(page); err != nil {
			t.Fatal(err)
		}
		if tcs.OSSA != th.Offset+isa.PageSize || tcs.NSSA != 2 || tcs.OEntry != 0x1000 || tcs.OFSBasGX != tcs.OGSBasGX {
			t.Errorf("TCS %#x: %+v", th.Offset, tcs)
		}
		for n := range uint64(frame * 2) {
			if r := at[tcs.OSSA+n*isa.PageSize]; r == nil || r.Flags != pageRW {
				t.Errorf("TCS %#x: no SSA page %d", th.Offset, n)
			}
		}
		if r := at[tcs.OGSBasGX]; r == nil || r.Flags != pageRW {
			t.Errorf("TCS %#x: no thread data at %#x", th.Offset, tcs.OGSBasGX)
		}
		top := th.Offset - 0x10000
		for n := uint64(1); n <= stack; n++ {
			if r := at[top-n*isa.PageSize]; r == nil || r.Fill != stackFill {
				t.Errorf("TCS %#x: no stack page at -%d", th.Offset, n)
			}
		}
		for _, guard := range []uint64{top, th.Offset - isa.PageSize, top - (stack+1)*isa.PageSize, tcs.OGSBasGX - isa.PageSize} {
			if at[guard] != nil {
				t.Errorf("TCS %#x: a page in the guard at %#x", th.Offset, guard)
			}
		}
		rt := newRuntime(&Options{SSAFrameSize: frame})
		if uint64(rt.tdAfter) != tcs.OGSBasGX-th.Offset || rt.gprAfter != isa.PageSize+frame*isa.PageSize-isa.GPRSGXSize {
			t.Errorf("the runtime looks at +%#x and +%#x", rt.tdAfter, rt.gprAfter)
		}
	}
}

func TestOptions(t *testing.T) {
	_, plain := build(t, Options{})
	hash := plain.SigStruct.EnclaveHash
	id := [16]byte{1, 2, 3}
	for _, c := range []struct {
		name  string
		o     Options
		same  bool // the same MRENCLAVE as without options
		check func(m *image.Image) bool
	}{
		{"identity", Options{ISVProdID: 7, ISVSVN: 9, Date: 0x20240229}, true, func(m *image.Image) bool {
			return m.SigStruct.ISVProdID == 7 && m.SigStruct.ISVSVN == 9 && m.SigStruct.Date == 0x20240229
		}},
		{"kss", Options{KSS: true, ISVFamilyID: id, ISVExtProdID: id}, true, func(m *image.Image) bool {
			return m.SigStruct.ISVFamilyID == id && m.SigStruct.ISVExtProdID == id && m.Attributes.Flags&isa.AttrKSS != 0 &&
				m.SigStruct.Attributes.Flags&isa.AttrKSS != 0
		}},
		{"debug", Options{Debug: true}, true, func(m *image.Image) bool {
			return m.Attributes.Flags&isa.AttrDebug != 0 && m.SigStruct.AttributeMask.Flags&isa.AttrDebug == 0
		}},
		{"production", Options{}, true, func(m *image.Image) bool {
			return m.Attributes.Flags&isa.AttrDebug == 0 && m.SigStruct.AttributeMask.Flags&isa.AttrDebug != 0
		}},
		{"misc", Options{MiscSelect: isa.MiscEXINFO}, true, func(m *image.Image) bool { return m.MiscSelect == isa.MiscEXINFO }},
		{"attributes", Options{Attributes: isa.Attributes{Flags: isa.AttrProvisionKey, XFRM: 0xE7}}, true, func(m *image.Image) bool {
			return m.Attributes == isa.Attributes{Flags: isa.AttrProvisionKey | isa.AttrMode64Bit, XFRM: 0xE7}
		}},
		{"edit", Options{Edit: func(s *isa.SigStruct) { s.AttributeMask.XFRM = 5 }}, true, func(m *image.Image) bool {
			return m.SigStruct.AttributeMask.XFRM == 5
		}},
		{"policy", Options{ThreadPolicy: image.PolicyUnbind, TCSMinPool: 3}, false, func(m *image.Image) bool {
			return m.ThreadPolicy == image.PolicyUnbind && m.TCSMinPool == 3
		}},
		{"one thread", Options{Threads: 1}, false, func(m *image.Image) bool { return len(m.Threads) == 1 }},
		{"heap", Options{HeapSize: 64 << 20, ReservedSize: 1}, false, func(m *image.Image) bool {
			return m.Size == 128<<20 && m.HeapSize == 64<<20+isa.PageSize
		}},
		{"ssa", Options{SSAFrameSize: 4}, false, func(m *image.Image) bool { return m.SSAFrameSize == 4 }},
		{"salt", Options{Salt: 1}, false, func(*image.Image) bool { return true }},
		{"trap exit", Options{TrapExit: true}, false, func(*image.Image) bool { return true }},
		{"sdk version", Options{SDKVersion: "2.25.100.1"}, false, func(m *image.Image) bool { return m.SDK == "2.25.100.1" }},
		{"simulation", Options{Simulation: true}, false, func(m *image.Image) bool { return m.Mode == image.ModeSimulation }},
		{"text relocation", Options{TextRel: true}, false, func(m *image.Image) bool {
			for _, r := range m.Runs {
				if r.Flags == isa.MakeSecInfoFlags(isa.SecInfoRWX, isa.PTREG) {
					return r.Offset == 0x2000 && r.Pages == 1 // the last page of .text
				}
			}
			return false
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, m := build(t, c.o)
			if (m.SigStruct.EnclaveHash == hash) != c.same {
				t.Errorf("MRENCLAVE %x, without options %x", m.SigStruct.EnclaveHash, hash)
			}
			if !c.check(m) {
				t.Errorf("%+v", m)
			}
		})
	}
}

// All versions describe the same pages, so that one SIGSTRUCT serves them.
func TestVersions(t *testing.T) {
	v2_1 := image.MakeVersion(2, 1)
	_, plain := build(t, Options{Threads: 4})
	for _, c := range []struct {
		versions []uint64
		want     uint64
		base     uint64
		edmm     bool
		usable   int
	}{
		{versions: []uint64{image.Version1_3}, want: image.Version1_3, usable: 4},
		{versions: []uint64{image.Version1_5}, want: image.Version1_5, usable: 4},
		{versions: []uint64{image.Version2_4, v2_1, image.Version1_4}, want: image.Version1_4, usable: 4},
		{versions: []uint64{image.Version2_4}, want: image.Version2_4, usable: 1},
		{versions: []uint64{image.Version3_3, image.Version1_5}, want: image.Version1_5, usable: 4},
		{versions: []uint64{image.Version3_3, image.Version1_5}, want: image.Version3_3, edmm: true, usable: 4},
		{versions: []uint64{image.MakeVersion(11, 5)}, want: image.MakeVersion(11, 5), base: 1 << 40, usable: 4},
		{versions: []uint64{image.MakeVersion(13, 3)}, want: image.MakeVersion(13, 3), base: 1 << 40, usable: 4},
	} {
		var opts []image.Option
		if c.edmm {
			opts = append(opts, image.WithEDMM())
		}
		_, m := build(t, Options{Threads: 4, Versions: c.versions, Base: c.base}, opts...)
		usable := 0
		for _, th := range m.Threads {
			if th.Usable {
				usable++
			}
		}
		if m.Version != c.want || m.Base != c.base || usable != c.usable || !reflect.DeepEqual(m.Versions, c.versions) {
			t.Errorf("%x: version %#x, base %#x, %d usable threads", c.versions, m.Version, m.Base, usable)
		}
		if m.SigStruct.EnclaveHash != plain.SigStruct.EnclaveHash {
			t.Errorf("%x: MRENCLAVE differs from that of 1.4", c.versions)
		}
	}
}

func TestUnsigned(t *testing.T) {
	b, err := Build(Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := image.Parse(b)
	if err != nil || m.Mode != image.ModeUnsigned || m.SigStruct != nil {
		t.Errorf("without a key: %+v, %v", m, err)
	}
	if b, err = Build(Options{Versions: []uint64{}}); err != nil {
		t.Fatal(err)
	}
	if _, err := image.Parse(b); !errors.Is(err, image.ErrUnsigned) {
		t.Errorf("without metadata: %v", err)
	}
}

func TestBadOptions(t *testing.T) {
	for _, o := range []Options{
		{Threads: -1}, {StackPages: 2}, {SSAFrameSize: 5}, {HeapSize: 1 << 50}, {ReservedSize: 1 << 63},
	} {
		if _, err := Build(o); !errors.Is(err, ErrOptions) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := Build(Options{Base: 1 << 40}); err == nil {
		t.Error("a base without a version that has one")
	}
	if _, err := Build(Options{Versions: []uint64{image.MakeVersion(11, 4)}}); err == nil {
		t.Error("version 11 without a base")
	}
	if _, _, err := BuildSGXS(SGXSOptions{}); !errors.Is(err, ErrOptions) {
		t.Errorf("SGXS without a key: %v", err)
	}
}

// The standard library must be able to read the file, and every ECALL and
// fault must have its symbol.
func TestELF(t *testing.T) {
	b, _ := build(t, Options{TextRel: true})
	f, err := elf.NewFile(readerAt(b))
	if err != nil {
		t.Fatal(err)
	}
	syms, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]elf.Symbol{}
	text := f.Section(".text")
	for _, s := range syms {
		have[s.Name] = s
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC && (s.Size == 0 || s.Value < text.Addr || s.Value+s.Size > text.Addr+text.Size) {
			t.Errorf("function %+v", s)
		}
	}
	for _, n := range append(tableNames(), "trts_exit", "compute", "g_scratch") {
		if _, ok := have[n]; !ok {
			t.Errorf("no symbol %s", n)
		}
	}
	dyn, err := f.DynamicSymbols()
	if err != nil || len(dyn) != 2 || dyn[0].Name != "enclave_entry" || dyn[1].Name != "g_global_data" {
		t.Errorf("%+v, %v", dyn, err)
	}
	code, err := text.Data()
	if err != nil {
		t.Fatal(err)
	}
	c := have["compute"]
	if got := string(code[c.Value-text.Addr:][:len(ComputeCode())]); got != string(ComputeCode()) {
		t.Error("the enclave does not hold ComputeCode")
	}
}

type readerAt []byte

func (r readerAt) ReadAt(p []byte, off int64) (int, error) {
	if off >= int64(len(r)) {
		return 0, errors.New("beyond the end")
	}
	return copy(p, r[off:]), nil
}

func TestBlocks(t *testing.T) {
	b := Encode(MSFault{Trap: Trap{Armed: 1, MAddr: 5}, Kind: FaultRead, Arg: 0xABC})
	if len(b) != 72 || b[0] != 1 || b[32] != 5 || uint64(b[48]) != FaultRead || binary.LittleEndian.Uint16(b[56:]) != 0xABC {
		t.Errorf("%x", b)
	}
	v, err := Decode[MSFault](append(b, 1, 2, 3))
	if err != nil || v.Arg != 0xABC || v.Armed != 1 {
		t.Errorf("%+v, %v", v, err)
	}
	if _, err := Decode[MSFault](b[:71]); err == nil {
		t.Error("a short block decodes")
	}
	if ECallGprHold.String() != "ecall_gpr_hold" || ECALL(99).String() != "ecall_99" || FaultSymbol(FaultAC) != "fault_ac" || FaultSymbol(99) != "" {
		t.Error("names")
	}
}

func TestSGXS(t *testing.T) {
	o := SGXSOptions{Key: testKey(t), ISVProdID: 3, Salt: 9, Unmeasured: []byte("12345678")}
	stream, sig, err := BuildSGXS(o)
	if err != nil {
		t.Fatal(err)
	}
	m, err := image.Parse(stream, image.WithSigStruct(sig))
	if err != nil {
		t.Fatal(err)
	}
	if err := sign.Verify(m.SigStruct); err != nil {
		t.Error(err)
	}
	if m.Size != SGXSSize || len(m.Threads) != 1 || m.Threads[0].Offset != SGXSTCS || m.SigStruct.ISVProdID != 3 {
		t.Errorf("%+v", m)
	}
	if got := measure.Image(m); got != m.SigStruct.EnclaveHash {
		t.Errorf("measured %x, claimed %x", got, m.SigStruct.EnclaveHash)
	}

	// MRENCLAVE is the hash of the stream without what it marks unmeasured.
	h := sha256.New()
	unmeasured := 0
	for s := stream; len(s) > 0; {
		n := 64
		tag := string(s[:8])
		if tag == "EEXTEND\x00" || tag == "UNMEASRD" {
			n += 256
		}
		if tag == "UNMEASRD" {
			unmeasured++
		} else {
			h.Write(s[:n])
		}
		s = s[n:]
	}
	if [32]byte(h.Sum(nil)) != m.SigStruct.EnclaveHash || unmeasured != 1 {
		t.Errorf("hash of the stream %x, %d records unmeasured", h.Sum(nil), unmeasured)
	}
	o.Unmeasured = []byte("87654321")
	_, other, err := BuildSGXS(o)
	if err != nil || string(other) != string(sig) {
		t.Errorf("unmeasured bytes change the SIGSTRUCT: %v", err)
	}
}

func TestCompute(t *testing.T) {
	x := Compute(0)
	if x != computeSeed || Compute(2) == Compute(1) {
		t.Error(x)
	}
}
