package aesm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Defaults of a server.
const (
	DefaultMaxConnections = 1024
	DefaultReadTimeout    = 5 * time.Second
	DefaultRequestTimeout = time.Minute
	DefaultDrain          = 30 * time.Second
)

// stopGrace is how long a client that has connected may still send its request
// once the server is to stop.
const stopGrace = 200 * time.Millisecond

// Server answers at sockets. Its settings must not change once it serves; it
// may serve several sockets at a time.
type Server struct {
	Services Services
	// MaxConnections is how many connections a socket has at most, by default
	// DefaultMaxConnections. One that is too many takes the place of the one
	// that has been silent for longest, or waits if all are being answered.
	MaxConnections int
	// ReadTimeout is how long a client may take to send a request whole, and
	// to take its answer, by default DefaultReadTimeout.
	ReadTimeout time.Duration
	// RequestTimeout ends the context of a request, by default
	// DefaultRequestTimeout. The timeout that a client sends is not heeded:
	// its unit depends on the client.
	RequestTimeout time.Duration
	// Drain is how long requests may still take once the server is to stop,
	// by default DefaultDrain.
	Drain time.Duration
	// Log gets what the operator should know; nil for nothing. What clients
	// are to blame for is counted, and told only to those who debug.
	Log *slog.Logger

	stats stats
	large atomic.Int64 // bytes of large requests that are not yet answered
}

// or returns v, or its default.
func or[T int | time.Duration](v, standard T) T {
	if v > 0 {
		return v
	}
	return standard
}

func (s *Server) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

// Serve answers at l until ctx is done, and closes l. Then it takes no more
// connections, and returns nil once all requests that had come are answered.
// Requests that take longer than Drain are broken off, which is an error.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	requests, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	t := newTable(or(s.MaxConnections, DefaultMaxConnections), &s.stats)
	stop := context.AfterFunc(ctx, func() {
		_ = l.Close()
		t.stop(stopGrace)
	})
	defer stop()

	log := s.log().With("socket", l.Addr().String())
	log.Info("serving")
	var running sync.WaitGroup
	failed := s.accept(ctx, l, log, func(nc net.Conn) {
		c := t.add(nc)
		if c == nil {
			return
		}
		running.Go(func() {
			defer t.remove(c)
			s.converse(requests, t, c)
		})
	})
	_ = l.Close()
	t.stop(stopGrace)
	log.Info("stopping", "open", s.stats.open.Load())

	done := make(chan struct{})
	go func() {
		running.Wait()
		close(done)
	}()
	drain := time.NewTimer(or(s.Drain, DefaultDrain))
	defer drain.Stop()
	select {
	case <-done:
		return failed
	case <-drain.C:
	}
	n := t.closeAll()
	return errors.Join(failed, fmt.Errorf("aesm: %d requests were broken off: they took longer than %v", n, or(s.Drain, DefaultDrain)))
}

// accept hands over connections until ctx is done, or the socket fails.
func (s *Server) accept(ctx context.Context, l net.Listener, log *slog.Logger, hand func(net.Conn)) error {
	var pause time.Duration
	for {
		nc, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			s.stats.accepted.Add(1)
			hand(nc)
		case ctx.Err() != nil:
			return nil
		case !passing(err):
			return fmt.Errorf("aesm: accept: %w", err)
		default: // connections that end make room
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			log.Warn("no connection can be taken", "error", err, "pause", pause)
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(pause):
			}
		}
	}
}

// passing reports whether accepting may succeed later.
func passing(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.EINTR} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
