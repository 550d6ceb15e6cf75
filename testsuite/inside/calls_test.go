package inside

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/enclave/process"
	"github.com/feidi-dev/feidi/gobuild"
	"github.com/feidi-dev/feidi/status"
	"github.com/feidi-dev/feidi/testsuite/inside/calls"
)

// host serves the OCALLs of calls.edl.
type host struct {
	client *calls.Calls
	// Functions for the OCALLs; without one, descend does as its name says.
	ask, descend func(ctx context.Context, v uint64) (uint64, error)
}

func (h *host) Ask(ctx context.Context, v uint64) (uint64, error) { return h.ask(ctx, v) }

func (h *host) Descend(ctx context.Context, depth uint64) (uint64, error) {
	if h.descend != nil {
		return h.descend(ctx, depth)
	}
	return h.client.Deeper(ctx, depth)
}

// server starts the program server.
func server(t testing.TB, threads int) (*guest, *host) {
	t.Helper()
	m := powerOn(t, cpu.Config{})
	g := start(t, m, build(t, "server", func(o *gobuild.Options) { o.Threads = threads }), process.Config{})
	h := &host{ask: func(_ context.Context, v uint64) (uint64, error) { return v, nil }}
	h.client = calls.NewCalls(g, h)
	t.Cleanup(func() {
		_ = g.Signal(syscall.SIGTERM) // it may have ended
		g.wait()
		h.client.Close()
	})
	return g, h
}

func TestCalls(t *testing.T) {
	ctx := t.Context()
	g, h := server(t, 16)
	x := h.client
	if err := x.Empty(ctx); err != nil {
		t.Error(err)
	}
	if got, err := x.Add(ctx, 1<<63, 5); err != nil || got != 1<<63+5 {
		t.Errorf("add: %d, %v", got, err)
	}
	for _, n := range []int{0, 1, 4095, 4096, 4097, 100000, 1 << 20, 8 << 20} {
		src := make([]byte, n)
		for i := range src {
			src[i] = byte(i * 7)
		}
		dst, err := x.Flip(ctx, src)
		if err != nil || len(dst) != n {
			t.Fatalf("flip of %d: %d, %v", n, len(dst), err)
		}
		for i := range dst {
			if dst[i] != ^src[i] {
				t.Fatalf("flip of %d: byte %d is %#x", n, i, dst[i])
			}
		}
	}
	if got, err := x.Forward(ctx, 77); err != nil || got != 77 {
		t.Errorf("forward: %d, %v", got, err)
	}
	wrong := errors.New("the host does not say")
	h.ask = func(context.Context, uint64) (uint64, error) { return 0, wrong }
	if _, err := x.Forward(ctx, 1); err == nil {
		t.Error("forward, without an answer: no error")
	}
	for _, depth := range []uint64{0, 1, 2, 5} {
		if got, err := x.Nest(ctx, depth); err != nil || got != depth {
			t.Errorf("nest %d: %d, %v", depth, got, err)
		}
	}
	// In an OCALL, only what the EDL allows in it: no ECALL in ask, the private
	// one in descend alone, and no public one there.
	h.ask = func(ctx context.Context, v uint64) (uint64, error) { return x.Add(ctx, v, 1) }
	if _, err := x.Forward(ctx, 1); !errors.Is(err, status.ErrECallNotAllowed) {
		t.Errorf("a public ECALL in an OCALL that allows none: %v", err)
	}
	h.descend = func(ctx context.Context, v uint64) (uint64, error) { return x.Add(ctx, v, 1) }
	if _, err := x.Nest(ctx, 1); !errors.Is(err, status.ErrECallNotAllowed) {
		t.Errorf("a public ECALL in an OCALL that allows another: %v", err)
	}
	h.descend = nil
	h.ask = func(ctx context.Context, v uint64) (uint64, error) { return x.Deeper(ctx, v) }
	if _, err := x.Forward(ctx, 0); !errors.Is(err, status.ErrECallNotAllowed) {
		t.Errorf("a private ECALL in another OCALL: %v", err)
	}
	if _, err := x.Deeper(ctx, 0); !errors.Is(err, status.ErrECallNotAllowed) {
		t.Errorf("a private ECALL from outside: %v", err)
	}
	for _, index := range []int{9, 1000, 1 << 24, 1<<31 - 1} {
		if err := g.CallAt(ctx, index, 0, nil); !errors.Is(err, status.ErrInvalidFunction) {
			t.Errorf("ECALL %d: %v", index, err)
		}
	}
	// A marshalling structure inside, or none.
	for _, ms := range []uint64{0, g.e.Base(), g.e.Base() + 4096, g.e.Base() - 8, 1<<64 - 8} {
		if err := g.CallAt(ctx, 1, ms, nil); !errors.Is(err, status.ErrInvalidParameter) {
			t.Errorf("add with its structure at %#x: %v", ms, err)
		}
	}
	if err := x.Empty(ctx); err != nil {
		t.Errorf("at the end: %v", err)
	}
}

