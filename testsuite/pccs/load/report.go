package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// report tells what came of a target: the first service by itself and beside the
// others.
func (r *run) report(t target, results []result) {
	for i, s := range r.services {
		a := &results[i]
		n, took, cpu := 0, time.Duration(0), time.Duration(0)
		for _, d := range a.turns {
			n, took, cpu = n+d.n, took+d.took, cpu+d.cpu
		}
		slices.Sort(a.times)
		fmt.Fprintf(r.out, "%-12s %-6s %7.0f req/s  p50 %-8v p99 %-8v", t.name, s.name, float64(n)/took.Seconds(), short(quantile(a.times, 0.5)), short(quantile(a.times, 0.99)))
		if s.pid != 0 {
			fmt.Fprintf(r.out, " cpu %4d µs/req  %v", cpu.Microseconds()/int64(max(n, 1)), a.mem)
		}
		fmt.Fprintln(r.out)
	}
	for i, s := range r.services[1:] {
		other := &results[i+1]
		var rates, costs []float64
		for k, d := range results[0].turns {
			o := other.turns[k]
			rates = append(rates, d.rate()/o.rate())
			if d.cpu > 0 && o.cpu > 0 {
				costs = append(costs, o.cost()/d.cost())
			}
		}
		fmt.Fprintf(r.out, "%-12s %s to %s: %v in requests a second", t.name, r.services[0].name, s.name, spread(rates))
		if len(costs) > 0 {
			fmt.Fprintf(r.out, ", %v in requests by processor time", spread(costs))
		}
		if r.services[0].pid != 0 && s.pid != 0 {
			fmt.Fprintf(r.out, ", %.2f of its RSS, %.2f of what is its own", ratio(results[0].mem.all, other.mem.all), ratio(results[0].mem.own, other.mem.own))
		}
		fmt.Fprintln(r.out)
	}
}

// short is a duration with as many digits as mean something.
func short(d time.Duration) time.Duration {
	unit := time.Microsecond
	for 1000*unit < d {
		unit *= 10
	}
	return d.Round(unit)
}

func ratio(a, b int) float64 { return float64(a) / float64(max(b, 1)) }

func (d turn) rate() float64 { return float64(d.n) / d.took.Seconds() }

// cost is processor time for each answer.
func (d turn) cost() float64 { return d.cpu.Seconds() / float64(max(d.n, 1)) }

// spread is a median, with the quarters of all in brackets.
func spread(list []float64) string {
	slices.Sort(list)
	return fmt.Sprintf("%.2f [%.2f-%.2f]", quantile(list, 0.5), quantile(list, 0.25), quantile(list, 0.75))
}

// quantile is the value of a sorted list that a part q is not above.
func quantile[T cmp.Ordered](list []T, q float64) (v T) {
	if len(list) == 0 {
		return v
	}
	i := min(int(q*float64(len(list))), len(list)-1)
	return list[i]
}
