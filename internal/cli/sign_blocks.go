package cli

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/host"
	"github.com/feidi-dev/feidi/sign"
)

// dumped is the JSON object of dump.
type dumped struct {
	Enclave string        `json:"enclave"`
	Blocks  []dumpedBlock `json:"blocks"`
}

// dumpedBlock is a metadata block. Sizes are in bytes.
type dumpedBlock struct {
	Version           string        `json:"version"`
	Size              uint32        `json:"size"`
	ThreadPolicy      string        `json:"thread_policy"`
	SSAFramePages     uint32        `json:"ssa_frame_pages"`
	MaxSaveBuffer     uint32        `json:"max_save_buffer"`
	DesiredMiscSelect string        `json:"desired_misc_select"`
	TCSMinPool        uint32        `json:"tcs_min_pool"`
	EnclaveSize       uint64        `json:"enclave_size"`
	Attributes        attributes    `json:"attributes"`
	ELRange           *dumpedRange  `json:"elrange"`
	Patches           int           `json:"patches"`
	Layout            []dumpedEntry `json:"layout"`
	SigStruct         dumpedSigned  `json:"sigstruct"`
}

type dumpedRange struct {
	Image uint64 `json:"image"`
	Start uint64 `json:"start"`
	Size  uint64 `json:"size"`
}

// dumpedEntry is a run of pages, or the repetition of those before it.
type dumpedEntry struct {
	Name   string `json:"name"`
	Offset uint64 `json:"offset,omitempty"`
	Pages  uint32 `json:"pages,omitempty"`
	Kind   string `json:"kind,omitempty"`
	Steps  string `json:"steps,omitempty"` // what the loader does with them
	Repeat uint32 `json:"repeat,omitempty"`
	Of     uint16 `json:"of,omitempty"` // entries before it
	Step   uint64 `json:"step,omitempty"`
}

type dumpedSigned struct {
	Type          string     `json:"type"`
	Vendor        string     `json:"vendor"`
	Date          string     `json:"date"`
	HWVersion     string     `json:"hw_version"`
	MREnclave     string     `json:"mrenclave"`
	MRSigner      string     `json:"mrsigner"`
	ISVProdID     uint16     `json:"isv_prod_id"`
	ISVSVN        uint16     `json:"isv_svn"`
	ISVExtProdID  string     `json:"isv_ext_prod_id"`
	ISVFamilyID   string     `json:"isv_family_id"`
	Attributes    attributes `json:"attributes"`
	AttributeMask attributes `json:"attribute_mask"`
	MiscSelect    string     `json:"misc_select"`
	MiscMask      string     `json:"misc_mask"`
}

func (a *app) showDump(f *signFlags, blocks []*image.Metadata) error {
	if a.json {
		d := dumped{Enclave: string(f.enclave)}
		for _, m := range blocks {
			d.Blocks = append(d.Blocks, dumpBlock(m))
		}
		return a.writeJSON(d)
	}
	if f.dumpFile == "-" {
		return nil
	}
	a.printf("%s\n", f.enclave)
	for _, m := range blocks {
		b := dumpBlock(m)
		b.show(a)
	}
	return nil
}

func dumpBlock(m *image.Metadata) dumpedBlock {
	s := &m.SigStruct
	mrsigner := sign.MRSigner(s)
	b := dumpedBlock{
		Version: showVersion(m.Version), Size: m.Size, ThreadPolicy: policyName(m.TCSPolicy),
		SSAFramePages: m.SSAFrameSize, MaxSaveBuffer: m.MaxSaveBufferSize,
		DesiredMiscSelect: fmt.Sprintf("%#x", uint32(m.DesiredMiscSelect)), TCSMinPool: m.TCSMinPool,
		EnclaveSize: m.EnclaveSize, Attributes: showAttributes(m.Attributes), Patches: len(m.Patches), Layout: []dumpedEntry{},
		SigStruct: dumpedSigned{
			Type: fmt.Sprintf("%#x", s.Type), Vendor: fmt.Sprintf("%#x", s.Vendor), Date: showDate(s.Date), HWVersion: fmt.Sprintf("%#x", s.SWDefined),
			MREnclave: hex.EncodeToString(s.EnclaveHash[:]), MRSigner: hex.EncodeToString(mrsigner[:]),
			ISVProdID: s.ISVProdID, ISVSVN: s.ISVSVN,
			ISVExtProdID: hex.EncodeToString(s.ISVExtProdID[:]), ISVFamilyID: hex.EncodeToString(s.ISVFamilyID[:]),
			Attributes: showAttributes(s.Attributes), AttributeMask: showAttributes(s.AttributeMask),
			MiscSelect: fmt.Sprintf("%#x", uint32(s.MiscSelect)), MiscMask: fmt.Sprintf("%#x", uint32(s.MiscMask)),
		},
	}
	if r := m.ELRange; r != nil {
		b.ELRange = &dumpedRange{r.Image, r.Start, r.Size}
	}
	for i := range m.Layout {
		b.Layout = append(b.Layout, dumpEntry(&m.Layout[i]))
	}
	return b
}

