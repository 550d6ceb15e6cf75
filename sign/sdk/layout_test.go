package sdk_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/elf64"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/measure"
	"github.com/feidi-dev/feidi/sign/config"
	"github.com/feidi-dev/feidi/sign/sdk"
)

// show is a layout entry in a line: identifier, attributes, pages, offset in
// pages from base, flags.
func show(e *image.LayoutEntry, base uint64) string {
	if e.IsGroup() {
		return fmt.Sprintf("group %d: %d entries %d times, step %#x", e.ID&^image.LayoutGroup, e.Entries, e.Times, e.Step/isa.PageSize)
	}
	s := fmt.Sprintf("%d: %#x, %#x pages at %#x, %#x", e.ID, e.Attributes, e.Pages, (e.RVA-base)/isa.PageSize, uint64(e.Flags))
	if e.Fill != 0 {
		s += fmt.Sprintf(" of %#x", e.Fill)
	}
	if e.Content != nil {
		s += fmt.Sprintf(" with %d bytes", len(e.Content))
	}
	return s
}

// TestLayout has layouts that were worked out by hand from the order of the
// parts: heap; guard, stack, guard, TCS, SSA, guard, data of a thread; spare
// threads; dynamic threads; reserved memory; the region for the user; and the
// rest up to a power of two. Offsets are from the heap, in pages.
func TestLayout(t *testing.T) {
	threadPages := 16 + 62 + 2 + 16 + 1 + 2 + 16 + 1 // 0x74
	if threadPages != 0x74 {
		t.Fatal("arithmetic")
	}
	for _, c := range []struct {
		name   string
		change func(*config.Config)
		want   map[uint64][]string // by metadata version
	}{
		{"default", nil, map[uint64][]string{image.Version1_5: {
			"1: 0x1, 0x1 pages at 0x0, 0x203",
			"2: 0x11, 0xfff pages at 0x1, 0x203",
			"10: 0x0, 0x10 pages at 0x1000, 0x0",
			"7: 0x53, 0x3e pages at 0x1010, 0x203 of 0xcccccccc",
			"8: 0x3, 0x2 pages at 0x104e, 0x203 of 0xcccccccc",
			"10: 0x0, 0x10 pages at 0x1050, 0x0",
			"4: 0x3, 0x1 pages at 0x1060, 0x100 with 72 bytes",
			"6: 0x3, 0x2 pages at 0x1061, 0x203",
			"10: 0x0, 0x10 pages at 0x1063, 0x0",
			"5: 0x3, 0x1 pages at 0x1073, 0x203",
			"group 9: 8 entries 0 times, step 0x74",
		}}},
		{"dynamic", func(c *config.Config) {
			dynamic(c)
			c.TCSNum, c.TCSMaxNum, c.TCSMinPool = 5, 8, 2 // utility, 2 pooled, 2 removed, 5 dynamic
			c.StackMinSize, c.StackMaxSize = 0x2000, 0x2000
			c.HeapMinSize, c.HeapInitSize, c.HeapMaxSize = 0x1000, 0x3000, 0x8000
			c.ReservedMemMinSize, c.ReservedMemInitSize, c.ReservedMemMaxSize = 0x1000, 0x2000, 0x5000
			c.ReservedMemExecutable = true
		}, map[uint64][]string{
			image.Version3_3: {
				"1: 0x1, 0x1 pages at 0x0, 0x203",
				"2: 0x19, 0x2 pages at 0x1, 0x203",
				"3: 0x8, 0x5 pages at 0x3, 0x203",
				// the first thread, of 0x36 pages
				"10: 0x0, 0x10 pages at 0x8, 0x0",
				"8: 0x3, 0x2 pages at 0x18, 0x203 of 0xcccccccc",
				"10: 0x0, 0x10 pages at 0x1a, 0x0",
				"4: 0x3, 0x1 pages at 0x2a, 0x100 with 72 bytes",
				"6: 0x3, 0x2 pages at 0x2b, 0x203",
				"10: 0x0, 0x10 pages at 0x2d, 0x0",
				"5: 0x3, 0x1 pages at 0x3d, 0x203",
				// two that stay
				"10: 0x0, 0x10 pages at 0x3e, 0x0",
				"8: 0x3, 0x2 pages at 0x4e, 0x203 of 0xcccccccc",
				"10: 0x0, 0x10 pages at 0x50, 0x0",
				"4: 0x3, 0x1 pages at 0x60, 0x100 with 72 bytes",
				"6: 0x3, 0x2 pages at 0x61, 0x203",
				"10: 0x0, 0x10 pages at 0x63, 0x0",
				"5: 0x3, 0x1 pages at 0x73, 0x203",
				"group 9: 7 entries 1 times, step 0x36",
				// two that are removed
				"10: 0x0, 0x10 pages at 0xaa, 0x0",
				"8: 0x7, 0x2 pages at 0xba, 0x203 of 0xcccccccc",
				"10: 0x0, 0x10 pages at 0xbc, 0x0",
				"4: 0x7, 0x1 pages at 0xcc, 0x100 with 72 bytes",
				"6: 0x7, 0x2 pages at 0xcd, 0x203",
				"10: 0x0, 0x10 pages at 0xcf, 0x0",
				"5: 0x7, 0x1 pages at 0xdf, 0x203",
				"group 9: 7 entries 1 times, step 0x36",
				// six that come when they are needed
				"10: 0x0, 0x10 pages at 0x116, 0x0",
				"18: 0x28, 0x2 pages at 0x126, 0x203 of 0xcccccccc",
				"10: 0x0, 0x10 pages at 0x128, 0x0",
				"14: 0x28, 0x1 pages at 0x138, 0x100 with 72 bytes",
				"16: 0x28, 0x2 pages at 0x139, 0x203",
				"10: 0x0, 0x10 pages at 0x13b, 0x0",
				"15: 0x28, 0x1 pages at 0x14b, 0x203",
				"group 19: 7 entries 5 times, step 0x36",
				"20: 0x1, 0x1 pages at 0x25a, 0x207",
				"21: 0x19, 0x1 pages at 0x25b, 0x207",
				"22: 0x8, 0x3 pages at 0x25c, 0x203",
				"23: 0x8, 0x20 pages at 0x25f, 0x203",
			},
			image.Version1_5: {
				"1: 0x1, 0x1 pages at 0x0, 0x203",
				"2: 0x11, 0x2 pages at 0x1, 0x203",
				"3: 0x0, 0x5 pages at 0x3, 0x0",
				"10: 0x0, 0x10 pages at 0x8, 0x0",
				"8: 0x3, 0x2 pages at 0x18, 0x203 of 0xcccccccc",
				"10: 0x0, 0x10 pages at 0x1a, 0x0",
				"4: 0x3, 0x1 pages at 0x2a, 0x100 with 72 bytes",
				"6: 0x3, 0x2 pages at 0x2b, 0x203",
				"10: 0x0, 0x10 pages at 0x2d, 0x0",
				"5: 0x3, 0x1 pages at 0x3d, 0x203",
				"group 9: 7 entries 4 times, step 0x36",
				"20: 0x1, 0x1 pages at 0x25a, 0x207",
				"21: 0x11, 0x1 pages at 0x25b, 0x207",
				"22: 0x0, 0x3 pages at 0x25c, 0x0",
			},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := lay(t, unsigned(t), with(c.change), sdk.Options{})
			blocks := u.Metadata()
			if len(blocks) != len(c.want) {
				t.Errorf("%d blocks, want %d", len(blocks), len(c.want))
			}
			for _, m := range blocks {
				want := c.want[m.Version]
				base, end := m.Layout[0].RVA, uint64(0)
				for i := range m.Layout {
					e := &m.Layout[i]
					if i == len(want) { // fills the enclave
						if e.ID != image.LayoutGuard || e.RVA != end || e.RVA+uint64(e.Pages)*isa.PageSize != m.EnclaveSize {
							t.Errorf("%x: the last entry is %s of %#x bytes", m.Version, show(e, 0), m.EnclaveSize)
						}
						continue
					}
					if got := show(e, base); i > len(want) || got != want[i] {
						t.Errorf("%x: entry %d is %q, want %q", m.Version, i, got, want[min(i, len(want)-1)])
					}
					end = e.RVA + uint64(e.Pages)*isa.PageSize
				}
				if m.EnclaveSize&(m.EnclaveSize-1) != 0 || len(m.Layout) < len(want) {
					t.Errorf("%x: %d entries in %#x bytes", m.Version, len(m.Layout), m.EnclaveSize)
				}
			}
		})
	}
}

