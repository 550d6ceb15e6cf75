package toy

import (
	"encoding/binary"
	"fmt"
)

// ECALL is an index in the enclave's ECALL table.
type ECALL int

// ECALLs. Each takes in RSI the address of the block of the same name, MS…,
// in any memory, and returns Success unless stated otherwise.
const (
	ECallEmpty        ECALL = iota // nothing; no block
	ECallAdd                       // MSAdd
	ECallSum                       // MSSum
	ECallReport                    // MSReport: EREPORT
	ECallVerifyReport              // MSVerifyReport: EGETKEY and AES-CMAC over a REPORT
	ECallGetKey                    // MSGetKey: EGETKEY
	ECallOCall                     // MSOCall: one OCALL with a block
	ECallOCallLoop                 // MSOCallLoop: many OCALLs without a block
	ECallSpin                      // never returns; no block
	ECallWait                      // MSWait: spins until a word outside is not zero
	ECallCompute                   // MSCompute: runs ComputeCode
	ECallFault                     // MSFault: raises an exception; ErrorInvalidArg for an unknown kind
	ECallPeek                      // MSPeek: reads 8 bytes
	ECallPoke                      // MSPeek: writes 8 bytes
	ECallCopy                      // MSCopy: copies bytes
	ECallEnclu                     // MSEnclu: executes ENCLU
	ECallInfo                      // MSInfo: where things are
	ECallTLS                       // MSTLS: FS and GS base
	ECallXmmHold                   // MSHold: XMM0 to XMM15
	ECallYmmHold                   // MSHold: YMM0 to YMM15; needs AVX in XFRM
	ECallGprHold                   // MSHold: general-purpose registers and RFLAGS
	ECallPlus                      // MSPlus: adds, as an EDL has it
	ECallTotal                     // MSTotal: adds up bytes, as an EDL has it
	ECallPrint                     // MSPrint: makes OCALL 0 with its own block; returns the OCALL's status
	ECallAsk                       // MSAsk: makes OCALL 1 with its own block; returns the OCALL's status

	ecallCount = iota
)

var ecallNames = [ecallCount]string{
	"empty", "add", "sum", "report", "verify_report", "get_key", "ocall", "ocall_loop", "spin", "wait",
	"compute", "fault", "peek", "poke", "copy", "enclu", "info", "tls", "xmm_hold", "ymm_hold", "gpr_hold",
	"plus", "total", "print", "ask",
}

// String returns the name of the ECALL's function, "ecall_add" for ECallAdd.
func (e ECALL) String() string {
	if e < 0 || e >= ecallCount {
		return fmt.Sprintf("ecall_%d", int(e))
	}
	return "ecall_" + ecallNames[e]
}

// Blocks. All fields are little-endian, 8 bytes, at the offset of their
// index times 8; "out" fields are written by the enclave.
type (
	// MSAdd: Sum = A + B.
	MSAdd struct{ A, B, Sum uint64 }

	// MSSum: Sum (out) of the Len bytes at Ptr.
	MSSum struct{ Ptr, Len, Sum uint64 }

	// MSReport: EREPORT with the 512 bytes at TargetInfo and the 64 bytes at
	// ReportData; the 432 bytes of the REPORT go to Report. The blocks need
	// no alignment: the enclave copies them.
	MSReport struct{ TargetInfo, ReportData, Report uint64 }

	// MSVerifyReport checks the 432 bytes at Report: Valid (out) is 1 if its
	// MAC is that of a REPORT targeted at this enclave; KeyError (out) is
	// what EGETKEY returned.
	MSVerifyReport struct{ Report, Valid, KeyError uint64 }

	// MSGetKey: EGETKEY with the 512 bytes at Request; the 16 bytes of the
	// key, or zeros, go to Key and the leaf's RAX to Error (out).
	MSGetKey struct{ Request, Key, Error uint64 }

	// MSOCall makes OCALL Index with Block as its argument. If Block is not
	// zero, it is an OCallBlock: the enclave stores Value in it before the
	// call and returns its Result after it. Status (out) is the OCALL's.
	MSOCall struct{ Index, Block, Value, Status, Result uint64 }

	// MSOCallLoop makes N OCALLs of Index with Block as argument and ends
	// early if one has a status other than 0. Done (out) counts the calls
	// that succeeded; Status (out) is the last one's.
	MSOCallLoop struct{ Index, Block, N, Done, Status uint64 }

	// MSWait spins until the 8 bytes at Ptr are not zero.
	MSWait struct{ Ptr uint64 }

	// MSCompute: Result (out) is Compute(N).
	MSCompute struct{ N, Result uint64 }

	// MSFault raises the exception that Kind names; Arg is its address.
	// If nothing was raised, Value (out) is what was read or zero.
	MSFault struct {
		Trap
		Kind, Arg, Value uint64
	}

	// MSPeek is the Value at Addr: read by ECallPeek, written by ECallPoke.
	MSPeek struct{ Addr, Value uint64 }

	// MSCopy copies Len bytes from Src to Dst.
	MSCopy struct{ Dst, Src, Len uint64 }

	// MSEnclu executes ENCLU with these registers and returns them as they
	// are afterwards. Only the arithmetic flags of RFLAGS are loaded. If the
	// leaf raised an exception and Armed was set, the registers stay.
	MSEnclu struct {
		Trap
		RAX, RBX, RCX, RDX, RFLAGS uint64
	}

	// MSInfo (out) says where things are. Scratch is ScratchSize readable
	// and writable bytes, page-aligned, shared by all threads. Heap and
	// HeapSize come from the global data that the loader patches. InitArg is
	// RSI of the last INIT.
	MSInfo struct{ Base, Scratch, ScratchSize, Heap, HeapSize, TCS, SSA, StackTop, InitArg uint64 }

	// MSTLS (out): the bases of FS and GS, and the first word of the page
	// at GS, which is its address.
	MSTLS struct{ FSBase, GSBase, Self uint64 }

	// MSHold fills registers with a pattern, runs a loop of N rounds that
	// leaves them alone, and counts in Lost (out) those that changed.
	MSHold struct{ N, Lost uint64 }

	// MSPlus: Result (out) = A + B.
	MSPlus struct{ Result, A, B uint64 }

	// MSTotal: Result (out) is the sum of the Len bytes at Ptr.
	MSTotal struct{ Result, Ptr, Len uint64 }

	// MSPrint is the string at Ptr, whose Len bytes include its end.
	MSPrint struct{ Ptr, Len uint64 }

	// MSAsk is the block of an ECALL, and of the OCALL that answers it.
	MSAsk struct{ Result, Value uint64 }

	// OCallBlock is the block of an OCALL made by ECallOCall. It is ordinary
	// memory outside.
	OCallBlock struct{ Value, Result uint64 }
)

