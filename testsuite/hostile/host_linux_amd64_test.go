package hostile

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/cpu"
	_ "github.com/feidi-dev/feidi/cpu/native"
	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/enclave/process"
	"github.com/feidi-dev/feidi/gobuild"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/goabi"
	"github.com/feidi-dev/feidi/internal/state"
	"github.com/feidi-dev/feidi/sign"
	"github.com/feidi-dev/feidi/status"
)

// threads is how many the victim's enclave has.
const threads = 24

// built is the machine, and the victim's enclave.
var built = sync.OnceValues(func() (*enclave.Machine, *image.Image) {
	check := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	cache, err := state.Cache()
	check(err)
	tc, err := gobuild.FindToolchain(context.Background(), cache)
	check(err)
	key, err := sign.GenerateKey(rand.Reader)
	check(err)
	file, err := tc.Build(context.Background(), ".", "./victim", nil, gobuild.Options{Heap: 64 << 20, Threads: threads, Key: key}, os.Stderr)
	check(err)
	img, err := image.Parse(file)
	check(err)
	m, err := enclave.PowerOn(enclave.MachineConfig{CPU: cpu.Config{}})
	check(err)
	runtime.GOMAXPROCS(runtime.NumCPU() + 2*threads)
	return m, img
})

// needs skips a test where enclaves cannot be built or run.
func needs(tb testing.TB) (*enclave.Machine, *image.Image) {
	tb.Helper()
	if len(cpu.Engines()) == 0 {
		tb.Skip("no engine")
	}
	if _, err := exec.LookPath("go"); err != nil {
		tb.Skip(err)
	}
	if testing.Short() {
		tb.Skip("builds an enclave")
	}
	return built()
}

// How a run must end.
type outcome int

const (
	ends    outcome = iota // in any way but by breaking
	goesOn                 // as if nothing were
	refused                // the gate says that the host has lied
)

// A lie is what a host does.
type lie struct {
	name string
	jobs string // of the victim
	want outcome
	// op is the request that before and after are for, or everything.
	op uint64
	// before may change a request, and reports whether it was served.
	before func(h *host, r *request) bool
	// after changes an answer.
	after func(h *host, r *request)
	// boot changes the boot block.
	boot func(h *host, b []byte)
	// during runs beside the program.
	during func(ctx context.Context, h *host, e *enclave.Enclave, p *process.Process)
	// addresses says that the host writes addresses of the enclave, so that
	// nobody can tell whether the enclave does.
	addresses bool
	// status is what the program ends with if it does not even start.
	status status.Code
	// says is what the program writes to standard error, among other things.
	says   string
	limit  time.Duration
	rounds int
}

const everything = 1 << 40

// request is an OCALL.
type request struct {
	ctx    context.Context
	c      *enclave.Call
	block  []byte
	honest enclave.OCall
	op     uint64
	args   [6]uint64
	n      int64 // that were before it, of all kinds
}

func (r *request) result() uint64         { return le.Uint64(r.block[goabi.OffResult:]) }
func (r *request) set(v uint64)           { le.PutUint64(r.block[goabi.OffResult:], v) }
func (r *request) setArg(i int, v uint64) { le.PutUint64(r.block[goabi.OffArgs+8*i:], v) }
func (r *request) fail(errno int)         { r.set(uint64(-int64(errno))) }
func (r *request) data() []byte           { return r.block[goabi.OffData:] }
func (r *request) failed() bool           { return int64(r.result()) < 0 && int64(r.result()) > -4096 }

// host is a host that tells one lie.
type host struct {
	lie        lie
	base, size uint64
	count      atomic.Int64
	searched   atomic.Int64
	denied     atomic.Int64
	blocks     atomic.Uint64 // their address
	clock      atomic.Uint64 // and that of the clock page

	mu     sync.Mutex
	rand   *mrand.Rand
	leaks  []string
	opened []uint64 // descriptors that were given
}

// result is how a run ended.
type result struct {
	state    process.State
	err      error
	out, log string
}

// ocall serves an OCALL.
func (h *host) ocall(ctx context.Context, c *enclave.Call, honest enclave.OCall) enclave.Status {
	var v vectors
	readVectors(&v, wide)
	regs := c.Regs()
	block, err := c.Bytes(c.Block, goabi.BlockSize)
	if err != nil {
		h.leak("an OCALL has no block: %v", err)
		return honest(ctx, c)
	}
	r := &request{ctx: ctx, c: c, block: block, honest: honest, op: le.Uint64(block), n: h.count.Add(1)}
	for i := range r.args {
		r.args[i] = le.Uint64(block[goabi.OffArgs+8*i:])
	}
	h.searchRegisters(&regs, &v)
	const often = 32
	if n := goabi.OffData + 512; r.n%often != 0 {
		h.search(fmt.Sprintf("request %d", r.op), block[:n])
	} else {
		h.search("a block", block)
	}
	if r.op == goabi.OpExit {
		h.searchAll(c.Enclave())
	}
	mine := h.lie.op == r.op || h.lie.op == everything
	if !mine || h.lie.before == nil || !h.lie.before(h, r) {
		honest(ctx, c)
	}
	if mine && h.lie.after != nil {
		h.lie.after(h, r)
	}
	return enclave.Success
}

// draw returns a random number below n.
func (h *host) draw(n uint64) uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rand.Uint64N(n)
}

