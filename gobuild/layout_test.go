package gobuild

import (
	"go/constant"
	"go/token"
	"go/types"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/internal/goabi"
)

func overlaySource(t *testing.T, name string) string {
	t.Helper()
	b, err := overlayFiles.ReadFile("overlay/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// evaluate computes an expression of constants.
func evaluate(t *testing.T, expr string) int64 {
	t.Helper()
	v, err := types.Eval(token.NewFileSet(), nil, token.NoPos, expr)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	n, ok := constant.Int64Val(constant.ToInt(v.Value))
	if !ok {
		t.Fatalf("%s is no integer", expr)
	}
	return n
}

// TestLayout compares where the loader puts a thread's pages with where the
// gate looks for them.
func TestLayout(t *testing.T) {
	asm := overlaySource(t, "zencl_linux_amd64.s")
	const room = 128 // bytes that a stack begins below its top
	for name, want := range map[string]int64{
		"TCS_SSA": ssaAfter, "TCS_TD": gsAfter,
		"SSA_GPR":  pageSize - 184, // the GPRSGX area ends the frame (SDM Vol. 3D, "GPRSGX Region")
		"GATE_TOP": pageSize + room, "XCPT_TOP": (1+gatePages+1)*pageSize + room,
	} {
		m := regexp.MustCompile(`(?m)^#define ` + name + `\s+(.+)$`).FindStringSubmatch(asm)
		if m == nil {
			t.Errorf("no #define of %s", name)
		} else if got := evaluate(t, m[1]); got != want {
			t.Errorf("%s is %#x in the assembly, %#x in the file", name, got, want)
		}
	}
	// g.stackguard of each stack: a margin above its lowest byte.
	var guards []int64
	for _, m := range regexp.MustCompile(`LEAQ -\((0x\w+)-0x800\)\(SP\), R8`).FindAllStringSubmatch(asm, -1) {
		guards = append(guards, evaluate(t, m[1]))
	}
	if len(guards) != 2 || guards[0] != gatePages*pageSize || guards[1] != exceptPages*pageSize {
		t.Errorf("stacks of %#x bytes in the assembly, %#x and %#x in the file", guards, gatePages*pageSize, exceptPages*pageSize)
	}
	if m := regexp.MustCompile(`#define TLS_G (\w+)\(GS\)`).FindStringSubmatch(asm); m == nil || evaluate(t, m[1]) != fsAfter-8-gsAfter {
		t.Errorf("the word before FS is at %v from GS, and %#x in the file", m, fsAfter-8-gsAfter)
	}

	thread := overlaySource(t, "zencl_thread.go")
	number := func(name string) int64 {
		m := regexp.MustCompile(`(?m)^\s*` + name + `\s*=\s*([^/\n]+)`).FindStringSubmatch(thread)
		if m == nil {
			t.Errorf("no constant %s", name)
			return -1
		}
		return evaluate(t, m[1])
	}
	for name, want := range map[string]int64{
		"enclTDOff": gsAfter, "enclFPOff": fsAfter - gsAfter, "enclTLSSlot": fsAfter - gsAfter - 8,
		"enclPLink": paramLink, "enclPRela": paramRela, "enclPRelaNum": paramRelaNum, "enclPData": paramData, "enclPDataEnd": paramDataEnd,
		"enclPSize": paramSize, "enclPHeap": paramHeap, "enclPHeapSize": paramHeapSize, "enclPTCS": paramTCS, "enclPStep": paramStep,
		"enclPThreads": paramThreads, "enclPFlags": paramFlags,
	} {
		if got := number(name); got != want {
			t.Errorf("%s is %#x in the runtime, %#x in the file", name, got, want)
		}
	}
	magic := ""
	for _, name := range []string{"enclMagic0", "enclMagic1"} {
		m := regexp.MustCompile(name + `\s*=\s*0x(\w+)`).FindStringSubmatch(thread)
		if m == nil {
			t.Fatalf("no %s", name)
		}
		v, err := strconv.ParseUint(m[1], 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		for range 8 {
			magic += string(rune(v & 0xFF))
			v >>= 8
		}
	}
	want := ""
	for _, b := range goabi.Magic {
		want += string(rune(b))
	}
	if magic != want {
		t.Errorf("the parameters begin with %q, not %q", magic, want)
	}
}

// The functions of the gate are in the assembly in the order that checkGate
// wants; each one that could be interrupted there is one of them.
func TestGateOrder(t *testing.T) {
	var found []string
	for _, m := range regexp.MustCompile(`(?m)^TEXT runtime·(\w+)\(SB\)`).FindAllStringSubmatch(overlaySource(t, "zencl_linux_amd64.s"), -1) {
		found = append(found, "runtime."+m[1])
	}
	if got, want := strings.Join(found[:min(len(found), len(gateFunctions))], " "), strings.Join(gateFunctions, " "); got != want {
		t.Errorf("the assembly begins with %s\nwant %s", got, want)
	}
}
