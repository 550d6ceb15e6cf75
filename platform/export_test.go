package platform

import (
	"context"
	"syscall"

	qeedl "github.com/feidi-dev/feidi/arch/qe/edl"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/platform/internal/supervisor"
)

// QESECS says what the QE is.
func (p *Platform) QESECS() (secs isa.SECS) {
	_ = p.qe.Do(context.Background(), func(_ context.Context, r *supervisor.Running[*qeedl.Qe3]) error {
		secs = r.SECS
		return nil
	})
	return secs
}

// KillQE ends the QE as the kernel ends a process.
func (p *Platform) KillQE() error { return kill(p.qe) }

// KillPCE ends the PCE.
func (p *Platform) KillPCE() error { return kill(p.pce) }

func kill[C supervisor.Client](s *supervisor.Supervisor[C]) error {
	return s.Do(context.Background(), func(_ context.Context, r *supervisor.Running[C]) error {
		if err := r.Process.Signal(syscall.SIGTERM); err != nil {
			return err
		}
		_, err := r.Process.Wait()
		return err
	})
}

// Files and sizes of what is kept.
const (
	BlobFile = blobFile
	PCKFile  = pckFile
)

// ParsePCK reads the file of a PCK certificate, as loadPCK does.
func ParsePCK(b []byte) (chain []byte, err error) {
	_, c, err := parsePCK(b)
	if err != nil {
		return nil, err
	}
	return c.chain, nil
}

// Settled waits until no initialisation is under way.
func (p *Platform) Settled(ctx context.Context) error {
	for {
		p.mu.Lock()
		f := p.flight
		p.mu.Unlock()
		if f == nil {
			return nil
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
