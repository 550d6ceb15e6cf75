package supervisor

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/enclave/process"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/goabi"
	"github.com/feidi-dev/feidi/isa"
)

// Client is a client of an enclave's ECALLs.
type Client interface{ Close() }

// Config is what an enclave is started from.
type Config[C Client] struct {
	Name    string // of the enclave, upper case
	Machine *enclave.Machine
	Image   *image.Image // of a Go enclave, or an SDK's
	Args    []string     // of a Go enclave's program, after its name
	Connect func(uedge.Enclave) C
	Stderr  *os.File // nil for nowhere
	Log     *slog.Logger
	// Fail makes the error of what failed: a clause, the code for AESM's clients
	// and the cause.
	Fail func(doing string, code aesm.Code, err error) error
}

// Supervisor is a system enclave that is started when it is called, and again if it
// has died. It may be used concurrently.
type Supervisor[C Client] struct {
	cfg Config[C]

	mu     sync.RWMutex // held for reading during calls
	run    *Running[C]  // nil if it does not run
	closed bool
	one    sync.Mutex // held during calls of an SDK's enclave: its threads are few, and callers do not queue for them
}

// Running is a system enclave that runs.
type Running[C Client] struct {
	Calls   C
	SECS    isa.SECS
	Target  isa.TargetInfo
	Process *process.Process // nil for an SDK's enclave

	close func() error // ends the enclave, if it has not ended, and destroys it
}

// New returns a supervisor. Nothing is started yet.
func New[C Client](c Config[C]) *Supervisor[C] { return &Supervisor[C]{cfg: c} }

// IsGo reports whether an image is a Go program's.
func IsGo(img *image.Image) bool {
	for _, r := range img.Runs {
		if bytes.Contains(r.Data, goabi.Magic[:]) {
			return true
		}
	}
	return false
}

// Do has call make an ECALL. If the enclave dies of it, or was dead, that is tried
// once more with a new one. An ECALL of an SDK's enclave does not end with ctx: its
// thread would be lost.
func (s *Supervisor[C]) Do(ctx context.Context, call func(context.Context, *Running[C]) error) error {
	err := s.try(ctx, call)
	if !died(err) {
		return err
	}
	return s.try(ctx, call)
}

func (s *Supervisor[C]) try(ctx context.Context, call func(context.Context, *Running[C]) error) error {
	r, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	err = func() error {
		defer s.mu.RUnlock()
		if r.Process == nil {
			s.one.Lock()
			defer s.one.Unlock()
			ctx = context.WithoutCancel(ctx)
		}
		return call(ctx, r)
	}()
	if died(err) {
		s.bury(r)
	}
	return err
}

// acquire returns the running enclave, with mu locked for reading.
func (s *Supervisor[C]) acquire(ctx context.Context) (*Running[C], error) {
	for {
		s.mu.RLock()
		if s.run != nil {
			return s.run, nil
		}
		s.mu.RUnlock()
		if err := s.start(ctx); err != nil {
			return nil, err
		}
	}
}

// start starts the enclave if it does not run.
func (s *Supervisor[C]) start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return s.cfg.Fail("calling the "+s.cfg.Name, aesm.ErrServiceStopped, errors.New("the service is closed"))
	case s.run != nil:
		return nil
	}
	r, err := s.load(ctx)
	if err != nil {
		return s.cfg.Fail("starting the "+s.cfg.Name, LoadCode(err), err)
	}
	s.run = r
	return nil
}

// load loads the enclave, and starts its program if it is a Go enclave.
func (s *Supervisor[C]) load(ctx context.Context) (*Running[C], error) {
	c := &s.cfg
	if !IsGo(c.Image) {
		e, err := c.Machine.Load(ctx, c.Image)
		if err != nil {
			return nil, err
		}
		return &Running[C]{Calls: c.Connect(e), SECS: e.SECS(), Target: e.TargetInfo(), close: func() error { return destroy(e) }}, nil
	}
	p, err := Start(ctx, c.Machine, c.Image, c.Stderr, append([]string{strings.ToLower(c.Name)}, c.Args...)...)
	if err != nil {
		return nil, err
	}
	return &Running[C]{Calls: c.Connect(p), SECS: p.Enclave.SECS(), Target: p.Enclave.TargetInfo(), Process: p.Process, close: p.Close}, nil
}

// bury takes a dead enclave away, if nobody else has.
func (s *Supervisor[C]) bury(r *Running[C]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run != r {
		return
	}
	s.run = nil
	err := r.stop()
	attrs := []slog.Attr{slog.String("enclave", s.cfg.Name), slog.Any("error", err)}
	if r.Process != nil {
		state, why := r.Process.Wait()
		attrs = append(attrs, slog.Int("exit-code", state.ExitCode), slog.Int("signal", int(state.Signal)), slog.Any("why", why))
	}
	s.cfg.Log.LogAttrs(context.Background(), slog.LevelWarn, "a system enclave has died", attrs...)
}

func (r *Running[C]) stop() error {
	r.Calls.Close()
	return r.close()
}

// Rest ends the enclave until it is called again.
func (s *Supervisor[C]) Rest() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.run
	if r == nil {
		return nil
	}
	s.run = nil
	if err := r.stop(); err != nil {
		return s.cfg.Fail("stopping the "+s.cfg.Name, aesm.ErrUnexpected, err)
	}
	return nil
}

// Close ends the enclave for good, once the calls that are under way have returned.
func (s *Supervisor[C]) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	return s.Rest()
}
