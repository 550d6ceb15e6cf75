package pcs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Client asks services for collateral. It is safe for concurrent use.
type Client struct {
	cfg     Config
	service service
	pck     []service
	rootCRL string
	http    *http.Client
	cache   *cache // nil: none
	sleep   func(context.Context, time.Duration) error
}

// New returns a client. It asks nobody yet.
func New(cfg Config) (*Client, error) {
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("pcs: %w", err)
	}
	c := &Client{cfg: cfg, http: cfg.client(), sleep: sleep}
	var err error
	if c.service, err = parseService(cfg.URL, cfg.APIVersion); err != nil {
		return nil, fmt.Errorf("pcs: %w", err)
	}
	for _, u := range cfg.PCKURLs {
		s, err := parseService(u, 0)
		if err != nil {
			return nil, fmt.Errorf("pcs: %w", err)
		}
		c.pck = append(c.pck, s)
	}
	if c.pck == nil {
		c.pck = []service{c.service}
	}
	c.rootCRL = c.service.rootCRL()
	if cfg.RootCRLURL != "" {
		u, err := parseURL(cfg.RootCRLURL)
		if err != nil {
			return nil, fmt.Errorf("pcs: %w", err)
		}
		c.rootCRL = u.String()
	}
	if cfg.CacheDir != "" {
		c.cache = &cache{dir: cfg.CacheDir, most: cfg.CacheSize}
	}
	return c, nil
}

// Choosing returns the client as one that chooses so among the TCB infos and
// identities that there are at a time, in place of its configuration: by a type of
// update, or by a TCB evaluation data number unless that is 0. The two share
// connections and copies.
func (c *Client) Choosing(u Update, number uint32) *Client {
	other := *c
	other.cfg.Update, other.cfg.EvaluationDataNumber = u, number
	return &other
}

// URL is the address of the service for collateral, without what identifies a
// user.
func (c *Client) URL() string {
	u, err := url.Parse(c.service.prefix)
	if err != nil { // New has read it
		return ""
	}
	return redact(u)
}

// HasKey reports whether requests for PCK certificates carry a subscription key.
func (c *Client) HasKey() bool {
	return c.pckHeader(c.service).Get(headerKey) != ""
}

// Now is the time by the client's clock.
func (c *Client) Now() time.Time { return c.cfg.Now() }

// Document is one document as it was served.
type Document struct {
	Body   []byte // JSON to the byte, a CRL as DER, a certificate as PEM
	Chain  []byte // its issuers in PEM, in the form that dcap.ParseChain takes; nil for the root CRL and lists
	Source Source

	header map[string]string // others that matter
}

// Source tells where a document is from.
type Source struct {
	Document   string    // such as "TCB info (TDX) of FMSPC 90C06F000000"
	URL        string    // without what identifies a platform or a user
	Fetched    time.Time // UTC
	NextUpdate time.Time // of the document; zero if it does not say
	Cached     bool      // it is a copy
	Stale      error     // why an old copy stands in; nil if none does
	NotKept    error     // why no copy could be kept; nil if there is one, or is to be none
	RequestID  string    // of the service
	Warning    string    // of the service, such as about the end of an interface
	Sandbox    bool      // its chain is of Intel's sandbox, whose root is not the usual one
}

// Expired reports whether the document is past its next update. A verifier
// refuses it then. Some PCCS serve such documents for years: it helps to
// refresh them (POST /refresh).
func (s *Source) Expired(now time.Time) bool {
	return !s.NextUpdate.IsZero() && !now.Before(s.NextUpdate)
}

const (
	headerChain     = "Issuer-Chain" // in copies
	headerRequestID = "Request-ID"
	headerWarning   = "Warning"
)

