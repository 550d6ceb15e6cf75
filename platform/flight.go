package platform

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/feidi-dev/feidi/aesm"
)

// patience is how long an initialisation may take, with all requests to services.
const patience = 2 * time.Minute

// flight is an initialisation under way, for all who wait for it.
type flight struct {
	done chan struct{}
	key  *key // once done
	err  error
}

// usable returns the key that quotes are made with, or nil. If its PCK certificate
// is old, a newer one is asked for in the background.
func (p *Platform) usable() *key {
	k := p.key.Load()
	if k == nil {
		return nil
	}
	now := p.cfg.Now()
	if k.pck.leaf != nil && !now.Before(k.pck.leaf.NotAfter) {
		return nil
	}
	if !now.Before(k.pck.again) {
		p.begin()
	}
	return k
}

// initialised returns a usable key, and makes one if there is none.
func (p *Platform) initialised(ctx context.Context) (*key, error) {
	if k := p.usable(); k != nil {
		return k, nil
	}
	f := p.begin()
	select {
	case <-f.done:
		return f.key, f.err
	case <-ctx.Done():
		return nil, fmt.Errorf("platform: waiting for the attestation key: %w", ctx.Err())
	}
}

// begin begins an initialisation, unless one is under way. It does not end with
// the caller, for whom others may wait.
func (p *Platform) begin() *flight {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.flight != nil {
		return p.flight
	}
	f := &flight{done: make(chan struct{})}
	if p.closed {
		f.err = &Error{Doing: "making the attestation key ready", Code: aesm.ErrServiceStopped, Err: errors.New("the platform is closed")}
		close(f.done)
		return f
	}
	p.flight = f
	p.work.Go(func() { p.fly(f) })
	return f
}

// fly makes a key ready. A key that was in use stays so if that fails, and the
// next attempt is left for later.
func (p *Platform) fly(f *flight) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	last := p.key.Load()
	f.key, f.err = p.prepare(ctx)
	switch {
	case f.err == nil:
		p.key.Store(f.key)
	case last != nil:
		p.cfg.Log.Warn("the attestation key is used on as it is", "error", f.err)
		later, c := *last, *last.pck
		c.again = p.cfg.Now().Add(retry)
		later.pck = &c
		p.key.CompareAndSwap(last, &later)
	}
	p.mu.Lock()
	p.flight = nil
	p.mu.Unlock()
	close(f.done)
}
