package image

import (
	"bytes"
	"encoding/binary"

	"github.com/feidi-dev/feidi/isa"
)

// Option changes how a file is read.
type Option func(*options)

type options struct {
	sigStruct []byte
	edmm      bool
}

// WithSigStruct attaches a separate SIGSTRUCT of isa.SigStructSize bytes: the
// companion of an SGXS stream, or a replacement of an ELF file's own.
func WithSigStruct(b []byte) Option { return func(o *options) { o.sigStruct = b } }

// WithEDMM chooses the metadata meant for machines that add pages to a
// running enclave, if the file holds any: family 3 instead of family 1.
func WithEDMM() Option { return func(o *options) { o.edmm = true } }

// MaxSize is the greatest ELRANGE accepted, in bytes: the user half of a
// 48-bit linear address space.
const MaxSize = 1 << 47

// Parse reads an enclave file. The result shares no memory with b. Every
// error is a *FormatError.
func Parse(b []byte, opts ...Option) (*Image, error) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	var (
		m   *Image
		err error
	)
	switch {
	case bytes.HasPrefix(b, []byte("\x7fELF")):
		m, err = parseIntel(b, &o)
	case len(b) >= 8 && isSGXS(binary.LittleEndian.Uint64(b)):
		m, err = parseSGXS(b)
	default:
		return nil, formatErr(ErrNotEnclave, 0, "neither ELF nor an SGXS stream")
	}
	if err != nil {
		return nil, err
	}
	if o.sigStruct != nil {
		s := new(isa.SigStruct)
		if err := s.UnmarshalBinary(o.sigStruct); err != nil {
			return nil, malformed(0, "separate SIGSTRUCT has %d bytes, not %d", len(o.sigStruct), isa.SigStructSize)
		}
		m.attach(s)
	}
	return m, nil
}

// attach makes s the image's SIGSTRUCT. An SGXS stream has no attributes of
// its own and takes those that were signed.
func (m *Image) attach(s *isa.SigStruct) {
	m.SigStruct = s
	if m.Mode == ModeUnsigned {
		m.Mode = ModeHardware
	}
	if m.Format == FormatSGXS {
		m.Attributes = s.Attributes
		m.Attributes.Flags &^= isa.AttrInit
		m.MiscSelect = s.MiscSelect
	}
}
