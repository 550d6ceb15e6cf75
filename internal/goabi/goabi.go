// Package goabi is what the two sides of a Go enclave agree on: the gate
// inside, which package gobuild writes into the runtime of the program, and
// the host outside, package enclave/process. It is constants and one table.
//
// The enclave follows the entry contract of the Intel SDK: INIT, ECALLs by
// index, OCALLs and their return, exceptions on the second SSA frame. ECALL
// ECallStart runs the program, and ends with it; ECALL ECallThread is a further
// thread of it. The only OCALL is OCallRequest: what is asked for, and the
// answer, are in the thread's Block.
//
// # Block
//
// Each thread has one block of untrusted memory, BlockSize bytes, blocks lying
// one behind the other. Words are little-endian, 8 bytes each, at these offsets:
//
//	OffOp       system call number, or one of the Op constants
//	OffResult   what it returned: a value, or -errno
//	OffArgs     six arguments
//	OffSignals  written by the host before the OCALL returns: set of signals
//	            that the program is sent, signal n being bit n-1
//	OffData     DataSize bytes, for what arguments point to
//
// An argument that points somewhere is the offset in the block where its bytes
// begin, which is OffData or more, or 0 for NULL.
package goabi

// ECALL and OCALL indexes of the runtime. ECALLs and OCALLs of the program's
// own EDL do not pass here, but by OpNextCall and OpOCall.
const (
	ECallStart   = 1<<24 + 0 // ms is the address of a boot block
	ECallThread  = 1<<24 + 1 // ms is the number of the thread's block
	OCallRequest = 1<<24 + 0 // ms is the address of the thread's block
)

// The thread's block.
const (
	OffOp      = 0
	OffResult  = 8
	OffArgs    = 16
	OffSignals = 64
	OffData    = 4096
	DataSize   = 128 << 10
	BlockSize  = OffData + DataSize
)

// MaxIO is how many bytes one read or write moves at most; the program is told
// that the rest is still to do, as a kernel may.
const MaxIO = 64 << 10

// Requests that are no system calls.
const (
	// OpPark puts the thread to sleep until OpUnpark, or until args[0]
	// nanoseconds have passed if that is not negative. An unpark that came
	// before makes it return at once. It may return for no reason.
	OpPark = 1<<16 + iota
	// OpUnpark wakes the thread with block args[0].
	OpUnpark
	// OpSpawn starts a thread, which enters by ECallThread, and returns 0, or
	// -errno if there is none.
	OpSpawn
	// OpKick interrupts the thread with block args[0] where it is inside.
	OpKick
	// OpExit ends the program: args[0] is its exit code, args[1] the signal
	// that killed it, or 0. It does not return.
	OpExit
	// OpSendMsg is sendmsg: args are the socket, the flags, and the lengths of
	// address, control and data, which lie at MsgName, MsgControl and MsgData.
	// The result is how many bytes of data were sent.
	OpSendMsg
	// OpRecvMsg is recvmsg: args as for OpSendMsg, with capacities. The result
	// is how many bytes of data came, and args become the address's length,
	// the control's length and the flags of the message.
	OpRecvMsg
	// OpPoll is ppoll: args[0] pollfds of 8 bytes at OffData, args[1] the
	// nanoseconds to wait, or negative. The result is their number that have
	// events, and the pollfds are brought up to date.
	OpPoll
	// OpEpollWait is epoll_pwait: args are the descriptor, how many events of
	// 12 bytes are wanted at OffData, and the milliseconds to wait, or
	// negative. Its event data are the tokens that epoll_ctl was given.
	OpEpollWait
	// OpFcntl is fcntl: args are the descriptor, the command, and a number or,
	// if args[3] is not 0, the offset of as many bytes, which are read and
	// written.
	OpFcntl
	// OpIoctl is ioctl, with args as for OpFcntl.
	OpIoctl
	// OpNextCall ends an ECALL of the program's EDL and waits for the next:
	// args[0] is the status and args[1] the number of the one that is done, if
	// that is not 0. The result is 0, and args become the index, the address of
	// the marshalling structure, 1 if no other worker waits, 0, and its number;
	// or the result is -errno: EINTR to ask again, ESHUTDOWN if no more calls
	// will come.
	OpNextCall
	// OpOCall makes OCALL args[0] of the program's EDL with the marshalling
	// structure at args[1], for the ECALL with the number args[2]. args[3] is 1
	// if the EDL allows ECALLs in it. The result is its status, or OCallNested:
	// there is such an ECALL, and args become its index, the address of its
	// marshalling structure, 0, the number of the OCALL, and its own number.
	OpOCall
	// OpOutside allocates args[0] bytes of memory outside, or with args[1] = 1
	// frees those at args[0]. The result is the address, or -errno.
	OpOutside
	// OpResume goes back to the OCALL with the number args[2], from an ECALL in
	// it that has the number args[1] and ended with the status args[0]. The
	// result is that of OpOCall.
	OpResume
)

// OCallNested is no status.
const OCallNested = 1 << 32

// Where OpSendMsg and OpRecvMsg have their parts, from the start of the block,
// and how large they may be.
const (
	MsgName       = OffData
	MsgNameMax    = 256
	MsgControl    = OffData + MsgNameMax
	MsgControlMax = 16 << 10
	MsgData       = MsgControl + MsgControlMax
	MsgDataMax    = MaxIO
)

// The boot block, which ECallStart is given. Its offsets are from its start;
// each field is a word.
const (
	BootMagicOff  = 0  // BootMagic
	BootSize      = 8  // of the whole, at most MaxBoot bytes
	BootBlocks    = 16 // address of the blocks
	BootCount     = 24 // number of them
	BootClock     = 32 // address of the clock page, or 0
	BootCPUs      = 40 // number of processors that the program should use
	BootArgs      = 48 // offset of the arguments, NUL-terminated strings
	BootArgCount  = 56
	BootEnv       = 64 // offset of the environment, NUL-terminated strings
	BootEnvCount  = 72
	BootCPUID     = 80 // offset of the CPUID table
	BootCPUIDRows = 88 // rows of six 32-bit words: leaf, subleaf, EAX, EBX, ECX, EDX
	BootBlock     = 96 // number of the starting thread's block
	BootHeader    = 128

	BootMagic    = 0x316f476964696566 // "feidiGo1"
	MaxBoot      = 192 << 10
	MaxCPUIDRows = 64
)

// The clock page, with which the enclave tells the time by RDTSC. The host
// brings it up to date now and then. Seq is odd while it does; time is
//
//	nanoseconds + (TSC-ClockTSC)*ClockMult>>32
const (
	ClockSeq  = 0
	ClockTSC  = 8
	ClockMult = 16 // nanoseconds for a tick, times 1<<32; 0 if RDTSC does not serve
	ClockMono = 24 // CLOCK_MONOTONIC in nanoseconds
	ClockReal = 32 // CLOCK_REALTIME in nanoseconds
	ClockSize = 64
)

// MaxFD bounds descriptors: those that the enclave knows are below it.
const MaxFD = 1 << 16

// MaxPath is the size of the longest path, with its NUL.
const MaxPath = 4096
