package pccs

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/pccs/store"
)

const (
	firstBackoff = time.Minute      // after a failed refresh, then twice as long each time,
	lastBackoff  = time.Hour        // up to this
	soonest      = 15 * time.Minute // between two refreshes of a document that succeed, or a tenth of RefreshAfter
	margin       = 12 * time.Hour   // before the next update, or a quarter of the time from issue to there
	claimTime    = 3 * time.Minute  // for which an instance has a refresh for itself: longer than one takes
	skew         = 5 * time.Minute  // by which clocks of several instances may differ
)

// due is when a document is to be fetched again, if nothing fails. Its time to
// live is less by up to a tenth, of which each item and instance has its own part.
// A time of fetching in the future, which is of a clock that has been set back,
// makes it due now.
func (s *Service) due(row *store.Document) time.Time {
	if row.Fetched.After(s.cfg.Now().Add(skew)) {
		return time.Time{}
	}
	after := s.cfg.RefreshAfter
	due := row.Fetched.Add(s.shorten(after, row.Name))
	if !row.NextUpdate.IsZero() {
		before := margin
		if !row.Issued.IsZero() {
			before = min(before, row.NextUpdate.Sub(row.Issued)/4)
		}
		if latest := row.NextUpdate.Add(-before); latest.Before(due) {
			due = latest
		}
	}
	// The service behind may have nothing newer yet.
	if earliest := row.Fetched.Add(min(soonest, after/10)); due.Before(earliest) {
		due = earliest
	}
	return due
}

// shorten takes up to a tenth off a time to live.
func (s *Service) shorten(d time.Duration, name string) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(s.holder))
	h.Write([]byte(name))
	return d - time.Duration(float64(d)*0.1*float64(h.Sum32())/(1<<32))
}

// next is when to try again what may have failed before.
func (s *Service) next(name string, due, nextUpdate time.Time) time.Time {
	now := s.cfg.Now()
	s.mu.Lock()
	f := s.failures[name]
	s.mu.Unlock()
	// A time that no backoff leads to is of another clock.
	if f.Failures == 0 || f.Tried.After(now.Add(skew)) || f.Due.After(now.Add(lastBackoff+skew)) {
		return due
	}
	// Before it runs out there is always one more attempt.
	if left := nextUpdate.Sub(f.Tried); !nextUpdate.IsZero() && left > 0 {
		if half := f.Tried.Add(max(left/2, firstBackoff)); half.Before(f.Due) {
			return half
		}
	}
	return f.Due
}

// failed records a failed refresh.
func (s *Service) failed(ctx context.Context, name string, e *Error) {
	now := s.cfg.Now().UTC()
	s.mu.Lock()
	f := s.failures[name]
	f.Name, f.Tried, f.Failures = name, now, f.Failures+1
	f.Reason, f.Message, f.RequestID = string(e.Reason), e.Message, e.RequestID
	wait := min(lastBackoff, firstBackoff<<min(f.Failures-1, 10))
	wait = max(wait-rand.N(wait/4), min(retryAfter(e), lastBackoff))
	f.Due = now.Add(wait)
	s.failures[name] = f
	s.mu.Unlock()
	if err := s.cfg.Store.PutFetch(ctx, &f); err != nil {
		s.cfg.Log.Warn("failure not recorded", "item", name, "error", err)
	}
}

// succeeded takes back what failed before.
func (s *Service) succeeded(ctx context.Context, name string) {
	s.mu.Lock()
	f, ok := s.failures[name]
	delete(s.failures, name)
	for other := range s.refused { // also of strangers, by a platform's name and more
		if rest, ok := strings.CutPrefix(other, name); ok && (rest == "" || rest[0] == '/') {
			delete(s.refused, other)
		}
	}
	s.mu.Unlock()
	if !ok || f.Failures == 0 {
		return
	}
	f = store.Fetch{Name: name, Tried: s.cfg.Now().UTC()}
	if err := s.cfg.Store.PutFetch(ctx, &f); err != nil {
		s.cfg.Log.Warn("success not recorded", "item", name, "error", err)
	}
}