// TestGlobalData has what the runtime of SDK 2.26 finds, by its offsets.
func TestGlobalData(t *testing.T) {
	file := unsigned(t)
	c := with(func(c *config.Config) {
		c.TCSNum, c.TCSMaxNum = 3, 4
		c.HeapMinSize, c.HeapInitSize, c.HeapMaxSize = 0x1000, 0x3000, 0x8000
		c.ReservedMemMinSize, c.ReservedMemInitSize, c.ReservedMemMaxSize = 0x1000, 0x2000, 0x5000
		c.ReservedMemExecutable, c.EnableAEXNotify, c.EnableIPPFIPS = true, true, true
		c.MiscSelect = 1
		c.ELRange = &config.ELRange{ImageAddress: 1<<32 + 1<<21, Start: 1 << 32, Size: 1 << 28}
	})
	u := lay(t, file, c, sdk.Options{})
	m := u.Metadata()[0]
	o := edit(t, file)
	at, _ := o.Loaded(le.Uint64(o.symbol("g_global_data")[8:]), 1)
	if p := m.Patches[0]; p.Offset != at || len(p.Data) != 1768 {
		t.Fatalf("%d bytes at %#x, want 1768 at %#x", len(p.Data), p.Offset, at)
	}
	for i, want := range []struct {
		offset uint64
		n      int
	}{{0x3C, 2}, {0x28, 8}, {0x3E, 2}} { // e_shnum, e_shoff, e_shstrndx
		if p := m.Patches[i+1]; p.Offset != want.offset || !bytes.Equal(p.Data, make([]byte, want.n)) {
			t.Errorf("patch %d: % x at %#x", i+1, p.Data, p.Offset)
		}
	}
	find := func(id uint16) *image.LayoutEntry {
		i := slices.IndexFunc(m.Layout, func(e image.LayoutEntry) bool { return e.ID == id })
		return &m.Layout[i]
	}
	const page, bias = isa.PageSize, 1 << 21
	gd := m.Patches[0].Data
	for _, w := range []struct {
		name   string
		offset int
		want   uint64
	}{
		{"sdk_version", 0, 0},
		{"enclave_size", 8, m.EnclaveSize},
		{"heap_offset", 16, find(image.LayoutHeapMin).RVA},
		{"heap_size", 24, 0x3000},
		{"rsrv_offset", 32, find(image.LayoutRsrvMin).RVA},
		{"rsrv_size", 40, 0x2000},
		{"rsrv_executable", 48, 1},
		{"thread_policy", 56, 1},
		{"tcs_max_num", 64, 4},
		{"tcs_num", 72, 3},
		// the thread's data, with addresses relative to the TCS
		{"self_addr", 80, (1 + 2 + 16) * page},
		{"last_sp", 88, 1<<64 - 16*page},
		{"stack_base_addr", 96, 1<<64 - 16*page},
		{"stack_limit_addr", 104, 1<<64 - (16+64)*page},
		{"first_ssa_gpr", 112, 2*page - 184},
		{"stack_guard", 120, 0},
		{"flags", 128, 0},
		{"xsave_size", 136, 2688},
		{"last_error", 144, 0},
		{"aex_mitigation_list", 152, 0},
		{"aex_notify_flag", 160, 0},
		{"first_ssa_xsave", 168, page},
		{"next", 176, 0},
		{"tls_addr", 184, (1 + 2 + 16) * page},
		{"tls_array", 192, (1+2+16)*page + 104},
		// the TCS
		{"TCS.FLAGS", 280, 2},
		{"TCS.OSSA", 288, page + bias},
		{"TCS.CSSA, NSSA", 296, 2 << 32},
		{"TCS.OENTRY", 304, le.Uint64(o.symbol("enclave_entry")[8:]) + bias},
		{"TCS.OFSBASGX", 320, (1+2+16)*page + bias},
		{"TCS.OGSBASGX", 328, (1+2+16)*page + bias},
		{"TCS.FSLIMIT, GSLIMIT", 336, 1<<64 - 1},
		{"layout_entry_num", 344, uint64(len(m.Layout))},
		{"layout_table[0].id, attributes, page_count", 352, 1 | 1<<16 | 1<<32},
		{"layout_table[0].rva", 360, find(image.LayoutHeapMin).RVA},
		{"layout_table[1].id, attributes, page_count", 384, 2 | 0x19<<16 | 2<<32},
		{"enclave_image_address", 1728, 1<<32 + 1<<21},
		{"elrange_start_address", 1736, 1 << 32},
		{"elrange_size", 1744, 1 << 28},
		{"edmm_bk_overhead", 1752, 0x10000},
		{"fips_on", 1760, 1},
	} {
		if got := le.Uint64(gd[w.offset:]); got != w.want {
			t.Errorf("%s is %#x, want %#x", w.name, got, w.want)
		}
	}
	if tcs := find(image.LayoutTCS).Content; !bytes.Equal(tcs, gd[272:344]) {
		t.Error("the TCSs are not made from the template in the global data")
	}
}

