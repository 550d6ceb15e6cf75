package image

import (
	"bytes"

	"github.com/feidi-dev/feidi/isa"
)

// Symbols by which SDK runtimes are told apart.
const (
	symGlobalData    = "g_global_data"
	symGlobalDataSim = "g_global_data_sim"
	symEnclaveEntry  = "enclave_entry"
)

// parseIntel reads a shared object of the Intel SDK. The order is that of its
// loader, which is the order of measurement: segments, then the layout.
func parseIntel(b []byte, o *options) (*Image, error) {
	f, err := parseELF(b)
	if err != nil {
		return nil, err
	}
	meta, at, versions, err := findMetadata(f, o.edmm)
	if err != nil {
		return nil, err
	}
	m := &Image{
		Format: FormatIntel, Mode: ModeHardware,
		Version: meta.Version, Versions: versions, SDK: sdkVersion(b),
		Size: meta.EnclaveSize, SSAFrameSize: meta.SSAFrameSize, Attributes: meta.Attributes,
		MiscSelect:   meta.SigStruct.MiscSelect | meta.DesiredMiscSelect,
		ThreadPolicy: meta.TCSPolicy, TCSMinPool: meta.TCSMinPool,
	}
	if meta.SigStruct.Signature != ([isa.RSAKeySize]byte{}) {
		s := meta.SigStruct
		m.SigStruct = &s
	} else {
		m.Mode = ModeUnsigned
	}
	if f.exports(symGlobalDataSim) {
		m.Mode = ModeSimulation
	}
	if err := checkHeader(meta); err != nil {
		return nil, rebase(err, at)
	}

	// Tables are read from the file as it is, segments from the patched copy.
	writable, err := f.textRelocations()
	if err != nil {
		return nil, err
	}
	patched, err := applyPatches(b, meta.Patches, at)
	if err != nil {
		return nil, err
	}
	m.Symbols, m.Code = f.functions(meta.EnclaveSize), f.code(meta.EnclaveSize)
	l := loader{image: m, file: patched, limit: m.Size}
	return m, l.load(f, meta, at, writable)
}

// Lay returns the pages that the shared object b of the SDK will have once
// meta is its metadata, whatever its section holds now. It is for signing:
// the result has no SIGSTRUCT, no symbols, and shares the memory of b and
// meta where no patch changes a page. Every error is a *FormatError; offsets
// that concern meta are those in its first block.
func Lay(b []byte, meta *Metadata) (*Image, error) {
	f, err := parseELF(b)
	if err != nil {
		return nil, err
	}
	if err := checkHeader(meta); err != nil {
		return nil, err
	}
	if hasELRange(meta.Version) != (meta.ELRange != nil) {
		return nil, malformed(8, "metadata version %d.%d and ELRANGE disagree", meta.Version>>32, uint32(meta.Version))
	}
	writable, err := f.textRelocations()
	if err != nil {
		return nil, err
	}
	if err := checkPatches(b, meta.Patches, 0); err != nil {
		return nil, err
	}
	m := &Image{
		Format: FormatIntel, Mode: ModeUnsigned, Version: meta.Version,
		Size: meta.EnclaveSize, SSAFrameSize: meta.SSAFrameSize, Attributes: meta.Attributes,
		MiscSelect:   meta.SigStruct.MiscSelect | meta.DesiredMiscSelect,
		ThreadPolicy: meta.TCSPolicy, TCSMinPool: meta.TCSMinPool,
	}
	l := loader{image: m, file: b, patches: meta.Patches, limit: m.Size}
	return m, l.load(f, meta, 0, writable)
}

