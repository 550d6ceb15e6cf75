package server

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/internal/serve"
	"github.com/feidi-dev/feidi/pccs"
)

// connections are open at a time, as many as the load tests of Intel's service had.
const connections = 16

// BenchmarkServe asks over TLS connections that stay open, in turns, a server of the
// standard library that has the same bodies and issuers in memory and does nothing
// else ("bare"), and this one. An operation is one request to each. The metric
// "of-bare" is how many of the other's requests per second this one reaches.
func BenchmarkServe(b *testing.B) {
	began := time.Now()
	f := newFixture(b, running(began))
	for _, c := range []struct{ name, path string }{
		{"tcb", sgx4 + "tcb?fmspc=" + f.fmspc()}, {"pckcert", sgx4 + "pckcert?" + f.pckQuery().Encode()}, {"qe-identity", sgx4 + "qe/identity"}, {"rootcacrl", sgx4 + "rootcacrl"},
	} {
		b.Run(c.name, func(b *testing.B) {
			g := ask(b, f, "GET", c.path, "")
			if g.status != 200 {
				b.Fatalf("%d %v", g.status, g.header)
			}
			body := []byte(g.body)
			same := http.Header{}
			for _, n := range []string{"Content-Type", "Content-Length", chainTCBInfo, chainIdentity, chainPCK} {
				if v := g.header[n]; v != nil {
					same[n] = v
				}
			}
			bare := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				h := w.Header()
				for n, v := range same {
					h[n] = v
				}
				_, _ = w.Write(body)
			})
			others, ours := clients(b, bare, c.path, len(body)), clients(b, f, c.path, len(body))
			const turn = 200
			var took [2]time.Duration
			b.ResetTimer()
			for n := b.N; n > 0; n -= turn {
				took[0] += load(b, others, min(n, turn))
				took[1] += load(b, ours, min(n, turn))
			}
			b.StopTimer()
			b.ReportMetric(float64(b.N)/took[0].Seconds(), "bare-req/s")
			b.ReportMetric(float64(b.N)/took[1].Seconds(), "req/s")
			b.ReportMetric(took[0].Seconds()/took[1].Seconds(), "of-bare")
		})
	}
}

// running has a fixture whose clock runs, and that logs as much as by default.
func running(began time.Time) func(*pccs.Options, *Options) {
	return func(s *pccs.Options, o *Options) {
		start := o.Now()
		s.Now = func() time.Time { return start.Add(time.Since(began)) }
		o.Now = s.Now
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
}

// clients starts a server, and returns clients that are connected with it.
func clients(b *testing.B, h http.Handler, path string, size int) (list []*keptOpen) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- (&serve.Server{Handler: h, TLS: selfSigned(b), Timeouts: DefaultTimeouts}).Serve(ctx, l)
	}()
	b.Cleanup(func() {
		for _, k := range list {
			_ = k.c.Close()
		}
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	for range connections {
		c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			b.Fatal(err)
		}
		k := &keptOpen{c: c, r: bufio.NewReaderSize(c, 16<<10), request: []byte("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n"), size: size}
		if err := k.ask(); err != nil {
			b.Fatal(err)
		}
		list = append(list, k)
	}
	return list
}

// load has clients ask n times, and returns how long it took.
func load(b *testing.B, list []*keptOpen, n int) time.Duration {
	began := time.Now()
	var left atomic.Int64
	left.Store(int64(n))
	var wg sync.WaitGroup
	for _, k := range list {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if err := k.ask(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(began)
}

// keptOpen is a connection that asks without allocating, so that what is measured is the server.
type keptOpen struct {
	c       net.Conn
	r       *bufio.Reader
	request []byte
	size    int
}

func (k *keptOpen) ask() error {
	if _, err := k.c.Write(k.request); err != nil {
		return err
	}
	line, err := k.r.ReadSlice('\n')
	if err != nil || !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("%q, %w", line, err)
	}
	length := -1
	for {
		if line, err = k.r.ReadSlice('\n'); err != nil {
			return err
		}
		if len(line) == 2 {
			break
		}
		if n, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(n))); err != nil {
				return err
			}
		}
	}
	if length != k.size {
		return fmt.Errorf("%d bytes, want %d", length, k.size)
	}
	_, err = k.r.Discard(k.size)
	return err
}

func selfSigned(t testing.TB) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert}, PrivateKey: key}}}
}

// discard is an http.ResponseWriter that throws away what is written.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) WriteHeader(int)             {}
func (d discard) Write(p []byte) (int, error) { return io.Discard.Write(p) }

// BenchmarkHandler is an answer from memory without the network: what this package
// adds to that of the standard library.
func BenchmarkHandler(b *testing.B) {
	f := newFixture(b, running(time.Now()))
	r, err := http.NewRequest("GET", sgx4+"tcb?fmspc="+f.fmspc(), nil)
	if err != nil {
		b.Fatal(err)
	}
	r.RequestURI = r.URL.RequestURI()
	w := discard{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		f.ServeHTTP(w, r)
	}
}

// BenchmarkMake is an answer that is made of what the database has.
func BenchmarkMake(b *testing.B) {
	f := newFixture(b, running(time.Now()), func(_ *pccs.Options, o *Options) { o.CacheTime = -1 })
	for name, path := range map[string]string{"tcb": sgx4 + "tcb?fmspc=" + f.fmspc(), "pckcert": sgx4 + "pckcert?" + f.pckQuery().Encode()} {
		b.Run(name, func(b *testing.B) {
			r, err := http.NewRequest("GET", path, nil)
			if err != nil {
				b.Fatal(err)
			}
			w := discard{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				f.ServeHTTP(w, r)
			}
		})
	}
}
