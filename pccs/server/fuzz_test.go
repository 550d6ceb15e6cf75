package server

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// FuzzRequest: whatever is asked, the answer has a status that the service is known
// for, none that says it failed, a header that is one, and a body of Intel's.
func FuzzRequest(f *testing.F) {
	x := newFixture(f, offlineMode)
	f.Add("GET", sgx4+"pckcert", x.pckQuery().Encode(), "", []byte{})
	f.Add("GET", tdx4+"tcb", "fmspc="+x.fmspc()+"&update=early", "", []byte{})
	f.Add("POST", sgx4+"platforms", "update=all", "application/json", []byte(x.registration()))
	f.Add("PUT", sgx4+"platformcollateral", "", "application/json", []byte(`{"platforms":[],"collaterals":{"version":4}}`))
	f.Add("PUT", sgx3+"appraisalpolicy", "", "application/json", []byte(`{"is_default":true,"fmspc":"00906ED50000","policy":"e.e30.s"}`))
	f.Add("GET", sgx4+"platforms", "source=[00906ED50000,%20]", "", []byte{})
	f.Fuzz(func(t *testing.T, method, path, query, media string, body []byte) {
		r := &http.Request{
			Method: method, URL: &url.URL{Scheme: "http", Host: "pccs.test", Path: path, RawQuery: query},
			Header: http.Header{"Content-Type": {media}, "Admin-Token": {theAdmin}, "User-Token": {theUser}, "Request-Id": {query}, "If-None-Match": {query}},
			Body:   io.NopCloser(bytes.NewReader(body)), ContentLength: -1,
		}
		w := &recorder{header: http.Header{}}
		x.ServeHTTP(w, r)
		switch {
		case w.status == 200, w.status == 304:
		case w.status == 503: // OFFLINE mode refreshes nothing
			if !strings.Contains(strings.ToLower(path), "refresh") {
				t.Errorf("%d: %v", w.status, w.header)
			}
		case w.status == 404 && strings.HasPrefix(w.body.String(), "<!DOCTYPE html>"):
			_, what, _ := strings.Cut(w.body.String(), "<pre>Cannot ")
			if what, _, _ = strings.Cut(what, "</pre>"); strings.ContainsAny(what, "<>\"'") {
				t.Errorf("the path is not escaped: %q", &w.body)
			}
		case w.status >= 500 || method != http.MethodHead && w.body.String() != bodies[w.status]:
			t.Errorf("%d %q: %v\n%s", w.status, &w.body, w.header, x.log)
		}
		if (w.status >= 400) != (len(w.header["Error-Code"]) > 0) && !strings.HasPrefix(path, "/healthz") {
			t.Errorf("%d: %v", w.status, w.header)
		}
		for name, lines := range w.header {
			for _, l := range lines {
				if strings.ContainsFunc(l, func(r rune) bool { return r < ' ' || r > '~' }) {
					t.Errorf("%s: %q", name, l)
				}
			}
		}
	})
}

// FuzzParam: a query is read as package net/url reads it, where that reads it.
func FuzzParam(f *testing.F) {
	f.Add("a=1&a=2&b=%41+c&%61=x&=&c", "a")
	f.Add("fmspc=%zz&x=%4", "x")
	f.Fuzz(func(t *testing.T, query, name string) {
		r := &request{Request: &http.Request{URL: &url.URL{RawQuery: query}}}
		got, ok := r.param(name)
		want, err := url.ParseQuery(query)
		if err != nil {
			return // Intel's service takes those, too
		}
		if first := want[name]; ok != (len(first) > 0) && query != "" && name != "" || ok && len(first) > 0 && got != first[0] {
			t.Errorf("%q in %q: %q, %v, want %q", name, query, got, ok, first)
		}
	})
}
