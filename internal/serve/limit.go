package serve

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// places are those for connections, of which there are so many. When all are taken,
// a new connection gets that of another which no request is worked at for: which
// has sent none, or is slow to, or to take the answer to its last. Of these it is
// one of the client that has most, so that a client that takes all of them takes
// them from itself.
type places struct {
	slots chan struct{}
	rest  time.Duration // for which a connection may wait in any case

	mu    sync.Mutex
	taken map[*place]bool
}

func newPlaces(n int, rest time.Duration) *places {
	return &places{slots: make(chan struct{}, n), rest: rest, taken: map[*place]bool{}}
}

// full reports whether others wait for a place.
func (p *places) full() bool { return len(p.slots) == cap(p.slots) }

// limited is a listener that shares places with others. The timeouts see to it that
// each makes room for another soon.
type limited struct {
	net.Listener
	places *places
	closed chan struct{}
	once   sync.Once
}

// Accept returns the next connection once there is a place for it. A listener that
// waits for connections holds none.
func (l *limited) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	p := &place{Conn: c, of: l.places, client: Client(c.RemoteAddr().String())}
	p.waits()
	const again = 50 * time.Millisecond
	tick := time.NewTimer(0)
	defer tick.Stop()
	for {
		select {
		case l.places.slots <- struct{}{}:
			l.places.mu.Lock()
			l.places.taken[p] = true
			l.places.mu.Unlock()
			return p, nil
		case <-l.closed:
			_ = c.Close() // it was not heard
			return nil, net.ErrClosed
		case <-tick.C:
			l.places.makeRoom()
			tick.Reset(again)
		}
	}
}

func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// makeRoom closes a connection, if all places are taken and there is one that
// waits.
func (p *places) makeRoom() {
	if !p.full() {
		return
	}
	latest := int64(time.Since(begun) - p.rest)
	since := map[*place]int64{} // of those that wait
	by := map[string]int{}
	p.mu.Lock()
	for c := range p.taken {
		if t := c.since.Load(); t != busy && t <= latest {
			since[c] = t
			by[c.client]++
		}
	}
	p.mu.Unlock()
	var victim *place
	for c, t := range since {
		if victim == nil || by[c.client] > by[victim.client] || by[c.client] == by[victim.client] && t < since[victim] {
			victim = c
		}
	}
	if victim != nil {
		_ = victim.Close()
	}
}

// place is a connection that has one of the places.
type place struct {
	net.Conn
	of     *places
	client string

	// since is when it began to wait for a request, in nanoseconds after begun; busy
	// while one is worked at.
	since atomic.Int64
}

const busy = -1

var begun = time.Now()

// waits begins to wait.
func (c *place) waits() { c.since.Store(int64(time.Since(begun))) }

func (c *place) Close() error {
	c.of.mu.Lock()
	had := c.of.taken[c]
	delete(c.of.taken, c)
	c.of.mu.Unlock()
	if had {
		defer func() { <-c.of.slots }()
	}
	return c.Conn.Close()
}

// Client is by what clients are told apart, of the address of a connection: its host,
// or of IPv6 the network of 64 bits, in which one may have as many as it likes. It is
// empty for what has no such address, as Unix sockets.
func Client(address string) string {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return ""
	}
	ip := at.Addr().Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	network, err := ip.Prefix(64)
	if err != nil {
		return ""
	}
	return network.String()
}

type placeKey struct{}

// inPlace is the context of a connection's requests.
func inPlace(ctx context.Context, c net.Conn) context.Context {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok { // of TLS
		c = t.NetConn()
	}
	return context.WithValue(ctx, placeKey{}, c)
}

// worked is a handler whose connections are seen to be worked at.
func worked(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(placeKey{}).(*place); ok {
			c.since.Store(busy)
			defer c.waits()
			if c.of.full() {
				w.Header()["Connection"] = closing // others wait for the place
			}
		}
		h.ServeHTTP(w, r)
	})
}

var closing = []string{"close"}
