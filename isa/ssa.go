package isa

// GPRSGXSize is the size of the GPR area, the last bytes of an SSA frame.
const GPRSGXSize = 184

// Offsets within the GPRSGX area that the entry and exit paths touch alone.
const (
	GPRSGXOffRSP      = 32
	GPRSGXOffRBP      = 40
	GPRSGXOffRDI      = 56
	GPRSGXOffRIP      = 136
	GPRSGXOffURSP     = 144
	GPRSGXOffURBP     = 152
	GPRSGXOffExitInfo = 160
)

// GPRSGX is the general-purpose register area of an SSA frame, 184 bytes
// (SDM Vol. 3D, "GPRSGX Region").
type GPRSGX struct {
	RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI uint64
	R8, R9, R10, R11, R12, R13, R14, R15   uint64
	RFLAGS, RIP                            uint64
	URSP, URBP                             uint64 // stack and frame pointer outside, at EENTER
	ExitInfo                               ExitInfo
	Reserved                               [3]byte
	AEXNotify                              uint8
	FSBase, GSBase                         uint64
}

func (g *GPRSGX) code(c *coder) {
	for _, r := range [...]*uint64{
		&g.RAX, &g.RCX, &g.RDX, &g.RBX, &g.RSP, &g.RBP, &g.RSI, &g.RDI,
		&g.R8, &g.R9, &g.R10, &g.R11, &g.R12, &g.R13, &g.R14, &g.R15,
		&g.RFLAGS, &g.RIP, &g.URSP, &g.URBP,
	} {
		c.u64(r)
	}
	c.u32((*uint32)(&g.ExitInfo))
	c.bytes(g.Reserved[:])
	c.u8(&g.AEXNotify)
	c.u64(&g.FSBase)
	c.u64(&g.GSBase)
}

// AppendBinary appends the 184-byte encoding.
func (g *GPRSGX) AppendBinary(b []byte) ([]byte, error) { return appendTo(b, g), nil }

// UnmarshalBinary reads exactly GPRSGXSize bytes.
func (g *GPRSGX) UnmarshalBinary(b []byte) error { return decode(b, g, "GPRSGX", GPRSGXSize) }

// ExitInfo is the EXITINFO field: why the enclave was left asynchronously.
// Bits 7:0 are the vector, 10:8 the exit type, bit 31 says that the field is
// valid (SDM Vol. 3D, "EXITINFO").
type ExitInfo uint32

// Exit types of EXITINFO.
const (
	ExitTypeHardware = 3
	ExitTypeSoftware = 6
	ExitInfoValid    = ExitInfo(1 << 31)
)

// MakeExitInfo returns a valid EXITINFO.
func MakeExitInfo(v Vector, exitType uint8) ExitInfo {
	return ExitInfoValid | ExitInfo(exitType)<<8 | ExitInfo(v)
}

// Vector returns bits 7:0.
func (e ExitInfo) Vector() Vector { return Vector(e) }

// Type returns bits 10:8.
func (e ExitInfo) Type() uint8 { return uint8(e>>8) & 7 }

// Valid reports bit 31.
func (e ExitInfo) Valid() bool { return e&ExitInfoValid != 0 }

// ExInfoSize is the size of EXINFO, which lies below the GPR area when
// MISCSELECT.EXINFO is set.
const ExInfoSize = 16

// ExInfo is the EXINFO structure, 16 bytes (SDM Vol. 3D, "EXINFO Structure").
type ExInfo struct {
	MAddr    uint64 // faulting linear address of a #PF; zero for #GP
	ErrCD    uint32 // the exception's error code
	Reserved uint32
}

func (e *ExInfo) code(c *coder) {
	c.u64(&e.MAddr)
	c.u32(&e.ErrCD)
	c.u32(&e.Reserved)
}

// AppendBinary appends the 16-byte encoding.
func (e *ExInfo) AppendBinary(b []byte) ([]byte, error) { return appendTo(b, e), nil }

// UnmarshalBinary reads exactly ExInfoSize bytes.
func (e *ExInfo) UnmarshalBinary(b []byte) error { return decode(b, e, "EXINFO", ExInfoSize) }

// XSAVE area layout (SDM Vol. 1, "XSAVE Area").
const (
	XSaveLegacySize = 512 // x87 and SSE
	XSaveHeaderSize = 64  // XSTATE_BV at 512, XCOMP_BV at 520
)
