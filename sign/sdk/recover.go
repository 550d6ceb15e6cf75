package sdk

import (
	"encoding/binary"
	"fmt"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign/config"
)

// Configuration returns the configuration that a file was signed with, as far
// as its metadata tells: signed again with it, the enclave keeps its
// measurement. Settings that leave no trace have their defaults. An error
// about the file is an *ObjectError.
func Configuration(file []byte) (*config.Config, error) {
	o, err := readObject(file, Options{Resign: true, IgnoreRelocations: true, IgnoreInit: true})
	if err != nil {
		return nil, err
	}
	sdk, err := releaseOf(o)
	if err != nil {
		return nil, err
	}
	if o.metadataVersion == 0 {
		return nil, objectErr(o.noteAt, "the enclave was never signed: give its configuration")
	}
	m, err := image.ParseMetadata(o.note)
	if err != nil {
		return nil, objectErr(o.noteAt, "metadata: %v", err)
	}
	c := config.Default()
	r := recovered{&c, sdk, m}
	r.statement()
	table, global := m.Layout, []byte(nil)
	if sdk >= sdk2_0 {
		if table, global, err = r.table(o); err != nil {
			return nil, err
		}
	}
	if err := r.layout(table, o.noteAt); err != nil {
		return nil, err
	}
	if size := c.UserRegionSize; sdk >= sdk2_20 && size > 0 {
		at := len(global) - 8 // of the size of the records
		if sdk >= sdk2_25 {
			at -= 8
		}
		c.UserRegionSize -= min(binary.LittleEndian.Uint64(global[at:])+regionGuards, size)
	} else {
		c.UserRegionSize = 0 // earlier, only the runtime's own records
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("sdk: the enclave's metadata: %w", err)
	}
	return &c, nil
}

type recovered struct {
	*config.Config
	sdk release
	m   *image.Metadata
}

// statement takes what the SIGSTRUCT and the head of the metadata say.
func (r *recovered) statement() {
	s := &r.m.SigStruct
	r.ProdID, r.ISVSVN, r.HW = s.ISVProdID, s.ISVSVN, s.SWDefined
	r.ISVFamilyID, r.ISVExtProdID = s.ISVFamilyID, s.ISVExtProdID
	r.ReleaseType, r.IntelSigned = s.Type&isa.SigStructDebug != 0, s.Vendor == isa.VendorIntel
	has := func(f isa.AttributeFlags) bool { return s.Attributes.Flags&f != 0 }
	r.ProvisionKey, r.LaunchKey = has(isa.AttrProvisionKey), has(isa.AttrEinitTokenKey)
	r.EnableKSS, r.EnableAEXNotify = has(isa.AttrKSS), has(isa.AttrAEXNotify)
	r.DisableDebug = s.AttributeMask.Flags&isa.AttrDebug != 0
	feature := func(x isa.XFRM) config.Feature {
		switch {
		case s.Attributes.XFRM&x != 0:
			return config.FeatureOn
		case s.AttributeMask.XFRM&x == 0:
			return config.FeatureLoader
		}
		return config.FeatureOff
	}
	r.PKRU, r.AMX = feature(isa.XFRMPKRU), feature(xfrmAMX)
	r.MiscSelect, r.MiscMask = uint32(s.MiscSelect), uint32(s.MiscMask)
	if r.sdk >= sdk2_22 {
		r.MiscSelect = uint32(r.m.DesiredMiscSelect)
	}
	r.TCSUnbound = r.m.TCSPolicy == image.PolicyUnbind
	if r.sdk >= sdk2_0 {
		r.TCSMinPool = r.m.TCSMinPool
	}
	if e := r.m.ELRange; e != nil {
		r.ELRange = &config.ELRange{ImageAddress: e.Image, Start: e.Start, Size: e.Size}
	}
	for _, x := range r.m.Extends {
		r.EnableIPPFIPS = r.EnableIPPFIPS || x.ID == image.ExtendFIPSSignature
		r.EnableOSSLFIPS = r.EnableOSSLFIPS || x.ID == image.ExtendSharedObject
	}
}

