package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// State is what a registration waits for.
type State int

// The states of registrations, as Intel's PCCS numbers them.
const (
	New          State = 0 // for an administrator to get its certificates
	NotAvailable State = 1 // certificates for some TCBs were not available
	Drained      State = 9
)

// Registration is a platform's request for its certificates.
type Registration struct {
	PlatformID
	CPUSVN, PCESVN string // may be empty
	EncryptedPPID  []byte
	Manifest       []byte
	State          State
	At             time.Time
}

// Register queues a registration, in place of one of the same platform and TCB.
func (s *Store) Register(ctx context.Context, r *Registration) error {
	const doing = "queue a registration"
	l := limits{of: fmt.Sprintf("platform %.40q", r.QEID)}
	l.platform(r.PlatformID)
	l.tcb(RawTCB{CPUSVN: r.CPUSVN, PCESVN: r.PCESVN})
	l.bytes("encrypted PPID", r.EncryptedPPID, maxPPID)
	l.bytes("manifest", r.Manifest, MaxManifest)
	l.time("time", r.At)
	if l.err != nil {
		return s.fail(ctx, doing, l.err)
	}
	return s.change(ctx, doing, func(t *tx) error {
		put := t.d.put("pccs_registrations", 1, []string{"qe_id", "pce_id", "cpu_svn", "pce_svn"},
			[]string{"state", "registered", "drain", "encrypted_ppid", "manifest"})
		_, err := t.exec(put, r.QEID, r.PCEID, r.CPUSVN, r.PCESVN, int64(r.State), micros(r.At), nil, r.EncryptedPPID, r.Manifest)
		return err
	})
}

// Drain returns the registrations of a state, the oldest first, and marks them
// Drained, in one transaction, or only returns them if keep. Of several who drain at
// the same time one gets each.
func (s *Store) Drain(ctx context.Context, state State, keep bool) ([]Registration, error) {
	const doing = "drain registrations"
	if keep {
		var list []Registration
		err := s.view(ctx, doing, func(t *tx) (err error) {
			list, err = t.registrations("state", int64(state))
			return err
		})
		return list, err
	}
	var list []Registration
	err := s.change(ctx, doing, func(t *tx) error {
		// Marked first, and read by the mark: one that is registered meanwhile is
		// neither lost nor returned twice.
		mark := rand.Int64()
		if _, err := t.exec("UPDATE pccs_registrations SET drain = ?, state = ? WHERE state = ?", mark, int64(Drained), int64(state)); err != nil {
			return err
		}
		var err error
		list, err = t.registrations("drain", mark)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i].State = state
	}
	return list, nil
}

func (t *tx) registrations(column string, value int64) ([]Registration, error) {
	var list []Registration
	query := "SELECT qe_id, pce_id, cpu_svn, pce_svn, state, registered, encrypted_ppid, manifest FROM pccs_registrations WHERE " + column + " = ?" +
		" ORDER BY registered, qe_id, pce_id, cpu_svn, pce_svn"
	err := t.each(query, []any{value}, func(scan func(...any) error) error {
		var r Registration
		var at int64
		err := scan(&r.QEID, &r.PCEID, &r.CPUSVN, &r.PCESVN, &r.State, &at, &r.EncryptedPPID, &r.Manifest)
		r.At = moment(at)
		list = append(list, r)
		return err
	})
	return list, err
}

// Waiting counts the registrations of a state.
func (s *Store) Waiting(ctx context.Context, state State) (int, error) {
	var n int
	err := s.reads.QueryRowContext(ctx, s.d.sql("SELECT COUNT(*) FROM pccs_registrations WHERE state = ?"), int64(state)).Scan(&n)
	return n, s.fail(ctx, "count registrations", err)
}
