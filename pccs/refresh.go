package pccs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/store"
)

const longestNap = 30 * time.Second // of Run: the clock may have been set meanwhile

// Run refreshes documents and certificates when they are due, and looks again which
// certificates suit the TCBs of platforms when those have changed, until ctx is done.
// Of several services on one database one does it. It returns nil then, and before
// that store.ErrEnvironment if somebody has filled the database below other roots.
func (s *Service) Run(ctx context.Context) error {
	s.begin(func() { s.walk(ctx) })
	for ctx.Err() == nil && s.stop.Err() == nil {
		if err := s.cfg.Store.Bound(ctx); errors.Is(err, store.ErrEnvironment) {
			return err
		}
		nap := s.pass(ctx)
		select {
		case <-ctx.Done():
		case <-s.stop.Done():
		case <-s.wake:
		case <-time.After(nap):
		}
	}
	return nil
}

// rouse has Run look now.
func (s *Service) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// pass starts the refreshes that are due, and returns for how long there will be
// none.
func (s *Service) pass(ctx context.Context) time.Duration {
	if err := s.reload(ctx); err != nil {
		s.cfg.Log.Error("the database does not say what failed", "error", err)
		return longestNap
	}
	if s.cfg.Mode == Offline {
		return longestNap
	}
	rows, err := s.cfg.Store.Documents(ctx)
	if err != nil {
		s.cfg.Log.Error("the database does not say what is due", "error", err)
		return longestNap
	}
	nap := longestNap
	for i := range rows {
		row := &rows[i]
		item, err := collateral.ParseItem(row.Name)
		if err != nil || !s.refreshes(item) || s.underWay(row.Name) {
			continue
		}
		if left := s.next(row.Name, s.due(row), row.NextUpdate).Sub(s.cfg.Now()); left > 0 {
			nap = min(nap, max(left, time.Second))
			continue
		}
		s.begin(func() {
			if s.claim(ctx, row.Name) {
				s.renew(ctx, item, fetchTime)
				s.rouse()
			}
		})
	}
	return nap
}

// reload reads what is known of failures, which may be another instance's.
func (s *Service) reload(ctx context.Context) error {
	list, err := s.cfg.Store.Fetches(ctx)
	if err != nil {
		return err
	}
	failures := make(map[string]store.Fetch, len(list))
	for _, f := range list {
		if f.Failures > 0 {
			failures[f.Name] = f
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, f := range s.failures {
		// What was recorded since the list was read.
		if listed, ok := failures[name]; ok && f.Tried.After(listed.Tried) {
			failures[name] = f
		}
	}
	s.failures = failures
	return nil
}

// claim takes some work for this instance. The hour is a part of the name: a claim
// of a clock that was ahead must not stand until that time has come.
func (s *Service) claim(ctx context.Context, name string) bool {
	now := s.cfg.Now()
	ok, err := s.cfg.Store.Claim(ctx, fmt.Sprintf("%d/%s", now.Unix()/3600, name), s.holder, now, claimTime)
	if err != nil {
		s.cfg.Log.Error("the database does not say who refreshes", "item", name, "error", err)
	}
	return ok && err == nil
}

// renew fetches a document that is here again, and waits for it.
func (s *Service) renew(ctx context.Context, item collateral.Item, wait time.Duration) *Error {
	name := item.String()
	return s.fly(ctx, name, s.spare, wait, func(ctx context.Context) *Error {
		// Somebody may have been faster.
		row, err := s.cfg.Store.Document(ctx, name)
		if err != nil {
			return asError(err)
		}
		if now := s.cfg.Now(); s.next(name, s.due(row), row.NextUpdate).After(now) {
			return s.lastFailure(name)
		}
		return s.fetchAgain(ctx, item)
	})
}

// fetchAgain is fetch of what is here already.
func (s *Service) fetchAgain(ctx context.Context, item collateral.Item) *Error {
	name := item.String()
	e := s.fetch(ctx, item)
	switch {
	case e == nil:
		s.succeeded(ctx, name)
	case s.stop.Err() == nil:
		s.failed(context.WithoutCancel(ctx), name, e)
	}
	return e
}

// lastFailure is why something was not refreshed, or nil if it was.
func (s *Service) lastFailure(name string) *Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.failures[name]
	if f.Failures == 0 {
		return nil
	}
	return &Error{Status: 502, Reason: Reason(f.Reason), Message: f.Message, RequestID: f.RequestID}
}

// Refresh fetches all cached documents again, or with certs the PCK certificates
// of platforms of the FMSPCs (all if there are none). Each for itself: the error,
// an *Error, joins those of what failed.
func (s *Service) Refresh(ctx context.Context, certs bool, fmspcs []string) error {
	if s.cfg.Mode == Offline {
		return fail(503, NotAllowed, "in OFFLINE mode nothing is fetched: bring collateral (feidi pccs put, or PUT /platformcollateral)")
	}
	if certs {
		return s.refreshCerts(ctx, fmspcs)
	}
	rows, err := s.cfg.Store.Documents(ctx)
	if err != nil {
		return asError(err)
	}
	var all failuresOf
	for i := range rows {
		item, err := collateral.ParseItem(rows[i].Name)
		if err != nil || !s.refreshes(item) {
			continue
		}
		all.start(func() *Error {
			return s.fly(ctx, rows[i].Name, s.spare, fetchTime, func(ctx context.Context) *Error { return s.fetchAgain(ctx, item) })
		})
	}
	return all.wait("documents")
}
