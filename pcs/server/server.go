package server

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/internal/serve"
	"github.com/feidi-dev/feidi/world"
)

// Defaults of Options.
const (
	DefaultMaxRequests    = 64
	DefaultMaxConnections = serve.DefaultMaxConnections
	DefaultDrain          = serve.DefaultDrain
)

// Options say how a service is run. The zero value will do.
type Options struct {
	// Keys are the subscription keys that PCK certificates and adding packages
	// take one of, in the header Ocp-Apim-Subscription-Key. Without any, all
	// are served.
	Keys []string
	// MaxRequests is how many requests are worked at at a time. One that is
	// too many is answered with 503.
	MaxRequests int
	// MaxConnections is how many connections Serve has open at a time. Others
	// wait.
	MaxConnections int
	// Drain is how long requests may still take once Serve is to stop.
	Drain time.Duration
	// Log gets a line for each request at debug level, and for one that was
	// refused at info; nil is nowhere. No PPID and no key is in any.
	Log *slog.Logger
}

// Server is the service of a world, an http.Handler. It keeps nothing of its
// own: every answer is what the world has at that moment.
type Server struct {
	world *world.World
	o     Options
	keys  [][sha256.Size]byte
	slots chan struct{} // one for each request that may be worked at

	timeouts serve.Timeouts
}

// New returns the service of a world.
func New(w *world.World, o Options) *Server {
	if o.MaxRequests <= 0 {
		o.MaxRequests = DefaultMaxRequests
	}
	if o.MaxConnections <= 0 {
		o.MaxConnections = DefaultMaxConnections
	}
	if o.Drain <= 0 {
		o.Drain = DefaultDrain
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{world: w, o: o, slots: make(chan struct{}, o.MaxRequests), timeouts: serve.Standard}
	for _, k := range o.Keys {
		s.keys = append(s.keys, sha256.Sum256([]byte(k)))
	}
	return s
}

// route is what there is at a path, by method.
type route struct {
	get, post handler
	// private routes take a subscription key, if there are any.
	private bool
	// What a POST must bring: its media type, and its size at most.
	media string
	most  int64
}

// handler answers a request.
type handler func(*Server, *request) (*answer, error)

const (
	sgx          = "/sgx/certification/v4/"
	tdx          = "/tdx/certification/v4/"
	registration = "/sgx/registration/v1/"
)

var routes = map[string]route{
	sgx + "pckcert":                  {get: (*Server).pckCert, post: (*Server).pckCert, private: true, media: typeJSON, most: maxJSON},
	sgx + "pckcerts":                 {get: (*Server).pckCerts, post: (*Server).pckCerts, private: true, media: typeJSON, most: maxJSON},
	sgx + "pckcrl":                   {get: (*Server).pckCRL},
	sgx + "tcb":                      {get: (*Server).tcb},
	tdx + "tcb":                      {get: (*Server).tcb},
	sgx + "qe/identity":              {get: (*Server).qeIdentity},
	tdx + "qe/identity":              {get: (*Server).qeIdentity},
	sgx + "qve/identity":             {get: (*Server).qveIdentity},
	sgx + "fmspcs":                   {get: (*Server).fmspcs},
	sgx + "tcbevaluationdatanumbers": {get: (*Server).evaluations},
	tdx + "tcbevaluationdatanumbers": {get: (*Server).evaluations},

	world.RootCRLPath:         {get: (*Server).rootCRL},
	"/IntelSGXRootCA.der":     {get: (*Server).rootCRL}, // for clients that do not look into certificates
	sgx + "rootcacrl":         {get: (*Server).rootCRLHex},
	sgx + "crl":               {get: (*Server).crlByURI},
	registration + "platform": {post: (*Server).registerPlatform, media: typeBinary, most: maxBinary},
	registration + "package":  {post: (*Server).addPackage, private: true, media: typeBinary, most: maxBinary},
}

// methods are those of a route, for the header Allow.
func (r *route) methods() string {
	var m []string
	if r.get != nil {
		m = append(m, "GET", "HEAD")
	}
	if r.post != nil {
		m = append(m, "POST")
	}
	return strings.Join(m, ", ")
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	id := newID()
	a, err := s.answer(w, r)
	why := slog.Attr{}
	if err != nil {
		f := refuse(err)
		a = f.answer()
		why = slog.String("why", f.code)
		if f.status == http.StatusInternalServerError {
			s.o.Log.Error("cannot answer", "path", shown(r.URL.Path), "request_id", id, "error", err)
		}
	}
	a.set("Request-ID", id)
	a.write(w, r.Method != http.MethodHead)
	level := slog.LevelDebug
	if a.status >= 400 {
		level = slog.LevelInfo
	}
	s.o.Log.LogAttrs(r.Context(), level, "request", slog.String("method", shown(r.Method)), slog.String("path", shown(r.URL.Path)),
		slog.Int("status", a.status), slog.Int64("took_ns", time.Since(start).Nanoseconds()), slog.String("request_id", id), why)
}

// shown is a text of a client's as it stands in the log.
func shown(s string) string { return s[:min(len(s), 100)] }

// newID returns the name of a request: 32 hexadecimal digits, as Intel's.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// answer finds who answers a request, and what it may bring.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) (*answer, error) {
	at, ok := routes[r.URL.Path]
	if !ok {
		return nil, missing(r.URL.Path)
	}
	h := at.get
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPost:
		h = at.post
	default:
		h = nil
	}
	if h == nil {
		f := refusal{status: http.StatusMethodNotAllowed, code: "MethodNotAllowed", message: "it takes " + at.methods()}
		f.set("Allow", at.methods())
		return nil, &f
	}
	if at.private && !s.mayAsk(r.Header.Get("Ocp-Apim-Subscription-Key")) {
		f := refusal{status: http.StatusUnauthorized, code: "Unauthorized", message: "the header Ocp-Apim-Subscription-Key has no key of this service"}
		f.set("WWW-Authenticate", `AzureApiManagementKey realm="feidi",name="Ocp-Apim-Subscription-Key",type="header"`)
		return nil, &f
	}
	req, err := newRequest(w, r, &at)
	if err != nil {
		return nil, err
	}
	// Who is slow in sending has not taken the place of others.
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		f := refusal{status: http.StatusServiceUnavailable, code: "ServiceUnavailable", message: "as many requests as may be are under way"}
		f.set("Retry-After", "1")
		return nil, &f
	}
	return h(s, req)
}

// mayAsk reports whether a subscription key is one of the service's. How long
// it takes says nothing of which keys there are.
func (s *Server) mayAsk(key string) bool {
	sum := sha256.Sum256([]byte(key))
	found := 0
	for _, k := range s.keys {
		found |= subtle.ConstantTimeCompare(k[:], sum[:])
	}
	return found == 1 && key != "" || len(s.keys) == 0
}

// missing is the answer where nothing is.
func missing(path string) *refusal {
	for _, v := range []string{"v1", "v2", "v3"} {
		if strings.HasPrefix(path, "/sgx/certification/"+v+"/") {
			f := &refusal{status: http.StatusGone, code: "Gone", message: "this version of the API is retired: use version 4"}
			f.set("Warning", `299 - "This version of the API is retired: use version 4"`)
			return f
		}
	}
	return notFound("there is no such interface here")
}
