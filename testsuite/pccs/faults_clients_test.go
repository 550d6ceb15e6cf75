package pccs

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/testsuite/pccs/fleet"
)

// honestly asks by a connection of its own, and returns how long that takes.
func (d *daemon) honestly(f *fleet.Fleet) time.Duration {
	start := time.Now()
	c := &http.Client{Timeout: patienceToStart, Transport: &http.Transport{TLSClientConfig: insecure(), DisableKeepAlives: true}}
	target := []string{"v4/tcb?fmspc=" + f.Multi.FMSPC(), "v4/rootcacrl", fmt.Sprintf("v4/tcb?n=%d&fmspc=%s", rand.IntN(100), f.Multi.FMSPC())}[rand.IntN(3)]
	res, err := c.Get(d.Address + path(target))
	if err != nil {
		d.Errorf("an honest client: %v", err)
		return 0
	}
	defer res.Body.Close()
	if _, err := io.ReadAll(res.Body); err != nil || res.StatusCode != 200 {
		d.Errorf("an honest client: %d %v", res.StatusCode, err)
	}
	return time.Since(start)
}

// honest asks so again and again.
func (d *daemon) honest(ctx context.Context, f *fleet.Fleet) (times []time.Duration) {
	for ctx.Err() == nil && !d.Failed() {
		times = append(times, d.honestly(f))
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	return times
}

// slow are ways to keep a connection, each until it is closed or the context is
// done.
var slow = map[string]func(ctx context.Context, c net.Conn){
	"no TLS": func(ctx context.Context, c net.Conn) { _, _ = c.Read(make([]byte, 1)) },
	"no request": func(ctx context.Context, c net.Conn) {
		t := tls.Client(c, insecure())
		if t.HandshakeContext(ctx) == nil {
			_, _ = t.Read(make([]byte, 1))
		}
	},
	"header": func(ctx context.Context, c net.Conn) {
		drip(ctx, c, "GET /sgx/certification/v4/rootcacrl HTTP/1.1\r\nHost: a\r\nX-Filler: "+strings.Repeat("x", 10000))
	},
	"body": func(ctx context.Context, c net.Conn) {
		drip(ctx, c, "", "POST /sgx/certification/v4/platforms HTTP/1.1\r\nHost: a\r\n"+asUser+"\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n\r\n", "{"+strings.Repeat(" ", 9999))
	},
	"idle": func(ctx context.Context, c net.Conn) {
		drip(ctx, c, "", "GET /sgx/certification/v4/rootcacrl HTTP/1.1\r\nHost: a\r\n\r\n", "")
	},
}

// drip sends texts over TLS: the first and the last of them a byte at a time.
func drip(ctx context.Context, c net.Conn, texts ...string) {
	t := tls.Client(c, insecure())
	if t.HandshakeContext(ctx) != nil {
		return
	}
	closed := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, t)
		close(closed)
	}()
	for i, text := range texts {
		if i == 1 {
			_, _ = io.WriteString(t, text)
			continue
		}
		for j := range text {
			select {
			case <-closed:
				return
			case <-ctx.Done():
				return
			case <-time.After(500*time.Millisecond + rand.N(500*time.Millisecond)):
			}
			if _, err := io.WriteString(t, text[j:j+1]); err != nil {
				return
			}
		}
	}
	select {
	case <-closed:
	case <-ctx.Done():
	}
}

// 1,500 connections whose clients take their time, each followed by another when
// it is closed. Honest clients go on: at once where there is room for all, or else
// when it is time to give the slow ones up.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	t.Run("room for all", func(t *testing.T) { slowClients(t, "limits.connections = 2000", 5*time.Second) })
	if thorough {
		t.Run("no room", func(t *testing.T) { slowClients(t, "limits.connections = 1024", 40*time.Second) })
	}
}

func slowClients(t *testing.T, setting string, lasts time.Duration) {
	f := fleet.New()
	_, d := filled(t, f, site{Settings: []string{setting}})
	before := d.memory("VmRSS")
	calm, stop := context.WithTimeout(t.Context(), time.Second)
	quiet := d.honest(calm, f)
	stop()
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	var attack sync.WaitGroup
	var opened atomic.Int64
	names := slices.Sorted(maps.Keys(slow))
	for i := range 1500 {
		attack.Go(func() {
			for ctx.Err() == nil {
				c, err := (&net.Dialer{}).DialContext(ctx, "tcp", d.host())
				if err != nil {
					continue
				}
				opened.Add(1)
				end := context.AfterFunc(ctx, func() { _ = c.Close() })
				slow[names[i%len(names)]](ctx, c)
				end()
				_ = c.Close()
			}
		})
	}
	for opened.Load() < 1500 && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	if opened.Load() < 1500 {
		t.Skipf("only %d connections could be opened: too few files are allowed, or the machine has too much else to do", opened.Load())
	}
	times := d.honest(ctx, f)
	attack.Wait()
	if t.Failed() {
		return
	}
	slices.Sort(quiet)
	slices.Sort(times)
	if len(times) == 0 || len(quiet) == 0 {
		t.Fatal("no honest client was served")
	}
	most := d.memory("VmHWM")
	t.Logf("%d connections of slow clients: %d honest requests, half of them within %v, the slowest %v (before: %v, %v); memory %d MiB before, at most %d MiB",
		opened.Load(), len(times), times[len(times)/2], times[len(times)-1], quiet[len(quiet)/2], quiet[len(quiet)-1], before>>20, most>>20)
	if most > 200<<20 {
		t.Error("that is too much memory")
	}
	d.must(200, "", get("v4/rootcacrl"))
}

