package server

import (
	"bytes"
	"fmt"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"
)

// statuses are those that are counted by themselves; all others are "other".
var statuses = [...]int{200, 304, 400, 401, 404, 410, 413, 460, 461, 462, 500, 502, 503}

// buckets are upper bounds of durations: from memory it takes microseconds, from
// the database some hundreds, and from the service behind up to seconds.
var buckets = [...]time.Duration{
	25 * time.Microsecond, 100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second,
}

// metrics counts what the server does.
type metrics struct {
	hits, misses, stale atomic.Uint64
	routes              []counters // by route.index
}

// counters are those of a route.
type counters struct {
	path   string
	status [len(statuses) + 1]atomic.Uint64
	took   [len(buckets) + 1]atomic.Uint64 // not cumulative
	sum    atomic.Int64                    // nanoseconds
}

func (m *metrics) init() {
	m.routes = make([]counters, len(inOrder)+2)
	for _, at := range append(inOrder[:len(inOrder):len(inOrder)], statusPage, nowhere) {
		m.routes[at.index].path = at.path
	}
}

func (m *metrics) done(at *route, status int, took time.Duration) {
	c := &m.routes[at.index]
	i := 0
	for i < len(statuses) && statuses[i] != status {
		i++
	}
	c.status[i].Add(1)
	i = 0
	for i < len(buckets) && took > buckets[i] {
		i++
	}
	c.took[i].Add(1)
	c.sum.Add(int64(took))
}

// showMetrics is the text format of Prometheus, version 0.0.4.
func (s *Server) showMetrics(r *request) (*answer, error) {
	var b bytes.Buffer
	s.metrics.write(&b)
	fetches(&b, s.service.Counts())
	s.gauges.write(&b, r.ctx, s)
	head(&b, "feidi_pccs_build_info", "gauge", "The program that serves.")
	fmt.Fprintf(&b, "feidi_pccs_build_info{version=%q,go=%q} 1\n", s.o.Version, runtime.Version())
	a := ok(typeMetrics, b.Bytes())
	a.add("Cache-Control", "no-store")
	return a, nil
}

func head(b *bytes.Buffer, name, kind, help string) {
	fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func (m *metrics) write(b *bytes.Buffer) {
	head(b, "feidi_pccs_requests_total", "counter", "Requests by route and status.")
	for i := range m.routes {
		c := &m.routes[i]
		for k := range c.status {
			if n := c.status[k].Load(); n > 0 {
				status := "other"
				if k < len(statuses) {
					status = strconv.Itoa(statuses[k])
				}
				fmt.Fprintf(b, "feidi_pccs_requests_total{route=%q,status=%q} %d\n", c.path, status, n)
			}
		}
	}
	head(b, "feidi_pccs_request_duration_seconds", "histogram", "Duration of requests by route.")
	for i := range m.routes {
		m.routes[i].durations(b)
	}
	head(b, "feidi_pccs_cache_total", "counter", "Requests for what may be kept in memory: answered from there, made, or old because the database did not answer.")
	fmt.Fprintf(b, "feidi_pccs_cache_total{from=\"memory\"} %d\nfeidi_pccs_cache_total{from=\"database\"} %d\nfeidi_pccs_cache_total{from=\"old\"} %d\n",
		m.hits.Load(), m.misses.Load(), m.stale.Load())
}

// durations writes the histogram of a route that was asked for.
func (c *counters) durations(b *bytes.Buffer) {
	var counts [len(buckets) + 1]uint64
	asked := false
	for i := range counts {
		counts[i] = c.took[i].Load()
		asked = asked || counts[i] > 0
	}
	if !asked {
		return
	}
	const name = "feidi_pccs_request_duration_seconds"
	n := uint64(0)
	for i, count := range counts {
		n += count
		bound := "+Inf"
		if i < len(buckets) {
			bound = strconv.FormatFloat(buckets[i].Seconds(), 'g', -1, 64)
		}
		fmt.Fprintf(b, "%s_bucket{route=%q,le=%q} %d\n", name, c.path, bound, n)
	}
	fmt.Fprintf(b, "%s_sum{route=%q} %g\n%s_count{route=%q} %d\n", name, c.path, time.Duration(c.sum.Load()).Seconds(), name, c.path, n)
}
