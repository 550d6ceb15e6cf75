package host

import (
	"encoding/json"
	"os"
	"runtime"
	"strings"
	"testing"
)

func TestLook(t *testing.T) {
	s := Look()
	if want := runtime.GOOS + "/" + runtime.GOARCH; s.Platform != want {
		t.Errorf("platform is %q, want %q", s.Platform, want)
	}
	seen := map[string]bool{}
	for _, f := range s.Facts {
		t.Logf("%-26s %-8s %s  %s", f.ID, f.Verdict, f.Value, f.Note)
		if seen[f.ID] {
			t.Errorf("%s is stated twice", f.ID)
		}
		seen[f.ID] = true
		if f.Label == "" || f.Value == "" {
			t.Errorf("%s has no label or no value", f.ID)
		}
		if (f.Verdict == Missing || f.Verdict == Warn) && f.Note == "" {
			t.Errorf("%s is %s without saying why", f.ID, f.Verdict)
		}
	}
	if _, err := json.Marshal(s); err != nil {
		t.Error(err)
	}
	if s.Platform != "linux/amd64" && len(s.Blockers()) == 0 {
		t.Error("nothing is missing on a platform without an engine")
	}
}

// The kernel's own summary of CPUID is an independent source.
func TestAgreesWithCPUInfo(t *testing.T) {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil || runtime.GOARCH != "amd64" {
		t.Skip("no x86 /proc/cpuinfo")
	}
	_, flags, _ := strings.Cut(string(info), "\nflags")
	flags, _, _ = strings.Cut(flags, "\n")
	has := func(name string) bool { return strings.Contains(flags+" ", " "+name+" ") }
	s := Look()
	for id, flag := range map[string]string{"cpu.fsgsbase": "fsgsbase", "cpu.xsavec": "xsavec", "cpu.sse41": "sse4_1", "cpu.xsave": "xsave"} {
		f, ok := s.Fact(id)
		if !ok {
			t.Errorf("no fact %s", id)
		} else if (f.Value == "yes") != has(flag) {
			t.Errorf("%s is %q, /proc/cpuinfo has %s: %v", id, f.Value, flag, has(flag))
		}
	}
	if f, _ := s.Fact("cpu.vendor"); !strings.Contains(string(info), f.Value) {
		t.Errorf("vendor %q is not in /proc/cpuinfo", f.Value)
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[uint64]string{0: "0 bytes", 1023: "1023 bytes", 4096: "4 KiB", 1536: "1.5 KiB", 32 << 30: "32 GiB", 1<<64 - 1: "16 EiB"} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) is %q, want %q", n, got, want)
		}
	}
}

func TestAvailableMemory(t *testing.T) {
	n, known := AvailableMemory()
	if known != (runtime.GOOS == "linux") {
		t.Fatalf("available memory is known: %v on %s", known, runtime.GOOS)
	}
	if known && (n == 0 || n > 1<<50) {
		t.Errorf("available memory is %d bytes", n)
	}
}
