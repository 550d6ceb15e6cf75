package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/internal/goabi"
	"golang.org/x/sys/unix"
)

// Process is a Go program that runs in an enclave. Its methods may be called
// concurrently.
type Process struct {
	cfg   Config
	e     *enclave.Enclave
	files table
	dir   directory
	outer allocations
	calls calls
	clock *clock

	// ctx ends when the process does.
	ctx     context.Context
	cancel  context.CancelFunc
	claimed atomic.Bool   // Start was called
	started atomic.Bool   // and what it makes is there
	stopped atomic.Bool   // ctx has ended, and whoever falls asleep must not
	inside  atomic.Int64  // threads that may be inside: not ended, and in no OCALL of the EDL
	pending atomic.Uint64 // signals that are not handed over yet
	nagging atomic.Bool   // a goroutine sees to it that they are

	first atomic.Pointer[time.Time] // of the first request that is not the runtime's own

	threads []*thread // one for each block
	buffers []*enclave.Buffer

	mu    sync.Mutex
	free  []*thread // whose blocks are not in use
	live  int       // threads that run
	ended bool      // state and err are final
	state State
	err   error
	done  chan struct{} // closed when nothing runs any more
}

// New returns a process that is to be started, once. What is read and kept of
// the configuration is read by Start.
func New(c Config) *Process {
	p := &Process{cfg: c, done: make(chan struct{}), clock: newClock()}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// Option has the OCALLs of an enclave come to the process. It is given to
// Machine.Load for the enclave that Start is then given, and to no other.
func (p *Process) Option() enclave.Option {
	if t := p.cfg.Tamper; t != nil && t.OCall != nil {
		return enclave.WithOtherOCalls(func(ctx context.Context, c *enclave.Call) enclave.Status {
			return t.OCall(ctx, c, p.ocall)
		})
	}
	return enclave.WithOtherOCalls(p.ocall)
}

// Start starts the program. It runs until it exits or ctx ends. The enclave
// must not be used for other calls, and not be destroyed before Wait returns:
// Destroy waits for threads that sleep outside the enclave.
func (p *Process) Start(ctx context.Context, e *enclave.Enclave) error {
	if p.claimed.Swap(true) {
		return ErrStarted
	}
	err := p.prepare(ctx, e)
	if err == nil {
		err = p.launch(e)
	}
	if err != nil {
		p.end(State{}, err)
		p.release()
		return err
	}
	go p.tick(context.AfterFunc(ctx, func() {
		p.end(State{}, fmt.Errorf("process: stopped: %w", context.Cause(ctx)))
	}))
	return nil
}

// prepare makes what does not need the enclave.
func (p *Process) prepare(ctx context.Context, e *enclave.Enclave) error {
	p.e, p.outer.e = e, e
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("process: %w", err)
	}
	for _, f := range []*os.File{p.cfg.Stdin, p.cfg.Stdout, p.cfg.Stderr} {
		std, err := standard(f)
		if err != nil {
			return fmt.Errorf("process: %w", err)
		}
		p.files.add(std, 0)
	}
	if err := p.dir.open(p.cfg.Dir); err != nil {
		return fmt.Errorf("process: %w", err)
	}
	return nil
}

// launch gives the enclave its memory and enters it for the first time.
func (p *Process) launch(e *enclave.Enclave) error {
	count := 0
	for _, t := range e.Image().Threads {
		if t.Usable {
			count++
		}
	}
	if count == 0 {
		return fmt.Errorf("process: %w: the enclave has no thread", enclave.ErrOutOfTCS)
	}
	blocks, err := p.alloc(count * goabi.BlockSize)
	if err != nil {
		return err
	}
	clock, err := p.alloc(goabi.ClockSize)
	if err != nil {
		return err
	}
	p.clock.start(clock.Bytes())
	cpus := p.cfg.CPUs
	if cpus <= 0 {
		cpus = runtime.NumCPU()
	}
	image, err := bootBlock(&p.cfg, blocks.Addr(), count, clock.Addr(), cpus)
	if err != nil {
		return err
	}
	boot, err := p.alloc(len(image))
	if err != nil {
		return err
	}
	copy(boot.Bytes(), image)
	if t := p.cfg.Tamper; t != nil && t.Boot != nil {
		t.Boot(boot.Bytes())
	}
	p.makeThreads(blocks.Bytes(), blocks.Addr(), count)
	p.started.Store(true)
	if r := p.spawn(goabi.ECallStart, boot.Addr()); r < 0 {
		return fmt.Errorf("process: no thread to start with: %w", syscall.Errno(-r))
	}
	return nil
}