// run runs the victim on a host that tells a lie.
func run(tb testing.TB, l lie, seed uint64) (*host, *result) {
	m, img := needs(tb)
	h := &host{lie: l, size: img.Size, rand: mrand.New(mrand.NewPCG(seed, 0))}
	dir, err := os.MkdirTemp("", "hostile")
	if err != nil {
		tb.Fatal(err)
	}
	defer os.RemoveAll(dir)
	// Not /dev/null, which would be the machine's: what the victim does to a file, a
	// host that lies about descriptors may have done to another.
	var files [3]*os.File
	for i, name := range []string{"out", "log", "in"} {
		if files[i], err = os.Create(filepath.Join(dir, name)); err != nil {
			tb.Fatal(err)
		}
		defer files[i].Close()
	}
	work := filepath.Join(dir, "work")
	if err := os.Mkdir(work, 0o700); err != nil {
		tb.Fatal(err)
	}
	var during sync.WaitGroup
	var boot func([]byte)
	running, over := context.WithCancel(context.Background())
	defer over()
	p := process.New(process.Config{
		Args: []string{"victim", fmt.Sprint(max(l.rounds, 1)), l.jobs}, Dir: work, Stdin: files[2], Stdout: files[0], Stderr: files[1], CPUs: 2,
		Tamper: &process.Tamper{Boot: func(b []byte) { boot(b) }, OCall: h.ocall, Ended: func() {
			over()
			during.Wait()
		}},
	})
	e, err := m.Load(context.Background(), img, p.Option())
	if err != nil {
		tb.Fatal(err)
	}
	limit := l.limit
	if limit == 0 {
		limit = 20 * time.Second
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	h.base = e.Base()
	r := new(result)
	boot = func(b []byte) {
		h.blocks.Store(le.Uint64(b[goabi.BootBlocks:]))
		h.clock.Store(le.Uint64(b[goabi.BootClock:]))
		if l.boot != nil {
			l.boot(h, b)
		}
		if l.during != nil {
			during.Go(func() { l.during(running, h, e, p) })
		}
	}
	if r.err = p.Start(ctx, e); r.err == nil {
		var wait sync.WaitGroup
		if strings.Contains(l.jobs, "calls") || l.jobs == "all" {
			wait.Go(func() { h.makeCalls(ctx, p) })
		}
		r.state, r.err = p.Wait()
		wait.Wait()
	}
	if err := e.Destroy(); err != nil {
		tb.Error(err)
	}
	for i, to := range []*string{&r.out, &r.log} {
		b, err := os.ReadFile(files[i].Name())
		if err != nil {
			tb.Fatal(err)
		}
		*to = string(b)
	}
	return h, r
}

// makeCalls makes ECALLs until the program has ended.
func (h *host) makeCalls(ctx context.Context, p *process.Process) {
	mem, err := p.Outside(8192)
	if err != nil {
		return
	}
	said := func(_ context.Context, c uedge.Call) status.Code {
		if b, err := c.Bytes(c.Block(), 8); err == nil {
			_, _ = c.Bytes(le.Uint64(b), 9)
		}
		return status.Success
	}
	const size = 1000
	b := mem.Bytes()
	for {
		le.PutUint64(b[8:], mem.Addr()+4096)
		le.PutUint64(b[16:], size)
		for i := range size {
			b[4096+i] = byte(i)
		}
		err := p.CallAt(ctx, 0, mem.Addr(), uedge.Table{said})
		var code status.Code
		if err != nil && !errors.As(err, &code) {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// broken is what a program writes that is broken. A pointer that is nil because
// the standard library believes the kernel is no such thing.
var broken = regexp.MustCompile(`CORRUPT|SIGSEGV: [^\n]* addr=0x[0-9a-f]{4,}|SIGBUS|SIGILL|SIGFPE|SIGTRAP|unexpected fault|bad pointer|free object|fatal error: (unexpected|found|bad|stack|sweep|mark|scan|casg|schedule|lock|newm|runtime·)`)

// noMemory is a program that was told an address outside where there is nothing.
var noMemory = regexp.MustCompile(`(?s)unexpected fault address.*goroutine \d+[^\n]*running.{0,600}inside\.\(\*gate\)\.(Load|Store)\(`)

// judge says what is wrong with a run.
func (h *host) judge(tb testing.TB, r *result) {
	tb.Helper()
	show := func() string {
		return fmt.Sprintf("%v, %v, after %d requests\n%s%.3000s", r.state, r.err, h.count.Load(), r.out, r.log)
	}
	for _, l := range h.leaks {
		tb.Errorf("leak: %s", l)
	}
	if bad := broken.FindString(r.log); (bad != "" && !noMemory.MatchString(r.log)) || r.state.ExitCode == 77 {
		tb.Errorf("it is broken, %q: %s", bad, show())
	}
	if strings.Contains(r.log, markHex) || strings.Contains(r.out, markHex) {
		tb.Errorf("it has written its secret: %s", show())
	}
	var fault *enclave.FaultError
	if errors.As(r.err, &fault) {
		tb.Errorf("an exception: %s", show())
	}
	l := &h.lie
	switch {
	case l.status != 0:
		if !errors.Is(r.err, l.status) {
			tb.Errorf("it did not end with %v: %s", l.status, show())
		}
	case l.want == goesOn:
		if r.err != nil || r.state != (process.State{}) || r.out != "DONE\n" {
			tb.Errorf("it did not go on: %s", show())
		}
	case l.want == refused:
		if r.err != nil || r.state.ExitCode != 134 || !strings.Contains(r.log, "is impossible") {
			tb.Errorf("it did not notice: %s", show())
		}
	}
	if !strings.Contains(r.log, l.says) {
		tb.Errorf("it did not say %q: %s", l.says, show())
	}
	if r.err == nil && h.searched.Load() < threads*goabi.BlockSize/4096 {
		tb.Errorf("%d pages outside were searched", h.searched.Load())
	}
}