// Trap begins the blocks of ECALLs that may raise exceptions. With Armed not
// zero, the enclave recovers: Faulted (out) is 1 and the other fields are what
// the handler saw in SSA[0]. MAddr and ErrCD are meaningful only if MISCSELECT
// has EXINFO. Otherwise the exception crashes the enclave.
type Trap struct{ Armed, Faulted, ExitInfo, RIP, MAddr, ErrCD uint64 }

// FaultKind is MSFault.Kind.
type FaultKind = uint64

// Kinds of faults, with the vector that SGX makes of them.
const (
	FaultUD2       FaultKind = iota // #UD
	FaultCPUID                      // #UD
	FaultSyscall                    // #UD
	FaultInt3                       // #UD; #BP only if a debugger has opted in
	FaultDiv0                       // #DE
	FaultRead                       // reads 8 bytes at Arg: #PF
	FaultWrite                      // writes zero to 8 bytes at Arg: #PF
	FaultWriteCode                  // writes to its own code page: #PF
	FaultJump                       // jumps to Arg: #PF
	FaultRDTSC                      // #UD where SGX is of version 1; else Value is the time stamp
	FaultGP                         // reads a non-canonical address: #GP
	FaultHLT                        // #GP
	FaultXM                         // unmasked SSE division by zero: #XM
	FaultAC                         // unaligned access with RFLAGS.AC: #AC

	faultCount = iota
)

var faultNames = [faultCount]string{
	"ud2", "cpuid", "syscall", "int3", "div0", "read", "write", "write_code", "jump", "rdtsc", "gp", "hlt", "xm", "ac",
}

// FaultSymbol returns the name of the function in which a fault of the kind
// is raised. Except for FaultJump, the faulting instruction is in it.
func FaultSymbol(k FaultKind) string {
	if k >= faultCount {
		return ""
	}
	return "fault_" + faultNames[k]
}

// Block is any of the blocks.
type Block interface {
	MSAdd | MSSum | MSReport | MSVerifyReport | MSGetKey | MSOCall | MSOCallLoop | MSWait | MSCompute |
		MSFault | MSPeek | MSCopy | MSEnclu | MSInfo | MSTLS | MSHold | MSPlus | MSTotal | MSPrint | MSAsk | OCallBlock
}

// Encode returns the block's bytes.
func Encode[T Block](v T) []byte {
	b, err := binary.Append(nil, binary.LittleEndian, v)
	if err != nil {
		panic(err) // a Block has only fields of fixed size
	}
	return b
}

// Decode reads a block from the first bytes of b.
func Decode[T Block](b []byte) (v T, err error) {
	if _, err := binary.Decode(b, binary.LittleEndian, &v); err != nil {
		return v, fmt.Errorf("toy: %T is %d bytes, got %d", v, binary.Size(v), len(b))
	}
	return v, nil
}
