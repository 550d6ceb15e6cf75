// Load asks a web server on this machine for pages, for some time, and reports
// how many came, how long they took and how the server's memory grew. It
// fails if a request did.
//
//	go run ./examples/webserver/load -duration 30m -every 1m -pin CERTIFICATE
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("load: ")
	l := load{errors: map[string]int{}}
	flag.StringVar(&l.url, "url", "https://127.0.0.1:8443/", "ask for this page, of a server on this machine")
	flag.StringVar(&l.pin, "pin", "", "accept the certificate with this SHA-256 only, in hex")
	flag.IntVar(&l.connections, "connections", 16, "use as many connections at once")
	flag.IntVar(&l.requests, "requests", 50, "use a connection for as many requests; every other worker makes a new one for each")
	flag.DurationVar(&l.pause, "pause", 0, "let each worker pause between two requests")
	flag.DurationVar(&l.duration, "duration", 10*time.Second, "stop after this time")
	flag.DurationVar(&l.every, "every", 0, "report the server's memory this often")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := l.run(ctx); err != nil {
		log.Fatal(err)
	}
}

type load struct {
	url, pin        string
	connections     int
	requests        int
	pause           time.Duration
	duration, every time.Duration

	mu           sync.Mutex
	kept, fresh  histogram // over a connection that there was, and over a new one
	errors       map[string]int
	began, ended time.Time
}

// run puts the load on the server and reports.
func (l *load) run(ctx context.Context) error {
	u, err := url.Parse(l.url)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("%s is not on this machine", u.Host)
	}
	if l.connections < 1 || l.requests < 1 || l.duration <= 0 {
		return fmt.Errorf("-connections, -requests and -duration are more than nothing")
	}
	watch := client(l.pin)
	if err := l.memory(ctx, watch); err != nil {
		return err
	}
	l.began = time.Now()
	limited, cancel := context.WithTimeout(ctx, l.duration)
	defer cancel()
	var all sync.WaitGroup
	for i := range l.connections {
		requests := l.requests
		if i%2 == 1 {
			requests = 1
		}
		all.Go(func() { l.work(limited, requests) })
	}
	if l.every > 0 {
		all.Go(func() { l.watch(limited, watch) })
	}
	all.Wait()
	l.ended = time.Now()
	if err := l.memory(context.WithoutCancel(ctx), watch); err != nil {
		l.failed(err)
	}
	return l.report()
}

// work makes requests, and a new connection after some of them, until ctx ends.
func (l *load) work(ctx context.Context, requests int) {
	for ctx.Err() == nil {
		c := client(l.pin)
		for i := range requests {
			begin := time.Now()
			err := get(ctx, c, l.url, io.Discard)
			switch {
			case ctx.Err() != nil:
			case err != nil:
				l.failed(err)
				sleep(ctx, 100*time.Millisecond)
			default:
				l.took(time.Since(begin), i > 0)
			}
			if sleep(ctx, l.pause); ctx.Err() != nil {
				break
			}
		}
		c.CloseIdleConnections()
	}
}

func sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// get asks for a page.
func get(ctx context.Context, c *http.Client, url string, to io.Writer) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := c.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(to, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", resp.Status)
	}
	return nil
}

func (l *load) took(d time.Duration, kept bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if kept {
		l.kept.add(d)
	} else {
		l.fresh.add(d)
	}
}

// failed counts an error by its text, of which there may be so many.
func (l *load) failed(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := reason(err)
	if _, ok := l.errors[text]; !ok && len(l.errors) >= 20 {
		text = "others"
	}
	l.errors[text]++
}

// watch reports the server's memory now and then.
func (l *load) watch(ctx context.Context, c *http.Client) {
	t := time.NewTicker(l.every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := l.memory(ctx, c); err != nil && ctx.Err() == nil {
			l.failed(err)
		}
	}
}

// memory reports the server's memory after a collection.
func (l *load) memory(ctx context.Context, c *http.Client) error {
	u, err := url.JoinPath(l.url, "debug/memory")
	if err != nil {
		return err
	}
	pipe, w := io.Pipe()
	go func() { w.CloseWithError(get(ctx, c, u+"?gc=1", w)) }()
	var m map[string]uint64
	err = json.NewDecoder(pipe).Decode(&m)
	pipe.CloseWithError(err)
	if err != nil {
		return fmt.Errorf("%s: %w", u, err)
	}
	l.mu.Lock()
	n := l.kept.count + l.fresh.count
	at := time.Duration(0)
	if !l.began.IsZero() {
		at = time.Since(l.began).Round(time.Second)
	}
	l.mu.Unlock()
	fmt.Printf("%8v  %9d requests  heap %6.2f MB in use %6.2f MB  stacks %5.2f MB  goroutines %d\n",
		at, n, mb(m["heap_alloc"]), mb(m["heap_inuse"]), mb(m["stack_inuse"]), m["goroutines"])
	return nil
}

func mb(n uint64) float64 { return float64(n) / (1 << 20) }

// report prints what was measured. Its error says that requests failed.
func (l *load) report() error {
	failed := 0
	for _, n := range l.errors {
		failed += n
	}
	took := l.ended.Sub(l.began)
	n := l.kept.count + l.fresh.count
	fmt.Printf("%d requests in %v, %.0f a second, %d errors\n", n, took.Round(time.Millisecond), float64(n)/took.Seconds(), failed)
	fmt.Printf("  kept connection  %v\n  new connection   %v\n", &l.kept, &l.fresh)
	for _, text := range slices.Sorted(maps.Keys(l.errors)) {
		fmt.Printf("  %d times: %s\n", l.errors[text], text)
	}
	if failed > 0 || n == 0 {
		return fmt.Errorf("%d requests failed, and %d did not", failed, n)
	}
	return nil
}
