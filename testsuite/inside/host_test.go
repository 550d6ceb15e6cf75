// Package inside runs Go programs in enclaves and holds them to what package
// inside and `feidi build` promise. The programs are in programs.
package inside

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/cpu"
	_ "github.com/feidi-dev/feidi/cpu/native" // the engine, where there is one
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/enclave/process"
	"github.com/feidi-dev/feidi/gobuild"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/sign"
	"github.com/feidi-dev/feidi/testsuite/system"
)

// cache is where gobuild may write.
var cache string

func TestMain(m *testing.M) { os.Exit(system.Main(m, &cache)) }

// powerOn starts a machine, or skips the test where there can be none.
func powerOn(t testing.TB, c cpu.Config) *enclave.Machine {
	t.Helper()
	return system.PowerOn(t, enclave.MachineConfig{CPU: c})
}

var keys = sync.OnceValue(func() (k [2]*rsa.PrivateKey) {
	for i := range k {
		key, err := sign.GenerateKey(rand.Reader)
		if err != nil {
			panic(err)
		}
		k[i] = key
	}
	return k
})

// compiled are the programs by name.
var compiled sync.Map // of func() ([]byte, error)

func compile(t testing.TB, name string) []byte {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command")
	}
	f, _ := compiled.LoadOrStore(name, sync.OnceValues(func() ([]byte, error) {
		tc, err := gobuild.FindToolchain(context.Background(), cache)
		if err != nil {
			return nil, err
		}
		return tc.Compile(context.Background(), ".", "./programs/"+name, nil, nil)
	}))
	b, err := f.(func() ([]byte, error))()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// build makes an enclave of a program. change may be nil.
func build(t testing.TB, name string, change func(*gobuild.Options)) *image.Image {
	t.Helper()
	o := gobuild.Options{Heap: 64 << 20, Threads: 16, Key: keys()[0], Date: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	if change != nil {
		change(&o)
	}
	b, err := gobuild.LinkCached(cache, compile(t, name), o)
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// guest is a program that runs in an enclave.
type guest struct {
	*process.Process
	e      *enclave.Enclave
	stdin  *os.File
	stdout *bufio.Reader
	stderr func() string // waits until it is closed
	ended  sync.Once
	state  process.State
	err    error
}

// start starts a program. Its standard error is kept.
func start(t testing.TB, m *enclave.Machine, img *image.Image, c process.Config, opts ...enclave.Option) *guest {
	t.Helper()
	var files [6]*os.File
	for i := 0; i < len(files); i += 2 {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		files[i], files[i+1] = r, w
	}
	c.Stdin, c.Stdout, c.Stderr = files[0], files[3], files[5]
	c.Args = append([]string{"program"}, c.Args...)
	g := &guest{Process: process.New(c), stdin: files[1], stdout: bufio.NewReaderSize(files[2], 1<<16)}
	stderr := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(files[4])
		files[4].Close()
		stderr <- string(b)
	}()
	g.stderr = sync.OnceValue(func() string { return <-stderr })
	e, err := m.Load(context.Background(), img, append(opts, g.Option())...)
	if err != nil {
		t.Fatal(err)
	}
	g.e = e
	if err := g.Start(context.Background(), e); err != nil {
		t.Fatal(err)
	}
	for _, f := range []*os.File{files[0], files[3], files[5]} {
		f.Close()
	}
	t.Cleanup(func() {
		g.stdin.Close()
		time.AfterFunc(5*time.Second, func() { _ = g.Signal(syscall.SIGTERM) })
		g.wait()
		files[2].Close()
		if err := e.Destroy(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			if s := g.stderr(); s != "" {
				t.Logf("standard error:\n%s", s)
			}
		}
	})
	return g
}

// wait waits for the program's end.
func (g *guest) wait() (process.State, error) {
	g.ended.Do(func() { g.state, g.err = g.Wait() })
	return g.state, g.err
}

// output waits for the program's end and returns what it has written to its
// standard output.
func (g *guest) output(t testing.TB) string {
	t.Helper()
	b, err := io.ReadAll(g.stdout)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.wait(); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// errAgent is the error of an agent.
var errAgent = errors.New("agent")

// ask has an agent do something.
func (g *guest) ask(verb string, args ...[]byte) ([][]byte, error) {
	line := verb
	for _, a := range args {
		line += " " + hex.EncodeToString(a)
	}
	if _, err := fmt.Fprintln(g.stdin, line); err != nil {
		return nil, err
	}
	answer, err := g.stdout.ReadString('\n')
	if err != nil {
		return nil, err
	}
	word, rest, _ := strings.Cut(strings.TrimSuffix(answer, "\n"), " ")
	if word != "ok" {
		return nil, fmt.Errorf("%w: %s", errAgent, rest)
	}
	var out [][]byte
	for _, h := range strings.Split(rest, " ") {
		b, err := hex.DecodeString(h)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// must is ask for what must succeed, and refused for what must not, and say
// why.
func (g *guest) must(t testing.TB, verb string, args ...[]byte) [][]byte {
	t.Helper()
	b, err := g.ask(verb, args...)
	if err != nil {
		t.Fatalf("%s: %v", verb, err)
	}
	return b
}

func (g *guest) refused(t testing.TB, want, verb string, args ...[]byte) {
	t.Helper()
	if b, err := g.ask(verb, args...); !errors.Is(err, errAgent) || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: %x, %v; want an error with %q", verb, bytes.Join(b, []byte{0}), err, want)
	}
}
