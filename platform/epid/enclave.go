package epid

import (
	"context"
	"errors"
	"os"
	"syscall"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/arch/epidqe/edl"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/enclave/process"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
)

// running is a Go enclave that runs.
type running struct {
	*process.Process
	enclave *enclave.Enclave
}

// run starts a Go enclave, which does not end with ctx.
func run(ctx context.Context, m *enclave.Machine, img *image.Image, stderr *os.File, args ...string) (*running, error) {
	p := process.New(process.Config{Args: args, Stderr: stderr})
	e, err := m.Load(ctx, img, p.Option())
	if err != nil {
		code := aesm.ErrEnclaveLoad
		if errors.Is(err, enclave.ErrOutOfEPC) {
			code = aesm.ErrOutOfEPC
		}
		return nil, &Error{"loading the enclave " + args[0], code, err}
	}
	if err := p.Start(context.WithoutCancel(ctx), e); err != nil {
		return nil, errors.Join(&Error{"starting the enclave " + args[0], aesm.ErrEnclaveLoad, err}, e.Destroy())
	}
	return &running{p, e}, nil
}

// stop ends and destroys it. That it has died is no error.
func (r *running) stop() error {
	if err := r.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, process.ErrEnded) {
		return err
	}
	_, _ = r.Wait() // that it was stopped, or what it died of
	if err := r.enclave.Destroy(); err != nil && !errors.Is(err, enclave.ErrDestroyed) {
		return err
	}
	return nil
}

// quoting is a QE that runs.
type quoting struct {
	*running
	calls  *edl.EpidQe
	target isa.TargetInfo
}

// do has call make an ECALL of the QE. If the enclave dies of it, or was dead, that
// is tried once more with a new one.
func (s *Service) do(ctx context.Context, call func(*quoting) error) error {
	err := s.try(ctx, call)
	if died(err) {
		err = s.try(ctx, call)
	}
	return err
}

func (s *Service) try(ctx context.Context, call func(*quoting) error) error {
	q, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	err = call(q)
	s.mu.RUnlock()
	if died(err) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.qe == q {
			s.qe = nil
			q.calls.Close()
			s.cfg.Log.Warn("the EPID quoting enclave has died", "error", errors.Join(err, q.stop()))
		}
	}
	return err
}

// acquire returns the QE, with mu locked for reading.
func (s *Service) acquire(ctx context.Context) (*quoting, error) {
	for {
		s.mu.RLock()
		if s.qe != nil {
			return s.qe, nil
		}
		s.mu.RUnlock()
		if err := s.startQE(ctx); err != nil {
			return nil, err
		}
	}
}

// startQE starts the QE if it does not run.
func (s *Service) startQE(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return failed("calling the quoting enclave", aesm.ErrServiceStopped, "the service is closed")
	}
	if s.qe != nil {
		return nil
	}
	r, err := run(ctx, s.cfg.Machine, s.cfg.QE, s.cfg.Stderr, "epid-qe")
	if err != nil {
		return err
	}
	s.qe = &quoting{r, edl.NewEpidQe(r), r.enclave.TargetInfo()}
	return nil
}