// get returns a document from the cache or from its service.
func (c *Client) get(ctx context.Context, r *request) (*Document, error) {
	u, err := url.Parse(r.url)
	if err != nil {
		return nil, &Error{Document: r.what, Kind: ErrBadRequest, Reason: "its address is no URL"}
	}
	name, now := cacheName(u), c.cfg.Now()
	var old *Document
	if c.cache != nil && !c.cfg.Refresh {
		if e := c.cache.load(name); e != nil {
			usable, fresh := e.usable(now, r.maxAge)
			if usable {
				old = e.document(r, redact(u))
			}
			if old != nil && (fresh || c.cfg.Offline) {
				return old, nil
			}
		}
	}
	if c.cfg.Offline {
		return nil, &Error{Document: r.what, URL: redact(u), Kind: ErrNotCached, Advice: "fetch it once with a network, or take a bundle along"}
	}
	got, failed := c.fetch(ctx, r)
	if failed != nil {
		if c.cfg.Stale && old != nil && noService(failed) && !errors.Is(ctx.Err(), context.Canceled) {
			old.Source.Stale = failed
			return old, nil
		}
		return nil, failed
	}
	d, e, failed := c.accept(r, got, redact(u))
	if failed != nil {
		return nil, failed
	}
	if c.cache != nil && e.Expires.After(now) {
		e.URL = name
		d.Source.NotKept = c.cache.store(e)
	}
	return d, nil
}

// accept makes a document of a reply, and a copy of it.
func (c *Client) accept(r *request, got *reply, shown string) (*Document, *entry, *Error) {
	bad := &Error{Document: r.what, URL: shown, Status: 200, RequestID: line(got.header.Get(headerRequestID)), Kind: ErrBadReply}
	body, next, err := r.read(got.body)
	if err != nil {
		bad.Reason = err.Error()
		return nil, nil, bad
	}
	header := map[string]string{headerRequestID: bad.RequestID, headerWarning: line(got.header.Get(headerWarning))}
	if r.chain != nil {
		value := ""
		for _, name := range r.chain {
			if value == "" {
				value = got.header.Get(name)
			}
		}
		if value == "" {
			bad.Reason = "it has no header " + r.chain[0]
			bad.Advice = "does a proxy drop it, or is this another version of the interface?"
			return nil, nil, bad
		}
		chain, err := parseIssuerChain(value)
		if err != nil {
			bad.Reason = fmt.Sprintf("header %s: %v", r.chain[0], err)
			return nil, nil, bad
		}
		header[headerChain] = string(chain)
	}
	for _, name := range r.keep {
		header[name] = line(got.header.Get(name))
	}
	for name, value := range header {
		if value == "" {
			delete(header, name)
		}
	}
	now := c.cfg.Now().UTC().Truncate(time.Second)
	age := r.maxAge
	if served, ok := maxAge(got.header); ok {
		age = min(age, served)
	}
	e := &entry{Fetched: now, Expires: now.Add(age), NextUpdate: next.UTC(), Header: header, Body: body}
	if !next.IsZero() && next.Before(e.Expires) {
		e.Expires = e.NextUpdate
	}
	d := e.document(r, shown)
	d.Source.Cached = false
	return d, e, nil
}

// document is what a copy is of.
func (e *entry) document(r *request, shown string) *Document {
	d := &Document{Body: e.Body, header: e.Header}
	if chain := e.Header[headerChain]; chain != "" {
		d.Chain = []byte(chain)
	}
	d.Source = Source{
		Document: r.what, URL: shown, Fetched: e.Fetched, NextUpdate: e.NextUpdate, Cached: true,
		RequestID: e.Header[headerRequestID], Warning: e.Header[headerWarning], Sandbox: ofSandbox(d.Chain),
	}
	return d
}

// maxAge reads the header Cache-Control (RFC 9111 §5.2.2).
func maxAge(h http.Header) (age time.Duration, ok bool) {
	for _, value := range h.Values("Cache-Control") {
		for directive := range strings.SplitSeq(value, ",") {
			name, arg, _ := strings.Cut(strings.TrimSpace(directive), "=")
			switch strings.ToLower(name) {
			case "no-store", "no-cache":
				return 0, true
			case "max-age":
				n, err := strconv.ParseUint(strings.Trim(arg, `"`), 10, 31)
				if err != nil {
					return 0, true // what cannot be read is stale
				}
				if d := time.Duration(n) * time.Second; !ok || d < age {
					age, ok = d, true
				}
			}
		}
	}
	return age, ok
}
