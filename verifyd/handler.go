package verifyd

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/verifyd/wire"
)

// Config is what a Handler works with. Only Verifier and Judge are needed.
type Config struct {
	Verifier *verify.Verifier
	Judge    *wire.Judge

	// Source gets the collateral of quotes that come without. If it is nil,
	// each request must bring its own.
	Source Source
	// Cache is what Source comes from, if it does, for the metrics.
	Cache *Cache

	Now         func() time.Time // the clock, for requests that do not say when; nil is time.Now
	Log         *slog.Logger     // nil is nowhere
	MaxBody     int64            // bytes of a request; 4 MiB if 0
	MaxRequests int              // that are under way; more are turned away; 64 if 0
	Timeout     time.Duration    // of a request, with fetching collateral; 30 s if 0
}

// Handler is the service.
type Handler struct {
	cfg      Config
	mux      *http.ServeMux
	metrics  *metrics
	slots    chan struct{} // one for each request that may be under way
	workers  chan struct{} // one for each verification at a time: more would only take turns
	draining atomic.Bool
}

// NewHandler returns a handler. It panics without a Verifier or a Judge.
func NewHandler(cfg Config) *Handler {
	if cfg.Verifier == nil || cfg.Judge == nil {
		panic("verifyd: a Handler needs a Verifier and a Judge")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.MaxBody <= 0 {
		cfg.MaxBody = 4 << 20
	}
	if cfg.MaxRequests <= 0 {
		cfg.MaxRequests = 64
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 30 * time.Second
	}
	h := &Handler{
		cfg: cfg, mux: http.NewServeMux(), metrics: newMetrics(),
		slots: make(chan struct{}, cfg.MaxRequests), workers: make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
	h.mux.HandleFunc("/", h.nothing)
	h.mux.HandleFunc("POST /v1/verify", h.verify)
	h.mux.HandleFunc("GET /healthz", h.healthz)
	h.mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		h.metrics.write(w, cfg.Cache)
	})
	return h
}

// Drain makes /healthz say that the service is about to stop, so that nobody
// sends more. What comes nevertheless is answered.
func (h *Handler) Drain() { h.draining.Store(true) }

// ServeHTTP serves a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	h.mux.ServeHTTP(w, r)
}

func (h *Handler) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if h.draining.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "stopping\n")
		return
	}
	_, _ = io.WriteString(w, "ok\n")
}

// nothing answers requests for what is not there.
func (h *Handler) nothing(w http.ResponseWriter, r *http.Request) {
	f := &failure{code: http.StatusNotFound, err: fmt.Errorf("there is no %.60q; /v1/verify, /healthz and /metrics are known", r.URL.Path)}
	methods := map[string]string{"/v1/verify": "POST", "/healthz": "GET, HEAD", "/metrics": "GET, HEAD"}[r.URL.Path]
	if methods != "" {
		w.Header().Set("Allow", methods)
		f = &failure{code: http.StatusMethodNotAllowed, err: fmt.Errorf("%s takes %s, not %.20q", r.URL.Path, methods, r.Method)}
	}
	id := requestID(r)
	w.Header().Set("X-Request-ID", id)
	h.fail(w, id, f)
}

// failure is an answer that is no verdict.
type failure struct {
	code    int    // of HTTP
	outcome string // for the metrics
	err     error
}

// verify answers POST /v1/verify.
func (h *Handler) verify(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	id := requestID(r)
	w.Header().Set("X-Request-ID", id)
	log := h.cfg.Log.With("request_id", id)
	outcome := busy
	defer func() { h.metrics.done(outcome, time.Since(start)) }()
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	default:
		w.Header().Set("Retry-After", "1")
		log.Warn("turned away", "requests", h.cfg.MaxRequests)
		h.fail(w, id, &failure{http.StatusServiceUnavailable, busy, errors.New("as many requests as may be are under way; try again")})
		return
	}
	h.metrics.inFlight.Add(1)
	defer h.metrics.inFlight.Add(-1)

	ctx, cancel := context.WithTimeout(r.Context(), h.cfg.Timeout)
	defer cancel()
	answer, failed := h.answer(ctx, w, r)
	took := slog.Int64("took_ns", time.Since(start).Nanoseconds())
	if failed != nil {
		outcome = failed.outcome
		log.Warn("no verdict", "outcome", outcome, "code", failed.code, "error", failed.err.Error(), took)
		h.fail(w, id, failed)
		return
	}
	outcome = rejected
	if answer.Accepted {
		outcome = accepted
	}
	log.Info("verdict", "outcome", outcome, "status", answer.Status.String(), "reason", answer.Reason, took)
	reply(w, http.StatusOK, answer)
}

// fail writes an answer that is no verdict.
func (h *Handler) fail(w http.ResponseWriter, id string, f *failure) {
	reply(w, f.code, struct {
		Error     string `json:"error"`
		RequestID string `json:"request_id"`
	}{f.err.Error(), id})
}

func reply[T any](w http.ResponseWriter, code int, v T) {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		code, b = http.StatusInternalServerError, []byte(`{"error": "the answer cannot be written"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(append(b, '\n')) // the client may be gone
}

// goodID is an ID of a request that may stand in a log.
var goodID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// requestID is the client's ID for a request, or a new one.
func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-ID"); goodID.MatchString(id) {
		return id
	}
	return strings.ToLower(rand.Text()[:16])
}
