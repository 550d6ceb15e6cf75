package store

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// PlatformID names a platform: QEID at most 260 digits, PCEID 4, both upper case.
type PlatformID struct{ QEID, PCEID string }

// Platform is a platform whose certificates are cached.
type Platform struct {
	PlatformID
	EncryptedPPID []byte // 384 bytes, or nil
	Manifest      []byte // or nil
	FMSPC         string // 12 digits, upper case
	CA            string // "processor" or "platform"
	Issuers       []byte // PEM: CA and root; one copy is kept for each that differs
	Updated       time.Time
	Origin        string    // who brought it in, at most 32 bytes; "" if that is not known
	TCBs          []RawTCB  // those that the platform was seen with
	Certs         []PCKCert // all that there are
}

// RawTCB is a TCB that a platform has reported.
type RawTCB struct {
	CPUSVN string // 32 digits, upper case
	PCESVN string // 4 digits, little endian, upper case
	TCBm   string // of the certificate that was chosen for it; "" if none was
}

// PCKCert is a PCK certificate of a platform.
type PCKCert struct {
	TCBm string // 36 digits, upper case
	Cert string // PEM
}

func comparePlatforms(a, b PlatformID) int {
	return cmp.Or(cmp.Compare(a.QEID, b.QEID), cmp.Compare(a.PCEID, b.PCEID))
}

// PutPlatform replaces a platform, its certificates and raw TCBs, in one transaction.
// Of several certificates of one TCBm the last is kept.
func (s *Store) PutPlatform(ctx context.Context, p *Platform) error {
	return s.PutAll(ctx, nil, []*Platform{p})
}

// PutPlatforms is PutPlatform for many, all or none. A thousand at a time are fast.
func (s *Store) PutPlatforms(ctx context.Context, list []*Platform) error {
	return s.PutAll(ctx, nil, list)
}

func (p *Platform) valid() error {
	l := limits{of: fmt.Sprintf("platform %.40q", p.QEID)}
	l.platform(p.PlatformID)
	l.text("FMSPC", p.FMSPC, maxFMSPC)
	l.text("CA", p.CA, maxCA)
	l.text("origin", p.Origin, maxOrigin)
	l.bytes("encrypted PPID", p.EncryptedPPID, maxPPID)
	l.bytes("manifest", p.Manifest, MaxManifest)
	l.bytes("issuer chain", p.Issuers, MaxChain)
	l.time("time", p.Updated)
	l.count("PCK certificates", len(p.Certs), MaxCerts)
	l.count("raw TCBs", len(p.TCBs), MaxTCBs)
	for _, c := range p.Certs {
		l.text("TCBm", c.TCBm, maxTCBm)
		l.text("PCK certificate", c.Cert, MaxCert)
	}
	for _, t := range p.TCBs {
		l.tcb(t)
	}
	return l.err
}

func (l *limits) tcb(t RawTCB) {
	l.text("CPUSVN", t.CPUSVN, maxCPUSVN)
	l.text("PCESVN", t.PCESVN, maxPCESVN)
	l.text("TCBm", t.TCBm, maxTCBm)
}

// chunk is how many rows one statement puts.
const chunk = 64

func (t *tx) putPlatform(p *Platform) error {
	issuers, err := t.chain(p.Issuers)
	if err != nil {
		return err
	}
	put := t.d.put("pccs_platforms", 1, []string{"qe_id", "pce_id"}, []string{"fmspc", "ca", "updated", "issuers", "encrypted_ppid", "manifest", "origin"})
	if _, err := t.exec(put, p.QEID, p.PCEID, p.FMSPC, p.CA, micros(p.Updated), issuers, p.EncryptedPPID, p.Manifest, p.Origin); err != nil {
		return err
	}
	id, err := t.platform(p.PlatformID) // whose row is now locked
	if err != nil {
		return err
	}
	for _, table := range []string{"pccs_certs", "pccs_tcbs"} {
		if _, err := t.exec("DELETE FROM "+table+" WHERE platform = ?", id); err != nil {
			return err
		}
	}
	certs := rows{t: t, table: "pccs_certs", keys: []string{"platform", "tcbm"}, columns: []string{"cert"}}
	for _, c := range lastOf(p.Certs, func(c PCKCert) string { return c.TCBm }) {
		if err := certs.add(id, c.TCBm, []byte(c.Cert)); err != nil {
			return err
		}
	}
	tcbs := rows{t: t, table: "pccs_tcbs", keys: tcbKeys, columns: []string{"tcbm"}}
	for _, raw := range lastOf(p.TCBs, func(r RawTCB) [2]string { return [2]string{r.CPUSVN, r.PCESVN} }) {
		if err := tcbs.add(id, raw.CPUSVN, raw.PCESVN, raw.TCBm); err != nil {
			return err
		}
	}
	if err := certs.flush(); err != nil {
		return err
	}
	return tcbs.flush()
}

