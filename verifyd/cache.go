package verifyd

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pcs"
)

// Bounds of a Cache.
const (
	maxPlatforms = 256              // whose collateral is kept: a few MB
	retryAfter   = 10 * time.Second // a failure, and what had expired already
	fetchTimeout = 2 * time.Minute  // of a fetch, whoever waits for it
)

// Cache is a source that asks Intel or a PCCS, and remembers what they say of
// a kind of platform, so that a fetch is for many quotes. Those who ask for the
// same at a time wait for one fetch.
//
// What is kept is not used past the next update of any document in it.
type Cache struct {
	client *pcs.Client
	ttl    time.Duration
	now    func() time.Time

	hits, fetches, failures atomic.Uint64

	mu      sync.Mutex // guards what follows
	entries map[string]*fetched
}

// fetched is collateral that is there once done is closed.
type fetched struct {
	done       chan struct{}
	collateral *dcap.Collateral
	err        error
	until      time.Time // zero while it is under way
}

// NewCache returns a cache that uses collateral for ttl, zero is not at all.
func NewCache(client *pcs.Client, ttl time.Duration) *Cache {
	return &Cache{client: client, ttl: ttl, now: time.Now, entries: map[string]*fetched{}}
}

// Collateral is the Source.
func (c *Cache) Collateral(ctx context.Context, q *dcap.Quote) (*dcap.Collateral, error) {
	r, key, err := ask(q)
	if err != nil {
		return nil, err
	}
	e := c.find(ctx, r, key)
	select {
	case <-e.done:
		return e.collateral, e.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// find returns what is there or under way, or begins to fetch it.
func (c *Cache) find(ctx context.Context, r pcs.Request, key string) *fetched {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if e := c.entries[key]; e != nil && (e.until.IsZero() || now.Before(e.until)) {
		c.hits.Add(1)
		return e
	}
	c.makeRoom(now)
	e := &fetched{done: make(chan struct{})}
	c.entries[key] = e
	// Others may still wait for it when who asked first has gone.
	ctx = context.WithoutCancel(ctx)
	go c.fetch(ctx, r, e)
	return e
}

func (c *Cache) fetch(ctx context.Context, r pcs.Request, e *fetched) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	c.fetches.Add(1)
	collateral, report, err := c.client.Collateral(ctx, r)
	e.set(c, collateral, report, err)
	close(e.done)
}

// set notes what a fetch yielded, and how long to use it.
func (e *fetched) set(c *Cache, collateral *dcap.Collateral, report pcs.Report, err error) {
	now := c.now()
	until, soon := now.Add(c.ttl), now.Add(min(c.ttl, retryAfter))
	for _, s := range report {
		switch {
		case s.Expired(now): // there may be a new one any time
			until = soon
		case !s.NextUpdate.IsZero() && s.NextUpdate.Before(until):
			until = s.NextUpdate
		}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		c.failures.Add(1)
		until = now
	case err != nil:
		c.failures.Add(1)
		until = soon
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e.collateral, e.err, e.until = collateral, err, until
}

// makeRoom drops what is too old, and if that is not enough, anything that is
// not under way.
func (c *Cache) makeRoom(now time.Time) {
	if len(c.entries) < maxPlatforms {
		return
	}
	for key, e := range c.entries {
		if !e.until.IsZero() && !now.Before(e.until) {
			delete(c.entries, key)
		}
	}
	for key, e := range c.entries {
		if len(c.entries) < maxPlatforms {
			return
		}
		if !e.until.IsZero() {
			delete(c.entries, key)
		}
	}
}
