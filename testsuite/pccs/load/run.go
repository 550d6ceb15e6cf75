package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// run asks services in turns.
type run struct {
	out         io.Writer
	services    []*service
	targets     []target
	connections int
	turn        time.Duration
	rounds      int
	rate        int
}

// turn is what came of one.
type turn struct {
	n    int // answers
	took time.Duration
	cpu  time.Duration // of the service's processors
}

// result is what came of all turns of a service.
type result struct {
	turns []turn
	times []time.Duration // of each answer
	mem   memory          // at the end of the last
}

func (r *run) all(ctx context.Context) error {
	for _, s := range r.services {
		m, err := s.memory()
		if err != nil {
			return err
		}
		if s.pid != 0 {
			fmt.Fprintf(r.out, "%-12s %-6s %v\n", "before", s.name, m)
		}
	}
	for _, t := range r.targets {
		if err := r.one(ctx, t); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return nil
}

// one asks all services for one thing.
func (r *run) one(ctx context.Context, t target) error {
	results := make([]result, len(r.services))
	clients := make([][]*client, len(r.services))
	defer func() {
		for _, list := range clients {
			for _, k := range list {
				_ = k.c.Close()
			}
		}
	}()
	for i, s := range r.services {
		for range r.connections {
			k, err := dial(s.address, t)
			if err == nil {
				clients[i] = append(clients[i], k)
				err = k.ask()
			}
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	for range r.rounds {
		for i, s := range r.services {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := r.ask(s, clients[i], &results[i]); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	r.report(t, results)
	return nil
}

// ask is a turn of a service.
func (r *run) ask(s *service, clients []*client, to *result) error {
	before, err := s.cpu()
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	began := time.Now()
	end := began.Add(r.turn)
	errs := make([]error, len(clients))
	times := make([][]time.Duration, len(clients))
	for i, k := range clients {
		wg.Go(func() {
			for n := i; ; n += len(clients) {
				at := time.Now()
				if r.rate > 0 {
					due := began.Add(time.Duration(n) * time.Second / time.Duration(r.rate))
					if wait := due.Sub(at); wait <= 0 {
						at = due // the answer before was late
					} else {
						time.Sleep(wait)
						at = time.Now()
					}
				}
				if !at.Before(end) {
					return
				}
				if errs[i] = k.ask(); errs[i] != nil {
					return
				}
				times[i] = append(times[i], time.Since(at))
			}
		})
	}
	wg.Wait()
	did := turn{took: time.Since(began)}
	for i := range clients {
		if errs[i] != nil {
			return errs[i]
		}
		did.n += len(times[i])
		to.times = append(to.times, times[i]...)
	}
	after, err := s.cpu()
	if err != nil {
		return err
	}
	did.cpu = after - before
	to.turns = append(to.turns, did)
	to.mem, err = s.memory()
	return err
}
