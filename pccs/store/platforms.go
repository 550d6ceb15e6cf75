package store

import (
	"cmp"
	"context"
	"slices"
)

// Platforms lists platforms after an ID in order, at most n (and MaxPage), without Certs and
// Issuers, of the FMSPCs if there are any. The zero ID is before all.
func (s *Store) Platforms(ctx context.Context, fmspcs []string, after PlatformID, n int) ([]Platform, error) {
	const doing = "list platforms"
	l := limits{of: "a list of platforms"}
	l.platform(after)
	l.count("FMSPCs", len(fmspcs), MaxPage)
	for _, f := range fmspcs {
		l.text("FMSPC", f, maxFMSPC)
	}
	n = min(n, MaxPage)
	if l.err != nil || n <= 0 {
		return nil, s.fail(ctx, doing, l.err)
	}
	// Not (qe_id, pce_id) > (?, ?): for that MySQL looks at every row.
	where := "qe_id >= ? AND (qe_id > ? OR pce_id > ?)"
	args := []any{after.QEID, after.QEID, after.PCEID}
	if len(fmspcs) > 0 {
		where += " AND fmspc IN (" + marks(len(fmspcs)) + ")"
		for _, f := range fmspcs {
			args = append(args, f)
		}
	}
	var list []Platform
	err := s.view(ctx, doing, func(t *tx) error {
		list = nil
		at := make(map[int64]int)
		var ids []any
		page := "SELECT id, qe_id, pce_id, fmspc, ca, updated, encrypted_ppid, manifest, origin FROM pccs_platforms WHERE " + where + " ORDER BY qe_id, pce_id LIMIT ?"
		err := t.each(page, append(args, int64(n)), func(scan func(...any) error) error {
			var p Platform
			var id, updated int64
			if err := scan(&id, &p.QEID, &p.PCEID, &p.FMSPC, &p.CA, &updated, &p.EncryptedPPID, &p.Manifest, &p.Origin); err != nil {
				return err
			}
			p.Updated = moment(updated)
			at[id], ids, list = len(list), append(ids, id), append(list, p)
			return nil
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		tcbs := "SELECT platform, cpu_svn, pce_svn, tcbm FROM pccs_tcbs WHERE platform IN (" + marks(len(ids)) + ") ORDER BY platform, cpu_svn, pce_svn"
		return t.each(tcbs, ids, func(scan func(...any) error) error {
			var r RawTCB
			var id int64
			if err := scan(&id, &r.CPUSVN, &r.PCESVN, &r.TCBm); err != nil {
				return err
			}
			p := &list[at[id]]
			p.TCBs = append(p.TCBs, r)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// FMSPCs counts platforms by FMSPC.
func (s *Store) FMSPCs(ctx context.Context) (map[string]int, error) {
	counts := make(map[string]int)
	err := each(ctx, s.reads, s.d, "SELECT fmspc, COUNT(*) FROM pccs_platforms GROUP BY fmspc", nil, func(scan func(...any) error) error {
		var f string
		var n int
		err := scan(&f, &n)
		counts[f] = n
		return err
	})
	if err != nil {
		return nil, s.fail(ctx, "count platforms", err)
	}
	return counts, nil
}

// TCBGroup are the platforms of an FMSPC that were seen with a TCB to which the same
// PCK certificate belongs.
type TCBGroup struct {
	FMSPC, TCBm string       // TCBm is "" if no certificate was chosen
	Count       int          // of platforms
	Examples    []PlatformID // the one that came in first, and the one that came in last
}

// The servers count by themselves. SQLite would sort all rows for that, on the disk;
// it is faster to look at them in the order in which they are.
const (
	groupQuery = `SELECT p.fmspc, t.tcbm, COUNT(DISTINCT t.platform), MIN(t.platform), MAX(t.platform)
		FROM pccs_tcbs t JOIN pccs_platforms p ON p.id = t.platform GROUP BY p.fmspc, t.tcbm`
	groupRows = `SELECT p.fmspc, t.tcbm, 1, t.platform, t.platform
		FROM pccs_tcbs t CROSS JOIN pccs_platforms p ON p.id = t.platform ORDER BY t.platform`
)

// TCBGroups counts platforms by FMSPC and TCBm, in the order of these, at most n
// groups. It looks at all platforms, which takes some seconds for a million.
func (s *Store) TCBGroups(ctx context.Context, n int) ([]TCBGroup, error) {
	type key struct{ fmspc, tcbm string }
	type group struct {
		count       int
		first, last int64
	}
	query := groupQuery
	if s.d.kind == "sqlite" {
		query = groupRows
	}
	var list []TCBGroup
	err := s.view(ctx, "count platforms by TCB", func(t *tx) error {
		list = nil
		groups := make(map[key]*group)
		err := t.each(query, nil, func(scan func(...any) error) error {
			var k key
			var count int
			var first, last int64
			if err := scan(&k.fmspc, &k.tcbm, &count, &first, &last); err != nil {
				return err
			}
			g := groups[k]
			switch {
			case g == nil && len(groups) < n:
				groups[k] = &group{count, first, last}
			case g != nil && g.last != last: // not the same platform with another raw TCB
				g.count += count
				g.last = last
			}
			return nil
		})
		if err != nil {
			return err
		}
		for k, g := range groups {
			of := TCBGroup{FMSPC: k.fmspc, TCBm: k.tcbm, Count: g.count}
			for _, row := range slices.Compact([]int64{g.first, g.last}) {
				var id PlatformID
				if err := t.get("SELECT qe_id, pce_id FROM pccs_platforms WHERE id = ?", []any{row}, &id.QEID, &id.PCEID); err != nil {
					return err
				}
				of.Examples = append(of.Examples, id)
			}
			list = append(list, of)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b TCBGroup) int { return cmp.Or(cmp.Compare(a.FMSPC, b.FMSPC), cmp.Compare(a.TCBm, b.TCBm)) })
	return list, nil
}
