// Package sdk signs enclave files of the Intel SDK, as its tool sgx_sign
// does: it checks the shared object, lays out the pages that the loader adds
// beside its segments, measures the whole, and puts the metadata with the
// SIGSTRUCT into the section that the file reserves for it.
//
// An enclave's runtime reads its layout from a structure that the signer
// fills, and which is measured. Its form, the layout and the metadata differ
// from release to release of the SDK; what this package writes is what the
// tool of the release wrote that the enclave was built with, 1.5 to 2.29.
//
// The package is pure: files, keys and the date are arguments. What it knows
// of an enclave's settings it takes from package sign/config.
package sdk

import (
	"bytes"
	"crypto/rsa"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/measure"
	"github.com/feidi-dev/feidi/sign"
	"github.com/feidi-dev/feidi/sign/config"
)

// Options are what signing depends on beside the configuration.
type Options struct {
	// Date is the day that the SIGSTRUCT names, in UTC.
	Date time.Time
	// Resign accepts a file that is signed already.
	Resign bool
	// IgnoreRelocations accepts a file whose code would be relocated.
	IgnoreRelocations bool
	// IgnoreInit accepts a file with an .init section, which nothing runs.
	IgnoreInit bool
	// FIPSModule is the OpenSSL FIPS provider, a shared object, that
	// config.Config.EnableOSSLFIPS appends to the enclave's file.
	FIPSModule []byte
	// MaxMeasured bounds the bytes that are hashed, and thereby the time that
	// Lay takes: 5184 for a page whose content is measured, and 64 for
	// another. Zero is 32 GiB, half a minute: stacks of 24 GiB altogether, or
	// a heap of 2 TiB.
	MaxMeasured uint64
}

const defaultMaxMeasured = 32 << 30

// Unsigned is an enclave file that lacks nothing but its signature.
type Unsigned struct {
	file      []byte // with what is appended to it
	noteAt    uint64
	noteSize  uint64
	blocks    []*block
	sigStruct isa.SigStruct
	sdk       release
	notes     []string
	memory    uint64 // of the pages that are added, in bytes
	metadata  []byte // encoded, once it is signed
}