// TestUserRegion has the sizes of the region for dynamic memory, worked out by
// hand from what the runtime keeps of each region: 80 bytes, and if its pages
// are committed 32 more and a bit for each, all rounded up to 8 with a header
// of 8.
func TestUserRegion(t *testing.T) {
	for _, c := range []struct {
		user  uint64
		pages uint32
		bytes uint64 // of the records
	}{
		{0x1000, 1 + 16 + 16, 0x10000},
		{0x100000000, 0x100000 + 48 + 16, 0x30000}, // of 4 GiB: 0x20000 of records, beside the runtime's
	} {
		u := lay(t, unsigned(t), with(func(c2 *config.Config) { c2.UserRegionSize, c2.MiscSelect = c.user, 1 }), sdk.Options{})
		m := u.Metadata()[0]
		i := slices.IndexFunc(m.Layout, func(e image.LayoutEntry) bool { return e.ID == image.LayoutUserRegion })
		if i < 0 || m.Layout[i].Pages != c.pages || le.Uint64(m.Patches[0].Data[1752:]) != c.bytes || len(u.Metadata()) != 1 {
			t.Errorf("user region of %#x bytes: %+v, records of %#x bytes", c.user, m.Layout[i], le.Uint64(m.Patches[0].Data[1752:]))
		}
	}
}

