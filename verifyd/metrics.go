package verifyd

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Outcomes of requests for a verdict.
const (
	accepted     = "accepted"
	rejected     = "rejected"
	malformed    = "malformed"
	noCollateral = "no_collateral"
	busy         = "busy"
	gone         = "gone" // the client was, or it took too long
)

// outcomes is all of them, so that each counter is there from the start.
var outcomes = []string{accepted, rejected, malformed, noCollateral, busy, gone}

// buckets are upper bounds of durations in seconds: a verification takes 0.2
// to 2 ms, a fetch up to seconds.
var buckets = [...]float64{0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}

// metrics counts what the service does.
type metrics struct {
	inFlight atomic.Int64

	mu       sync.Mutex // guards what follows
	requests map[string]uint64
	statuses map[string]uint64 // of verifications, Intel's names: a bounded number
	whole    histogram         // of requests
	verify   histogram         // of verifications alone
}

type histogram struct {
	counts [len(buckets) + 1]uint64 // not cumulative; the last is of all that is longer
	sum    float64
}

func (h *histogram) observe(d time.Duration) {
	s := d.Seconds()
	i, _ := slices.BinarySearch(buckets[:], s)
	h.counts[i]++
	h.sum += s
}

func newMetrics() *metrics {
	m := &metrics{requests: map[string]uint64{}, statuses: map[string]uint64{}}
	for _, o := range outcomes {
		m.requests[o] = 0
	}
	return m
}

func (m *metrics) done(outcome string, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests[outcome]++
	m.whole.observe(took)
}

func (m *metrics) verified(status string, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.statuses[status]++
	m.verify.observe(took)
}

// write writes the text format of Prometheus, version 0.0.4.
func (m *metrics) write(w io.Writer, cache *Cache) {
	m.mu.Lock()
	requests, statuses, whole, verify := maps.Clone(m.requests), maps.Clone(m.statuses), m.whole, m.verify
	m.mu.Unlock()

	head := func(name, kind, help string) { fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind) }
	byLabel := func(name, label string, values map[string]uint64) {
		for _, v := range slices.Sorted(maps.Keys(values)) {
			fmt.Fprintf(w, "%s{%s=%q} %d\n", name, label, v, values[v])
		}
	}
	head("feidi_requests_total", "counter", "Requests for a verdict by outcome.")
	byLabel("feidi_requests_total", "outcome", requests)
	head("feidi_verifications_total", "counter", "Verifications by Intel's status.")
	byLabel("feidi_verifications_total", "status", statuses)
	head("feidi_requests_in_flight", "gauge", "Requests for a verdict that are under way.")
	fmt.Fprintf(w, "feidi_requests_in_flight %d\n", m.inFlight.Load())
	head("feidi_request_duration_seconds", "histogram", "Duration of requests for a verdict, with fetching collateral.")
	whole.write(w, "feidi_request_duration_seconds")
	head("feidi_verification_duration_seconds", "histogram", "Duration of verifications alone.")
	verify.write(w, "feidi_verification_duration_seconds")
	if cache != nil {
		head("feidi_collateral_total", "counter", "Collateral that was asked for, by where it came from.")
		byLabel("feidi_collateral_total", "from", map[string]uint64{"memory": cache.hits.Load(), "service": cache.fetches.Load()})
		head("feidi_collateral_failures_total", "counter", "Collateral that the service did not give.")
		fmt.Fprintf(w, "feidi_collateral_failures_total %d\n", cache.failures.Load())
	}
}

func (h *histogram) write(w io.Writer, name string) {
	n := uint64(0)
	for i, c := range h.counts {
		n += c
		bound := "+Inf"
		if i < len(buckets) {
			bound = strconv.FormatFloat(buckets[i], 'g', -1, 64)
		}
		fmt.Fprintf(w, "%s_bucket{le=%q} %d\n", name, bound, n)
	}
	fmt.Fprintf(w, "%s_sum %g\n%s_count %d\n", name, h.sum, name, n)
}
