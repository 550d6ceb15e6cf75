package server

import (
	"context"
	"fmt"
	"net"

	"github.com/feidi-dev/feidi/internal/serve"
)

// Serve answers at l until ctx is done, and closes l. Then it takes no more
// connections, and returns nil once all requests that were under way are
// answered. Those that take longer than Options.Drain are broken off, which is
// an error.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	err := (&serve.Server{
		Handler: s, Timeouts: s.timeouts, MaxConnections: s.o.MaxConnections, Drain: s.o.Drain, Log: s.o.Log,
	}).Serve(ctx, l)
	if err != nil {
		return fmt.Errorf("pcs/server: %w", err)
	}
	return nil
}
