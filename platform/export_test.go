package platform

import (
	"context"
	"syscall"

	"github.com/feidi-dev/feidi/isa"
)

// QESECS says what the QE is.
func (p *Platform) QESECS() isa.SECS { return p.qe.run.secs }

// KillQE ends the QE as the kernel ends a process.
func (p *Platform) KillQE() error { return kill(p.qe.run) }

// KillPCE ends the PCE.
func (p *Platform) KillPCE() error { return kill(p.pce.run) }

func kill[C interface{ Close() }](r *running[C]) error {
	if err := r.process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	_, err := r.process.Wait()
	return err
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
