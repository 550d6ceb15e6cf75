package verify

import (
	"bytes"
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// A cache keeps documents by their bytes, those that were used last, up to a
// bound of bytes. A nil cache keeps nothing.
//
// What is kept is what a document says and that a key signed it, which stays
// true. Whether it is in its time, revoked, or under a trusted root is asked
// anew each time.
type cache[T any] struct {
	seed maphash.Seed
	max  int // bytes of documents

	mu      sync.Mutex // guards what follows
	size    int
	entries map[uint64]*entry[T]
	recent  entry[T] // ring; next is the one that was used last
}

type entry[T any] struct {
	hash       uint64
	raw        []byte
	value      T
	prev, next *entry[T]
}

// overhead is about what an entry takes besides its document, in bytes.
const overhead = 512

func newCache[T any](max int) *cache[T] {
	c := &cache[T]{seed: maphash.MakeSeed(), max: max, entries: map[uint64]*entry[T]{}}
	c.recent.prev, c.recent.next = &c.recent, &c.recent
	return c
}

func (c *cache[T]) get(raw []byte) (v T, ok bool) {
	if c == nil {
		return v, false
	}
	h := maphash.Bytes(c.seed, raw)
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[h]
	if e == nil || !bytes.Equal(e.raw, raw) {
		return v, false
	}
	e.unlink()
	e.link(&c.recent)
	return e.value, true
}

// keep puts a value into the cache, once. It keeps a copy of raw.
func (c *cache[T]) keep(kept *atomic.Bool, raw []byte, v T) {
	if c == nil || kept.Load() || kept.Swap(true) {
		return
	}
	c.put(bytes.Clone(raw), v)
}

func (c *cache[T]) put(raw []byte, v T) {
	if len(raw)+overhead > c.max {
		return
	}
	h := maphash.Bytes(c.seed, raw)
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.entries[h]; old != nil {
		c.drop(old)
	}
	e := &entry[T]{hash: h, raw: raw, value: v}
	c.entries[h] = e
	c.size += len(raw) + overhead
	e.link(&c.recent)
	for c.size > c.max {
		c.drop(c.recent.prev)
	}
}

func (c *cache[T]) drop(e *entry[T]) {
	e.unlink()
	delete(c.entries, e.hash)
	c.size -= len(e.raw) + overhead
}

func (e *entry[T]) unlink() { e.prev.next, e.next.prev = e.next, e.prev }

func (e *entry[T]) link(after *entry[T]) {
	e.prev, e.next = after, after.next
	e.prev.next, e.next.prev = e, e
}
