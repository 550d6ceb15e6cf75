package web

import (
	"context"
	"sync"
	"time"

	"github.com/feidi-dev/feidi/pccs/store"
)

// Bounds of a count. A fleet has few TCBs, however many platforms.
const (
	censusPage   = store.MaxPage
	censusGroups = 10_000
	censusTime   = 5 * time.Minute
	censusWait   = 300 * time.Millisecond // for which a page waits for the first one
	sampleSize   = 3
)

// group are the platforms of one FMSPC that were seen with a TCB to which the
// same PCK certificate belongs.
type group struct {
	FMSPC, TCBm string
	Count       int
	Sample      []store.PlatformID // of them, at most sampleSize
}

// count is the outcome of a census.
type count struct {
	At     time.Time // of its end, zero if there was none yet
	Groups map[string][]group
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
func (c *census) get(ctx context.Context, platforms func(context.Context, []string, store.PlatformID, int) ([]store.Platform, error)) count {
	c.mu.Lock()
	if c.busy == nil && !time.Now().Before(c.next) {
		busy := make(chan struct{})
		c.busy = busy
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), censusTime)
			defer cancel()
			began := time.Now()
			n := take(ctx, platforms)
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

// take goes through all platforms.
func take(ctx context.Context, platforms func(context.Context, []string, store.PlatformID, int) ([]store.Platform, error)) count {
	type key struct{ fmspc, tcbm string }
	groups := map[key]*group{}
	var after store.PlatformID
	for {
		page, err := platforms(ctx, nil, after, censusPage)
		if err != nil {
			return count{Err: err}
		}
		for i := range page {
			p := &page[i]
			seen := map[string]bool{}
			for _, t := range p.TCBs {
				k := key{p.FMSPC, t.TCBm}
				if seen[t.TCBm] || groups[k] == nil && len(groups) == censusGroups {
					continue
				}
				seen[t.TCBm] = true
				g := groups[k]
				if g == nil {
					g = &group{FMSPC: p.FMSPC, TCBm: t.TCBm}
					groups[k] = g
				}
				g.Count++
				if len(g.Sample) < sampleSize {
					g.Sample = append(g.Sample, p.PlatformID)
				}
			}
		}
		if len(page) == 0 {
			break
		}
		after = page[len(page)-1].PlatformID
	}
	byFMSPC := map[string][]group{}
	for _, g := range groups {
		byFMSPC[g.FMSPC] = append(byFMSPC[g.FMSPC], *g)
	}
	return count{Groups: byFMSPC}
}
