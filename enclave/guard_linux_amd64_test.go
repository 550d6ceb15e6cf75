package enclave_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/host"
	"github.com/feidi-dev/feidi/internal/toy"
)

// guardChild says what TestGuardChild is to do.
const guardChild = "FEIDI_GUARD_CHILD"

// TestGuardChild is what TestGuard runs as a process of its own: an enclave
// with a SYSCALL, which the engine does not find because it knows no functions.
func TestGuardChild(t *testing.T) {
	what := os.Getenv(guardChild)
	if what == "" {
		t.Skip("for TestGuard")
	}
	o := toy.Options{}
	if strings.Contains(what, "fixed") {
		// Outside of where the kernel reports system calls to the engine.
		o.Base, o.Versions = 1<<44, []uint64{image.MakeVersion(11, 5)}
	}
	img := build(t, o)
	img.Symbols = nil
	e := load(t, powerOn(t, enclave.MachineConfig{}), img)
	if strings.Contains(what, "guard") {
		if err := e.Guard(); err != nil {
			t.Fatal(err)
		}
	}
	// The host program, on all its threads, and the enclave are as before.
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			b := toy.Encode(toy.MSAdd{A: 7, B: 8})
			if err := e.ECall(context.Background(), int(toy.ECallAdd), b); err != nil || b[16] != 15 {
				t.Errorf("Add: %v, %v", b, err)
			}
			_, _ = os.ReadFile("/proc/self/status")
		})
	}
	wait.Wait()
	fmt.Println("CALLED")
	b := toy.Encode(toy.MSFault{Trap: toy.Trap{Armed: 1}, Kind: toy.FaultSyscall})
	if err := e.ECall(context.Background(), int(toy.ECallFault), b); err != nil {
		t.Fatal(err)
	}
	v, err := toy.Decode[toy.MSFault](b)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("FAULTED %d, VALUE %d\n", v.Faulted, v.Value)
}

// A SYSCALL inside an enclave ends the program if there is a guard, and goes
// through if there is none; unless the engine is told of it, and makes it #UD.
func TestGuard(t *testing.T) {
	powerOn(t, enclave.MachineConfig{}) // or skip
	if !host.CanGuard() {
		t.Skip("this kernel has no seccomp filters")
	}
	for _, c := range []struct {
		what   string
		killed bool
		want   string
	}{
		{"fixed", false, "FAULTED 0"},
		{"fixed, guard", true, ""},
		{"guard", false, "FAULTED 1"}, // or killed, by an older kernel
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestGuardChild$")
		cmd.Env = append(os.Environ(), guardChild+"="+c.what)
		out, err := cmd.CombinedOutput()
		if !strings.Contains(string(out), "CALLED") {
			t.Fatalf("%s: it does not work: %v\n%s", c.what, err, out)
		}
		status := cmd.ProcessState.Sys().(syscall.WaitStatus)
		killed := status.Signaled() && status.Signal() == syscall.SIGSYS
		switch {
		case killed && (c.killed || c.what == "guard"):
		case c.killed || killed || err != nil || !strings.Contains(string(out), c.want):
			t.Errorf("%s: %v, want %q\n%s", c.what, err, c.want, out)
		}
	}
}
