package server

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/feidi-dev/feidi/pccs"
)

// Times of administrators' requests: a body of collateral may be hundreds of
// megabytes on a slow line, and a refresh asks for all documents.
const (
	adminRead = 10 * time.Minute
	adminWork = 30 * time.Minute
)

// patience is by default how long a request waits for others to end before it is turned away.
const patience = time.Second

// answer makes the answer to a request that has none in memory.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) (*route, *answer) {
	path := r.URL.EscapedPath()
	at := find(path)
	return at, s.try(at, path, w, r)
}

// try finds who answers a request at a route.
func (s *Server) try(at *route, path string, w http.ResponseWriter, r *http.Request) *answer {
	m := at.at(r.Method)
	needed := at.guard
	if m != nil {
		needed = m.by
	}
	if err := s.mayUse(needed, r); err != nil {
		return refuse(err)
	}
	switch {
	case m == nil && r.Method == http.MethodOptions && at.methods != nil:
		a := ok(typeHTML, []byte(at.allowed()))
		a.add("Allow", at.allowed())
		return a
	case m == nil:
		return missing(r.Method, path)
	}
	req := &request{Request: r, w: w, api: at.api, tee: at.tee}
	switch {
	case m.plain:
		req.ctx = r.Context()
		return s.run(m, req)
	case m.keep:
		return s.shared(at, m, req)
	case m.by == administrators:
		c := http.NewResponseController(w) // neither fails with a connection
		_ = c.SetReadDeadline(time.Now().Add(adminRead))
		_ = c.SetWriteDeadline(time.Now().Add(adminWork + time.Minute))
		return s.work(r.Context(), adminWork, m, req).unkept()
	}
	return s.work(r.Context(), s.o.Timeout, m, req).unkept()
}

// mayUse is an error if a client may not use a method.
func (s *Server) mayUse(needed who, r *http.Request) error {
	t, name := &s.user, userToken
	switch needed {
	case anybody:
		return nil
	case administrators:
		t, name = &s.admin, adminToken
	}
	given := r.Header.Get(name)
	switch {
	case t.is(given):
		return nil
	case !t.some:
		return unauthorized("no hash of the " + name + " is configured: nobody may do this")
	case given == "":
		return unauthorized("the header " + name + " is missing")
	}
	return unauthorized("the header " + name + " has another token")
}

func unauthorized(message string) *pccs.Error {
	return &pccs.Error{Status: http.StatusUnauthorized, Reason: pccs.Unauthorized, Message: message}
}

func noSuchInterface(method, path string) *pccs.Error {
	return &pccs.Error{Status: http.StatusNotFound, Reason: pccs.NoSuchInterface,
		Message: fmt.Sprintf("there is no %.20q at %.60q: /openapi.json lists what there is", method, path)}
}

// work has a request answered within a time, once there is a place among those
// that are worked at.
func (s *Server) work(ctx context.Context, d time.Duration, m *method, r *request) *answer {
	p := s.place(m)
	if err := p.enter(ctx, s.patience); err != nil {
		return refuse(err)
	}
	defer p.leave()
	ctx, cancel := context.WithTimeout(withClient(ctx, r.RemoteAddr), d)
	defer cancel()
	r.ctx = pccs.WithPause(ctx, func() func() { return p.pause(ctx) })
	return s.run(m, r)
}

// enter waits a moment for a place.
func enter(ctx context.Context, places chan struct{}, wait time.Duration) error {
	select {
	case places <- struct{}{}:
		return nil
	default:
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return &pccs.Error{Status: http.StatusServiceUnavailable, Reason: pccs.Busy, Message: "as many such requests as may be are under way: try again"}
	}
}

// run runs a handler. That it panics is a mistake of ours, which may cost one
// request, and not those who wait for the same.
func (s *Server) run(m *method, r *request) (a *answer) {
	defer func() {
		if p := recover(); p != nil {
			a = refuse(fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	a, err := m.handle(s, r)
	if err != nil {
		return refuse(err)
	}
	return a
}
