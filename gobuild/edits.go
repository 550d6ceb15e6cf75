package gobuild

import (
	"fmt"
	"strings"
)

// GoVersion is the minor version of Go that the edits below are made for.
const GoVersion = "go1.26"

// An edit replaces text of a file of GOROOT. Text that is not there exactly
// once stops the build: another Go has other files.
type edit struct {
	file     string // below GOROOT/src
	old, new string
	why      string
}

// edits are what package runtime needs beside the files that are added to it.
var edits = []edit{
	{"runtime/malloc.go", "(1-goos.IsIos*goarch.IsArm64))*48 +", "(1-goos.IsIos*goarch.IsArm64))*35 +",
		"the heap's indexes are as large as its address space, which is ELRANGE"},
	{"runtime/malloc.go", "logHeapArenaBytes = (6+20)*", "logHeapArenaBytes = (2+20)*",
		"the heap grows in steps of 4 MB, for each step is cleared"},
	{"runtime/malloc.go", "	arenaBaseOffset = 0xffff800000000000*goarch.IsAmd64 + 0x0a00000000000000*goos.IsAix\n", "",
		"addresses are counted from the base of ELRANGE, which is known at run time"},
	{"runtime/malloc.go", "	arenaBaseOffsetUintptr = uintptr(arenaBaseOffset)\n", "", "a constant of it"},
	{"runtime/malloc.go", "randomizeHeapBase = goexperiment.RandomizedHeapBase64 && goarch.PtrSize == 8", "randomizeHeapBase = false && goarch.PtrSize == 8",
		"a random address is not in ELRANGE"},
	{"runtime/malloc.go", "	// Initialize the heap.\n	mheap_.init()\n", "	enclInitArenas()\n	mheap_.init()\n", "before the first use"},
	{"runtime/malloc.go", "for i := 0x7f; i >= 0; i-- {", "for i := 0; i >= 0; i-- {", "one place is enough"},
	{"runtime/malloc.go", "			default:\n				p = uintptr(i)<<40 | uintptrMask&(0x00c0<<32)\n", "			default:\n				p = enclArenaHint()\n",
		"in ELRANGE"},
	{"runtime/mranges.go", "	minOffAddr = offAddr{arenaBaseOffset}\n", "	minOffAddr offAddr\n", "set by enclInitArenas"},
	{"runtime/mranges.go", "	maxOffAddr = offAddr{(((1 << heapAddrBits) - 1) + arenaBaseOffset) & uintptrMask}\n", "	maxOffAddr offAddr\n", "set by enclInitArenas"},
	{"runtime/asm_amd64.s", "	MOVQ	runtime·m0+m_tls(SB), AX\n	CMPQ	AX, $0x123\n", "	MOVQ	g(BX), AX\n	CMPQ	AX, $0x123\n",
		"FS is the TCS's, and not m0.tls"},
	{"runtime/mgcpacer.go", "	if p == \"\" || p == \"off\" {\n		return math.MaxInt64\n	}\n	n, ok := parseByteCount(p)\n", "	if p == \"\" {\n		return enclMemoryLimit()\n	}\n	if p == \"off\" {\n		return math.MaxInt64\n	}\n	n, ok := parseByteCount(p)\n",
		"the collector works harder as the enclave's heap fills up, where outside it would take more memory"},
	{"runtime/traceback.go", "func printArgs(f funcInfo, argp unsafe.Pointer, pc uintptr) {\n", "func printArgs(f funcInfo, argp unsafe.Pointer, pc uintptr) {\n	if enclSilent() {\n		print(\"...\")\n		return\n	}\n",
		"a host can make a program crash, and read what that writes: no values of a production enclave are to be there"},
	{"runtime/signal_amd64.go", "func dumpregs(c *sigctxt) {\n", "func dumpregs(c *sigctxt) {\n	if enclSilent() {\n		return\n	}\n", "nor registers"},
	{"runtime/proc.go", "		maxstacksize = 1000000000\n", "		maxstacksize = enclMaxStack()\n",
		"a recursion without end is to be told from a heap that is too small"},
	{"internal/testenv/exec.go", "	case \"wasip1\", \"js\", \"ios\":\n	default:\n", "	case \"wasip1\", \"js\", \"ios\", \"linux\":\n	default:\n",
		"tests of the standard library find out that they cannot start processes, and skip what needs that"},
	{"runtime/sys_linux_amd64.s", `TEXT runtime·exitThread(SB),NOSPLIT,$0-8
	MOVQ	wait+0(FP), AX
	// We're done using the stack.
	MOVL	$0, (AX)
	MOVL	$0, DI	// exit code
	MOVL	$SYS_exit, AX
	SYSCALL
	// We may not even have a stack any more.
	INT	$3
	JMP	0(PC)
`, "", "the gate ends threads on a stack of its own"},
}

// apply returns a file of GOROOT with the edits that concern it.
func apply(file, text string) (string, error) {
	for _, e := range edits {
		if e.file != file {
			continue
		}
		if n := strings.Count(text, e.old); n != 1 {
			return "", fmt.Errorf("%w: src/%s has %d places, not 1, of the text %.60q that the enclave's runtime changes", ErrToolchain, file, n, strings.TrimSpace(e.old))
		}
		text = strings.Replace(text, e.old, e.new, 1)
	}
	return text, nil
}
