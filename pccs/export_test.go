package pccs

import (
	"context"
	"fmt"
	"time"

	"github.com/feidi-dev/feidi/pccs/store"
)

// Pass does what Run does at a time, and waits for it.
func (s *Service) Pass(ctx context.Context) time.Duration {
	nap := s.pass(ctx)
	s.running.Wait()
	return nap
}

// Walk walks through all platforms once, without a rest.
func (s *Service) Walk(ctx context.Context) error {
	if err := s.chooseAgain(ctx); err != nil || s.cfg.Mode == Offline {
		return err
	}
	for after := (store.PlatformID{}); ; {
		if after = s.step(ctx, after, 0); after == (store.PlatformID{}) {
			return nil
		}
	}
}

// Remembered is how much there is in memory of what could not be had.
func (s *Service) Remembered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.refused)
}

// FillFailures has n failures known.
func (s *Service) FillFailures(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range n {
		name := nameOf(store.PlatformID{QEID: fmt.Sprintf("F%X", i), PCEID: "0000"})
		s.failures[name] = store.Fetch{Name: name, Failures: 1}
	}
}

// Clients is how many clients are remembered.
func (s *Service) Clients() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.clients)
}

// MaxRefused and MaxNewcomers bound what is remembered.
const (
	MaxRefused   = maxRefused
	UnknownBurst = unknownBurst
	ClientBurst  = clientBurst
	Strangers    = strangers
	MaxClients   = maxClients
)
