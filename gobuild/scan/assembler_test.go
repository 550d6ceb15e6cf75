package scan_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/gobuild/scan"
)

// An encoded is an instruction in the words of the Go assembler, and bytes.
type encoded struct {
	mnemonic, line string
	code           []byte
}

var encodedLine = regexp.MustCompile(`^\s*([A-Z0-9.]+)\b[^/]*// ([0-9a-f]+(?: or [0-9a-f]+)*)\s*$`)

// assemblerCorpus reads the test data of the Go assembler, which names an
// instruction and its bytes in each line: every one that the assembler knows.
func assemblerCorpus(t *testing.T) (corpus []encoded) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skipf("no go command: %v", err)
	}
	dir := filepath.Join(strings.TrimSpace(string(root)), "src/cmd/asm/internal/asm/testdata")
	files, err := filepath.Glob(filepath.Join(dir, "avx512enc/*.s"))
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, filepath.Join(dir, "amd64enc.s"), filepath.Join(dir, "amd64enc_extra.s"))
	for _, name := range files {
		b, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			t.Skipf("this Go comes without the tests of its assembler: %v", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
			m := encodedLine.FindStringSubmatch(s.Text())
			if m == nil {
				continue
			}
			for _, h := range strings.Split(m[2], " or ") {
				code, err := hex.DecodeString(h)
				if err != nil {
					t.Fatalf("%s: %q: %v", name, s.Text(), err)
				}
				corpus = append(corpus, encoded{m[1], strings.TrimSpace(s.Text()), code})
			}
		}
	}
	return corpus
}

// illegalMnemonics are the instructions of the corpus that matter, by their
// names in the Go assembler.
var illegalMnemonics = map[string]scan.Op{
	"CPUID": scan.CPUID, "RDPMC": scan.RDPMC, "SGDT": scan.SGDT, "SIDT": scan.SIDT, "SLDTW": scan.SLDT, "SLDTL": scan.SLDT, "SLDTQ": scan.SLDT,
	"STRW": scan.STR, "STRL": scan.STR, "STRQ": scan.STR, "SMSWW": scan.SMSW, "SMSWL": scan.SMSW, "SMSWQ": scan.SMSW,
	"LARW": scan.LAR, "LARL": scan.LAR, "LARQ": scan.LAR, "LSLW": scan.LSL, "LSLL": scan.LSL, "LSLQ": scan.LSL, "VERR": scan.VERR, "VERW": scan.VERW,
	"INSB": scan.INS, "INSW": scan.INS, "INSL": scan.INS, "OUTSB": scan.OUTS, "OUTSW": scan.OUTS, "OUTSL": scan.OUTS,
	"INB": scan.IN, "INW": scan.IN, "INL": scan.IN, "OUTB": scan.OUT, "OUTW": scan.OUT, "OUTL": scan.OUT,
	"CALLFW": scan.FarCALL, "CALLFL": scan.FarCALL, "CALLFQ": scan.FarCALL, "JMPFW": scan.FarJMP, "JMPFL": scan.FarJMP, "JMPFQ": scan.FarJMP,
	"RETFW": scan.FarRET, "RETFL": scan.FarRET, "RETFQ": scan.FarRET, "INT": scan.INT, "ICEBP": scan.INT1,
	"IRET": scan.IRET, "IRETW": scan.IRET, "IRETL": scan.IRET, "IRETQ": scan.IRET,
	"LSSW": scan.LSS, "LSSL": scan.LSS, "LSSQ": scan.LSS, "LFSW": scan.LFS, "LFSL": scan.LFS, "LFSQ": scan.LFS, "LGSW": scan.LGS, "LGSL": scan.LGS, "LGSQ": scan.LGS,
	"SYSCALL": scan.SYSCALL, "SYSENTER": scan.SYSENTER, "SYSENTER64": scan.SYSENTER, "SYSRET": scan.SYSRET, "SYSEXIT": scan.SYSEXIT, "SYSEXIT64": scan.SYSEXIT,
	"HLT": scan.HLT, "CLI": scan.CLI, "STI": scan.STI, "CLTS": scan.CLTS, "INVD": scan.INVD, "WBINVD": scan.WBINVD, "INVLPG": scan.INVLPG,
	"INVPCID": scan.INVPCID, "LMSW": scan.LMSW, "LGDT": scan.LGDT, "LIDT": scan.LIDT, "LLDT": scan.LLDT, "LTR": scan.LTR,
	"RDMSR": scan.RDMSR, "WRMSR": scan.WRMSR, "XSETBV": scan.XSETBV, "XSAVES": scan.XSAVES, "XSAVES64": scan.XSAVES, "XRSTORS": scan.XRSTORS, "XRSTORS64": scan.XRSTORS,
	"RSM": scan.RSM, "MONITOR": scan.MONITOR, "MWAIT": scan.MWAIT, "CLAC": scan.CLAC, "STAC": scan.STAC, "SWAPGS": scan.SWAPGS, "RDPRU": scan.RDPRU,
	"RDTSC": scan.RDTSC, "RDTSCP": scan.RDTSCP,
}

// TestAssembler decodes every instruction that the Go assembler can make.
func TestAssembler(t *testing.T) {
	corpus := assemblerCorpus(t)
	seen := map[string]bool{}
	for _, c := range corpus {
		if c.mnemonic == "UD1" {
			continue // has a ModRM in the SDM, and none here
		}
		inst, ok := scan.Decode(append(c.code, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC))
		if !ok || inst.Len != len(c.code) {
			t.Errorf("%s: %v, decoded %v with length %d, want %d", c.line, ok, inst.Op, inst.Len, len(c.code))
			continue
		}
		want, matters := illegalMnemonics[c.mnemonic]
		if !matters {
			want = scan.Plain
		}
		seen[c.mnemonic] = true
		switch {
		case c.mnemonic == "INT" && c.code[1] == 3:
			want = scan.INT3Long
		case strings.HasPrefix(c.mnemonic, "MOV") && len(c.code) > 1 && inst.Op != scan.Plain:
			to := c.line[:strings.Index(c.line, "//")]
			to = strings.TrimSpace(to[strings.LastIndexByte(to, ',')+1:])
			switch {
			case to == "DS" || to == "ES" || to == "FS" || to == "GS" || to == "SS":
				want = scan.MOVToSeg
			case strings.Contains(c.line[:strings.Index(c.line, "//")], "CR"):
				want = scan.MOVCR
			case strings.Contains(c.line[:strings.Index(c.line, "//")], "DR"):
				want = scan.MOVDR
			}
		case strings.HasPrefix(c.mnemonic, "POP") && strings.ContainsAny(c.line[:strings.Index(c.line, "//")], "S") && inst.Op != scan.Plain:
			want = scan.POPSeg
		}
		if inst.Op != want {
			t.Errorf("%s: %v, want %v", c.line, inst.Op, want)
		}
		// Cut off anywhere, it is no instruction.
		for n := range c.code {
			if short, ok := scan.Decode(c.code[:n:n]); ok {
				t.Errorf("%s: its first %d bytes decode with length %d", c.line, n, short.Len)
			}
		}
	}
	t.Logf("%d encodings of %d mnemonics", len(corpus), len(seen))
	if len(corpus) < 20000 {
		t.Errorf("only %d encodings: the format of the files changed", len(corpus))
	}
}
