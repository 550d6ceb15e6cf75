package server

import (
	"html"
	"net/http"
	"slices"
	"strings"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs/web"
)

// handler answers a request. The errors that clients are told are *pccs.Error.
type handler func(*Server, *request) (*answer, error)

// who may use a method.
type who int

const (
	anybody who = iota
	users
	administrators
)

// method is what there is of a method at a path.
type method struct {
	name   string
	handle handler
	by     who
	keep   bool // the same for all who ask: it may be kept, and made once for all
	plain  bool // it is about this server, and works when it is busy
}

// route is what there is at a path.
type route struct {
	path    string
	api     int
	tee     dcap.TEEType
	methods []method
	// guard is who may try any other method, by which Intel's service lets
	// nobody but administrators see what there is.
	guard who
	index int // in the metrics
}

// at returns what there is of a method, or nil. Where GET may be kept, HEAD is the
// same without the body.
func (at *route) at(name string) *method {
	i := slices.IndexFunc(at.methods, func(m method) bool { return m.name == name || m.keep && name == http.MethodHead })
	if i < 0 {
		return nil
	}
	return &at.methods[i]
}

// allowed are the methods of a route, as Express lists them.
func (at *route) allowed() string {
	var names []string
	for _, m := range at.methods {
		names = append(names, m.name)
		if m.keep {
			names = append(names, http.MethodHead)
		}
	}
	return strings.Join(names, ",")
}

const (
	sgx3 = "/sgx/certification/v3/"
	sgx4 = "/sgx/certification/v4/"
	tdx4 = "/tdx/certification/v4/"
)

// routes are all there is, by path. The others stand for the status page, and for
// what is not there.
var (
	routes, inOrder = makeRoutes()
	statusPage      = &route{path: web.Prefix, index: len(inOrder)}
	nowhere         = &route{path: "other", index: len(inOrder) + 1}
	nowhere3        = &route{path: "other", index: len(inOrder) + 1, api: 3}
)

func get(h handler) method { return method{name: http.MethodGet, handle: h, keep: true} }

func makeRoutes() (map[string]*route, []*route) {
	m := map[string]*route{}
	var list []*route
	put := func(base, path string, guard who, methods ...method) {
		at := &route{path: base + path, methods: methods, guard: guard, api: 4, index: len(list)}
		switch base {
		case tdx4:
			at.tee = dcap.TEETDX
		case sgx3:
			at.api = 3
		}
		m[strings.ToLower(at.path)] = at
		list = append(list, at)
	}
	for _, base := range []string{sgx4, sgx3} {
		put(base, "pckcert", anybody, get((*Server).pckCert))
		put(base, "pckcrl", anybody, get((*Server).pckCRL))
		put(base, "tcb", anybody, get((*Server).tcb))
		put(base, "qe/identity", anybody, get((*Server).qeIdentity))
		put(base, "qve/identity", anybody, get((*Server).qveIdentity))
		put(base, "rootcacrl", anybody, get((*Server).rootCRL))
		put(base, "crl", anybody, get((*Server).crl))
		put(base, "platforms", anybody,
			method{name: http.MethodGet, handle: (*Server).listPlatforms, by: administrators},
			method{name: http.MethodHead, handle: (*Server).listPlatforms, by: administrators},
			method{name: http.MethodPost, handle: (*Server).register, by: users})
		put(base, "platformcollateral", administrators,
			method{name: http.MethodPut, handle: (*Server).putCollateral, by: administrators})
		put(base, "refresh", administrators,
			method{name: http.MethodPost, handle: (*Server).refresh, by: administrators},
			method{name: http.MethodGet, handle: (*Server).refresh, by: administrators})
		put(base, "appraisalpolicy", anybody, get((*Server).policies),
			method{name: http.MethodPut, handle: (*Server).putPolicy, by: administrators})
	}
	put(tdx4, "tcb", anybody, get((*Server).tcb))
	put(tdx4, "qe/identity", anybody, get((*Server).qeIdentity))

	// What Intel's own service has, and its cache has not.
	put(sgx4, "pckcerts", anybody, get((*Server).pckCerts))
	put(sgx4, "fmspcs", anybody, get((*Server).fmspcs))
	put(sgx4, "tcbevaluationdatanumbers", anybody, get((*Server).evaluations))
	put(tdx4, "tcbevaluationdatanumbers", anybody, get((*Server).evaluations))

	about := func(h handler) []method {
		return []method{{name: http.MethodGet, handle: h, plain: true}, {name: http.MethodHead, handle: h, plain: true}}
	}
	put("/", "healthz", anybody, about((*Server).alive)...)
	put("/", "healthz/ready", anybody, about((*Server).ready)...)
	put("/", "metrics", anybody, about((*Server).showMetrics)...)
	put("/", "openapi.json", anybody, about((*Server).openAPI)...)
	return m, list
}

// find returns what is at a path. As with Express, case does not matter, nor a
// slash at the end; but a letter that is percent-encoded is another.
func find(path string) *route {
	if at := routes[path]; at != nil {
		return at
	}
	path = strings.ToLower(path)
	if at := routes[strings.TrimSuffix(path, "/")]; at != nil {
		return at
	}
	if strings.HasPrefix(path, sgx3) {
		return nowhere3
	}
	return nowhere
}

// missing is what Express says where nothing is.
func missing(method, path string) *answer {
	const page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n<body>\n<pre>%</pre>\n</body>\n</html>\n"
	a := reply(http.StatusNotFound, typeHTML, []byte(strings.Replace(page, "%", html.EscapeString("Cannot "+method+" "+path), 1)))
	a.add("Content-Security-Policy", "default-src 'none'")
	a.add("X-Content-Type-Options", "nosniff")
	a.refusal = noSuchInterface(method, path)
	a.add("Error-Code", string(a.refusal.Reason))
	a.add("Error-Message", line(a.refusal.Message))
	return a
}
