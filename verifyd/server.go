package verifyd

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/feidi-dev/feidi/internal/serve"
)

// Timeouts of connections. A request is small: who needs longer is broken or
// means harm.
const (
	headerTimeout = 5 * time.Second
	bodyTimeout   = 15 * time.Second // with the header
	idleTimeout   = time.Minute
	writeTimeout  = 15 * time.Second // beside what a request may take
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
	err := (&serve.Server{
		Handler: h, Drain: s.Drain, Log: h.cfg.Log,
		Timeouts: serve.Timeouts{Header: headerTimeout, Read: bodyTimeout, Write: bodyTimeout + h.cfg.Timeout + writeTimeout, Idle: idleTimeout},
		Stopping: func() {
			h.Drain()
			h.cfg.Log.Info("draining", "in_flight", h.metrics.inFlight.Load())
		},
	}).Serve(ctx, l)
	if err != nil {
		return fmt.Errorf("verifyd: %w", err)
	}
	return nil
}