func (p *Process) alloc(size int) (*enclave.Buffer, error) {
	b, err := p.e.Alloc(size)
	if err != nil {
		return nil, fmt.Errorf("process: %w", err)
	}
	p.buffers = append(p.buffers, b)
	return b, nil
}

// tick keeps the clock and notices when the enclave is destroyed, which a
// thread that sleeps outside would not. At the end it calls unhook.
func (p *Process) tick(unhook func() bool) {
	defer p.leave(nil)
	defer unhook()
	t := time.NewTicker(clockInterval)
	defer t.Stop()
	for {
		select {
		case <-p.ctx.Done():
			p.drain()
			return
		case <-t.C:
			p.clock.update()
			if _, err := p.e.ReadAt(nil, 0); errors.Is(err, enclave.ErrDestroyed) {
				p.end(State{}, enclave.ErrDestroyed)
			}
		}
	}
}

// end ends the process: the first end counts. Threads stop where they are.
func (p *Process) end(s State, err error) {
	p.mu.Lock()
	if p.ended {
		p.mu.Unlock()
		return
	}
	p.ended, p.state, p.err = true, s, err
	p.mu.Unlock()
	p.cancel()
	p.stopped.Store(true)
	p.calls.close()
	p.quiet()
	p.wakeAll()
}

// wakeAll wakes every thread that sleeps, and reports whether any runs.
func (p *Process) wakeAll() (running bool) {
	for _, t := range p.threads {
		t.rouse()
		_ = t.interrupt(dozing) || t.interrupt(blocked)
		running = running || t.running.Load()
	}
	return running
}

// drain wakes threads until none runs: one may have been about to fall asleep
// when the process ended.
func (p *Process) drain() {
	for wait := time.Millisecond; p.wakeAll(); wait = min(2*wait, 50*time.Millisecond) {
		time.Sleep(wait)
	}
}

// outside is called when a thread is not inside any more.
func (p *Process) outside() {
	p.inside.Add(-1)
	p.quiet()
}

// quiet ends the ECALLs under way if the process has ended and no thread is
// inside. None will be: the enclave is not entered under a context that has
// ended.
func (p *Process) quiet() {
	if p.stopped.Load() && p.inside.Load() == 0 {
		p.calls.abandon()
	}
}

// leave is the end of a goroutine of the process, which ran a thread, or not.
func (p *Process) leave(t *thread) {
	p.mu.Lock()
	if t != nil {
		p.free = append(p.free, t)
	}
	p.live--
	last := p.live == 0
	p.mu.Unlock()
	if last {
		p.release()
	}
}

// release gives everything back when nothing runs any more.
func (p *Process) release() {
	if t := p.cfg.Tamper; t != nil && t.Ended != nil {
		t.Ended()
	}
	p.files.close()
	p.dir.close()
	p.outer.close()
	for _, t := range p.threads {
		t.close()
	}
	for _, b := range p.buffers {
		b.Free()
	}
	close(p.done)
}

// Wait waits until the program has ended and returns how. What the program
// did not end by itself is an error: ctx that ended, an exception that it did
// not handle (*enclave.FaultError), the destruction of the enclave.
func (p *Process) Wait() (State, error) {
	if !p.started.Load() {
		return State{}, ErrNotStarted
	}
	<-p.done
	return p.state, p.err
}

// FirstRequest returns when the program made its first system call, other than
// those that its runtime makes to start, or zero if it has made none. That is
// when package os is initialised, which is shortly before main.
func (p *Process) FirstRequest() time.Time {
	if at := p.first.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

// Outside implements uedge.Enclave.
func (p *Process) Outside(size int) (uedge.Memory, error) {
	if !p.started.Load() {
		return nil, ErrNotStarted
	}
	return p.e.Outside(size)
}

// exit serves OpExit. The enclave is not entered again: the context that its
// threads run under has ended.
func (t *thread) exit() int64 {
	s := State{ExitCode: int(uint8(t.args[0]))}
	if sig := t.args[1]; sig > 0 && sig <= 64 {
		s.Signal = syscall.Signal(sig)
	}
	t.p.end(s, nil)
	return -int64(unix.EINTR)
}