// TestReleases signs enclaves of every generation of the SDK.
func TestReleases(t *testing.T) {
	v := image.MakeVersion
	for _, c := range []struct {
		size, minor, patch uint64
		named              string // by the trusted runtime, where g_global_data does not
		room               uint32 // for metadata
		release            string
		static, dynamic    []uint64 // versions of blocks
		save               uint32
	}{
		{184, 0, 0, "1.8.100.37689", 0x1000, "1.8", []uint64{v(1, 3)}, []uint64{v(1, 3)}, 2632},
		{184, 0, 0, "1.9.100.39124", 0x1000, "1.9", []uint64{v(1, 4)}, []uint64{v(1, 4)}, 2632},
		{1488, 0, 0, "2.0.40950", 0x3000, "2.0", []uint64{v(2, 1), v(1, 4)}, []uint64{v(2, 1), v(1, 4)}, 2632},
		{1488, 0, 0, "2.1.100.1", 0x5000, "2.1", []uint64{v(2, 2), v(2, 1), v(1, 4)}, nil, 2632},
		{1488, 0, 0, "2.1.103.7", 0x5000, "2.1.3", []uint64{v(2, 3), v(2, 1), v(1, 4)}, nil, 2632},
		{1488, 0, 0, "", 0x5000, "2.5", []uint64{v(2, 4), v(2, 1), v(1, 4)}, nil, 2632},
		{1488, 0, 0, "", 0x3000, "2.0", []uint64{v(2, 1), v(1, 4)}, nil, 2632},
		{1632, 0, 0, "2.7.101.1", 0x5000, "2.7.1", []uint64{v(2, 4), v(2, 1), v(1, 4)}, nil, 2632},
		{1648, 0, 0, "", 0x5000, "2.9", []uint64{v(2, 4), v(2, 1), v(1, 4)}, nil, 2632},
		{1656, 9, 101, "", 0x5000, "2.9.1", []uint64{v(2, 4), v(2, 1), v(1, 4)}, nil, 2632},
		{1656, 13, 100, "", 0x5000, "2.13", []uint64{v(2, 4), v(2, 1), v(1, 4)}, nil, 2632},
		{1680, 15, 101, "", 0x5000, "2.15.1", []uint64{v(2, 4), v(2, 1), v(1, 4)}, nil, 2632},
		{1688, 17, 100, "", 0x5000, "2.17", []uint64{v(2, 4), v(2, 1), v(1, 4)}, nil, 2632},
		{1688, 18, 100, "", 0x5000, "2.18", []uint64{v(1, 4)}, []uint64{v(3, 0), v(1, 4)}, 2688},
		{1720, 19, 100, "", 0x5000, "2.19", []uint64{v(1, 4)}, []uint64{v(3, 0), v(1, 4)}, 2688},
		{1760, 21, 100, "", 0x5000, "2.21", []uint64{v(1, 4)}, []uint64{v(3, 0), v(1, 4)}, 2688},
		{1760, 22, 100, "", 0x5000, "2.22", []uint64{v(1, 4)}, []uint64{v(3, 1), v(1, 4)}, 2688},
		{1760, 24, 100, "", 0x6000, "2.24", []uint64{v(1, 5)}, []uint64{v(3, 2), v(1, 5)}, 2688},
		{1768, 25, 100, "", 0x6000, "2.25", []uint64{v(1, 5)}, []uint64{v(3, 2), v(1, 5)}, 2688},
		{1768, 29, 100, "", 0x6000, "2.29", []uint64{v(1, 5)}, []uint64{v(3, 3), v(1, 5)}, 2688},
	} {
		t.Run(c.release+" "+c.named, func(t *testing.T) {
			file := unsigned(t)
			o := edit(t, file)
			o.release(c.size, 2, c.minor, c.patch)
			s := o.Section(image.MetadataSection)
			le.PutUint32(file[s.Offset+4:], c.room)
			le.PutUint64(file[s.Header+32:], uint64(c.room+25+7)&^7)
			if c.named != "" { // anywhere in the file
				copy(file[s.Offset+25+0x5800:], "SGX_TRTS_VERSION_"+c.named+"\x00")
			}
			for _, v := range []struct {
				change func(*config.Config)
				want   []uint64
			}{{nil, c.static}, {dynamic, c.dynamic}} {
				u := lay(t, file, with(v.change), sdk.Options{})
				if u.SDK() != c.release {
					t.Errorf("release %s, want %s", u.SDK(), c.release)
				}
				if err := u.Sign(testKey()); err != nil {
					t.Fatal(err)
				}
				out := write(t, u)
				var got []uint64
				for _, m := range u.Metadata() {
					got = append(got, m.Version)
					if len(m.Patches[0].Data) != int(c.size) || m.MaxSaveBufferSize != c.save {
						t.Errorf("%x: %d bytes of global data, save area of %d bytes", m.Version, len(m.Patches[0].Data), m.MaxSaveBufferSize)
					}
				}
				if v.want != nil && !slices.Equal(got, v.want) {
					t.Errorf("metadata %x, want %x", got, v.want)
				}
				m, err := image.Parse(out)
				if err != nil {
					t.Fatal(err)
				}
				if got := measure.Image(m); got != u.SigStruct().EnclaveHash || !slices.Equal(m.Versions, versionsOf(u)) {
					t.Errorf("the file holds %x and measures %x", m.Versions, got)
				}
			}
		})
	}
}

