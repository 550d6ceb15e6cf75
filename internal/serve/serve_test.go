package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// start serves, and returns the addresses, what stops it, and how it ends.
func start(t *testing.T, s *Server, listeners int) (addresses []string, stop context.CancelFunc, ended chan error) {
	t.Helper()
	var ls []net.Listener
	for range listeners {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ls = append(ls, l)
		addresses = append(addresses, l.Addr().String())
	}
	ctx, stop := context.WithCancel(t.Context())
	ended = make(chan error, 1)
	go func() { ended <- s.Serve(ctx, ls...) }()
	return addresses, stop, ended
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

var hello = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })

const ask = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

// Two listeners share the places: while the only one is taken at the first,
// nobody is answered at the second, and then at once.
func TestListeners(t *testing.T) {
	begun, goOn := make(chan struct{}, 2), make(chan struct{})
	at, stop, ended := start(t, &Server{MaxConnections: 1, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		<-goOn
		hello(w, r)
	})}, 2)
	first := dial(t, at[0])
	fmt.Fprint(first, ask)
	<-begun
	second := dial(t, at[1])
	fmt.Fprint(second, ask)
	select {
	case <-begun:
		t.Error("two are served in one place")
	case <-time.After(20 * time.Millisecond):
	}
	close(goOn)
	for _, c := range []net.Conn{first, second} { // the place is wanted, so each answer ends its connection
		answer, err := io.ReadAll(c)
		if err != nil || !strings.HasSuffix(string(answer), "hello") || !strings.Contains(string(answer), "Connection: close") {
			t.Errorf("%q, %v", answer, err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for _, address := range at {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			t.Errorf("%s is still open", address)
		}
	}
}

// A listener that fails ends the other, too.
func TestListenerFails(t *testing.T) {
	good, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	if err := (&Server{Handler: hello}).Serve(t.Context(), good, gone); !errors.Is(err, net.ErrClosed) {
		t.Errorf("it ends with %v", err)
	}
	if c, err := net.Dial("tcp", good.Addr().String()); err == nil {
		c.Close()
		t.Error("the other listener is still open")
	}
}

// Over TLS, connections without a request are not waited for either, whether
// their handshake was made or not; and those with one are.
func TestStopTLS(t *testing.T) {
	cert, _ := pair(t, t.TempDir(), "localhost")
	begun, goOn, told := make(chan struct{}), make(chan struct{}), make(chan struct{})
	s := &Server{TLS: cert.Config(), Stopping: func() { close(told) }, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-goOn
		hello(w, r)
	})}
	at, stop, ended := start(t, s, 1)
	raw := dial(t, at[0])
	idle := tls.Client(dial(t, at[0]), &tls.Config{InsecureSkipVerify: true})
	if err := idle.Handshake(); err != nil {
		t.Fatal(err)
	}
	busy := tls.Client(dial(t, at[0]), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}})
	fmt.Fprint(busy, ask)
	<-begun
	if got := busy.ConnectionState().NegotiatedProtocol; got != "http/1.1" {
		t.Errorf("protocol %q", got)
	}
	stop()
	<-told
	for name, c := range map[string]net.Conn{"without a handshake": raw, "without a request": idle} {
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Errorf("the connection %s was told something", name)
		}
	}
	close(goOn)
	answer, err := io.ReadAll(busy)
	if err != nil || !strings.HasSuffix(string(answer), "hello") {
		t.Errorf("%q, %v", answer, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// What takes longer than Drain is broken off, which is an error.
func TestDrain(t *testing.T) {
	begun := make(chan struct{})
	s := &Server{Drain: 20 * time.Millisecond, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
	})}
	at, stop, ended := start(t, s, 1)
	fmt.Fprint(dial(t, at[0]), ask)
	<-begun
	stop()
	if err := <-ended; !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "broken off") {
		t.Errorf("it ends with %v", err)
	}
}
