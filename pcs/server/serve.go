package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// timeouts are those of connections.
type timeouts struct{ header, read, write, idle time.Duration }

// A request is small: who needs longer is broken or means harm. Reading is with
// the header, and writing with reading the body.
var standard = timeouts{header: 5 * time.Second, read: 15 * time.Second, write: 30 * time.Second, idle: 30 * time.Second}

const maxHeader = 16 << 10 // bytes

// Serve answers at l until ctx is done, and closes l. Then it takes no more
// connections, and returns nil once all requests that were under way are
// answered. Those that take longer than Options.Drain are broken off, which is
// an error.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		ReadHeaderTimeout: s.timeouts.header, ReadTimeout: s.timeouts.read, WriteTimeout: s.timeouts.write,
		IdleTimeout: s.timeouts.idle, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(s.o.Log.Handler(), slog.LevelInfo),
	}
	s.o.Log.Info("serving", "address", l.Addr().String())
	failed := make(chan error, 1)
	limited := limit(l, s.o.MaxConnections)
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if limited.full() {
			w.Header().Set("Connection", "close") // others wait for the place
		}
		s.ServeHTTP(w, r)
	})
	fresh := fresh{conns: map[net.Conn]bool{}}
	server.ConnState = fresh.change
	go func() { failed <- server.Serve(limited) }()
	select {
	case err := <-failed:
		return fmt.Errorf("pcs/server: %w", err)
	case <-ctx.Done():
	}
	s.o.Log.Info("stopping", "address", l.Addr().String())
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.o.Drain)
	defer cancel()
	fresh.close()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("pcs/server: requests were broken off: %w", err), server.Close())
	}
	return nil
}

// fresh are connections that had no request yet, for which Shutdown would wait some
// seconds. Clients open such in advance.
type fresh struct {
	mu       sync.Mutex
	conns    map[net.Conn]bool
	stopping bool
}

func (f *fresh) change(c net.Conn, s http.ConnState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case s != http.StateNew:
		delete(f.conns, c)
	case f.stopping:
		_ = c.Close() // it had nothing to say yet
	default:
		f.conns[c] = true
	}
}

func (f *fresh) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopping = true
	for c := range f.conns {
		_ = c.Close() // likewise
	}
}

// limited is a listener that has a number of connections open at most. The
// timeouts see to it that each makes room for another soon.
type limited struct {
	net.Listener
	places chan struct{}
	closed chan struct{}
	once   sync.Once
}

func limit(l net.Listener, most int) *limited {
	return &limited{Listener: l, places: make(chan struct{}, most), closed: make(chan struct{})}
}

// full reports whether there is no place for another connection.
func (l *limited) full() bool { return len(l.places) == cap(l.places) }

func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.places <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.places
		return nil, err
	}
	return &place{Conn: c, leave: sync.OnceFunc(func() { <-l.places })}, nil
}

func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// place is a connection that has one of the places.
type place struct {
	net.Conn
	leave func()
}

func (c *place) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