// TestOldRange has the metadata of SDK 2.14 to 2.17 for enclaves at fixed
// addresses: its directory is the first of its data, which is where later
// blocks have it.
func TestOldRange(t *testing.T) {
	o := edit(t, unsigned(t))
	o.release(1680, 2, 15, 100)
	c := with(configurations["range ahead"])
	out := signedFile(t, o.Bytes, c)
	u := lay(t, out, c, sdk.Options{Resign: true})
	if got := versionsOf(u); !slices.Equal(got, []uint64{image.MakeVersion(12, 4), image.MakeVersion(11, 4)}) {
		t.Errorf("metadata %x", got)
	}
	m, err := image.Parse(out)
	if err != nil {
		t.Fatal(err)
	}
	if m.Base != c.ELRange.Start || m.Size != c.ELRange.Size || measure.Image(m) != u.SigStruct().EnclaveHash {
		t.Errorf("%#x bytes at %#x, MRENCLAVE %x", m.Size, m.Base, measure.Image(m))
	}
	first, err := image.ParseMetadata(edit(t, out).Data(edit(t, out).Section(image.MetadataSection))[25:])
	if err != nil || first.ELRange == nil || first.ELRange.Image != c.ELRange.ImageAddress {
		t.Errorf("the first block: %+v, %v", first, err)
	}
}

func versionsOf(u *sdk.Unsigned) (v []uint64) {
	for _, m := range u.Metadata() {
		v = append(v, m.Version)
	}
	return v
}

