package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/internal/serve"
	"github.com/feidi-dev/feidi/pccs"
)

// start serves, and returns the address, what stops it, and how it ends.
func start(t *testing.T, s *Server) (address string, stop context.CancelFunc, ended chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended = make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	return l.Addr().String(), stop, ended
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

// On the wire, names are spelled as Intel spells them.
func TestWire(t *testing.T) {
	f := newFixture(t)
	address, stop, ended := start(t, f.Server)
	c := dial(t, address)
	fmt.Fprintf(c, "GET %spckcert?%s HTTP/1.1\r\nHost: x\r\nrequest-id: mine\r\nConnection: close\r\n\r\n", sgx4, f.pckQuery().Encode())
	b, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	header, body, _ := strings.Cut(string(b), "\r\n\r\n")
	for _, want := range []string{
		"HTTP/1.1 200 OK\r\n", "\r\nRequest-ID: mine\r\n", "\r\nSGX-TCBm: ", "\r\nSGX-FMSPC: 00FE1D100000\r\n", "\r\nSGX-PCK-Certificate-CA-Type: PLATFORM\r\n",
		"\r\nSGX-PCK-Certificate-Issuer-Chain: -----BEGIN%20CERTIFICATE-----%0A", "\r\nContent-Type: application/x-pem-file\r\n", "\r\nETag: W/\"", "\r\nAge: 0\r\n",
	} {
		if !strings.Contains(header+"\r\n", want) {
			t.Errorf("%q is not in %q", want, header)
		}
	}
	if body != string(f.platform.PCK.PEM()) {
		t.Errorf("body %q", body)
	}
	c = dial(t, address)
	fmt.Fprintf(c, "GET %stcb HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", sgx4)
	b, err = io.ReadAll(c)
	if err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 400 Bad Request\r\n") || !strings.HasSuffix(string(b), "\r\n\r\nInvalid request parameters.") {
		t.Errorf("%q, %v", b, err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if g := ask(t, f, "GET", "/healthz/ready", ""); g.status != 503 || g.body != "stopping\n" {
		t.Errorf("ready while it stops: %d %q", g.status, g.body)
	}
}

// Bodies and headers without end are not read to their end, and who sends slowly
// is dropped while others are served.
func TestHostile(t *testing.T) {
	f := newFixture(t, offlineMode, func(_ *pccs.Options, o *Options) {
		o.Timeouts = serve.Timeouts{Header: 300 * time.Millisecond, Read: 600 * time.Millisecond, Write: 5 * time.Second, Idle: 300 * time.Millisecond}
	})
	address, _, _ := start(t, f.Server)
	post := "POST " + sgx4 + "platforms HTTP/1.1\r\nHost: x\r\nuser-token: " + theUser + "\r\nContent-Type: application/json\r\n"
	for name, c := range map[string]struct {
		begin  string
		status int // 0 is none
		slow   bool
	}{
		"length":      {post + "Content-Length: 1000000000000\r\n\r\n", 413, false},
		"chunks":      {post + "Transfer-Encoding: chunked\r\n\r\n7fffffff\r\n{\"qe_id\":\"", 413, false},
		"header":      {"GET / HTTP/1.1\r\nHost: x\r\nX: ", 431, false},
		"slow header": {"GET / HTTP/1.1\r\nHost: x\r\nX: ", 0, true},
		"slow body":   {post + "Content-Length: 1000\r\n\r\n{", 400, true},
		"no token":    {strings.Replace(post, theUser, "x", 1) + "Content-Length: 1000000\r\n\r\n", 401, false},
	} {
		t.Run(name, func(t *testing.T) {
			conn := dial(t, address)
			sent := make(chan int, 1)
			go func() {
				n := 0
				junk := strings.Repeat("y", 4096)
				if c.slow {
					junk = "y"
				}
				_, err := io.WriteString(conn, c.begin)
				for err == nil && n < 64<<20 {
					if c.slow {
						time.Sleep(20 * time.Millisecond)
					}
					var k int
					k, err = io.WriteString(conn, junk)
					n += k
				}
				sent <- n
			}()
			other := dial(t, address)
			fmt.Fprint(other, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			if b, err := io.ReadAll(other); err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 200 OK") {
				t.Errorf("another client: %q, %v", b, err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			switch {
			case c.status == 0 && err == nil:
				t.Errorf("%d, want none", resp.StatusCode)
			case c.status != 0 && err != nil:
				t.Error(err)
			case c.status != 0 && resp.StatusCode != c.status:
				t.Errorf("%d, want %d", resp.StatusCode, c.status)
			}
			conn.Close()
			if n := <-sent; n >= 64<<20 {
				t.Errorf("it has taken %d bytes", n)
			}
		})
	}
}