// checkHeader checks the fields of a block that need no context. Offsets are
// those in the block.
func checkHeader(meta *Metadata) error {
	if meta.TCSPolicy > PolicyUnbind {
		return malformed(20, "TCS policy %d", meta.TCSPolicy)
	}
	if meta.SSAFrameSize < 1 || meta.SSAFrameSize > 4 {
		return malformed(24, "SSA frame of %d pages, not 1 to 4", meta.SSAFrameSize)
	}
	if err := checkSize(40, meta.EnclaveSize); err != nil {
		return err
	}
	r := meta.ELRange
	if r == nil {
		return nil
	}
	at := uint64(metaOffDirs + dirELRange*metaDirSize)
	if err := checkSize(at, r.Size); err != nil {
		return err
	}
	if r.Start%r.Size != 0 || r.Image%isa.PageSize != 0 {
		return malformed(at, "ELRANGE start %#x or image address %#x is not aligned", r.Start, r.Image)
	}
	if r.Start > MaxSize-r.Size || r.Image < r.Start || !within(r.Image-r.Start, meta.EnclaveSize, r.Size) {
		return malformed(at, "image of %#x bytes at %#x does not fit into ELRANGE %#x+%#x", meta.EnclaveSize, r.Image, r.Start, r.Size)
	}
	return nil
}

// checkSize checks the size of an ELRANGE, in bytes.
func checkSize(at, size uint64) error {
	if size < isa.PageSize || size > MaxSize || size&(size-1) != 0 {
		return malformed(at, "enclave size %#x is not a power of two from %#x to %#x", size, isa.PageSize, uint64(MaxSize))
	}
	return nil
}

// findMetadata chooses a block among those of the file and returns its offset
// and the versions of all.
//
// The rule is that of the SDK's loader: of the greatest family that the
// machine supports, 1 or with EDMM 3, the greatest version; the blocks of
// family 2, whose machines never shipped, serve only if there is no other.
func findMetadata(f *elfFile, edmm bool) (meta *Metadata, at uint64, versions []uint64, err error) {
	blocks, base, err := f.metadata()
	if err != nil {
		return nil, 0, nil, err
	}
	best, pos := -1, uint64(0)
	var starts []uint64
	for i, b := range blocks {
		v := blockVersion(b)
		versions = append(versions, v)
		starts = append(starts, pos)
		if knownVersion(v) && (best < 0 || preferred(v, versions[best], edmm)) {
			best = i
		}
		pos += uint64(len(b))
	}
	if best < 0 {
		return nil, 0, versions, formatErr(ErrUnsupported, base+8, "metadata version %d.%d", versions[0]>>32, uint32(versions[0]))
	}
	at = base + starts[best]
	meta, err = ParseMetadata(blocks[best])
	return meta, at, versions, rebase(err, at)
}

// preferred reports whether version v serves a machine better than w does.
func preferred(v, w uint64, edmm bool) bool {
	usable := func(v uint64) bool { return family(v) == 1 || edmm && family(v) == 3 }
	if usable(v) != usable(w) {
		return usable(v)
	}
	return v > w
}

// applyPatches returns a copy of the file with the patches applied. The block
// that holds them begins at offset at.
func applyPatches(b []byte, patches []Patch, at uint64) ([]byte, error) {
	if err := checkPatches(b, patches, at); err != nil {
		return nil, err
	}
	out := bytes.Clone(b)
	for _, p := range patches {
		copy(out[p.Offset:], p.Data)
	}
	return out, nil
}

func checkPatches(b []byte, patches []Patch, at uint64) error {
	for i, p := range patches {
		if !within(p.Offset, uint64(len(p.Data)), uint64(len(b))) {
			return malformed(at+metaOffDirs, "patch %d, %#x bytes at %#x, lies outside the file of %#x bytes", i, len(p.Data), p.Offset, len(b))
		}
	}
	return nil
}

// sdkVersion returns the version that the SDK's trusted runtime leaves in
// every file, or "".
func sdkVersion(b []byte) string {
	const mark = "SGX_TRTS_VERSION_"
	i := bytes.Index(b, []byte(mark))
	if i < 0 {
		return ""
	}
	v := b[i+len(mark):]
	n := 0
	for n < len(v) && n < 32 && (v[n] == '.' || v[n] >= '0' && v[n] <= '9') {
		n++
	}
	return string(v[:n])
}

// shift moves everything by delta bytes, from the image's base to that of its
// ELRANGE. The offsets inside TCSs were signed as they are.
func (m *Image) shift(delta uint64) {
	for i := range m.Runs {
		m.Runs[i].Offset += delta
	}
	for i := range m.Threads {
		m.Threads[i].Offset += delta
	}
	for i := range m.Symbols {
		m.Symbols[i].Offset += delta
	}
	for i := range m.Code {
		m.Code[i].Start += delta
		m.Code[i].End += delta
	}
}