func policyName(p image.ThreadPolicy) string {
	switch p {
	case image.PolicyBind:
		return "bind"
	case image.PolicyUnbind:
		return "unbind"
	}
	return fmt.Sprint(uint32(p))
}

var layoutNames = map[uint16]string{
	image.LayoutHeapMin: "heap, min", image.LayoutHeapInit: "heap, init", image.LayoutHeapMax: "heap, max",
	image.LayoutTCS: "TCS", image.LayoutTD: "thread data", image.LayoutSSA: "SSA",
	image.LayoutStackMax: "stack, max", image.LayoutStackMin: "stack, min", image.LayoutThreadGroup: "threads", image.LayoutGuard: "guard",
	image.LayoutRsrvMin: "reserved, min", image.LayoutRsrvInit: "reserved, init", image.LayoutRsrvInit + 1: "reserved, max",
	image.LayoutUserRegion: "user region",
}

var stepNames = []bitName{
	{uint64(image.LayoutEADD), "EADD"}, {uint64(image.LayoutEEXTEND), "EEXTEND"}, {uint64(image.LayoutEREMOVE), "EREMOVE"},
	{uint64(image.LayoutPostAdd), "post-add"}, {uint64(image.LayoutPostRemove), "post-remove"},
	{uint64(image.LayoutDynThread), "dynamic thread"}, {uint64(image.LayoutGrowDown), "grows down"},
}

func dumpEntry(e *image.LayoutEntry) dumpedEntry {
	name, ok := layoutNames[e.ID]
	if !ok {
		name = fmt.Sprintf("id %#x", e.ID)
	}
	if e.IsGroup() {
		return dumpedEntry{Name: name, Repeat: e.Times, Of: e.Entries, Step: e.Step}
	}
	d := dumpedEntry{Name: name, Offset: e.RVA, Pages: e.Pages, Steps: strings.Join(bits(uint64(e.Attributes), stepNames), " ")}
	if e.Flags != 0 {
		d.Kind = pageKind(e.Flags)
	}
	return d
}

func (b *dumpedBlock) show(a *app) {
	a.printf("Metadata %s, %d bytes\n", b.Version, b.Size)
	var t table
	t.add("ELRANGE", fmt.Sprintf("%s (%#x)", host.Bytes(b.EnclaveSize), b.EnclaveSize))
	if r := b.ELRange; r != nil {
		t.add("Place", fmt.Sprintf("image at %#x, in %#x bytes at %#x", r.Image, r.Size, r.Start))
	}
	t.add("Attributes", b.Attributes.Flags+" ("+strings.Join(b.Attributes.Names, " ")+"), XFRM "+b.Attributes.XFRM)
	t.add("MISCSELECT", b.DesiredMiscSelect+" if the machine has it")
	t.add("Threads", fmt.Sprintf("policy %s, %d kept ready; SSA frames of %s, XSAVE area of %d bytes", b.ThreadPolicy, b.TCSMinPool, count(b.SSAFramePages, "page"), b.MaxSaveBuffer))
	s := &b.SigStruct
	t.add("MRENCLAVE", s.MREnclave)
	t.add("MRSIGNER", s.MRSigner)
	t.add("Signed", "on "+s.Date+", type "+s.Type+", vendor "+s.Vendor+", hardware version "+s.HWVersion)
	t.add("Product", fmt.Sprintf("id %d, SVN %d", s.ISVProdID, s.ISVSVN))
	if strings.Trim(s.ISVExtProdID+s.ISVFamilyID, "0") != "" {
		t.add("KSS", "extended product id "+s.ISVExtProdID+", family id "+s.ISVFamilyID)
	}
	t.add("  signed", "attributes "+s.Attributes.Flags+", XFRM "+s.Attributes.XFRM+", MISCSELECT "+s.MiscSelect)
	t.add("  masks", "attributes "+s.AttributeMask.Flags+", XFRM "+s.AttributeMask.XFRM+", MISCSELECT "+s.MiscMask)
	t.add("Patches", fmt.Sprintf("%d, before the file is loaded", b.Patches))
	t.write(a, "  ")
	a.printf("  Layout\n")
	var l table
	l.add("offset", "pages", "use", "kind", "loader")
	for _, e := range b.Layout {
		if e.Repeat > 0 || e.Of > 0 {
			l.add("", "", e.Name, "", fmt.Sprintf("the %d before it again %d times, every %#x bytes", e.Of, e.Repeat, e.Step))
			continue
		}
		l.add(fmt.Sprintf("%#x", e.Offset), fmt.Sprint(e.Pages), e.Name, e.Kind, e.Steps)
	}
	l.write(a, "    ")
}
