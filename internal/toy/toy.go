package toy

import (
	"crypto/rsa"
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/measure"
	"github.com/feidi-dev/feidi/sign"
)

// ErrOptions is wrapped by the error of Options that make no enclave.
var ErrOptions = errors.New("toy: bad options")

// Defaults of Options, and the size of the scratch memory in bytes.
const (
	DefaultThreads    = 2
	DefaultStackPages = 16
	DefaultHeapSize   = 64 << 10
	ScratchSize       = 16 << 10

	// DefaultDate is SIGSTRUCT.DATE: 1 January 2026.
	DefaultDate = 0x20260101
)

// DefaultXFRM is the XFRM that enclaves are built for; AVX is not covered by
// the mask, so that processors without it run them, too.
const DefaultXFRM = isa.XFRMLegacy | isa.XFRMAVX

// Options are what an enclave is built with. The zero value is a good
// unsigned enclave.
type Options struct {
	// Key signs the enclave: RSA-3072 with exponent 3. Without it, the
	// SIGSTRUCT is all zeros.
	Key *rsa.PrivateKey
	// Edit, if not nil, may change the SIGSTRUCT before it is signed.
	Edit func(*isa.SigStruct)

	// Versions are the metadata blocks in file order; nil means
	// image.Version1_4, and an empty slice a file without any block. All
	// blocks describe the same pages and carry the same SIGSTRUCT; those of
	// major version 2 mark all threads but the first EREMOVE.
	Versions []uint64
	// Base is where the image demands to be loaded: metadata versions 11
	// and 13, and only those.
	Base uint64

	Threads      int    // TCSs; 0 is DefaultThreads
	StackPages   int    // of each thread, at least 3; 0 is DefaultStackPages
	HeapSize     uint64 // bytes; 0 is DefaultHeapSize
	ReservedSize uint64 // bytes of reserved memory
	SSAFrameSize uint32 // pages, 1 to 4; 0 is 1
	ThreadPolicy image.ThreadPolicy
	TCSMinPool   uint32

	// Attributes are those of the metadata and the SIGSTRUCT. MODE64BIT is
	// always added; XFRM 0 is DefaultXFRM.
	Attributes isa.Attributes
	// Debug allows debug and production mode; otherwise the SIGSTRUCT
	// demands what Attributes says.
	Debug      bool
	MiscSelect isa.MiscSelect
	ISVProdID  uint16
	ISVSVN     uint16
	// KSS sets the attribute; the two ids below need it.
	KSS          bool
	ISVFamilyID  [16]byte
	ISVExtProdID [16]byte
	Date         uint32 // BCD yyyymmdd; 0 is DefaultDate

	// Salt is a word of .rodata: enclaves that differ only in it have
	// different MRENCLAVEs.
	Salt uint64
	// TrapExit loads RAX for EEXIT from memory, so that an engine cannot
	// tell the leaf from the code and must trap.
	TrapExit bool
	// TextRel adds DT_TEXTREL and a relocation in .text, whose page is
	// thereby added writable.
	TextRel bool
	// Simulation makes the file look like a build for the SDK's simulation
	// mode. It cannot run.
	Simulation bool
	// SDKVersion, such as "2.25.100.1", is left in the file as the SDK's
	// runtime does.
	SDKVersion string
}

func (o *Options) defaults() error {
	if o.Versions == nil {
		o.Versions = []uint64{image.Version1_4}
	}
	if o.Threads == 0 {
		o.Threads = DefaultThreads
	}
	if o.StackPages == 0 {
		o.StackPages = DefaultStackPages
	}
	if o.HeapSize == 0 {
		o.HeapSize = DefaultHeapSize
	}
	if o.SSAFrameSize == 0 {
		o.SSAFrameSize = 1
	}
	if o.Attributes.XFRM == 0 {
		o.Attributes.XFRM = DefaultXFRM
	}
	o.Attributes.Flags |= isa.AttrMode64Bit
	if o.KSS {
		o.Attributes.Flags |= isa.AttrKSS
	}
	if o.Date == 0 {
		o.Date = DefaultDate
	}
	const maxSize = 1 << 40 // of heap and reserved memory
	switch {
	case o.Threads < 0 || o.Threads > 1<<12:
		return fmt.Errorf("%w: %d threads", ErrOptions, o.Threads)
	case o.StackPages <= stackMinPages || o.StackPages > 1<<16:
		return fmt.Errorf("%w: %d stack pages", ErrOptions, o.StackPages)
	case o.SSAFrameSize > 4:
		return fmt.Errorf("%w: SSA frame of %d pages", ErrOptions, o.SSAFrameSize)
	case o.HeapSize > maxSize || o.ReservedSize > maxSize:
		return fmt.Errorf("%w: heap of %#x and reserved memory of %#x bytes", ErrOptions, o.HeapSize, o.ReservedSize)
	}
	return nil
}

// Build returns an enclave file in Intel's format.
func Build(o Options) ([]byte, error) {
	if err := o.defaults(); err != nil {
		return nil, err
	}
	l, err := link(&o)
	if err != nil {
		return nil, err
	}
	var sig isa.SigStruct
	file, err := l.file(&o, &sig)
	if err != nil || o.Key == nil || len(o.Versions) == 0 {
		return file, err
	}
	m, err := image.Parse(file)
	if err != nil {
		return nil, fmt.Errorf("toy: the file just built: %w", err)
	}
	sig = statement(&o, measure.Image(m))
	if err := sign.Sign(&sig, o.Key); err != nil {
		return nil, fmt.Errorf("toy: %w", err)
	}
	return l.file(&o, &sig)
}

// statement returns the SIGSTRUCT that is to be signed.
func statement(o *Options, hash [32]byte) isa.SigStruct {
	s := isa.SigStruct{
		Date:          o.Date,
		MiscSelect:    o.MiscSelect,
		MiscMask:      ^isa.MiscSelect(0),
		ISVFamilyID:   o.ISVFamilyID,
		ISVExtProdID:  o.ISVExtProdID,
		Attributes:    o.Attributes,
		AttributeMask: isa.Attributes{Flags: ^isa.AttributeFlags(0), XFRM: ^isa.XFRMAVX},
		EnclaveHash:   hash,
		ISVProdID:     o.ISVProdID,
		ISVSVN:        o.ISVSVN,
	}
	if o.Debug {
		s.AttributeMask.Flags &^= isa.AttrDebug
	}
	if o.Edit != nil {
		o.Edit(&s)
	}
	return s
}

// block returns the metadata block of one version.
func (l *linked) block(o *Options, version uint64, sig *isa.SigStruct) ([]byte, error) {
	m := image.Metadata{
		Version:           version,
		TCSPolicy:         o.ThreadPolicy,
		SSAFrameSize:      o.SSAFrameSize,
		MaxSaveBufferSize: o.SSAFrameSize*isa.PageSize - isa.GPRSGXSize - isa.ExInfoSize,
		DesiredMiscSelect: o.MiscSelect,
		TCSMinPool:        o.TCSMinPool,
		EnclaveSize:       l.plan.size,
		Attributes:        o.Attributes,
		SigStruct:         *sig,
		Layout:            l.plan.layout(o, version, l.entry),
		Patches:           l.patches(o),
	}
	if o.Debug {
		m.Attributes.Flags |= isa.AttrDebug
	}
	if o.Base != 0 {
		m.ELRange = &image.ELRange{Image: o.Base, Start: o.Base, Size: l.plan.size}
	}
	return m.AppendBinary(nil)
}