// table returns the layout that the enclave's runtime was given, which has
// what grows even if the metadata has not, and the whole of the global data.
func (r *recovered) table(o *object) ([]image.LayoutEntry, []byte, error) {
	var global []byte
	for _, p := range r.m.Patches {
		if p.Offset == o.globalDataAt && len(p.Data) == len(o.globalData) {
			global = p.Data
		}
	}
	at := 4*8 + 160 + tcsTemplateSize
	for _, f := range [...]struct {
		since release
		size  int
	}{{sdk2_6, 16}, {sdk2_8, 16}, {sdk2_9_1, 8}, {sdk2_17, 8}, {sdk2_20, 32}} {
		if r.sdk >= f.since {
			at += f.size
		}
	}
	if len(global) < at+8 {
		return nil, nil, objectErr(o.noteAt, "the metadata does not fill %s", symGlobalData)
	}
	n := int64(binary.LittleEndian.Uint32(global[at:]))
	if n > int64(len(global)-at-8)/layoutEntrySize {
		return nil, nil, objectErr(o.noteAt, "the layout in %s has %d entries", symGlobalData, n)
	}
	var table []image.LayoutEntry
	for e := global[at+8:][:n*layoutEntrySize]; len(e) > 0; e = e[layoutEntrySize:] {
		table = append(table, decodeEntry(e))
	}
	return table, global, nil
}

// decodeEntry reads a layout entry, but for its content.
func decodeEntry(b []byte) image.LayoutEntry {
	le := binary.LittleEndian
	e := image.LayoutEntry{ID: le.Uint16(b)}
	if e.IsGroup() {
		e.Entries, e.Times, e.Step = le.Uint16(b[2:]), le.Uint32(b[4:]), le.Uint64(b[8:])
	} else {
		e.Attributes, e.Pages, e.RVA = le.Uint16(b[2:]), le.Uint32(b[4:]), le.Uint64(b[8:])
		e.Flags = isa.SecInfoFlags(le.Uint64(b[24:]))
	}
	return e
}

// layout takes the sizes of heap, stacks and reserved memory, and the numbers
// of threads.
func (r *recovered) layout(table []image.LayoutEntry, at uint64) error {
	size := map[uint16]uint64{} // of the first entry of a kind, in bytes
	count := map[uint16]uint64{}
	for i := range table {
		e := &table[i]
		if e.IsGroup() {
			if int(e.Entries) > i {
				return objectErr(at, "layout group %d repeats %d entries of %d before it", i, e.Entries, i)
			}
			for _, x := range table[i-int(e.Entries) : i] {
				count[x.ID] += uint64(e.Times)
			}
			continue
		}
		if count[e.ID]++; count[e.ID] == 1 {
			size[e.ID] = uint64(e.Pages) * isa.PageSize
		}
		if e.ID == image.LayoutRsrvMin && r.sdk >= sdk2_6 {
			r.ReservedMemExecutable = e.Flags&isa.SecInfoX != 0
		}
	}
	if r.sdk < sdk2_0 {
		r.HeapMaxSize, r.StackMaxSize = size[image.LayoutHeapMin], size[layout1Stack]
		r.HeapInitSize, r.HeapMinSize = r.HeapMaxSize, min(r.HeapMinSize, r.HeapMaxSize)
		r.StackMinSize = min(r.StackMinSize, r.StackMaxSize)
		return r.setThreads(count[layout1TCS], 0, at)
	}
	r.HeapMinSize = size[image.LayoutHeapMin]
	r.HeapInitSize = r.HeapMinSize + size[image.LayoutHeapInit]
	r.HeapMaxSize = r.HeapInitSize + size[image.LayoutHeapMax]
	r.StackMinSize = size[image.LayoutStackMin]
	r.StackMaxSize = r.StackMinSize + size[image.LayoutStackMax]
	if r.sdk < sdk2_4 && r.StackMinSize == isa.PageSize {
		r.StackMinSize = config.Default().StackMinSize
	}
	r.ReservedMemMinSize = size[image.LayoutRsrvMin]
	r.ReservedMemInitSize = r.ReservedMemMinSize + size[image.LayoutRsrvInit]
	r.ReservedMemMaxSize = r.ReservedMemInitSize + size[layoutRsrvMax]
	r.UserRegionSize = size[image.LayoutUserRegion]
	return r.setThreads(count[image.LayoutTCS], count[image.LayoutTCS+layoutDynThread], at)
}

func (r *recovered) setThreads(static, dynamic, at uint64) error {
	if static == 0 || static > maxThreads || dynamic > maxThreads {
		return objectErr(at, "the layout has %d threads and %d dynamic ones", static, dynamic)
	}
	r.TCSNum, r.TCSMaxNum = uint32(static), uint32(static)
	if pool := min(r.TCSMinPool, r.TCSNum-1); dynamic > 0 {
		r.TCSMaxNum = uint32(dynamic) + pool
	}
	return nil
}
