package toy

import (
	"crypto/rsa"
	"fmt"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/asm"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/measure"
	"github.com/feidi-dev/feidi/sign"
)

// Offsets in the enclave of BuildSGXS, in bytes.
const (
	SGXSCode = 0 * isa.PageSize // RX
	SGXSData = 1 * isa.PageSize // RW, partly measured
	SGXSTCS  = 2 * isa.PageSize
	SGXSSSA  = 3 * isa.PageSize // one frame of one page
	SGXSSize = 4 * isa.PageSize
)

// SGXSOptions are what BuildSGXS builds with.
type SGXSOptions struct {
	Key        *rsa.PrivateKey // RSA-3072 with exponent 3; required
	Attributes isa.Attributes  // MODE64BIT is always added; XFRM 0 is x87 and SSE
	MiscSelect isa.MiscSelect
	ISVProdID  uint16
	ISVSVN     uint16
	Debug      bool // the SIGSTRUCT allows debug mode
	Salt       byte // fills the first measured chunk of the data page
	// Unmeasured is loaded into the data page from byte 512 on, without
	// being measured; at most 256 bytes.
	Unmeasured []byte
}

// BuildSGXS returns an enclave that needs no runtime, as a stream and as its
// SIGSTRUCT. It has one TCS with one SSA frame. EENTER with RDI=a, RSI=b and
// RCX=return address comes back by EEXIT to that address with RDX=a+b, R8=a*b,
// R9 the first 8 unmeasured bytes and RDI and RSI as they were; no stack is
// used. Two chunks of the data page, the second and the first, are measured in
// this order.
func BuildSGXS(o SGXSOptions) (stream, sigStruct []byte, err error) {
	if o.Key == nil || len(o.Unmeasured) > 256 {
		return nil, nil, fmt.Errorf("%w: no key, or %d unmeasured bytes", ErrOptions, len(o.Unmeasured))
	}
	a := asm.New()
	a.Func("enclave_entry")
	a.Mov(rbx, rcx)
	a.Lea(rdx, asm.PtrIndex(rdi, rsi, 1, 0))
	a.Mov(r8, rdi)
	a.Imul(r8, rsi)
	a.Mov(r9, asm.At("data"))
	a.Mov(eax, asm.Imm(isa.EEXIT))
	a.Enclu()
	a.Ud2()
	a.Define("data", SGXSData+sgxsUnmeasured)
	code, err := a.Assemble(SGXSCode)
	if err != nil {
		return nil, nil, fmt.Errorf("toy: %w", err)
	}

	data := make([]byte, isa.PageSize)
	for i := range 256 {
		data[i] = o.Salt
	}
	copy(data[256:512], "the second chunk is measured first")
	copy(data[sgxsUnmeasured:], o.Unmeasured)
	tcs := isa.TCS{OSSA: SGXSSSA, NSSA: 1, OEntry: SGXSCode, FSLimit: 0xFFF, GSLimit: 0xFFF}
	tcsPage, err := tcs.AppendBinary(nil)
	if err != nil {
		return nil, nil, err
	}
	const rx, rw = isa.SecInfoR | isa.SecInfoX, isa.SecInfoR | isa.SecInfoW
	m := &image.Image{
		Size: SGXSSize, SSAFrameSize: 1,
		Runs: []image.Run{
			{Offset: SGXSCode, Pages: 1, Flags: isa.MakeSecInfoFlags(rx, isa.PTREG), Data: code.Code, Measured: true},
			{Offset: SGXSData, Pages: 1, Flags: isa.MakeSecInfoFlags(rw, isa.PTREG), Data: data, Chunks: []uint8{1, 0}},
			{Offset: SGXSTCS, Pages: 1, Flags: isa.MakeSecInfoFlags(0, isa.PTTCS), Data: tcsPage, Measured: true},
			{Offset: SGXSSSA, Pages: 1, Flags: isa.MakeSecInfoFlags(rw, isa.PTREG), Measured: true},
		},
	}
	if o.Attributes.XFRM == 0 {
		o.Attributes.XFRM = isa.XFRMLegacy
	}
	o.Attributes.Flags |= isa.AttrMode64Bit
	s := isa.SigStruct{
		Date:          DefaultDate,
		MiscSelect:    o.MiscSelect,
		MiscMask:      ^isa.MiscSelect(0),
		Attributes:    o.Attributes,
		AttributeMask: isa.Attributes{Flags: ^isa.AttributeFlags(0), XFRM: ^isa.XFRM(0)},
		EnclaveHash:   measure.Image(m),
		ISVProdID:     o.ISVProdID,
		ISVSVN:        o.ISVSVN,
	}
	if o.Debug {
		s.AttributeMask.Flags &^= isa.AttrDebug
	}
	if err := sign.Sign(&s, o.Key); err != nil {
		return nil, nil, fmt.Errorf("toy: %w", err)
	}
	sigStruct, err = s.AppendBinary(nil)
	return image.AppendSGXS(nil, m), sigStruct, err
}

const sgxsUnmeasured = 512 // offset in the data page
