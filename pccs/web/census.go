package web

import (
	"context"
	"sync"
	"time"

	"github.com/feidi-dev/feidi/pccs/store"
)

// Bounds of a count. A fleet has few TCBs, however many platforms.
const (
	censusGroups = 10_000
	censusTime   = 5 * time.Minute
	censusWait   = 300 * time.Millisecond // for which a page waits for the first one
)

// counter counts platforms by TCB: store.TCBGroups.
type counter func(ctx context.Context, n int) ([]store.TCBGroup, error)

// count is the outcome of a census.
type count struct {
	At     time.Time // of its end, zero if there was none yet
	Groups map[string][]store.TCBGroup
	Err    error
}

// ago says how old the count is, or nothing if there is none.
func (n count) ago() string {
	if n.At.IsZero() {
		return ""
	}
	return ago(n.At, time.Now())
}

// census counts platforms by TCB, beside the requests, and remembers: a page of
// a million platforms comes as fast as that of ten.
type census struct {
	mu   sync.Mutex
	last count
	next time.Time     // before which it is not made again
	busy chan struct{} // closed when the one that is under way has ended; nil if none is
}

// get returns the latest count, and begins another if it is of some time ago.
func (c *census) get(ctx context.Context, by counter) count {
	c.mu.Lock()
	if c.busy == nil && !time.Now().Before(c.next) {
		busy := make(chan struct{})
		c.busy = busy
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), censusTime)
			defer cancel()
			began := time.Now()
			n := take(ctx, by)
			c.mu.Lock()
			defer c.mu.Unlock()
			if n.At = time.Now(); n.Err != nil {
				n.At, n.Groups = c.last.At, c.last.Groups
			}
			// It may take a twentieth of the time at most.
			c.last, c.next, c.busy = n, time.Now().Add(max(5*time.Second, 20*time.Since(began))), nil
			close(busy)
		}()
	}
	last, busy := c.last, c.busy
	c.mu.Unlock()
	if busy == nil || !last.At.IsZero() {
		return last
	}
	wait := time.NewTimer(censusWait)
	defer wait.Stop()
	select {
	case <-busy:
	case <-wait.C:
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

// take counts all platforms.
func take(ctx context.Context, by counter) count {
	list, err := by(ctx, censusGroups)
	if err != nil {
		return count{Err: err}
	}
	n := count{Groups: map[string][]store.TCBGroup{}}
	for _, g := range list {
		n.Groups[g.FMSPC] = append(n.Groups[g.FMSPC], g)
	}
	return n
}
