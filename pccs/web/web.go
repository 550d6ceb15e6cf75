package web

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/store"
)

// Prefix is where the pages are.
const Prefix = "/status/"

// patience bounds a page: what the database does not tell by then is left out
// or makes it a page that says so.
const patience = 10 * time.Second

//go:embed assets
var assets embed.FS

var pages = template.Must(template.New("").Funcs(words).ParseFS(assets, "assets/*.html"))

// Handler serves the pages below Prefix. It is safe for concurrent use.
type Handler struct {
	source     source
	authorised func(*http.Request) bool
	census     census
	mux        *http.ServeMux
}

// source is what the pages are made of: methods of the service, and of its
// database, because to look at a document must not have it fetched.
type source struct {
	status    func(context.Context) (*pccs.Status, error)
	document  func(ctx context.Context, name string) (*store.Document, error)
	platform  func(context.Context, store.PlatformID) (*store.Platform, error)
	platforms func(ctx context.Context, fmspcs []string, after store.PlatformID, n int) ([]store.Platform, error)
	groups    counter
}

// New returns the pages of a service and its database. Authorised says whether
// a request may see them, such as by the administrator's token as the password
// of HTTP Basic; the others get 401, which has a browser ask for a password.
func New(s *pccs.Service, db *store.Store, authorised func(*http.Request) bool) *Handler {
	return newHandler(source{s.Status, db.Document, db.Platform, db.Platforms, db.TCBGroups}, authorised)
}

func newHandler(src source, authorised func(*http.Request) bool) *Handler {
	h := &Handler{source: src, authorised: authorised, mux: http.NewServeMux()}
	h.mux.HandleFunc(Prefix+"{$}", h.page("overview", h.overview))
	h.mux.HandleFunc(Prefix+"documents", h.page("documents", h.documents))
	h.mux.HandleFunc(Prefix+"platforms", h.page("platforms", h.platforms))
	h.mux.HandleFunc(Prefix+"fmspc", h.page("fmspc", h.fmspc))
	h.mux.HandleFunc(Prefix+"status.json", h.json)
	for _, f := range []struct{ name, contentType string }{
		{"style.css", "text/css; charset=utf-8"},
		{"script.js", "text/javascript; charset=utf-8"},
		{"icon.svg", "image/svg+xml"},
	} {
		h.mux.HandleFunc(Prefix+f.name, asset(f.name, f.contentType))
	}
	h.mux.HandleFunc(Prefix, func(w http.ResponseWriter, r *http.Request) {
		fail(w, r, http.StatusNotFound, "There is no such page", "The status page begins at "+Prefix+".")
	})
	return h
}

// policy has the browser load nothing that is not of this server, and nothing
// that is in the page itself: should something ever not be escaped, it does not run.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// ServeHTTP answers GET and HEAD of who is authorised.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Content-Security-Policy", policy)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	head.Set("Cache-Control", "no-store")
	switch {
	case r.URL.Path+"/" == Prefix:
		http.Redirect(w, r, Prefix, http.StatusFound)
	case !h.authorised(r):
		head.Set("WWW-Authenticate", `Basic realm="PCCS status: any user name, the admin token as the password", charset="UTF-8"`)
		fail(w, r, http.StatusUnauthorized, "The administrator's token is needed", "Give it as the password; the user name does not matter. A service that has no admin token configured shows this page to nobody.")
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		head.Set("Allow", "GET, HEAD")
		fail(w, r, http.StatusMethodNotAllowed, "This page is for reading", "It takes GET only.")
	default:
		h.mux.ServeHTTP(w, r)
	}
}

// frame is what all pages have.
type frame struct {
	Page, Title string
	At          time.Time
	View        view
}

// view is what one page shows: overview, documentsView and so on, whose fields
// the page's template knows.
type view any

// problem is the page of an error.
type problem struct {
	Code       int
	What, Next string
}

func (p problem) Error() string { return p.What }

// page serves what a function makes of the state of the service.
func (h *Handler) page(name string, build func(context.Context, *http.Request, *pccs.Status) (title string, v view, err error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		s, err := h.source.status(ctx)
		if err != nil {
			fail(w, r, http.StatusServiceUnavailable, "The state of the service is not known", err.Error())
			return
		}
		title, v, err := build(ctx, r, s)
		var p problem
		switch {
		case errors.As(err, &p):
			fail(w, r, p.Code, p.What, p.Next)
			return
		case err != nil:
			fail(w, r, http.StatusServiceUnavailable, "The database did not answer", err.Error())
			return
		}
		write(w, r, http.StatusOK, frame{Page: name, Title: title, At: s.At, View: v})
	}
}

func fail(w http.ResponseWriter, r *http.Request, code int, what, next string) {
	write(w, r, code, frame{Page: "problem", Title: what, View: problem{code, what, next}})
}

// write makes the page before it sends the first byte of it.
func write(w http.ResponseWriter, r *http.Request, code int, f frame) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, f.Page+".html", f); err != nil {
		http.Error(w, "The page cannot be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	send(w, r, code, "text/html; charset=utf-8", b.Bytes())
}

func send(w http.ResponseWriter, r *http.Request, code int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}

// json serves the pccs.Status as it is.
func (h *Handler) json(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	s, err := h.source.status(ctx)
	code, body := http.StatusOK, []byte(nil)
	if err == nil {
		body, err = json.MarshalIndent(s, "", "  ")
	}
	if err != nil {
		code = http.StatusServiceUnavailable
		body, _ = json.Marshal(map[string]string{"Error": err.Error()})
	}
	send(w, r, code, "application/json", append(body, '\n'))
}

func asset(name, contentType string) http.HandlerFunc {
	body, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic(err) // it is compiled in
	}
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "private, max-age=3600")
		send(w, r, http.StatusOK, contentType, body)
	}
}
