package server

import (
	"context"
	"sync"
	"time"
)

// place is a request's among those that are worked at. While it waits for the
// service behind it gives its place up: who waits, which may take long, keeps nobody
// from what is here.
type place struct {
	among   []chan struct{} // where it has one, in the order in which they are taken
	waiting chan struct{}   // those who have given theirs up

	mu     sync.Mutex // guards what follows
	pauses int        // that have begun and not ended
	taken  int        // of among
}

// place is the one for a method. Those who change something have half of all: they
// may all wait for a database that is locked, for which those who read need not.
func (s *Server) place(m *method) *place {
	p := &place{among: []chan struct{}{s.slots}, waiting: s.waiting}
	if m.by != anybody {
		p.among = []chan struct{}{s.changes, s.slots}
	}
	return p
}

// enter takes it, and waits a moment for that.
func (p *place) enter(ctx context.Context, wait time.Duration) error {
	for _, c := range p.among {
		if err := enter(ctx, c, wait); err != nil {
			p.leave()
			return err
		}
		p.taken++
	}
	return nil
}

// leave gives it up.
func (p *place) leave() {
	for ; p.taken > 0; p.taken-- {
		<-p.among[p.taken-1]
	}
}

// pause gives it up for a while, and returns nil if too many do so.
func (p *place) pause(ctx context.Context) (resume func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pauses == 0 {
		select {
		case p.waiting <- struct{}{}:
			p.leave()
		default:
			return nil
		}
	}
	p.pauses++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.pauses--; p.pauses > 0 {
			return
		}
		<-p.waiting
		for _, c := range p.among {
			select {
			case c <- struct{}{}:
				p.taken++
			case <-ctx.Done(): // it has no more time, and ends
				return
			}
		}
	}
}