// Lay checks an enclave file, lays out its metadata and measures it. It keeps
// file, which must not change while the result is in use.
//
// Before SDK 2.4 a stack had 4 KiB at least, and 8 KiB since: for an enclave of
// those releases a StackMinSize that is the default means theirs.
//
// An error about the file is an *ObjectError; others wrap config.ErrInvalid or
// ErrLayout.
func Lay(file []byte, c *config.Config, o Options) (*Unsigned, error) {
	object, err := readObject(file, o)
	if err != nil {
		return nil, err
	}
	sdk, err := releaseOf(object)
	if err != nil {
		return nil, err
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	p := &plan{Config: c, object: object, sdk: sdk}
	if err := p.checkFeatures(); err != nil {
		return nil, err
	}
	u := &Unsigned{file: file, noteAt: object.noteAt, noteSize: uint64(len(object.note)), sdk: sdk}
	p.fillSigStruct(&u.sigStruct, o.Date)
	var module *image.Extend
	if c.EnableOSSLFIPS {
		if len(o.FIPSModule) == 0 {
			return nil, layoutErr("EnableOSSLFIPS appends the OpenSSL FIPS provider: give its file, lib64/fips.so of the SDK")
		}
		if u.file, module, err = p.appendModule(o.FIPSModule); err != nil {
			return nil, err
		}
	}
	size, note, err := p.layOut(&u.sigStruct)
	if err != nil {
		return nil, err
	}
	if note != "" {
		u.notes = append(u.notes, note)
	}
	if c.ReleaseType {
		u.notes = append(u.notes, "ReleaseType 1 marks the signature as one for debugging, with which EINIT initializes no enclave")
	}
	if err := u.makeBlocks(p, size, module); err != nil {
		return nil, err
	}
	return u, u.measure(o.MaxMeasured)
}

// layOut makes the layout and returns the size of the enclave, and what the
// signer should know of it.
func (p *plan) layOut(s *isa.SigStruct) (size uint64, note string, err error) {
	p.xsave, p.ssaPages = xsaveSize(loaderAttributes(s).XFRM, p.sdk), 1
	if p.sdk >= sdk2_18 {
		p.ssaPages = uint32(roundUp(uint64(p.xsave)+gprAreaSize) / isa.PageSize)
	}
	p.tdPages = p.pages("thread-local data", isa.PageSize+roundUp(p.object.tlsSize))
	p.pool = min(p.TCSMinPool, p.TCSNum-1)
	p.eremove = p.TCSNum - 1 - p.pool
	p.rsrvInit = p.ReservedMemInitSize
	p.stackMin = p.StackMinSize
	if p.sdk < sdk2_4 && p.stackMin == config.Default().StackMinSize {
		p.stackMin = isa.PageSize // the default of its time
	}
	switch {
	case p.sdk < sdk2_0:
		p.static()
	default:
		p.heap()
		p.threads()
		p.reserved()
	}
	if p.sdk >= sdk2_18 {
		if _, p.sgx2, note = p.Metadata(); p.sgx2 {
			if err := p.bookkeeping(); err != nil {
				return 0, "", err
			}
		}
	}
	if p.place(); p.err == nil {
		size = p.tail()
	}
	if p.err != nil {
		return 0, "", p.err
	}
	if r := p.ELRange; r != nil && (r.ImageAddress < r.Start || p.size > r.Size || r.ImageAddress-r.Start > r.Size-p.size) {
		return 0, "", layoutErr("the enclave's %#x bytes at EnclaveImageAddress %#x exceed the range of %#x bytes at %#x: raise ELRangeSize or lower the address", p.size, r.ImageAddress, r.Size, r.Start)
	}
	return size, note, nil
}

// makeBlocks makes the metadata. The first block is the one that is measured;
// all blocks measure alike.
func (u *Unsigned) makeBlocks(p *plan, size uint64, module *image.Extend) error {
	dynamic, early, static := p.versions()
	switch {
	case p.sdk < sdk2_0:
		b, err := p.newBlock(static, size, module)
		u.blocks = []*block{b}
		return err
	default:
		b, err := p.newBlock(dynamic, size, module)
		if err != nil {
			return err
		}
		sgx1, sgx2 := true, true
		if p.sdk >= sdk2_18 {
			sgx1, sgx2, _ = p.Metadata()
		}
		if sgx2 {
			u.blocks = append(u.blocks, b)
		}
		if early != 0 {
			u.blocks = append(u.blocks, b.as(early))
		}
		if sgx1 {
			u.blocks = append(u.blocks, b.static(p, static))
		}
	}
	var n uint64
	for _, b := range u.blocks {
		n += uint64(b.size())
	}
	if n > u.noteSize {
		return layoutErr("the metadata has %#x bytes, and section %s has room for %#x: link the trusted runtime of the SDK whose version the enclave names (%v)", n, image.MetadataSection, u.noteSize, p.sdk)
	}
	return nil
}

// measure fills the measurement, and notes what the enclave takes.
func (u *Unsigned) measure(most uint64) error {
	if most == 0 {
		most = defaultMaxMeasured
	}
	m, err := image.Lay(u.file, &u.blocks[0].Metadata)
	if err != nil {
		return fmt.Errorf("sdk: %w: %w", ErrLayout, err)
	}
	if n := measure.Length(m); n > most {
		return layoutErr("the measurement covers %d MiB, more than the limit of %d: lower the sizes of stacks, the number of threads, or the initial sizes of heap and reserved memory", n>>20, most>>20)
	}
	for i := range m.Runs {
		u.memory += m.Runs[i].Pages * isa.PageSize
	}
	u.sigStruct.EnclaveHash = measure.Image(m)
	u.notes = append(u.notes, fmt.Sprintf("the enclave takes %d KiB of protected memory from the start", u.memory>>10))
	return nil
}

// SigStruct returns the SIGSTRUCT: without its key and signature before Sign
// or Attach, and complete afterwards.
func (u *Unsigned) SigStruct() *isa.SigStruct { s := u.sigStruct; return &s }

// SDK returns the release of the SDK that the enclave was built with, such as
// "2.26".
func (u *Unsigned) SDK() string { return u.sdk.String() }

// Memory returns the size in bytes of the pages that the loader adds.
func (u *Unsigned) Memory() uint64 { return u.memory }

// Metadata returns the blocks that the file holds once it is signed, in their
// order, each with the SIGSTRUCT of now.
func (u *Unsigned) Metadata() []*image.Metadata {
	var out []*image.Metadata
	for _, b := range u.blocks {
		m := b.Metadata
		m.Size, m.SigStruct, m.Attributes = b.size(), u.sigStruct, loaderAttributes(&u.sigStruct)
		out = append(out, &m)
	}
	return out
}

// Notes returns what the signer should know, a sentence each: on which
// machines the enclave runs, and how much memory it takes.
func (u *Unsigned) Notes() []string { return slices.Clone(u.notes) }

// GenData returns the isa.SigStructSignedSize bytes that are to be signed:
// bytes 0 to 127 and 900 to 1027 of the SIGSTRUCT.
func (u *Unsigned) GenData() []byte {
	return u.sigStruct.AppendSigned(make([]byte, 0, isa.SigStructSignedSize))
}

// Sign signs the enclave with an RSA-3072 key whose exponent is 3. An error
// about the key wraps sign.ErrKey.
func (u *Unsigned) Sign(key *rsa.PrivateKey) error {
	s := u.sigStruct
	if err := sign.Sign(&s, key); err != nil {
		return err
	}
	return u.finish(&s)
}

// Attach takes a signature that was made elsewhere: sig, 384 bytes
// big-endian, of data, which GenData returned for the same file and
// configuration. The date is the data's; other differences are an error that
// wraps ErrData. A signature that does not fit wraps isa.ErrInvalidSignature.
func (u *Unsigned) Attach(pub *rsa.PublicKey, data, sig []byte) error {
	s := u.sigStruct
	const dateAt = 20
	own := u.GenData()
	if len(data) != len(own) {
		return fmt.Errorf("sdk: %w: it has %d bytes, not %d", ErrData, len(data), len(own))
	}
	copy(own[dateAt:dateAt+4], data[dateAt:])
	for i := range own {
		if own[i] != data[i] {
			return fmt.Errorf("sdk: %w: %s differs (byte %d); use the file and the configuration that it was made from", ErrData, fieldAt(i), i)
		}
	}
	s.Date = uint32(data[dateAt]) | uint32(data[dateAt+1])<<8 | uint32(data[dateAt+2])<<16 | uint32(data[dateAt+3])<<24
	if err := sign.Attach(&s, pub, sig); err != nil {
		return err
	}
	return u.finish(&s)
}

// fieldAt names the SIGSTRUCT field of a byte of the signed data.
func fieldAt(i int) string {
	name := "the header"
	for _, f := range [...]struct {
		at   int
		name string
	}{
		{128, "MISCSELECT"}, {132, "MISCMASK"}, {136, "reserved"}, {140, "ISVFAMILYID"}, {156, "ATTRIBUTES"}, {172, "ATTRIBUTEMASK"},
		{188, "ENCLAVEHASH"}, {220, "reserved"}, {236, "ISVEXTPRODID"}, {252, "ISVPRODID"}, {254, "ISVSVN"},
	} {
		if i >= f.at {
			name = f.name
		}
	}
	return name
}

// finish encodes the metadata with the complete SIGSTRUCT.
func (u *Unsigned) finish(s *isa.SigStruct) error {
	if at := u.blocks[0].fipsAt; at != 0 {
		sig, err := fipsSignature(s)
		if err != nil {
			return err
		}
		for _, b := range u.blocks {
			copy(b.data[at-b.dataAt:], sig)
			b.Extends[0].Data = sig
		}
	}
	out := make([]byte, 0, u.noteSize)
	for _, b := range u.blocks {
		var err error
		if out, err = b.encode(out, s); err != nil {
			return err
		}
	}
	u.sigStruct, u.metadata = *s, out[:u.noteSize]
	clear(u.metadata[len(out):])
	return nil
}

// WriteTo writes the signed file. Nothing of the input is copied.
func (u *Unsigned) WriteTo(w io.Writer) (int64, error) {
	if u.metadata == nil {
		return 0, fmt.Errorf("sdk: %w", ErrUnsigned)
	}
	var total int64
	for _, part := range [...][]byte{u.file[:u.noteAt], u.metadata, u.file[u.noteAt+u.noteSize:]} {
		n, err := io.Copy(w, bytes.NewReader(part))
		if total += n; err != nil {
			return total, err
		}
	}
	return total, nil
}
