package server

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/collateral"
)

// gaugeTime is how long the state of the service is good for, which the database
// is asked for, and gaugeTimeout how long it may take.
const (
	gaugeTime    = 5 * time.Second
	gaugeTimeout = 5 * time.Second
)

// gauges tell the state of the service.
type gauges struct {
	mu    sync.Mutex // guards what follows, and is held while it is asked for
	asked time.Time
	state *pccs.Status // nil if it could not be had
}

// status returns the state of a moment ago, or nil.
func (g *gauges) status(ctx context.Context, s *Server) *pccs.Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := s.o.Now()
	if now.Sub(g.asked).Abs() < gaugeTime {
		return g.state
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), gaugeTimeout)
	defer cancel()
	state, err := s.service.Status(ctx)
	if err != nil {
		s.o.Log.Warn("the metrics have no state of the service", "error", err)
		state = nil
	}
	g.asked, g.state = now, state
	return state
}

// kind is by what documents are summed up.
type kind struct {
	kind collateral.Kind
	tee  dcap.TEEType
}

func (k kind) labels() string {
	tee := "sgx"
	if k.tee == dcap.TEETDX {
		tee = "tdx"
	}
	return fmt.Sprintf("kind=%q,tee=%q", string(k.kind), tee)
}

// sum is what documents of a kind are like.
type sum struct {
	n, expired, failing int
	next                time.Time // the earliest next update; zero if none has one
}

func (g *gauges) write(b *bytes.Buffer, ctx context.Context, s *Server) {
	state := g.status(ctx, s)
	up := 1
	if state == nil {
		up = 0
	}
	head(b, "feidi_pccs_up", "gauge", "Whether the database told the state of the service; without it there are none of the metrics below.")
	fmt.Fprintf(b, "feidi_pccs_up %d\n", up)
	if state == nil {
		return
	}
	head(b, "feidi_pccs_info", "gauge", "How the service is run.")
	fmt.Fprintf(b, "feidi_pccs_info{mode=%q,database=%q} 1\n", string(state.Mode), state.Database)
	documents(b, state, s.o.Now())
	total := 0
	for _, n := range state.Platforms {
		total += n
	}
	one := func(name, help string, n int) {
		head(b, name, "gauge", help)
		fmt.Fprintf(b, "%s %d\n", name, n)
	}
	one("feidi_pccs_platforms", "Platforms whose certificates are in the database.", total)
	one("feidi_pccs_registrations_waiting", "Registrations that wait for an administrator.", state.Waiting)
	reasons := map[string]int{}
	for _, f := range state.Failures {
		reasons[f.Reason]++
	}
	head(b, "feidi_pccs_fetches_failing", "gauge", "What cannot be had from the service behind at present, by reason.")
	for _, r := range slices.Sorted(maps.Keys(reasons)) {
		fmt.Fprintf(b, "feidi_pccs_fetches_failing{reason=%q} %d\n", r, reasons[r])
	}
}

// fetches writes how often the service behind was asked.
func fetches(b *bytes.Buffer, counts map[pccs.Count]uint64) {
	head(b, "feidi_pccs_upstream_requests_total", "counter", "Requests to the service behind by what was wanted, and how they went: ok, or why not.")
	keys := slices.SortedFunc(maps.Keys(counts), func(x, y pccs.Count) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Outcome, y.Outcome))
	})
	for _, k := range keys {
		fmt.Fprintf(b, "feidi_pccs_upstream_requests_total{kind=%q,outcome=%q} %d\n", k.Kind, k.Outcome, counts[k])
	}
}

func documents(b *bytes.Buffer, state *pccs.Status, now time.Time) {
	sums := map[kind]*sum{}
	for i := range state.Documents {
		d := &state.Documents[i]
		k := kind{d.Item.Kind, d.Item.TEE}
		at := sums[k]
		if at == nil {
			at = &sum{}
			sums[k] = at
		}
		at.n++
		if d.Expired {
			at.expired++
		}
		if d.Failures > 0 {
			at.failing++
		}
		if !d.NextUpdate.IsZero() && (at.next.IsZero() || d.NextUpdate.Before(at.next)) {
			at.next = d.NextUpdate
		}
	}
	kinds := slices.SortedFunc(maps.Keys(sums), func(x, y kind) int {
		return cmp.Or(cmp.Compare(x.kind, y.kind), cmp.Compare(x.tee, y.tee))
	})
	each := func(name, help string, value func(*sum) (int64, bool)) {
		head(b, name, "gauge", help)
		for _, k := range kinds {
			if n, ok := value(sums[k]); ok {
				fmt.Fprintf(b, "%s{%s} %d\n", name, k.labels(), n)
			}
		}
	}
	each("feidi_pccs_documents", "Documents in the database by kind.", func(s *sum) (int64, bool) { return int64(s.n), true })
	each("feidi_pccs_documents_expired", "Documents past their next update.", func(s *sum) (int64, bool) { return int64(s.expired), true })
	each("feidi_pccs_documents_failing", "Documents whose refresh fails.", func(s *sum) (int64, bool) { return int64(s.failing), true })
	each("feidi_pccs_document_expiry_seconds", "Seconds to the next update of the document of a kind that has it first; negative if it is past.",
		func(s *sum) (int64, bool) { return int64(s.next.Sub(now) / time.Second), !s.next.IsZero() })
}
