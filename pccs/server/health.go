package server

import (
	"context"
	_ "embed" // openapi.json
	"net/http"
	"sync"
	"time"
)

// probeTime is how long what the database said is believed, and how long it may
// take to say it.
const (
	probeTime    = time.Second
	probeTimeout = 2 * time.Second
)

// health asks the database whether it answers, once for all who want to know.
type health struct {
	mu    sync.Mutex // guards what follows, and is held while it is asked
	asked time.Time
	err   error
}

func (h *health) check(ctx context.Context, now time.Time, ping func(context.Context) error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now.Sub(h.asked).Abs() < probeTime {
		return h.err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
	defer cancel()
	h.err = ping(ctx)
	h.asked = now
	return h.err
}

func plain(status int, text string) *answer {
	a := reply(status, typeText, []byte(text+"\n"))
	a.add("Cache-Control", "no-store")
	return a
}

// alive says that there is somebody: a restart would not help.
func (s *Server) alive(*request) (*answer, error) { return plain(http.StatusOK, "ok"), nil }

// ready says whether requests may be sent here: not while it stops, nor while
// the database does not answer.
func (s *Server) ready(r *request) (*answer, error) {
	if s.stopping.Load() {
		return plain(http.StatusServiceUnavailable, "stopping"), nil
	}
	if s.o.Store != nil {
		if err := s.health.check(r.ctx, s.o.Now(), s.o.Store.Ping); err != nil {
			return plain(http.StatusServiceUnavailable, "the database does not answer"), nil
		}
	}
	return plain(http.StatusOK, "ok"), nil
}

//go:embed openapi.json
var openAPI []byte

// openAPI is the description of all routes for programs.
func (s *Server) openAPI(*request) (*answer, error) { return ok(typeJSON, openAPI), nil }
