package process

import (
	"os"
	"syscall"
	"testing"

	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/internal/goabi"
	"golang.org/x/sys/unix"
)

// noEnclave is what a process without an enclave allocates from.
type noEnclave struct{}

func (noEnclave) Alloc(int) (*enclave.Buffer, error) { return nil, enclave.ErrOutOfMemory }

// serverFor returns a process whose threads are driven by the test, with
// blocks in ordinary memory.
func serverFor(tb testing.TB, c Config, threads int) *Process {
	tb.Helper()
	p := New(c)
	if c.Dir == "" {
		p.cfg.Dir = tb.TempDir()
	}
	if err := p.prepare(tb.Context(), nil); err != nil {
		tb.Fatal(err)
	}
	p.outer.e = noEnclave{}
	const base = 0x10000
	p.makeThreads(make([]byte, threads*goabi.BlockSize), base, threads)
	p.free = nil // no thread can be started
	p.claimed.Store(true)
	p.started.Store(true)
	for _, t := range p.threads {
		t.running.Store(true)
	}
	tb.Cleanup(func() {
		p.end(State{}, nil)
		p.release()
	})
	return p
}

// do makes a request with arguments that are numbers, or strings and byte
// slices, which it places in the block.
func (t *thread) do(op uint64, args ...any) int64 {
	next := uint64(goabi.OffData)
	le.PutUint64(t.mem[goabi.OffOp:], op)
	for i := range 6 {
		v := uint64(0)
		if i < len(args) {
			switch a := args[i].(type) {
			case int:
				v = uint64(a)
			case int64:
				v = uint64(a)
			case uint64:
				v = a
			case string:
				v = next
				next += uint64(copy(t.mem[next:], a+"\x00")+7) &^ 7
			case []byte:
				v = next
				next += uint64(copy(t.mem[next:], a)+7) &^ 7
			default:
				panic("argument")
			}
		}
		le.PutUint64(t.mem[goabi.OffArgs+8*i:], v)
	}
	t.serve()
	return int64(le.Uint64(t.mem[goabi.OffResult:]))
}

// arg returns what an argument has become, and bytes what it points to.
func (t *thread) arg(i int) uint64 { return le.Uint64(t.mem[goabi.OffArgs+8*i:]) }

func (t *thread) bytes(i, n int) []byte { return t.mem[t.arg(i):][:n] }

// must makes a request that must succeed, and want one that must fail.
func must(tb testing.TB, t *thread, op int, args ...any) int64 {
	tb.Helper()
	r := t.do(uint64(op), args...)
	if r < 0 {
		tb.Fatalf("request %d %v: %v", op, args, syscall.Errno(-r))
	}
	return r
}

func want(tb testing.TB, e syscall.Errno, t *thread, op int, args ...any) {
	tb.Helper()
	if r := t.do(uint64(op), args...); r != -int64(e) {
		tb.Fatalf("request %d %v: %d, want %v", op, args, r, e)
	}
}

const atCWD = unix.AT_FDCWD

func readFile(tb testing.TB, path string) string {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}
