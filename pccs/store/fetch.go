package store

import (
	"context"
	"fmt"
	"time"
)

// Fetch is how getting a document, or a platform's certificates ("platform/QEID/PCEID"), went of late.
type Fetch struct {
	Name      string
	Tried     time.Time
	Failures  int       // in a row; 0 after a success
	Reason    string    // of a pccs.Error, empty after a success
	Message   string    // one line; the store keeps 1024 bytes of it
	RequestID string    // of the upstream service; 128 bytes of it are kept
	Due       time.Time // when to try next
}

// PutFetch records an attempt, in place of the one before it.
func (s *Store) PutFetch(ctx context.Context, f *Fetch) error {
	const doing = "record a fetch"
	l := limits{of: fmt.Sprintf("fetch %.100q", f.Name)}
	l.text("name", f.Name, MaxName)
	l.text("reason", f.Reason, maxReason)
	l.time("time", f.Tried)
	l.time("next time", f.Due)
	if l.err != nil {
		return s.fail(ctx, doing, l.err)
	}
	return s.change(ctx, doing, func(t *tx) error {
		put := t.d.put("pccs_fetches", 1, []string{"name"}, []string{"tried", "due", "failures", "reason", "message", "request_id"})
		_, err := t.exec(put, f.Name, micros(f.Tried), micros(f.Due), int64(f.Failures), f.Reason, cut(f.Message, maxMessage), cut(f.RequestID, maxRequest))
		return err
	})
}

// Fetches lists the fetch states by name.
func (s *Store) Fetches(ctx context.Context) ([]Fetch, error) {
	var list []Fetch
	err := each(ctx, s.reads, s.d, "SELECT name, tried, due, failures, reason, message, request_id FROM pccs_fetches ORDER BY name", nil, func(scan func(...any) error) error {
		var f Fetch
		var tried, due int64
		if err := scan(&f.Name, &tried, &due, &f.Failures, &f.Reason, &f.Message, &f.RequestID); err != nil {
			return err
		}
		f.Tried, f.Due = moment(tried), moment(due)
		list = append(list, f)
		return nil
	})
	return list, s.fail(ctx, "list the fetches", err)
}

// Claim takes a name for a while, so that no other instance does the same work. It
// reports whether it has it. A holder may claim again what it has, which sets the
// end anew: with d 0 it gives it back. The clocks of instances should agree to much
// less than d.
func (s *Store) Claim(ctx context.Context, name, holder string, now time.Time, d time.Duration) (bool, error) {
	const doing = "claim a fetch"
	l := limits{of: fmt.Sprintf("claim %.100q", name)}
	l.text("name", name, MaxName)
	l.text("holder", holder, maxHolder)
	l.time("time", now)
	l.time("end", now.Add(d))
	if l.err != nil {
		return false, s.fail(ctx, doing, l.err)
	}
	var have bool
	err := s.change(ctx, doing, func(t *tx) error {
		const take = "UPDATE pccs_claims SET holder = ?, expires = ? WHERE name = ? AND (holder = ? OR expires <= ?)"
		n, err := t.exec(take, holder, micros(now.Add(d)), name, holder, micros(now))
		if have = n > 0; err != nil || have {
			return err
		}
		if _, err := t.exec(t.d.put("pccs_claims", 1, []string{"name", "holder", "expires"}, nil), name, holder, micros(now.Add(d))); err != nil {
			return err
		}
		var who string
		if err := t.get("SELECT holder FROM pccs_claims WHERE name = ?", []any{name}, &who); err != nil {
			return err
		}
		if have = who == holder; !have {
			return nil
		}
		// What is made is swept up here, too: rows of work that nobody does any more.
		_, err = t.exec("DELETE FROM pccs_claims WHERE expires < ?", micros(now.Add(-24*time.Hour)))
		return err
	})
	return have && err == nil, err
}