var tcbKeys = []string{"platform", "cpu_svn", "pce_svn"}

// platform returns the number of a platform's row.
func (t *tx) platform(id PlatformID) (int64, error) {
	var row int64
	err := t.get("SELECT id FROM pccs_platforms WHERE qe_id = ? AND pce_id = ?", []any{id.QEID, id.PCEID}, &row)
	return row, err
}

// lastOf drops those that others of the same key follow. A statement cannot put two
// rows of one key.
func lastOf[T any, K comparable](list []T, key func(T) K) []T {
	at := make(map[K]int, len(list))
	out := make([]T, 0, len(list))
	for _, v := range list {
		if i, ok := at[key(v)]; ok {
			out[i] = v
			continue
		}
		at[key(v)] = len(out)
		out = append(out, v)
	}
	return out
}

// rows puts many rows with few statements.
type rows struct {
	t             *tx
	table         string
	keys, columns []string
	args          []any
	n             int
}

func (r *rows) add(values ...any) error {
	r.args = append(r.args, values...)
	if r.n++; r.n < chunk {
		return nil
	}
	return r.flush()
}

func (r *rows) flush() error {
	if r.n == 0 {
		return nil
	}
	_, err := r.t.exec(r.t.d.put(r.table, r.n, r.keys, r.columns), r.args...)
	r.args, r.n = r.args[:0], 0
	return err
}

// Platform returns a platform with TCBs and Certs, each in the order of their keys,
// or ErrNotFound.
func (s *Store) Platform(ctx context.Context, id PlatformID) (*Platform, error) {
	if !isKey(id.QEID, maxQEID) || !isKey(id.PCEID, maxPCEID) {
		return nil, ErrNotFound
	}
	var p *Platform
	err := s.view(ctx, "get a platform", func(t *tx) error {
		var row, updated int64
		p = &Platform{PlatformID: id}
		err := t.get(`SELECT p.id, p.fmspc, p.ca, p.updated, p.encrypted_ppid, p.manifest, p.origin, c.pem
			FROM pccs_platforms p LEFT JOIN pccs_chains c ON c.sha256 = p.issuers WHERE p.qe_id = ? AND p.pce_id = ?`,
			[]any{id.QEID, id.PCEID}, &row, &p.FMSPC, &p.CA, &updated, &p.EncryptedPPID, &p.Manifest, &p.Origin, &p.Issuers)
		if err != nil {
			return err
		}
		p.Updated = moment(updated)
		err = t.each("SELECT tcbm, cert FROM pccs_certs WHERE platform = ? ORDER BY tcbm", []any{row}, func(scan func(...any) error) error {
			var c PCKCert
			err := scan(&c.TCBm, &c.Cert)
			p.Certs = append(p.Certs, c)
			return err
		})
		if err != nil {
			return err
		}
		return t.each("SELECT cpu_svn, pce_svn, tcbm FROM pccs_tcbs WHERE platform = ? ORDER BY cpu_svn, pce_svn", []any{row}, func(scan func(...any) error) error {
			var r RawTCB
			err := scan(&r.CPUSVN, &r.PCESVN, &r.TCBm)
			p.TCBs = append(p.TCBs, r)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// PutTCB records which certificate was chosen for a raw TCB of a platform that is
// there; the error is ErrNotFound if it is not, and ErrInvalid if the platform has
// MaxTCBs others.
func (s *Store) PutTCB(ctx context.Context, id PlatformID, r RawTCB) error {
	const doing = "put a raw TCB"
	l := limits{of: fmt.Sprintf("platform %.40q", id.QEID)}
	l.platform(id)
	if l.tcb(r); l.err != nil {
		return s.fail(ctx, doing, l.err)
	}
	return s.change(ctx, doing, func(t *tx) error {
		row, err := t.platform(id)
		if err != nil {
			return err
		}
		var others int
		err = t.get("SELECT COUNT(*) FROM pccs_tcbs WHERE platform = ? AND NOT (cpu_svn = ? AND pce_svn = ?)", []any{row, r.CPUSVN, r.PCESVN}, &others)
		if err != nil {
			return err
		}
		if l.count("raw TCBs", others+1, MaxTCBs); l.err != nil {
			return l.err
		}
		_, err = t.exec(t.d.put("pccs_tcbs", 1, tcbKeys, []string{"tcbm"}), row, r.CPUSVN, r.PCESVN, r.TCBm)
		return err
	})
}
