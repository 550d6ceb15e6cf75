package pccs

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/selection"
	"github.com/feidi-dev/feidi/pccs/store"
)

// PCK is the answer to a PCKQuery.
type PCK struct {
	Cert    string // PEM, the leaf alone
	TCBm    string
	FMSPC   string
	CA      string // "processor" or "platform"
	Issuers []byte // PEM
	Fetched time.Time
	Stale   error
}

// PCKCert returns the PCK certificate for a platform's TCB: the one that was
// chosen when the platform was seen with it, or else the best of the platform's.
// In LAZY mode the certificates of a platform that was never seen are fetched, if
// the query has its encrypted PPID. A TCB that was not seen is not recorded.
// Errors are *Error.
func (s *Service) PCKCert(ctx context.Context, q PCKQuery) (*PCK, error) {
	p, e := s.pckCert(ctx, &q)
	if e != nil {
		return nil, e
	}
	return p, nil
}

func (s *Service) pckCert(ctx context.Context, q *PCKQuery) (*PCK, *Error) {
	a, e := q.read()
	if e != nil {
		return nil, e
	}
	m, err := s.cfg.Store.Match(ctx, a.id, a.raw.CPUSVN, a.raw.PCESVN)
	if err == nil {
		return s.servedPCK(a.id, m)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return nil, asError(err)
	}
	p, e := s.platform(ctx, a)
	if e != nil {
		return nil, e
	}
	best, e := s.choose(ctx, p, a.raw)
	if e != nil && e.Reason == NoCertificate && s.cfg.Mode == Lazy && s.again(p) {
		// There may be a certificate by now, such as after a new package
		// was registered. That there is still none is a failure, or anybody who
		// knows a QE ID could have the service behind asked all the time.
		_ = s.wanted(ctx, nameOf(a.id), s.certs, func(ctx context.Context) *Error {
			if e := s.fetchPlatform(ctx, wish{platform: *p}); e != nil {
				return e
			}
			_, e := s.chooseOf(ctx, a)
			return e
		})
		if p, err = s.cfg.Store.Platform(ctx, a.id); err != nil {
			return nil, asError(err)
		}
		best, e = s.choose(ctx, p, a.raw)
	}
	if e != nil {
		return nil, e
	}
	return s.servedPCK(a.id, &store.Match{PCKCert: *best, FMSPC: p.FMSPC, CA: p.CA, Issuers: p.Issuers, Updated: p.Updated})
}

// again reports whether the certificates of a platform could be had again, and
// have not just been.
func (s *Service) again(p *store.Platform) bool {
	return (known(p.EncryptedPPID) || len(p.Manifest) > 0) && s.cfg.Now().Sub(p.Updated).Abs() > soonest
}

// PCKCerts returns all cached PCK certificates of a platform. CPUSVN and PCESVN
// of q are not looked at. Errors are *Error.
func (s *Service) PCKCerts(ctx context.Context, q PCKQuery) (*store.Platform, error) {
	a, e := q.platform()
	if e != nil {
		return nil, e
	}
	p, e := s.platform(ctx, a)
	if e != nil {
		return nil, e
	}
	return p, nil
}

// platform returns a platform from the store, or in LAZY mode has it fetched.
func (s *Service) platform(ctx context.Context, a asked) (*store.Platform, *Error) {
	p, err := s.cfg.Store.Platform(ctx, a.id)
	if err == nil {
		return p, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return nil, asError(err)
	}
	const advice = "see that it is this PCCS that the platform was registered with, or register it: PCKIDRetrievalTool, or POST /platforms"
	switch {
	case s.cfg.Mode != Lazy:
		return nil, fail(461, NotRegistered, "the platform with QE ID %s was never seen here, and in %s mode it is not asked for: %s", a.id.QEID, s.cfg.Mode, advice)
	case a.ppid == nil:
		return nil, fail(400, NotRegistered, "the platform with QE ID %s was never seen here, and without its encrypted PPID the service behind cannot be asked: %s", a.id.QEID, advice)
	case !known(a.ppid):
		return nil, fail(404, NotRegistered, "the platform with QE ID %s was never seen here, and its encrypted PPID is all zeros, so that the service behind cannot be asked: %s", a.id.QEID, advice)
	}
	w := wish{platform: store.Platform{PlatformID: a.id, EncryptedPPID: a.ppid}, by: byClient}
	if a.raw.CPUSVN != "" {
		w.raw = &a.raw
	}
	if e := s.wanted(ctx, nameBy(a.id, a.ppid), s.certs, func(ctx context.Context) *Error { return s.fetchPlatform(ctx, w) }); e != nil {
		return nil, e
	}
	if p, err = s.cfg.Store.Platform(ctx, a.id); err != nil {
		return nil, asError(err)
	}
	return p, nil
}

