package store

import (
	"context"
	"fmt"
)

// Policy is an appraisal policy.
type Policy struct {
	ID      string // SHA-384 of Body, 96 digits
	FMSPC   string
	Kind    int // 0 SGX, 1 TDX 1.0, 2 TDX 1.5, as Intel's PCCS numbers them
	Body    string
	Default bool
}

// PutPolicy puts a policy; a default takes the place of the FMSPC's default of the
// same kind. One that was the default, and is put as none, is none.
func (s *Store) PutPolicy(ctx context.Context, p *Policy) error {
	const doing = "put a policy"
	l := limits{of: fmt.Sprintf("policy %.96q", p.ID)}
	l.text("ID", p.ID, maxPolicy)
	l.text("FMSPC", p.FMSPC, maxFMSPC)
	l.text("body", p.Body, MaxPolicy)
	if l.err != nil {
		return s.fail(ctx, doing, l.err)
	}
	return s.change(ctx, doing, func(t *tx) error {
		put := t.d.put("pccs_policies", 1, []string{"fmspc", "kind", "id"}, []string{"body"})
		if _, err := t.exec(put, p.FMSPC, int64(p.Kind), p.ID, []byte(p.Body)); err != nil {
			return err
		}
		if p.Default {
			_, err := t.exec(t.d.put("pccs_policy_defaults", 1, []string{"fmspc", "kind"}, []string{"id"}), p.FMSPC, int64(p.Kind), p.ID)
			return err
		}
		_, err := t.exec("DELETE FROM pccs_policy_defaults WHERE fmspc = ? AND kind = ? AND id = ?", p.FMSPC, int64(p.Kind), p.ID)
		return err
	})
}

// Policies returns the default policies of an FMSPC, at most one of each kind, in
// their order.
func (s *Store) Policies(ctx context.Context, fmspc string) ([]Policy, error) {
	if !isKey(fmspc, maxFMSPC) {
		return nil, nil
	}
	var list []Policy
	const query = `SELECT p.fmspc, p.kind, p.id, p.body FROM pccs_policies p
		JOIN pccs_policy_defaults d ON d.fmspc = p.fmspc AND d.kind = p.kind AND d.id = p.id WHERE p.fmspc = ? ORDER BY p.kind`
	err := each(ctx, s.reads, s.d, query, []any{fmspc}, func(scan func(...any) error) error {
		p := Policy{Default: true}
		err := scan(&p.FMSPC, &p.Kind, &p.ID, &p.Body)
		list = append(list, p)
		return err
	})
	return list, s.fail(ctx, "list policies", err)
}
