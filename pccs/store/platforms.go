package store

import (
	"context"
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
		page := "SELECT id, qe_id, pce_id, fmspc, ca, updated, encrypted_ppid, manifest FROM pccs_platforms WHERE " + where + " ORDER BY qe_id, pce_id LIMIT ?"
		err := t.each(page, append(args, int64(n)), func(scan func(...any) error) error {
			var p Platform
			var id, updated int64
			if err := scan(&id, &p.QEID, &p.PCEID, &p.FMSPC, &p.CA, &updated, &p.EncryptedPPID, &p.Manifest); err != nil {
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
