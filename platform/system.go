package platform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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

// host is what system enclaves run on.
type host struct {
	machine *enclave.Machine
	stderr  *os.File
	log     *slog.Logger
}

// system is a system enclave, with a client of its ECALLs. It is started when it
// is called, and again if it has died.
type system[C interface{ Close() }] struct {
	host    *host
	name    string // of the enclave, upper case
	image   *image.Image
	args    []string
	connect func(uedge.Enclave) C

	mu     sync.RWMutex // held for reading during calls
	run    *running[C]  // nil if it does not run
	closed bool
	one    sync.Mutex // held during calls of an SDK's enclave: its threads are few, and callers do not queue for them
}

// running is a system enclave that runs.
type running[C interface{ Close() }] struct {
	calls   C
	secs    isa.SECS
	target  isa.TargetInfo
	enclave *enclave.Enclave
	process *process.Process // nil for an SDK's enclave
	end     context.CancelFunc
}

func newSystem[C interface{ Close() }](h *host, name string, img *image.Image, args []string, connect func(uedge.Enclave) C) *system[C] {
	return &system[C]{host: h, name: name, image: img, args: args, connect: connect}
}

// isGo reports whether an image is a Go program's.
func isGo(img *image.Image) bool {
	for _, r := range img.Runs {
		if bytes.Contains(r.Data, goabi.Magic[:]) {
			return true
		}
	}
	return false
}

// do has call make an ECALL. If the enclave dies of it, or was dead, that is tried
// once more with a new one. An ECALL of an SDK's enclave does not end with ctx: its
// thread would be lost.
func (s *system[C]) do(ctx context.Context, call func(context.Context, *running[C]) error) error {
	err := s.try(ctx, call)
	if !died(err) {
		return err
	}
	return s.try(ctx, call)
}

func (s *system[C]) try(ctx context.Context, call func(context.Context, *running[C]) error) error {
	r, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	err = func() error {
		defer s.mu.RUnlock()
		if r.process == nil {
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

// died reports whether an enclave is of no more use after an error.
func died(err error) bool {
	if err == nil {
		return false
	}
	for _, e := range []error{process.ErrEnded, enclave.ErrDestroyed, enclave.ErrEnclaveLost, enclave.ErrEnclaveCrashed} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// acquire returns the running enclave, with mu locked for reading.
func (s *system[C]) acquire(ctx context.Context) (*running[C], error) {
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
func (s *system[C]) start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return &Error{Doing: "calling the " + s.name, Code: aesm.ErrServiceStopped, Err: errors.New("the platform is closed")}
	case s.run != nil:
		return nil
	}
	r, err := s.load(ctx)
	if err != nil {
		return &Error{Doing: "starting the " + s.name, Code: loadCode(err), Err: err}
	}
	s.run = r
	return nil
}

// loadCode is AESM's code for an enclave that was not loaded.
func loadCode(err error) aesm.Code {
	switch {
	case errors.Is(err, enclave.ErrNoEngine):
		return aesm.ErrNoDevice
	case errors.Is(err, enclave.ErrOutOfEPC):
		return aesm.ErrOutOfEPC
	}
	return aesm.ErrEnclaveLoad
}

// load loads the enclave, and starts its program if it is a Go enclave.
func (s *system[C]) load(ctx context.Context) (*running[C], error) {
	r := &running[C]{end: func() {}}
	if !isGo(s.image) {
		e, err := s.host.machine.Load(ctx, s.image)
		if err != nil {
			return nil, err
		}
		r.enclave, r.calls = e, s.connect(e)
	} else {
		p := process.New(process.Config{Args: append([]string{strings.ToLower(s.name)}, s.args...), Stderr: s.host.stderr})
		e, err := s.host.machine.Load(ctx, s.image, p.Option())
		if err != nil {
			return nil, err
		}
		life, end := context.WithCancel(context.WithoutCancel(ctx))
		if err := p.Start(life, e); err != nil {
			end()
			return nil, errors.Join(err, e.Destroy())
		}
		r.enclave, r.process, r.end, r.calls = e, p, end, s.connect(p)
	}
	r.secs, r.target = r.enclave.SECS(), r.enclave.TargetInfo()
	return r, nil
}

// bury takes a dead enclave away, if nobody else has.
func (s *system[C]) bury(r *running[C]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run != r {
		return
	}
	s.run = nil
	err := r.stop()
	attrs := []slog.Attr{slog.String("enclave", s.name), slog.Any("error", err)}
	if r.process != nil {
		state, why := r.process.Wait()
		attrs = append(attrs, slog.Int("exit-code", state.ExitCode), slog.Int("signal", int(state.Signal)), slog.Any("why", why))
	}
	s.host.log.LogAttrs(context.Background(), slog.LevelWarn, "a system enclave has died", attrs...)
}

// stop ends the enclave, if it has not ended, and destroys it.
func (r *running[C]) stop() error {
	r.calls.Close()
	r.end()
	if r.process != nil {
		_, _ = r.process.Wait() // that it was stopped, or what it died of
	}
	if err := r.enclave.Destroy(); err != nil && !errors.Is(err, enclave.ErrDestroyed) {
		return err
	}
	return nil
}

// rest ends the enclave until it is called again.
func (s *system[C]) rest() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.run
	if r == nil {
		return nil
	}
	s.run = nil
	if err := r.stop(); err != nil {
		return fmt.Errorf("platform: stopping the %s: %w", s.name, err)
	}
	return nil
}

// close ends the enclave for good.
func (s *system[C]) close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	return s.rest()
}
