package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Timeouts are those of connections.
type Timeouts struct {
	Header time.Duration // until the header of a request is there, and for the handshake of TLS
	Read   time.Duration // until its body is, from the beginning of the header
	Write  time.Duration // until the answer is, from the end of the header
	Idle   time.Duration // between requests
}

// Standard are timeouts for small requests that are answered at once: who needs
// longer is broken or means harm.
var Standard = Timeouts{Header: 5 * time.Second, Read: 15 * time.Second, Write: 30 * time.Second, Idle: 30 * time.Second}

// Defaults of Server.
const (
	DefaultMaxConnections = 1024
	DefaultDrain          = 30 * time.Second
	DefaultMaxHeader      = 16 << 10 // bytes
)

// Server serves a handler by HTTP/1.1. Only Handler is needed.
type Server struct {
	Handler  http.Handler
	Timeouts Timeouts // Standard if it is zero
	// MaxConnections is how many connections are open at a time. Others wait,
	// and while they do, each answer ends its connection, and so do those end, one
	// after the other, that have waited for a second for no request to be worked at.
	MaxConnections int
	MaxHeader      int           // bytes of a request's header
	Drain          time.Duration // how long requests may still take once it is to stop
	TLS            *tls.Config   // nil is none
	Log            *slog.Logger  // nil is nowhere
	// Stopping, if there is one, is called when it is to stop.
	Stopping func()

	rest time.Duration // for which a connection may wait though others want its place
}

// Serve answers at listeners until ctx is done, and closes them. Then it takes no
// more connections, and returns nil once all requests that were under way are
// answered. Those that take longer than Drain are broken off, which is an error.
// A listener that fails ends it, too.
func (s *Server) Serve(ctx context.Context, listeners ...net.Listener) error {
	log := s.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	t := s.Timeouts
	if t == (Timeouts{}) {
		t = Standard
	}
	places := newPlaces(or(s.MaxConnections, DefaultMaxConnections), or(s.rest, time.Second))
	fresh := fresh{conns: map[net.Conn]bool{}}
	server := &http.Server{
		ReadHeaderTimeout: t.Header, ReadTimeout: t.Read, WriteTimeout: t.Write, IdleTimeout: t.Idle,
		MaxHeaderBytes: or(s.MaxHeader, DefaultMaxHeader), TLSConfig: s.TLS, ConnState: fresh.change,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelInfo),
		Handler:  worked(s.Handler), ConnContext: inPlace,
		// HTTP/2 would be another set of limits, for clients that ask three things.
		Protocols: new(http.Protocols),
	}
	server.Protocols.SetHTTP1(true)
	defer func() { _ = server.Close() }() // of no effect after Shutdown
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		log.Info("serving", "address", l.Addr().String(), "tls", s.TLS != nil)
		limited := &limited{Listener: l, places: places, closed: make(chan struct{})}
		go func() {
			if s.TLS != nil {
				failed <- server.ServeTLS(limited, "", "")
			} else {
				failed <- server.Serve(limited)
			}
		}()
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	if s.Stopping != nil {
		s.Stopping()
	}
	log.Info("stopping")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), or(s.Drain, DefaultDrain))
	defer cancel()
	fresh.close()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("requests were broken off: %w", err), server.Close())
	}
	return nil
}

// or is a number, or the default in place of one that is none.
func or[T int | time.Duration](n, otherwise T) T {
	if n <= 0 {
		return otherwise
	}
	return n
}

// fresh are connections that had no request yet, for which Shutdown would wait some
// seconds. Clients open such in advance.
type fresh struct {
	mu       sync.Mutex
	conns    map[net.Conn]bool
	stopping bool
}

func (f *fresh) change(c net.Conn, s http.ConnState) {
	if s == http.StateIdle {
		return // it is fresh no longer since it was active
	}
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
