package server

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

// from asks as a client at an address.
func from(t *testing.T, s http.Handler, remote, target string) int {
	t.Helper()
	r := httptest.NewRequest("GET", target, nil)
	r.RemoteAddr = remote
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code
}

// A client that asks for what nobody has keeps no other from what it asks for
// first, from whatever ports and addresses of its network.
func TestOneClient(t *testing.T) {
	for name, address := range map[string]func(i int) string{
		"IPv4":        func(i int) string { return fmt.Sprintf("192.0.2.1:%d", 1024+i) },
		"IPv6":        func(i int) string { return fmt.Sprintf("[2001:db8::%x]:1024", i+1) },
		"mapped IPv4": func(i int) string { return fmt.Sprintf("[::ffff:192.0.2.1]:%d", 1024+i) },
		"link-local":  func(i int) string { return fmt.Sprintf("[fe80::1%%eth%d]:1024", i) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			refused := 0
			for i := range 300 {
				if from(t, f, address(i), fmt.Sprintf("%stcb?fmspc=%012X", sgx4, i)) == 503 {
					refused++
				}
			}
			if refused < 150 {
				t.Errorf("%d of 300 were refused", refused)
			}
			if got := from(t, f, "198.51.100.7:1", sgx4+"tcb?fmspc="+f.fmspc()); got != 200 {
				t.Errorf("another client: %d", got)
			}
		})
	}
}

// What takes a token is kept by no cache on the way, whose key has no token.
func TestUnkept(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct{ method, target, header, token string }{
		{"GET", sgx4 + "platforms?source=[]", adminToken, theAdmin}, {"HEAD", sgx4 + "platforms", adminToken, theAdmin}, {"GET", sgx4 + "refresh", adminToken, theAdmin},
		{"POST", sgx4 + "platforms", userToken, theUser}, {"PUT", sgx4 + "appraisalpolicy", adminToken, theAdmin},
	} {
		if g := ask(t, f, c.method, c.target, "", c.header, c.token); g.first("Cache-Control") != "no-store" {
			t.Errorf("%s %s: %d, Cache-Control %q", c.method, c.target, g.status, g.first("Cache-Control"))
		}
	}
}

// A warning ends where it is to, whatever is in it.
func TestWarning(t *testing.T) {
	if got, want := warning(110, "a \"b\"\r\nc\\"), `110 - "a 'b'? c/"`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
