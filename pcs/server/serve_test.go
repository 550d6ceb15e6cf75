package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/internal/serve"
	"github.com/feidi-dev/feidi/world"
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
	return c
}

// statusOn reads an answer from a connection.
func statusOn(t *testing.T, c net.Conn) int {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// What is under way when it is to stop is answered, and no more is taken.
func TestStop(t *testing.T) {
	address, stop, ended := start(t, New(theWorld(t).World, Options{}))
	c := dial(t, address)
	fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n", pathPlatform, typeBinary)
	r := bufio.NewReader(c)
	if line, err := r.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" { // it waits for the body
		t.Fatalf("%q, %v", line, err)
	}
	stop()
	for { // until it takes no more
		c, err := net.Dial("tcp", address)
		if err != nil {
			break
		}
		c.Close()
		time.Sleep(time.Millisecond)
	}
	select {
	case err := <-ended:
		t.Fatalf("it has ended before the answer: %v", err)
	default:
	}
	fmt.Fprint(c, "xx")
	_, _ = r.ReadString('\n')
	if line, err := r.ReadString('\n'); err != nil || line != "HTTP/1.1 400 Bad Request\r\n" {
		t.Errorf("%q, %v", line, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A connection on which nothing was asked, as clients open in advance, is not
// waited for.
func TestStopFresh(t *testing.T) {
	address, stop, ended := start(t, New(theWorld(t).World, Options{Drain: time.Second}))
	silent, c := dial(t, address), dial(t, address)
	fmt.Fprint(c, "GET /sgx/certification/v4/fmspcs HTTP/1.1\r\nHost: x\r\n\r\n") // so that the one before was taken
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	stop()
	if _, err := silent.Read(make([]byte, 1)); err == nil {
		t.Error("the silent connection was told something")
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// While all places are taken, an answer ends its connection, so that who asks now
// and then keeps nobody out.
func TestCrowded(t *testing.T) {
	address, stop, ended := start(t, New(theWorld(t).World, Options{MaxConnections: 1}))
	for range 3 { // each needs the place of the one before, which does not close
		c := dial(t, address)
		fmt.Fprint(c, "GET /sgx/certification/v4/fmspcs HTTP/1.1\r\nHost: x\r\n\r\n")
		answer, err := io.ReadAll(c) // to the end of the connection
		if err != nil || !bytes.Contains(answer, []byte("200 OK")) || !bytes.Contains(answer, []byte("Connection: close")) {
			t.Errorf("%q, %v", answer, err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// What takes longer than Drain is broken off, which Serve says.
func TestDrain(t *testing.T) {
	address, stop, ended := start(t, New(theWorld(t).World, Options{Drain: 50 * time.Millisecond}))
	c := dial(t, address)
	fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n", pathPlatform, typeBinary)
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "broken off") {
		t.Error(err)
	}
}

// Clients who send a byte now and then, or nothing, or never read, are dropped,
// and others are served meanwhile, also when all places are taken by them.
func TestSlow(t *testing.T) {
	s := New(theWorld(t).World, Options{MaxConnections: 4})
	s.timeouts = serve.Timeouts{Header: 300 * time.Millisecond, Read: 600 * time.Millisecond, Write: 900 * time.Millisecond, Idle: 300 * time.Millisecond}
	address, _, _ := start(t, s)
	for name, begin := range map[string]string{
		"nothing":     "",
		"the header":  "GET /IntelSGXRootCA.der HTTP/1.1\r\nHost: x\r\nX: ",
		"the body":    "POST " + pathPlatform + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nContent-Length: 50000\r\n\r\n",
		"in chunks":   "POST " + pathPlatform + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
		"and is idle": "GET /IntelSGXRootCA.der HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan time.Duration, 4)
			for range 4 {
				c := dial(t, address)
				began := time.Now()
				go func() { // as slow as it may be
					_, err := io.WriteString(c, begin)
					for slow := name != "nothing" && name != "and is idle"; slow && err == nil; {
						time.Sleep(20 * time.Millisecond)
						_, err = io.WriteString(c, "y")
					}
				}()
				go func() {
					_, _ = io.Copy(io.Discard, c)
					ended <- time.Since(began)
				}()
			}
			c := dial(t, address)
			fmt.Fprint(c, "GET /IntelSGXRootCA.der HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			if got := statusOn(t, c); got != 200 {
				t.Errorf("another client: %d", got)
			}
			for range 4 {
				select {
				case took := <-ended:
					if took > 10*time.Second {
						t.Errorf("dropped after %v", took)
					}
				case <-time.After(20 * time.Second):
					t.Fatal("not dropped")
				}
			}
		})
	}
}

// A body or header without end is not read to its end.
func TestGiants(t *testing.T) {
	address, _, _ := start(t, New(theWorld(t).World, Options{}))
	for name, c := range map[string]struct {
		head   string
		status int
	}{
		"length":  {"POST " + pathPlatform + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nContent-Length: 1000000000000\r\n\r\n", 413},
		"chunks":  {"POST " + pathCerts + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n", 413},
		"header":  {"GET / HTTP/1.1\r\nHost: x\r\nX: ", 431},
		"request": {"GET /", 431},
	} {
		t.Run(name, func(t *testing.T) {
			conn := dial(t, address)
			sent := make(chan int, 1)
			go func() {
				n := 0
				_, err := io.WriteString(conn, c.head)
				for junk := bytes.Repeat([]byte("x"), 4096); err == nil && n < 64<<20; {
					var k int
					k, err = conn.Write(junk)
					n += k
				}
				sent <- n
			}()
			if got := statusOn(t, conn); got != c.status {
				t.Errorf("%d, want %d", got, c.status)
			}
			if n := <-sent; n >= 64<<20 {
				t.Errorf("it has taken %d bytes", n)
			}
		})
	}
}

// More requests than may be worked at are turned away, and told when to come again.
func TestBusy(t *testing.T) {
	s := New(theWorld(t).World, Options{MaxRequests: 2})
	s.slots <- struct{}{}
	if got := get(t, s, sgx+"qe/identity"); got.status != 200 {
		t.Errorf("with one place left: %d", got.status)
	}
	s.slots <- struct{}{}
	if got := get(t, s, sgx+"qe/identity"); got.status != 503 || got.header.Get("Retry-After") != "1" {
		t.Errorf("with none: %d, %q", got.status, got.header)
	}
	<-s.slots
	if got := get(t, s, sgx+"qe/identity"); got.status != 200 {
		t.Errorf("with one again: %d", got.status)
	}
	if len(s.slots) != 1 {
		t.Errorf("%d places are taken, want 1", len(s.slots))
	}
}

// A world whose state is damaged is the operator's to mend: clients learn no more
// than that.
func TestDamaged(t *testing.T) {
	dir := t.TempDir()
	f, err := newFixture(dir)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	s := New(f.World, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	path := filepath.Join(dir, "world", "factory.json")
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := get(t, s, sgx+"qe/identity")
	if got.status != 500 || got.header.Get("Error-Code") != "InternalServerError" || strings.Contains(fmt.Sprint(got.header), "factory") {
		t.Errorf("%d, %q", got.status, got.header)
	}
	if !strings.Contains(log.String(), path) || !strings.Contains(log.String(), got.header.Get("Request-ID")) {
		t.Errorf("the log does not say which file, or of which request:\n%s", &log)
	}
}

// The log has one line for each request, and nothing that names a platform.
func TestLog(t *testing.T) {
	f := theWorld(t)
	var log bytes.Buffer
	s := New(f.World, Options{Keys: []string{"sesame"}, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	q := f.pckQuery(t)
	ask(t, s, "GET", pathCert+"?"+q.Encode(), nil, "Ocp-Apim-Subscription-Key", "sesame")
	ask(t, s, "GET", pathCert+"?"+q.Encode(), nil, "Ocp-Apim-Subscription-Key", "sesam")
	q.Set("encrypted_ppid", hex.EncodeToString(f.encrypt(t, [16]byte{1, 2, 3})))
	ask(t, s, "GET", pathCert+"?"+q.Encode(), nil, "Ocp-Apim-Subscription-Key", "sesame")
	post(t, s, pathPlatform, typeBinary, f.multi.Manifest())
	get(t, s, "/%0A%1b[31m"+strings.Repeat("long", 1000))
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 5 {
		t.Fatalf("%d lines:\n%s", len(lines), &log)
	}
	for i, want := range []string{"level=DEBUG", "level=INFO", "level=INFO", "level=DEBUG", "level=INFO"} {
		if !strings.Contains(lines[i], want) || len(lines[i]) > 500 || strings.Contains(lines[i], "\x1b") {
			t.Errorf("line %d: %s", i, lines[i])
		}
	}
	for _, secret := range [][]byte{f.ppid[:], f.multi.Manifest()[16:32], {1, 2, 3, 0, 0, 0}} {
		if strings.Contains(strings.ToLower(log.String()), hex.EncodeToString(secret)) {
			t.Errorf("the log has %x", secret)
		}
	}
	if strings.Contains(log.String(), "sesam") || strings.Contains(log.String(), q.Get("encrypted_ppid")[:32]) {
		t.Error("the log has a key or an encrypted PPID")
	}
}

// Many clients at once while the world changes: each gets a whole document, and a
// platform that is revoked is on the next list.
func TestConcurrent(t *testing.T) {
	f, err := newFixture(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := New(f.World, Options{MaxRequests: 1000})
	manifest, cert := f.multi.Manifest(), pathCert+"?"+f.pckQuery(t).Encode()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 6 {
				for _, path := range []string{cert, fmt.Sprintf("%stcb?update=early&fmspc=%x", sgx, f.single.FMSPC), sgx + "pckcrl?ca=processor", sgx + "qe/identity", sgx + "fmspcs"} {
					if got := get(t, s, path); got.status != 200 {
						t.Errorf("%.60s: %d", path, got.status)
					}
				}
				if got := post(t, s, pathPlatform, typeBinary, manifest); got.status != 201 {
					t.Errorf("registration: %d", got.status)
				}
				if i == 0 {
					if _, err := f.Recover("single", world.RecoverOptions{}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	before := get(t, s, sgx+"pckcrl?ca=processor&encoding=der")
	if err := f.RevokePlatform(f.ppid, world.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	after := get(t, s, sgx+"pckcrl?ca=processor&encoding=der")
	if len(after.body) <= len(before.body) {
		t.Error("a revoked platform is not on the next list")
	}
	if got := get(t, s, cert); got.status != 200 {
		t.Errorf("certificates of a revoked platform: %d", got.status)
	}
}
