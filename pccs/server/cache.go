package server

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/store"
)

// staleTime is how long past its time an answer stands in while the database does not
// answer, so that nobody sees it restart.
const staleTime = time.Minute

// slowTime is how long it may take where there is an answer that can stand in: more
// than the service waits for a document in the place of an expired one.
const slowTime = 5 * time.Second

// maxEntries bounds the number of answers beside their size.
const maxEntries = 1 << 16

// cache keeps answers by what was asked, to the letter: in two generations, the
// older of which goes when the younger is half of what may be, or a while old.
type cache struct {
	epoch atomic.Uint64 // counts changes: what was made before one is good for an emergency only
	max   int

	mu           sync.RWMutex // guards what follows
	young, old   map[string]*entry
	size, before int // bytes of each
	turned       time.Time
}

// entry is an answer in the cache.
type entry struct {
	at     *route
	answer *answer
	epoch  uint64
	made   time.Time
	until  time.Time
}

func (c *cache) init(size int) { c.max, c.young = size, map[string]*entry{} }

// purge makes everything old, for something has changed.
func (c *cache) purge() { c.epoch.Add(1) }

// fresh returns the answer to a request if there is one that is good.
func (c *cache) fresh(r *http.Request, now time.Time) *entry {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return nil
	}
	e := c.find(key(r))
	if e == nil || e.epoch != c.epoch.Load() || !now.Before(e.until) {
		return nil
	}
	return e
}

// key is what is asked, to the letter.
func key(r *http.Request) string {
	if r.RequestURI != "" {
		return r.RequestURI
	}
	return r.URL.RequestURI() // it comes from this process
}

func (c *cache) find(key string) *entry {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if e := c.young[key]; e != nil {
		return e
	}
	return c.old[key]
}

// put keeps an answer.
func (c *cache) put(key string, e *entry) {
	n := e.answer.size() + 2*len(key)
	if n > c.max/2 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size+n > c.max/2 || len(c.young) >= maxEntries/2 || e.made.Sub(c.turned).Abs() > 2*staleTime {
		c.old, c.before = c.young, c.size
		c.young, c.size, c.turned = map[string]*entry{}, 0, e.made
	}
	if was := c.young[key]; was != nil {
		c.size -= was.answer.size() + 2*len(key)
	}
	c.young[key] = e
	c.size += n
}

// flights are the answers that are being made.
type flights struct {
	mu sync.Mutex
	m  map[string]*flight
}

// flight is an answer that is being made, for all who ask for it meanwhile.
type flight struct {
	done   chan struct{} // closed when there is an answer
	answer *answer
}

// shared answers a request that is the same for all who ask: the first has it
// made, the others wait for it. That the first goes away does not stop it.
func (s *Server) shared(at *route, m *method, r *request) *answer {
	key := key(r.Request)
	s.flights.mu.Lock()
	f, others := s.flights.m[key]
	if !others {
		f = &flight{done: make(chan struct{})}
		s.flights.m[key] = f
	}
	s.flights.mu.Unlock()
	if others {
		select {
		case <-f.done:
			return f.answer
		case <-r.Context().Done():
			return refuse(r.Context().Err())
		}
	}
	s.metrics.misses.Add(1)
	f.answer = s.make(key, at, m, r)
	s.flights.mu.Lock()
	delete(s.flights.m, key)
	s.flights.mu.Unlock()
	close(f.done)
	return f.answer
}

// make makes an answer, and keeps it. Where the database does not answer, the one
// before stands in for a while.
func (s *Server) make(key string, at *route, m *method, r *request) *answer {
	epoch, now := s.cache.epoch.Load(), s.o.Now()
	standIn := s.cache.find(key)
	if standIn != nil && now.Sub(standIn.made).Abs() > s.o.CacheTime+staleTime {
		standIn = nil
	}
	d := s.o.Timeout
	if standIn != nil {
		d = min(d, slowTime)
	}
	a := s.work(context.WithoutCancel(r.Context()), d, m, r)
	switch {
	case s.o.CacheTime < 0:
	case a.status == http.StatusOK:
		s.cache.put(key, &entry{at: at, answer: a, epoch: epoch, made: now, until: now.Add(s.o.CacheTime)})
	case standIn != nil && unavailable(a.refusal):
		s.metrics.stale.Add(1)
		s.o.Log.Warn("the database does not answer: an answer from memory stands in", "path", shown(r.URL.Path), "error", a.refusal)
		a = standIn.answer.late()
		s.cache.put(key, &entry{at: at, answer: a, epoch: epoch, made: standIn.made, until: now.Add(s.o.CacheTime)})
	}
	return a
}

// unavailable reports whether an error is the database's, or that it is too slow.
func unavailable(e *pccs.Error) bool {
	return e != nil && (e.Reason == pccs.NoDatabase || errors.Is(e, store.ErrUnavailable) || errors.Is(e, context.DeadlineExceeded))
}

// late is a copy that says that it is old, unless it says so already.
func (a *answer) late() *answer {
	warning := warning(110, "the database does not answer: this is what it said a moment ago")
	b := *a
	b.header = make([]field, len(a.header))
	for i, f := range a.header {
		if slices.Contains(f.lines, warning) {
			return a
		}
		b.header[i] = field{f.name, slices.Clone(f.lines), f.shared}
	}
	b.add("Warning", warning)
	return &b
}