// TestCallsAtOnce makes calls of all kinds from many goroutines.
func TestCallsAtOnce(t *testing.T) {
	_, h := server(t, 12)
	h.ask = func(ctx context.Context, v uint64) (uint64, error) {
		if v%16 == 0 {
			time.Sleep(time.Duration(v%5) * 100 * time.Microsecond)
		}
		return 3 * v, nil
	}
	var wait sync.WaitGroup
	for i := range uint64(64) {
		wait.Go(func() {
			r := rand.New(rand.NewPCG(i, 1))
			for n := range uint64(200) {
				var err error
				got, want := uint64(0), uint64(0)
				switch r.IntN(4) {
				case 0:
					err = h.client.Empty(t.Context())
				case 1:
					want = i + n
					got, err = h.client.Add(t.Context(), i, n)
				case 2:
					src := bytes.Repeat([]byte{byte(n)}, r.IntN(20000))
					var dst []byte
					dst, err = h.client.Flip(t.Context(), src)
					want = uint64(len(src))
					for _, b := range dst {
						if b == ^byte(n) {
							got++
						}
					}
				case 3:
					want = 3 * (i*1000 + n)
					got, err = h.client.Forward(t.Context(), i*1000+n)
				}
				if err != nil || got != want {
					t.Errorf("goroutine %d, call %d: %d, %v; want %d", i, n, got, err, want)
					return
				}
			}
		})
	}
	wait.Wait()
}

// TestMoreCallsThanThreads has calls wait for a thread; they do not fail, and
// who gives up goes.
func TestMoreCallsThanThreads(t *testing.T) {
	const threads = 12
	_, h := server(t, threads)
	var inside, most atomic.Int64
	let := make(chan bool)
	h.ask = func(_ context.Context, v uint64) (uint64, error) {
		n := inside.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		<-let
		inside.Add(-1)
		return v, nil
	}
	var wait sync.WaitGroup
	var done atomic.Int64
	const calls = 40
	for i := range uint64(calls) {
		wait.Go(func() {
			if got, err := h.client.Forward(context.Background(), i); err != nil || got != i {
				t.Errorf("call %d: %d, %v", i, got, err)
			}
			done.Add(1)
		})
	}
	full := func() bool { return inside.Load() >= 4 }
	for end := time.Now().Add(10 * time.Second); !full() && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
	}
	time.Sleep(100 * time.Millisecond)
	if n := inside.Load(); n < 1 || n >= threads || done.Load() > 0 {
		t.Errorf("%d calls are inside, %d done", n, done.Load())
	}
	t.Logf("%d of %d calls are inside, on %d threads", inside.Load(), calls, threads)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := h.client.Empty(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no thread of the program waits") {
		t.Errorf("a call that waits, and gives up: %v", err)
	}
	ended, stop := context.WithCancel(t.Context())
	stop()
	if err := h.client.Empty(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("a call with a context that has ended: %v", err)
	}
	close(let)
	wait.Wait()
	if err := h.client.Empty(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestCallsEnd ends programs while calls are under way and wait.
func TestCallsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		end    func(*guest, *host) error
		code   int
		signal syscall.Signal
		stderr string
	}{
		"exits":  {func(_ *guest, h *host) error { return h.client.Leave(context.Background(), 7) }, 7, 0, ""},
		"panics": {func(_ *guest, h *host) error { return h.client.Fall(context.Background(), "for a test") }, 2, 0, "panic: for a test"},
		"killed": {func(g *guest, h *host) error {
			if err := g.Signal(syscall.SIGTERM); err != nil {
				return err
			}
			for { // until it has got it
				if err := h.client.Empty(context.Background()); err != nil {
					return err
				}
			}
		}, 128 + int(syscall.SIGTERM), syscall.SIGTERM, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g, h := server(t, 12)
			let := make(chan bool)
			var inside atomic.Int64
			h.ask = func(_ context.Context, v uint64) (uint64, error) {
				inside.Add(1)
				<-let
				return v, nil
			}
			errs := make(chan error)
			const n = 12
			for i := range uint64(3) {
				go func() { _, err := h.client.Forward(context.Background(), i); errs <- err }()
			}
			for inside.Load() < 3 {
				time.Sleep(time.Millisecond)
			}
			ended := make(chan error)
			go func() { ended <- c.end(g, h) }()
			if err := <-ended; !errors.Is(err, process.ErrEnded) {
				t.Errorf("the call that ends it: %v", err)
			}
			for range n - 3 {
				go func() { errs <- h.client.Empty(context.Background()) }()
			}
			close(let)
			for range n {
				if err := <-errs; !errors.Is(err, process.ErrEnded) {
					t.Errorf("another call: %v", err)
				}
			}
			s, err := g.wait()
			if err != nil || s.ExitCode != c.code || s.Signal != c.signal {
				t.Errorf("ended with %+v, %v", s, err)
			}
			if text := g.stderr(); !strings.Contains(text, c.stderr) || c.stderr != "" && !strings.Contains(text, "goroutine ") {
				t.Errorf("standard error %q", text)
			}
			if err := g.Signal(syscall.SIGTERM); !errors.Is(err, process.ErrEnded) {
				t.Errorf("a signal afterwards: %v", err)
			}
		})
	}
}

// TestNestedCallsOfAll has every worker of the program in an OCALL that makes
// an ECALL: there must be one that serves it.
func TestNestedCallsOfAll(t *testing.T) {
	_, h := server(t, 8)
	var wait sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for range 16 {
		wait.Go(func() {
			for range 20 {
				if got, err := h.client.Nest(ctx, 3); err != nil || got != 3 {
					t.Errorf("nest: %d, %v", got, err)
					return
				}
			}
		})
	}
	wait.Wait()
}