// chooseOf is choose of a platform as it is in the store.
func (s *Service) chooseOf(ctx context.Context, a asked) (*store.PCKCert, *Error) {
	p, err := s.cfg.Store.Platform(ctx, a.id)
	if err != nil {
		return nil, asError(err)
	}
	return s.choose(ctx, p, a.raw)
}

// choose returns the best certificate of a platform for a raw TCB.
func (s *Service) choose(ctx context.Context, p *store.Platform, raw store.RawTCB) (*store.PCKCert, *Error) {
	info, e := s.levels(ctx, p.FMSPC)
	if e != nil {
		return nil, e
	}
	return best(p, raw, info)
}

// best chooses by a TCB info.
func best(p *store.Platform, raw store.RawTCB, info *dcap.TCBInfo) (*store.PCKCert, *Error) {
	list := make([]selection.Candidate, len(p.Certs))
	for i, c := range p.Certs {
		var err error
		if list[i], err = selection.FromTCBm(c.TCBm); err != nil {
			return nil, asError(err)
		}
	}
	cpuSVN, pceSVN := svnOf(raw)
	var pceID [2]byte
	var fmspc [6]byte
	hexTo(pceID[:], p.PCEID)
	hexTo(fmspc[:], p.FMSPC)
	i, err := selection.Select(cpuSVN, pceSVN, pceID, fmspc, list, info)
	switch {
	case errors.Is(err, selection.ErrNone):
		e := fail(462, NoCertificate, "platform with QE ID %s: %v: was it registered after its last update or change of packages? (POST /refresh?type=certs)", p.QEID, err)
		e.Err = err
		return nil, e
	case err != nil:
		e := fail(404, NotCached, "platform with QE ID %s: %v", p.QEID, err)
		e.Err = err
		return nil, e
	}
	return &p.Certs[i], nil
}

func hexTo(b []byte, digits string) {
	if v, err := hex.DecodeString(digits); err == nil {
		copy(b, v)
	}
}

// levels returns the TCB info that certificates are chosen by: that for SGX, the
// early one if it is here, as Intel's service does. One of version 3 is better
// than none.
func (s *Service) levels(ctx context.Context, fmspc string) (*dcap.TCBInfo, *Error) {
	item := func(api int, update string) collateral.Item {
		return collateral.Item{Kind: collateral.TCBInfo, API: api, TEE: dcap.TEESGX, FMSPC: fmspc, Update: update}
	}
	e := s.notCached(item(4, collateral.Standard))
	for _, i := range []collateral.Item{item(4, collateral.Early), item(4, collateral.Standard), item(3, collateral.Early), item(3, collateral.Standard)} {
		if i == item(3, collateral.Early) && s.cfg.Mode == Lazy {
			e = s.ensure(ctx, item(4, collateral.Standard))
			if e == nil {
				i = item(4, collateral.Standard)
			}
		}
		row, err := s.cfg.Store.Document(ctx, i.String())
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, asError(err)
		}
		info, err := dcap.ParseTCBInfo(row.Body)
		if err != nil {
			return nil, asError(fmt.Errorf("pccs: %s in the database: %w", i, err))
		}
		return &info.TCBInfo, nil
	}
	return nil, e
}

// servedPCK returns a certificate as an answer, if it may be one by the policy.
func (s *Service) servedPCK(id store.PlatformID, m *store.Match) (*PCK, *Error) {
	now := s.cfg.Now()
	p := &PCK{Cert: m.Cert, TCBm: m.TCBm, FMSPC: m.FMSPC, CA: m.CA, Issuers: m.Issuers, Fetched: m.Updated}
	if s.cfg.Mode != Offline {
		if due := s.dueCerts(id, m.Updated); !now.Before(due) {
			p.Stale = s.staleCerts(id, due)
		}
	}
	if end, err := expiry(m.Cert); err == nil && now.After(end) {
		p.Stale = fmt.Errorf("the PCK certificate expired at %s", end.UTC().Format(time.RFC3339))
		if s.cfg.RefuseExpired || s.cfg.MaxExpired > 0 && now.Sub(end) > s.cfg.MaxExpired {
			return nil, s.tooOld(nil, "the PCK certificate of the platform with QE ID %s expired at %s", id.QEID, end.UTC().Format(time.RFC3339))
		}
	}
	if age := now.Sub(m.Updated); p.Stale != nil && s.cfg.MaxStale > 0 && age > s.cfg.MaxStale {
		return nil, s.tooOld(p.Stale, "the PCK certificate of the platform with QE ID %s is %v old", id.QEID, age.Round(time.Second))
	}
	return p, nil
}

// staleCerts says what failed when a platform's certificates were due. That they
// are late is no reason: there may be many to get.
func (s *Service) staleCerts(id store.PlatformID, due time.Time) error {
	return s.stale(nameOf(id), due, due)
}

// expiry is the end of a certificate in PEM.
func expiry(cert string) (time.Time, error) {
	chain, err := dcap.ParseChain([]byte(cert))
	if err != nil {
		return time.Time{}, err
	}
	return chain[0].NotAfter, nil
}
