package verify

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// contents lists what a cache has, the last used first, and checks that list,
// table and size agree and are within the bound.
func (c *cache[T]) contents(t *testing.T) (list []string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	size := 0
	for e := c.recent.next; e != &c.recent; e = e.next {
		list = append(list, string(e.raw))
		size += len(e.raw) + overhead
		if c.entries[e.hash] != e || e.next.prev != e {
			t.Errorf("%q is not linked well", e.raw)
		}
	}
	if len(list) != len(c.entries) || size != c.size || size > c.max {
		t.Errorf("%d in the list, %d in the table; size %d, said to be %d, at most %d", len(list), len(c.entries), size, c.size, c.max)
	}
	return list
}

func (c *cache[T]) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := c.contents(t); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestCacheOrder(t *testing.T) {
	c := newCache[int](3 * (overhead + 1))
	for i, s := range []string{"a", "b", "c"} {
		c.put([]byte(s), i)
	}
	c.expect(t, "c", "b", "a")
	if v, ok := c.get([]byte("a")); !ok || v != 0 {
		t.Error(v, ok)
	}
	c.expect(t, "a", "c", "b")
	c.put([]byte("d"), 3)
	c.expect(t, "d", "a", "c")
	if _, ok := c.get([]byte("b")); ok {
		t.Error("b is there")
	}
	c.put([]byte("c"), 7)
	c.expect(t, "c", "d", "a")
	if v, _ := c.get([]byte("c")); v != 7 {
		t.Error(v)
	}
	c.put(bytes.Repeat([]byte("x"), 3*overhead), 1) // too large for all of it
	c.expect(t, "c", "d", "a")
	c.put(bytes.Repeat([]byte("y"), overhead), 1) // as large as two
	if got := c.contents(t); len(got) != 2 || got[1] != "c" {
		t.Errorf("%d entries", len(got))
	}
	for _, max := range []int{0, 1, overhead} {
		none := newCache[int](max)
		none.put([]byte("a"), 1)
		none.expect(t)
	}
}

// A hash is no proof: an entry is given out for its own bytes only.
func TestCacheCollision(t *testing.T) {
	c := newCache[string](1 << 20)
	c.put([]byte("a"), "a")
	e := c.entries[c.recent.next.hash]
	e.raw = []byte("b") // as if b had the hash of a
	if v, ok := c.get([]byte("a")); ok {
		t.Errorf("%q is given out for a", v)
	}
	c.put([]byte("a"), "a")
	c.expect(t, "a")
}

func TestCacheNil(t *testing.T) {
	var c *cache[int]
	var kept atomic.Bool
	c.keep(&kept, []byte("a"), 1)
	if _, ok := c.get([]byte("a")); ok || kept.Load() {
		t.Error("a nil cache keeps")
	}
}

func TestCacheKeepsCopies(t *testing.T) {
	c := newCache[int](1 << 20)
	var kept atomic.Bool
	b := []byte("abc")
	c.keep(&kept, b, 1)
	b[0] = 'x'
	c.expect(t, "abc")
	c.keep(&kept, b, 1) // once only
	c.expect(t, "abc")
}

// Many use one cache, which stays within its bound at every moment.
func TestCacheConcurrent(t *testing.T) {
	c := newCache[int](20 * overhead)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(g), 1))
			for range 3000 {
				n := random.IntN(60)
				raw := fmt.Appendf(nil, "%0*d", 1+n%200, n)
				if v, ok := c.get(raw); ok && v != n {
					t.Errorf("%s is %d", raw, v)
				} else if !ok {
					c.put(raw, n)
				}
				if n == 0 {
					c.contents(t)
				}
			}
		})
	}
	wg.Wait()
	if len(c.contents(t)) == 0 {
		t.Error("empty")
	}
}
