package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/feidi-dev/feidi/internal/serve"
	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/store"
	"github.com/feidi-dev/feidi/pccs/web"
	"github.com/feidi-dev/feidi/pcs"
)

// Defaults of Options.
const (
	DefaultMaxBody     = 2 << 20 // bytes
	DefaultMaxRequests = 256
	DefaultTimeout     = time.Minute
	DefaultCacheTime   = time.Second
	DefaultCacheSize   = 32 << 20 // bytes
)

// DefaultTimeouts are those of connections: an administrator's body takes longer
// than it does for Header, Read and Write, and is given it.
var DefaultTimeouts = serve.Timeouts{Header: 10 * time.Second, Read: 15 * time.Second, Write: 30 * time.Second, Idle: time.Minute}

// Options say how a service is served. The zero value will do, but for
// administrators, who need a token.
type Options struct {
	// UserTokenHash and AdminTokenHash are the SHA-512 of the tokens that
	// registering and administering take, 128 hexadecimal digits. Where there
	// is none, nobody may.
	UserTokenHash, AdminTokenHash string

	Store *store.Store // for readiness and the status page; nil is without
	TLS   *tls.Config  // nil is plain HTTP

	MaxBody        int64          // bytes of a request
	MaxRequests    int            // worked at at a time, beside those from memory; more wait a second, and are turned away
	MaxConnections int            // open at a time; others wait
	Timeout        time.Duration  // of a request that is no administrator's, with what is fetched for it
	Timeouts       serve.Timeouts // of connections; Write is beside Timeout
	Drain          time.Duration  // how long requests may still take once Serve is to stop
	CacheTime      time.Duration  // how long answers are kept in memory; negative is not at all
	CacheSize      int            // bytes of memory for them

	Version string           // of the program, for the metrics
	Log     *slog.Logger     // nil is nowhere
	Now     func() time.Time // nil is time.Now
}

// Server serves a service. It is an http.Handler, and safe for concurrent use.
type Server struct {
	service     *pccs.Service
	o           Options
	user, admin tokenHash
	slots       chan struct{} // one for each request that is worked at,
	changes     chan struct{} // for each of those that change something,
	waiting     chan struct{} // and for each that waits for the service behind in place of that
	alone       chan struct{} // held by the administrator's request that changes much
	patience    time.Duration
	cache       cache
	issuers     issuers
	flights     flights
	metrics     metrics
	gauges      gauges
	health      health
	web         http.Handler
	stopping    atomic.Bool
}

// New returns a server. Hashes that are none are an error.
func New(s *pccs.Service, o Options) (*Server, error) {
	srv := &Server{service: s, alone: make(chan struct{}, 1), patience: patience}
	if err := errors.Join(srv.user.set("user", o.UserTokenHash), srv.admin.set("admin", o.AdminTokenHash)); err != nil {
		return nil, err
	}
	defaults(&o.MaxBody, DefaultMaxBody)
	defaults(&o.MaxRequests, DefaultMaxRequests)
	defaults(&o.Timeout, DefaultTimeout)
	defaults(&o.CacheSize, DefaultCacheSize)
	if o.CacheTime == 0 {
		o.CacheTime = DefaultCacheTime
	}
	if o.Timeouts == (serve.Timeouts{}) {
		o.Timeouts = DefaultTimeouts
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	srv.o = o
	srv.slots, srv.changes, srv.waiting = make(chan struct{}, o.MaxRequests), make(chan struct{}, (o.MaxRequests+1)/2), make(chan struct{}, 4*o.MaxRequests)
	srv.cache.init(o.CacheSize)
	srv.flights.m = map[string]*flight{}
	srv.metrics.init()
	if o.Store != nil {
		srv.web = web.New(s, o.Store, srv.mayLook)
	}
	s.OnChange(srv.cache.purge)
	return srv, nil
}

func defaults[T int | int64 | time.Duration](v *T, otherwise T) {
	if *v <= 0 {
		*v = otherwise
	}
}

// Serve answers at listeners until ctx is done, and closes them. Then it takes
// no more connections, and returns nil once all requests that were under way are
// answered. Those that take longer than Options.Drain are broken off, which is
// an error.
func (s *Server) Serve(ctx context.Context, listeners ...net.Listener) error {
	t := s.o.Timeouts
	t.Write += s.o.Timeout
	err := (&serve.Server{
		Handler: s, Timeouts: t, MaxConnections: s.o.MaxConnections, Drain: s.o.Drain, TLS: s.o.TLS, Log: s.o.Log,
		Stopping: func() { s.stopping.Store(true) },
	}).Serve(ctx, listeners...)
	if err != nil {
		return fmt.Errorf("pccs/server: %w", err)
	}
	return nil
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := s.o.Now()
	id := requestID(r)
	if s.web != nil && strings.HasPrefix(r.URL.Path+"/", web.Prefix) {
		seen := &watched{ResponseWriter: w, status: http.StatusOK}
		w.Header()["Request-ID"] = []string{id}
		s.web.ServeHTTP(seen, r)
		s.metrics.done(statusPage, seen.status, s.o.Now().Sub(start))
		return
	}
	var at *route
	var a *answer
	if e := s.cache.fresh(r, start); e != nil {
		s.metrics.hits.Add(1)
		at, a = e.at, e.answer
	} else {
		at, a = s.answer(w, r.WithContext(pcs.WithRequestID(r.Context(), id)))
	}
	status := a.write(w, r, at, id, start)
	took := s.o.Now().Sub(start)
	s.metrics.done(at, status, took)
	s.log(r, id, a, status, took)
}

// watched remembers the status of an answer.
type watched struct {
	http.ResponseWriter
	status int
}

// WriteHeader sends the header.
func (w *watched) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// log writes a line for a request: what was refused at level info, what failed
// here at level error. No parameter is in it but what a refusal names.
func (s *Server) log(r *http.Request, id string, a *answer, status int, took time.Duration) {
	level := slog.LevelDebug
	switch {
	case status == http.StatusInternalServerError:
		level = slog.LevelError
	case status >= 400:
		level = slog.LevelInfo
	}
	if !s.o.Log.Enabled(r.Context(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", shown(r.Method)), slog.String("path", shown(r.URL.Path)), slog.Int("status", status),
		slog.Int64("took_ns", took.Nanoseconds()), slog.String("request_id", id),
	}
	if e := a.refusal; e != nil {
		attrs = append(attrs, slog.String("why", string(e.Reason)), slog.String("message", e.Message))
		if e.RequestID != "" {
			attrs = append(attrs, slog.String("upstream_request_id", e.RequestID))
		}
		if e.Err != nil && a.status == http.StatusInternalServerError { // its message is for anybody
			attrs = append(attrs, slog.String("error", e.Err.Error()))
		}
	}
	s.o.Log.LogAttrs(r.Context(), level, "request", attrs...)
}

// shown is a text of a client's as it stands in the log.
func shown(s string) string { return s[:min(len(s), 100)] }
