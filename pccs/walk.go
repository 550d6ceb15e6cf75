package pccs

import (
	"context"
	"errors"
	"time"

	"github.com/feidi-dev/feidi/pccs/store"
)

// The certificates of platforms change seldom, and there may be a million of
// platforms. So one instance walks through them, slowly.

const (
	pace     = 500 * time.Millisecond // between two platforms that are fetched
	pageRest = time.Second            // between two pages
	walkRest = 5 * time.Minute        // between two walks
	walkTime = 10 * time.Minute       // for which the walk is claimed: longer than a page of fetches takes
)

// dueCerts is when the certificates of a platform are to be fetched again.
func (s *Service) dueCerts(id store.PlatformID, updated time.Time) time.Time {
	if updated.After(s.cfg.Now().Add(skew)) {
		return time.Time{}
	}
	return updated.Add(s.shorten(s.cfg.CertsAfter, nameOf(id)))
}

// walk goes on walking until ctx is done.
func (s *Service) walk(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.stop, cancel)()
	var after store.PlatformID
	for ctx.Err() == nil {
		rest := walkRest
		if err := s.chooseAgain(ctx); err != nil {
			s.cfg.Log.Error("certificates are not chosen again", "error", err)
		} else if s.cfg.Mode != Offline && s.claim(ctx, "walk") {
			if after = s.step(ctx, after, pace); after != (store.PlatformID{}) {
				rest = pageRest
			}
		}
		// New TCB levels do not wait for the end of the rest.
		for deadline := time.Now().Add(rest); ; {
			nap(ctx, time.Second)
			if ctx.Err() != nil || time.Until(deadline) <= 0 || s.toChoose() {
				break
			}
		}
	}
}

func nap(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// step fetches what is due of a page of platforms, and returns the last of them,
// or none at the end.
func (s *Service) step(ctx context.Context, after store.PlatformID, pace time.Duration) store.PlatformID {
	page, err := s.cfg.Store.Platforms(ctx, nil, after, pageSize)
	if err != nil {
		s.cfg.Log.Error("the database does not say which platforms are due", "error", err)
		return store.PlatformID{}
	}
	for i := range page {
		p := &page[i]
		if !s.isDue(p) {
			continue
		}
		s.renewPlatform(ctx, p)
		if !s.claim(ctx, "walk") {
			return store.PlatformID{}
		}
		nap(ctx, pace)
		if ctx.Err() != nil {
			return store.PlatformID{}
		}
	}
	if len(page) < pageSize {
		return store.PlatformID{}
	}
	return page[len(page)-1].PlatformID
}

// isDue reports whether a platform's certificates are to be fetched: it is time,
// or there are new TCB levels.
func (s *Service) isDue(p *store.Platform) bool {
	if !known(p.EncryptedPPID) && len(p.Manifest) == 0 {
		return false // nobody could be asked for it
	}
	due, now := s.dueCerts(p.PlatformID, p.Updated), s.cfg.Now()
	s.mu.Lock()
	since, changed := s.changed[p.FMSPC]
	s.mu.Unlock()
	if changed && p.Updated.Before(since) {
		due = since
	}
	return !s.next(nameOf(p.PlatformID), due, time.Time{}).After(now)
}

// renewPlatform fetches the certificates of a platform that is here again.
func (s *Service) renewPlatform(ctx context.Context, p *store.Platform) *Error {
	name := nameOf(p.PlatformID)
	return s.fly(ctx, name, s.certs, fetchTime, func(ctx context.Context) *Error {
		e := s.fetchPlatform(ctx, wish{platform: *p})
		if e != nil && s.stop.Err() == nil {
			s.failed(context.WithoutCancel(ctx), name, e)
		}
		return e
	})
}

// refreshCerts fetches the certificates of platforms again, each for itself.
func (s *Service) refreshCerts(ctx context.Context, fmspcs []string) error {
	var all failuresOf
	e := s.each(ctx, fmspcs, func(p *store.Platform) *Error {
		if ctx.Err() != nil {
			return asError(ctx.Err())
		}
		if !known(p.EncryptedPPID) && len(p.Manifest) == 0 {
			return nil
		}
		q := *p
		all.start(func() *Error { return s.renewPlatform(ctx, &q) })
		return nil
	})
	if err := all.wait("platforms"); e == nil {
		return err
	}
	return e
}

// toChoose reports whether there is something for chooseAgain.
func (s *Service) toChoose() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.reselect) > 0
}

// chooseAgain looks again which certificates suit the TCBs of platforms whose TCB
// levels are new.
func (s *Service) chooseAgain(ctx context.Context) error {
	s.mu.Lock()
	todo := s.reselect
	s.reselect = map[string]bool{}
	s.mu.Unlock()
	var failed []error
	for fmspc := range todo {
		e := s.chooseFor(ctx, fmspc)
		if e == nil {
			continue
		}
		failed = append(failed, e)
		if e.Reason == NoDatabase { // and else there is nothing to choose by
			s.mu.Lock()
			s.reselect[fmspc] = true
			s.mu.Unlock()
		}
	}
	return errors.Join(failed...)
}

func (s *Service) chooseFor(ctx context.Context, fmspc string) *Error {
	info, e := s.levels(ctx, fmspc)
	if e != nil {
		return e
	}
	changed := false
	e = s.each(ctx, []string{fmspc}, func(listed *store.Platform) *Error {
		if len(listed.TCBs) == 0 {
			return nil
		}
		p, err := s.cfg.Store.Platform(ctx, listed.PlatformID)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return asError(err)
		}
		for i, t := range chosen(p, info) {
			if t.TCBm == p.TCBs[i].TCBm {
				continue
			}
			if err := s.cfg.Store.PutTCB(ctx, p.PlatformID, t); err != nil {
				return asError(err)
			}
			changed = true
		}
		return nil
	})
	if changed {
		s.notify()
	}
	return e
}