// host is the host and port of the service.
func (d *daemon) host() string {
	_, host, _ := strings.Cut(d.Address, "://")
	return host
}

// Many connections one after the other, headers and bodies that are too large, and
// many of them: each gets its answer, and memory does not grow.
func TestLargeAndMany(t *testing.T) {
	t.Parallel()
	f := fleet.New()
	_, d := filled(t, f, site{Settings: []string{"log.level = \"warn\""}})
	p := &peer{name: "ours", addr: d.host(), tls: insecure(), user: "user-secret", admin: "admin-secret", ours: true}
	const limit = 2 << 20
	body := func(n int) string { return `{"platforms":[` + strings.Repeat(" ", n-16) + "]}" }
	chunked := func(n int) []byte {
		return []byte("PUT /sgx/certification/v4/platformcollateral HTTP/1.1\r\nHost: a\r\n" + asAdmin + "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" +
			fmt.Sprintf("%x\r\n", n) + body(n) + "\r\n0\r\n\r\n")
	}
	p.run(t, []row{
		{name: "just not too large", send: send("PUT", "v4/platformcollateral", body(limit), asAdmin), want: badRequest},
		{name: "too large", send: send("PUT", "v4/platformcollateral", body(limit+1), asAdmin), want: tooLarge},
		{name: "too large a policy", send: send("PUT", "v4/appraisalpolicy", body(limit+1), asAdmin), want: tooLarge},
		{name: "too large a registration", send: send("POST", "v4/platforms", body(limit+1), asUser), want: tooLarge},
		{name: "too large, and no token", send: send("PUT", "v4/platformcollateral", body(limit+1)), want: unauthorized},
	})
	for n, want := range map[int]answer{limit: badRequest, limit + 1: tooLarge} {
		if got := p.raw(t, "PUT", chunked(n)); got.status != want.status || got.header.Get("Error-Code") != string(want.reason) {
			t.Errorf("a body of %d bytes in a chunk: %s", n, got)
		}
	}
	small := d.memory("VmRSS")

	many := func(n, at int, f func(i int)) {
		var wg sync.WaitGroup
		var next atomic.Int64
		for range at {
			wg.Go(func() {
				for i := next.Add(1); int(i) <= n && !t.Failed(); i = next.Add(1) {
					f(int(i))
				}
			})
		}
		wg.Wait()
	}
	loops := 1
	if thorough {
		loops = 10
	}
	many(50*loops, 25, func(i int) {
		switch i % 3 {
		case 0:
			if got := p.raw(t, "PUT", chunked(limit+1)); got.status != 413 {
				t.Errorf("a body that is too large: %s", got)
			}
		case 1:
			giant := "GET /sgx/certification/v4/rootcacrl HTTP/1.1\r\nHost: a\r\nX-Filler: " + strings.Repeat("x", 1<<20) + "\r\n\r\n"
			if got := p.raw(t, "GET", []byte(giant)); got.status != 431 {
				t.Errorf("a header of a megabyte: %s", got)
			}
		default:
			lines := "GET /sgx/certification/v4/rootcacrl HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X-Filler: x\r\n", 20000) + "\r\n"
			if got := p.raw(t, "GET", []byte(lines)); got.status != 431 {
				t.Errorf("20,000 lines in a header: %s", got)
			}
		}
	})
	large := d.memory("VmHWM")
	one := func(int) { d.honestly(f) }
	many(100*loops, 4, one)
	warm := d.memory("VmRSS")
	many(1000*loops, 4, one)
	t.Logf("memory %d MiB; with bodies and headers that are too large, 25 at a time, at most %d MiB; after %d connections %d MiB, after %d more %d MiB",
		small>>20, large>>20, 100*loops, warm>>20, 1000*loops, d.memory("VmRSS")>>20)
	if large > small+150<<20 || d.memory("VmRSS") > warm+30<<20 {
		t.Error("it grows")
	}
}
