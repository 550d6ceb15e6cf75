package crosscheck

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	_ "github.com/feidi-dev/feidi/cpu/native" // the engine, where there is one
	platform "github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
	"github.com/feidi-dev/feidi/world"
)

// daemons are a world of the test's own, and a machine of it with its services, all
// run by the project's command as processes of their own.
type daemons struct {
	command string // the path of feidi
	state   string // $XDG_STATE_HOME
	root    []byte // PEM
	pcs     string // address
	socket  string
	machine *platform.Machine
	peers   []Peer
}

const machineName = "laptop"

// startDaemons builds the command, makes a world and a machine, and starts the
// services. The machine's processor is also at work in the test: any process of
// the user may have its enclaves.
func startDaemons(t *testing.T) *daemons {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the command and the system enclaves")
	}
	dir := t.TempDir()
	d := &daemons{command: filepath.Join(dir, "feidi"), state: filepath.Join(dir, "state")}
	build := exec.Command("go", "build", "-o", d.command, "./cmd/feidi")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	d.run(t, "world", "init")
	d.run(t, "machine", "new", machineName)
	d.root = d.run(t, "world", "root")

	m, err := world.UseMachine(filepath.Join(d.state, "feidi"), machineName)
	if err != nil {
		t.Fatal(err)
	}
	d.machine, err = platform.PowerOn(platform.MachineConfig{CPU: m.CPU()})
	if errors.Is(err, platform.ErrNoEngine) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.machine.Close(); err != nil {
			t.Error(err)
		}
	})

	d.pcs = d.start(t, "pcs", "serve", "--listen", "127.0.0.1:0").Address
	d.socket = filepath.Join(dir, "aesm.socket")
	if at := d.start(t, "aesmd", "--machine", machineName, "--pcs", d.pcs, "--socket", d.socket); !slices.Equal(at.Sockets, []string{d.socket}) {
		t.Fatalf("it listens at %q", at.Sockets)
	}
	return d
}

func (d *daemons) cmd(arg ...string) *exec.Cmd {
	cmd := exec.Command(d.command, arg...)
	cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+d.state)
	return cmd
}

// run runs a verb to its end and returns what it printed.
func (d *daemons) run(t *testing.T, arg ...string) []byte {
	t.Helper()
	cmd := d.cmd(arg...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("feidi %v: %v\n%s", arg, err, &stderr)
	}
	return out
}

// serving is what a verb tells as soon as it serves.
type serving struct {
	Address string
	Sockets []string
}

// start starts a verb that serves, and waits until it does. The process is told to
// stop at the end of the test, and has to do so in good order.
func (d *daemons) start(t *testing.T, arg ...string) (at serving) {
	t.Helper()
	cmd := d.cmd(append(arg, "--json")...)
	var log bytes.Buffer
	cmd.Stderr = &log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Error(err)
		}
		late := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() }) // Wait tells
		defer late.Stop()
		if err := cmd.Wait(); err != nil {
			t.Errorf("feidi %v: %v\n%s", arg, err, &log)
		}
	})
	if err := json.NewDecoder(stdout).Decode(&at); err != nil {
		t.Fatalf("feidi %v: %v", arg, err)
	}
	return at
}

// application is an enclave on the machine, not under debug.
type application struct{ *platform.Enclave }

func (d *daemons) application(t *testing.T) application {
	t.Helper()
	key, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	file, err := toy.Build(toy.Options{Key: key, ISVProdID: 7, ISVSVN: 2})
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	e, err := d.machine.Load(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Destroy(); err != nil {
			t.Error(err)
		}
	})
	return application{e}
}

// report has the enclave make a REPORT for a target.
func (a application) report(t *testing.T, target []byte, data [64]byte) []byte {
	t.Helper()
	in, report := a.buffer(t, append(target[:len(target):len(target)], data[:]...)), a.buffer(t, make([]byte, isa.ReportSize))
	block := toy.Encode(toy.MSReport{TargetInfo: in.Addr(), ReportData: in.Addr() + uint64(len(target)), Report: report.Addr()})
	if err := a.ECall(t.Context(), int(toy.ECallReport), block); err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(report.Bytes())
}

// checks reports whether the enclave finds that a REPORT was made for it, by an
// enclave on its machine.
func (a application) checks(t *testing.T, report []byte) bool {
	t.Helper()
	block := toy.Encode(toy.MSVerifyReport{Report: a.buffer(t, report).Addr()})
	if err := a.ECall(t.Context(), int(toy.ECallVerifyReport), block); err != nil {
		t.Fatal(err)
	}
	v, err := toy.Decode[toy.MSVerifyReport](block)
	if err != nil {
		t.Fatal(err)
	}
	return v.Valid == 1
}

// buffer is memory outside with that content.
func (a application) buffer(t *testing.T, content []byte) *platform.Buffer {
	t.Helper()
	b, err := a.Alloc(len(content))
	if err != nil {
		t.Fatal(err)
	}
	copy(b.Bytes(), content)
	return b
}
