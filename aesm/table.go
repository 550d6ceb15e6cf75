package aesm

import (
	"container/list"
	"net"
	"sync"
	"time"
)

// conn is a connection of a client.
type conn struct {
	net.Conn
	silent *list.Element // its place in table.silent while a request is awaited
	gone   bool          // it is no longer in the table
}

// table has the open connections of a socket. Those of which a request is
// awaited are in order, so that a new client can take the place of the one that
// has been silent for longest: whoever opens many connections and is slow takes
// them from himself.
type table struct {
	limit int
	stats *stats

	mu       sync.Mutex
	room     sync.Cond // something has ended, fallen silent or stopped
	open     map[*conn]struct{}
	silent   list.List // of *conn, the first for longest
	stopping bool
	until    time.Time // when stopping: when the silent are closed
}

func newTable(limit int, s *stats) *table {
	t := &table{limit: limit, stats: s, open: map[*conn]struct{}{}}
	t.room.L = &t.mu
	return t
}

// add makes a connection one of the table, and makes room for it if there is
// none. It returns nil, with the connection closed, if the server is stopping.
func (t *table) add(nc net.Conn) *conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.open) >= t.limit && !t.stopping {
		if oldest := t.silent.Front(); oldest != nil {
			t.stats.evicted.Add(1)
			t.drop(oldest.Value.(*conn))
			break
		}
		t.room.Wait()
	}
	if t.stopping {
		_ = nc.Close()
		return nil
	}
	c := &conn{Conn: nc}
	t.open[c] = struct{}{}
	t.stats.open.Add(1)
	return c
}

// waits notes that a request of c is awaited from now on, for so long. It
// returns false if there is to be none.
func (t *table) waits(c *conn, timeout time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c.gone {
		return false
	}
	deadline := time.Now().Add(timeout)
	if t.stopping && t.until.Before(deadline) {
		deadline = t.until
	}
	if c.SetReadDeadline(deadline) != nil {
		return false
	}
	c.silent = t.silent.PushBack(c)
	t.room.Signal()
	return true
}

// busy notes that a request of c has come. It returns false if c was closed.
func (t *table) busy(c *conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.speaks(c)
	return !c.gone
}

// remove closes c, if that was not done.
func (t *table) remove(c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop(c)
}

// stop keeps out new connections, and closes silent ones a little later.
func (t *table) stop(grace time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopping {
		return
	}
	t.stopping, t.until = true, time.Now().Add(grace)
	for e := t.silent.Front(); e != nil; e = e.Next() {
		_ = e.Value.(*conn).SetReadDeadline(t.until)
	}
	t.room.Broadcast()
}

// closeAll closes all connections, and returns how many those were.
func (t *table) closeAll() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.open)
	for c := range t.open {
		t.drop(c)
	}
	return n
}

// drop closes c and forgets it. Closing wakes who reads.
func (t *table) drop(c *conn) {
	t.speaks(c)
	if c.gone {
		return
	}
	c.gone = true
	delete(t.open, c)
	t.stats.open.Add(-1)
	_ = c.Close()
	t.room.Signal()
}

func (t *table) speaks(c *conn) {
	if c.silent != nil {
		t.silent.Remove(c.silent)
		c.silent = nil
	}
}
