package scan

import (
	"bytes"
	"strings"
)

// Rule lets a function keep a finding.
type Rule struct {
	Function    string // its name; one that ends in * is the beginning of names
	Instruction string // as a Finding names it
	Data        []byte // if Instruction is Data: bytes that are jumped over
	Why         string
}

// Data is the Instruction of a Rule about bytes that are no instructions. The
// scan skips them where they stand between two instructions, and holds every
// branch to not leading into them.
const Data = "(data)"

// Gate is how the names of the functions of the enclave runtime begin.
const Gate = "runtime.encl*"

const (
	whyGate  = "the runtime's own clock, behind a check that the processor has SGX2"
	whyCrash = "a crash: #UD ends the program as #BP would"
	whySig   = "marker bytes that rsc.io/goversion looks for; the function jumps over them"
	whyPLT   = "the linker's stub for lazy binding; a program without shared libraries has one, and nothing that leads to it"
)

// Default are the rules for what the Go toolchain and the runtime's overlay
// put into every program. XSAVE, XRSTOR, WRFSBASE, RDRAND, XGETBV and ENCLU
// need no rule: they are legal.
func Default() []Rule {
	return []Rule{
		{Function: Gate, Instruction: "RDTSC", Why: whyGate},
		{Function: Gate, Instruction: "RDTSCP", Why: whyGate},
		{Function: "runtime.systemstack", Instruction: "INT 3", Why: whyCrash},
		{Function: "runtime.abort", Instruction: "INT 3", Why: whyCrash},
		{Function: "runtime.exitThread", Instruction: "INT 3", Why: whyCrash},
		{Function: "runtime.sigreturn__sigaction", Instruction: "INT 3", Why: whyCrash},
		{Function: "crypto/internal/boring/sig.BoringCrypto", Instruction: Data, Data: []byte(sigStart + sigBoring), Why: whySig},
		{Function: "crypto/internal/boring/sig.StandardCrypto", Instruction: Data, Data: []byte(sigStart + sigStandard), Why: whySig},
		{Function: "crypto/internal/boring/sig.FIPSOnly", Instruction: Data, Data: []byte(sigStart + sigFIPS), Why: whySig},
		{Function: ".plt", Instruction: Stray.String(), Why: whyPLT},
	}
}

// The markers of crypto/internal/boring/sig after their jump.
const (
	sigStart    = "\xF4\x48\xF4\x4B\xF4"
	sigBoring   = "\xB3\x32\xF5\x28\x13\xA3\xB4\x50\xD4\x41\xCC\x24\x85\xF0\x01\x45\x4E\x92\x10\x1B\x1D\x2F\x19\x50"
	sigStandard = "\xBA\xEE\x4D\xFA\x98\x51\xCA\x56\xA9\x11\x45\xE8\x3E\x99\xC5\x9C\xF9\x11\xCB\x8E\x80\xDA\xF1\x2F"
	sigFIPS     = "\x36\x3C\xB9\xCE\x9D\x68\x04\x7D\x31\xF2\x8D\x32\x5D\x5C\xA5\x87\x3F\x5D\x80\xCA\xF6\xD6\x15\x1B"
)

func (r *Rule) matches(function string) bool {
	if begin, ok := strings.CutSuffix(r.Function, "*"); ok {
		return strings.HasPrefix(function, begin)
	}
	return function == r.Function
}

// allows reports whether a rule lets a finding be.
func allows(rules []Rule, f *Finding) bool {
	for i := range rules {
		if r := &rules[i]; r.Instruction == f.Instruction && r.matches(f.Function) {
			return true
		}
	}
	return false
}

// dataIn returns the data that the rules allow in a function.
func dataIn(rules []Rule, function string) (data [][]byte) {
	for i := range rules {
		if r := &rules[i]; r.Instruction == Data && len(r.Data) > 0 && r.matches(function) {
			data = append(data, r.Data)
		}
	}
	return data
}

// skip returns how many bytes of data code begins with.
func skip(data [][]byte, code []byte) int {
	for _, d := range data {
		if bytes.HasPrefix(code, d) {
			return len(d)
		}
	}
	return 0
}
