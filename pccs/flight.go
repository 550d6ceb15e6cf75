package pccs

import (
	"context"
	"fmt"
	"time"
)

const (
	demandSlots = 8               // documents at a time that somebody waits for,
	spareSlots  = 4               // that are refreshed,
	certSlots   = 8               // and platforms, each of which waits for some documents
	maxFlights  = 512             // fetches under way or in the queue
	fetchTime   = 2 * time.Minute // of a fetch, with all its attempts and the wait for a slot
	longestWait = 45 * time.Second
)

// flight is a fetch under way, for which many may wait.
type flight struct {
	done chan struct{}
	err  *Error
}

// wanted has something fetched that is not here, at the request of somebody who
// need not have any right to it. What failed of late is not tried again yet, and
// too many failures at once make an end of trying.
func (s *Service) wanted(ctx context.Context, name string, slots chan struct{}, f func(context.Context) *Error) *Error {
	return s.needed(ctx, name, slots, func(ctx context.Context) *Error {
		giveBack, ok := s.mayFail(ctx)
		if !ok {
			return fail(503, Busy, "too many requests for what nobody has failed of late: ask again in a minute")
		}
		e := f(ctx)
		if e == nil || e.own() {
			giveBack()
		}
		return e
	})
}

// needed is wanted of what no client can invent.
func (s *Service) needed(ctx context.Context, name string, slots chan struct{}, f func(context.Context) *Error) *Error {
	s.mu.Lock()
	if e := s.remembered(name); e != nil {
		s.mu.Unlock()
		return e
	}
	return s.join(ctx, name, slots, longestWait, func(ctx context.Context) *Error {
		e := f(ctx)
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case e == nil:
			delete(s.refused, name)
		case !e.own():
			s.remember(name, e)
		}
		return e
	})
}

// fly has f done in its own time, and waits for it: once for all who want the
// same at the same time.
func (s *Service) fly(ctx context.Context, name string, slots chan struct{}, wait time.Duration, f func(context.Context) *Error) *Error {
	s.mu.Lock()
	return s.join(ctx, name, slots, wait, f)
}

// join is fly with the lock held, which it gives up.
func (s *Service) join(ctx context.Context, name string, slots chan struct{}, wait time.Duration, f func(context.Context) *Error) *Error {
	if err := s.stop.Err(); err != nil {
		s.mu.Unlock()
		return fail(503, Busy, "the service is ending")
	}
	fl, ok := s.flights[name]
	if !ok {
		if len(s.flights) >= maxFlights {
			s.mu.Unlock()
			return fail(503, Busy, "%d documents are being fetched already: ask again in a few seconds", maxFlights)
		}
		fl = &flight{done: make(chan struct{})}
		s.flights[name] = fl
		s.running.Go(func() { s.pilot(unattended(ctx), name, fl, slots, f) })
	}
	s.mu.Unlock()

	resume := paused(ctx)
	if resume == nil {
		return fail(503, Busy, "%s is being fetched, and as many requests as may be wait for the service behind: ask again in a few seconds", name)
	}
	defer resume()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-fl.done:
		return fl.err
	case <-ctx.Done():
		e := fail(503, Busy, "%s: who asked has gone: %v", name, context.Cause(ctx))
		e.Err = ctx.Err()
		return e
	case <-timer.C:
		return fail(503, Busy, "%s is still being fetched from the service behind: ask again in a few seconds", name)
	}
}

// pilot brings a flight to its end, whoever still waits for it.
func (s *Service) pilot(ctx context.Context, name string, fl *flight, slots chan struct{}, f func(context.Context) *Error) {
	ctx, cancel := context.WithTimeoutCause(ctx, fetchTime, fmt.Errorf("took longer than %v", fetchTime))
	defer cancel()
	defer context.AfterFunc(s.stop, cancel)()

	select {
	case slots <- struct{}{}:
		fl.err = f(ctx)
		<-slots
	case <-ctx.Done():
		fl.err = fail(503, Busy, "%s: no turn to ask the service behind: %v", name, context.Cause(ctx))
	}
	s.mu.Lock()
	delete(s.flights, name)
	s.mu.Unlock()
	close(fl.done)
}

// underWay reports whether something is being fetched.
func (s *Service) underWay(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flights[name] != nil
}

// Of what was refused.
const (
	maxRefused   = 4096
	firstRefusal = 5 * time.Second // after a failure it is not asked again for so long,
	lastRefusal  = 5 * time.Minute // then twice as long each time, up to this
	unknownBurst = 200             // failures at once,
	unknownEvery = 500 * time.Millisecond
)

// refusal is why something could not be had, which is not asked again until then.
type refusal struct {
	err      *Error
	failures int
	at       time.Time
	until    time.Time
}

// remembered returns why something could not be had of late. The lock is held.
func (s *Service) remembered(name string) *Error {
	r, now := s.refused[name], s.cfg.Now()
	if r == nil || !now.Before(r.until) || now.Before(r.at) {
		return nil
	}
	e := *r.err
	e.Message = fmt.Sprintf("%s (so it was %v ago; it is asked again in %v)", e.Message,
		now.Sub(r.at).Round(time.Second), r.until.Sub(now).Round(time.Second))
	return &e
}

// remember keeps a failure. The lock is held.
func (s *Service) remember(name string, e *Error) {
	now := s.cfg.Now()
	r := s.refused[name]
	if r == nil {
		if len(s.refused) >= maxRefused {
			s.forget(now)
		}
		r = &refusal{}
		s.refused[name] = r
	}
	r.failures++
	r.err, r.at = e, now
	wait := min(lastRefusal, firstRefusal<<min(r.failures-1, 10))
	r.until = now.Add(max(wait, min(retryAfter(e), time.Hour)))
}

// forget makes room: what is over goes, or else any of the rest.
func (s *Service) forget(now time.Time) {
	for name, r := range s.refused {
		if !now.Before(r.until) || now.Before(r.at) {
			delete(s.refused, name)
		}
	}
	for name := range s.refused {
		if len(s.refused) < maxRefused {
			break
		}
		delete(s.refused, name)
	}
}

// bucket lets most things happen at once, and one more in every so often. A clock
// that goes back makes it wait, for no longer than to fill it takes.
type bucket struct {
	most  int
	every time.Duration
	used  int
	last  time.Time // up to which it was filled again
}

func (b *bucket) take(now time.Time) bool {
	if b.last.IsZero() || b.last.After(now) {
		b.last = now
	}
	n := now.Sub(b.last) / b.every
	if int64(n) >= int64(b.used) {
		b.used, b.last = 0, now
	} else {
		b.used -= int(n)
		b.last = b.last.Add(n * b.every)
	}
	if b.used >= b.most {
		return false
	}
	b.used++
	return true
}

func (b *bucket) give() { b.used = max(0, b.used-1) }

// own reports whether a failure is this service's and not of the one behind.
func (e *Error) own() bool { return e.Reason == NoDatabase || e.Reason == Internal || e.Reason == Busy }