// TestResignOld has what a file's own metadata tells of its release.
func TestResignOld(t *testing.T) {
	for named, want := range map[string]string{"2.0.40950": "2.0", "2.1.100.1": "2.1", "2.3.100.1": "2.1.3", "2.4.100.1": "2.5"} {
		file := unsigned(t)
		o := edit(t, file)
		o.release(1488, 2, 0, 0)
		at := o.Section(image.MetadataSection).Offset + 25 + 0x5800
		copy(file[at:], "SGX_TRTS_VERSION_"+named+"\x00")
		out := signedFile(t, file, config.Default())
		if n := bytes.Count(out, []byte("SGX_TRTS")); n != 0 {
			t.Fatal("the string is still there")
		}
		if u := lay(t, out, config.Default(), sdk.Options{Resign: true}); u.SDK() != want {
			t.Errorf("an enclave of %s is taken for one of %s, want %s", named, u.SDK(), want)
		}
	}
}

// TestFIPSSignature checks the signature over the SIGSTRUCT as the SDK's
// loader does: modulus and exponent are little-endian, the signature is not.
func TestFIPSSignature(t *testing.T) {
	u := lay(t, unsigned(t), with(func(c *config.Config) { dynamic(c); c.EnableIPPFIPS = true }), sdk.Options{Date: day})
	if err := u.Sign(testKey()); err != nil {
		t.Fatal(err)
	}
	out := write(t, u)
	note := edit(t, out).Data(edit(t, out).Section(image.MetadataSection))[25:]
	for _, want := range u.Metadata() {
		m, err := image.ParseMetadata(note)
		if err != nil {
			t.Fatal(err)
		}
		note = note[m.Size:]
		if m.Version != want.Version || len(m.Extends) != 1 || m.Extends[0].ID != image.ExtendFIPSSignature || !bytes.Equal(m.Extends[0].Data, want.Extends[0].Data) {
			t.Fatalf("metadata %x: %d entries", m.Version, len(m.Extends))
		}
		checkFIPSSignature(t, m)
	}
}

func checkFIPSSignature(t *testing.T, m *image.Metadata) {
	t.Helper()
	css, err := m.SigStruct.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := bytes.Clone(m.Extends[0].Data)
	if len(b) != 772 || le.Uint32(b[384:]) != 65537 {
		t.Fatalf("%d bytes, exponent %d", len(b), le.Uint32(b[384:]))
	}
	n, sig := b[:384], b[388:]
	slices.Reverse(n)
	digest := sha256.Sum256(css)
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], sig); err != nil {
		t.Error(err)
	}
}

// TestModule appends a shared object, which the loader puts behind the image.
func TestModule(t *testing.T) {
	file := unsigned(t)
	module := bytes.Clone(file) // any shared object will do
	c := with(func(c *config.Config) { c.EnableOSSLFIPS = true })
	u := lay(t, file, c, sdk.Options{Date: day, FIPSModule: module})
	if err := u.Sign(testKey()); err != nil {
		t.Fatal(err)
	}
	out := write(t, u)
	at := (len(file) + 4095) &^ 4095
	if len(out) != at+len(module) || !bytes.Equal(out[at:], module) {
		t.Fatalf("a file of %d bytes with a module of %d became %d", len(file), len(module), len(out))
	}
	m, err := image.Parse(out)
	if err != nil {
		t.Fatal(err)
	}
	if measure.Image(m) != u.SigStruct().EnclaveHash {
		t.Error("the file measures otherwise")
	}
	plain, err := image.Parse(signedFile(t, file, config.Default()))
	if err != nil {
		t.Fatal(err)
	}
	delta := m.Threads[0].Offset - plain.Threads[0].Offset
	if last := edit(t, file).Segments[2]; delta != (last.Address+last.Size+4095)&^4095 {
		t.Errorf("the threads are %#x bytes further", delta)
	}
	for _, bad := range [][]byte{[]byte("no ELF"), func() []byte {
		o := edit(t, bytes.Clone(file))
		le.PutUint64(o.segment(elf64.SegmentLoad, 2)[40:], 1<<63)
		return o.Bytes
	}()} {
		if _, err := sdk.Lay(file, &c, sdk.Options{FIPSModule: bad}); err == nil || !strings.Contains(err.Error(), "FIPS module") {
			t.Errorf("a bad module: %v", err)
		}
	}
}
