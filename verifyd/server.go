package verifyd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Timeouts of connections. A request is small: who needs longer is broken or
// means harm.
const (
	headerTimeout = 5 * time.Second
	bodyTimeout   = 15 * time.Second // with the header
	idleTimeout   = time.Minute
	writeTimeout  = 15 * time.Second // beside what a request may take
	maxHeader     = 16 << 10         // bytes
)

// Server serves a Handler.
type Server struct {
	Handler *Handler
	// Drain is how long requests that are under way may still take once the
	// server is to stop; 30 s if it is 0.
	Drain time.Duration
}

// Serve serves until ctx is done; then it takes no more connections, and
// returns nil once all requests that were under way are answered. Those that
// take longer than Drain are broken off, which is an error.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	h := s.Handler
	drain := s.Drain
	if drain <= 0 {
		drain = 30 * time.Second
	}
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, WriteTimeout: bodyTimeout + h.cfg.Timeout + writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(h.cfg.Log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("verifyd: %w", err)
	case <-ctx.Done():
	}
	h.Drain()
	h.cfg.Log.Info("stopping", "in_flight", h.metrics.inFlight.Load())
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("verifyd: requests were broken off: %w", err), server.Close())
	}
	return nil
}
