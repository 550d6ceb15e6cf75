package pccs

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/store"
	"github.com/feidi-dev/feidi/pcs"
)

// Collateral is what an administrator brings: documents with issuers, and platforms
// with their certificates.
type Collateral struct {
	Documents []collateral.Document // Item, Body and Chain are looked at
	RootCRL   []byte                // DER
	Platforms []store.Platform      // TCBs without TCBm: it is chosen here. FMSPC and CA may be empty
}

// PutCollateral verifies all, and stores all or nothing. What is out of its time
// is taken, and served or refused by the policy. What is older than what is here
// is not stored. Errors are *Error, about the first thing that is wrong.
func (s *Service) PutCollateral(ctx context.Context, c *Collateral) error {
	if e := s.putCollateral(ctx, c); e != nil {
		return e
	}
	return nil
}

func (s *Service) putCollateral(ctx context.Context, c *Collateral) *Error {
	b := &brought{service: s, now: s.cfg.Now().UTC(), docs: map[string]*store.Document{}}
	if e := b.documents(ctx, c); e != nil {
		return e
	}
	var platforms []*store.Platform
	for i := range c.Platforms {
		p, e := b.platform(ctx, c.Platforms[i])
		if e != nil {
			return e
		}
		platforms = append(platforms, p)
	}
	rows, old, e := b.rows(ctx)
	if e != nil {
		return e
	}
	if err := s.cfg.Store.PutAll(ctx, rows, platforms); err != nil {
		return asError(err)
	}
	s.mu.Lock()
	for _, row := range rows {
		delete(s.failures, row.Name)
		delete(s.refused, row.Name)
	}
	s.mu.Unlock()
	for _, p := range platforms {
		s.succeeded(ctx, nameOf(p.PlatformID))
	}
	for i, row := range rows {
		s.levelsOf(b.items[i], old[i], row)
	}
	s.cfg.Log.Info("collateral brought", "documents", len(rows), "platforms", len(platforms))
	s.notify()
	s.rouse()
	return nil
}

// brought is what an administrator brings, as far as it was looked at.
type brought struct {
	service *Service
	now     time.Time
	items   []collateral.Item // in the order in which they came
	docs    map[string]*store.Document
	rootCRL []byte
}

// documents verifies documents: the root CRL first, by which the others may be
// revoked.
func (b *brought) documents(ctx context.Context, c *Collateral) *Error {
	root := collateral.Item{Kind: collateral.RootCRL, API: 4}
	if c.RootCRL != nil {
		if e := b.document(root, c.RootCRL, nil); e != nil {
			return e
		}
		b.rootCRL = c.RootCRL
	} else if row, err := b.service.cfg.Store.Document(ctx, root.String()); err == nil {
		b.rootCRL = row.Body
	} else if !errors.Is(err, store.ErrNotFound) {
		return asError(err)
	}
	for i := range c.Documents {
		d := &c.Documents[i]
		if e := b.document(d.Item, d.Body, d.Chain); e != nil {
			return e
		}
	}
	return nil
}

func (b *brought) document(item collateral.Item, body, chain []byte) *Error {
	check := b.service.cfg.Checker
	item, err := check.Resolve(item)
	if err != nil {
		return unresolved(err)
	}
	d, err := check.Check(item, body, chain, b.rootCRL, b.now)
	switch {
	case errors.Is(err, collateral.ErrExpired) && d != nil:
		b.service.cfg.Log.Warn("expired document brought", "item", item.String(), "next_update", d.NextUpdate)
	case err != nil:
		return notGenuine(err)
	}
	row := rowOf(d, b.now, "admin")
	if b.docs[row.Name] == nil {
		b.items = append(b.items, item)
	}
	b.docs[row.Name] = row
	return nil
}

// notGenuine is the answer to something that is not what it has to be.
func notGenuine(err error) *Error {
	e := fail(460, NotGenuine, "%v", err)
	if errors.Is(err, collateral.ErrUntrusted) {
		e.Reason = WrongEnvironment
		e.Message += ": it is of another environment than this service: trust its root in the configuration, or bring that of the right one"
	}
	e.Err = err
	return e
}

// rows returns the documents as they are to be kept, and what is here in the place
// of each.
func (b *brought) rows(ctx context.Context) (rows, old []*store.Document, e *Error) {
	var kept []collateral.Item
	for _, item := range b.items {
		row := b.docs[item.String()]
		have, err := b.service.cfg.Store.Document(ctx, row.Name)
		switch {
		case errors.Is(err, store.ErrNotFound):
			have = nil
		case err != nil:
			return nil, nil, asError(err)
		case older(row, have):
			b.service.cfg.Log.Warn("older document brought, the newer one stays", "item", row.Name, "issued", row.Issued, "here", have.Issued)
			continue
		}
		kept, rows, old = append(kept, item), append(rows, row), append(old, have)
	}
	b.items = kept
	return rows, old, nil
}

// platform verifies a platform's certificates, and chooses one for each of its
// TCBs: those that come with it, and those it was seen with.
func (b *brought) platform(ctx context.Context, p store.Platform) (*store.Platform, *Error) {
	q := PCKQuery{QEID: p.QEID, PCEID: p.PCEID}
	a, e := q.platform()
	if e != nil {
		return nil, e
	}
	p.PlatformID, p.Updated, p.Origin = a.id, b.now, byAdmin
	if e := b.certificates(&p); e != nil {
		return nil, e
	}
	given := slices.Clone(p.TCBs)
	for i, t := range given {
		r := PCKQuery{QEID: p.QEID, PCEID: p.PCEID, CPUSVN: t.CPUSVN, PCESVN: t.PCESVN}
		a, e := r.read()
		if e != nil {
			return nil, e
		}
		given[i] = a.raw
	}
	old, err := b.service.cfg.Store.Platform(ctx, p.PlatformID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, asError(err)
	}
	p.TCBs = nil
	for _, t := range given {
		p.TCBs = withTCB(p.TCBs, t)
	}
	if err == nil && sameProcessor(&p, old) {
		for _, t := range old.TCBs {
			p.TCBs = withTCB(p.TCBs, t)
		}
		if !known(p.EncryptedPPID) {
			p.EncryptedPPID = old.EncryptedPPID
		}
		if len(p.Manifest) == 0 {
			p.Manifest = old.Manifest
		}
	}
	info, e := b.levels(ctx, p.FMSPC)
	if e != nil {
		return nil, e
	}
	p.TCBs = chosen(&p, info)
	for _, t := range p.TCBs[:min(len(given), len(p.TCBs))] {
		if t.TCBm != "" {
			continue
		}
		if _, e := best(&p, t, info); e != nil {
			e.Status = 400
			return nil, e
		}
	}
	return &p, nil
}

// certificates verifies the certificates of a platform, and fills in what they
// say of it.
func (b *brought) certificates(p *store.Platform) *Error {
	if len(p.Certs) == 0 {
		return badRequest("the platform with QE ID %s comes without PCK certificates", p.QEID)
	}
	list := &pcs.PCKCerts{Issuers: p.Issuers, CA: pcs.CA(p.CA)}
	certs := make([]store.PCKCert, len(p.Certs))
	for i, c := range p.Certs {
		text, e := digits("tcbm", c.TCBm, 36, 36)
		if e != nil {
			return e
		}
		chain, err := dcap.ParseChain([]byte(c.Cert))
		if err != nil || len(chain) != 1 || chain[0].SGX == nil {
			return fail(460, NotGenuine, "PCK certificate %d of the platform with QE ID %s is none: %v", i+1, p.QEID, err)
		}
		sgx := chain[0].SGX
		if i == 0 {
			list.FMSPC = sgx.FMSPC
			if list.CA == "" {
				list.CA = verify.ProcessorCA
				if sgx.HasPlatform {
					list.CA = verify.PlatformCA
				}
			}
		}
		l := pcs.PCKLevel{TCB: sgx.TCB, CPUSVN: sgx.CPUSVN, PCESVN: sgx.PCESVN, Cert: []byte(c.Cert)}
		switch {
		case tcbm(&l) != text:
			return fail(460, NotGenuine, "PCK certificate %d of the platform with QE ID %s is for TCBm %s and not for %s", i+1, p.QEID, tcbm(&l), text)
		case fmt.Sprintf("%X", sgx.PCEID) != p.PCEID:
			return fail(460, NotGenuine, "PCK certificate %d of the platform with QE ID %s is of PCE ID %X and not of %s", i+1, p.QEID, sgx.PCEID, p.PCEID)
		case sgx.TCB != sgx.CPUSVN:
			return fail(460, NotGenuine, "PCK certificate %d of the platform with QE ID %s: its CPUSVN is not its components", i+1, p.QEID)
		}
		list.Levels = append(list.Levels, l)
		certs[i] = store.PCKCert{TCBm: text, Cert: c.Cert}
	}
	err := b.service.cfg.Checker.CheckPCK(list, b.now)
	switch {
	case errors.Is(err, collateral.ErrExpired):
		b.service.cfg.Log.Warn("expired PCK certificates brought", "platform", p.QEID)
	case err != nil:
		return notGenuine(fmt.Errorf("platform with QE ID %s: %w", p.QEID, err))
	}
	fmspc := hex.EncodeToString(list.FMSPC[:])
	if p.FMSPC, _ = digits("fmspc", fmspc, fmspcDigits, fmspcDigits); p.CA == "" {
		p.CA = string(list.CA)
	}
	p.Certs = certs
	return nil
}

// levels is Service.levels of what is brought, or else of what is here.
func (b *brought) levels(ctx context.Context, fmspc string) (*dcap.TCBInfo, *Error) {
	for _, api := range []int{4, 3} {
		for _, update := range []string{collateral.Early, collateral.Standard} {
			item := collateral.Item{Kind: collateral.TCBInfo, API: api, TEE: dcap.TEESGX, FMSPC: fmspc, Update: update}
			if row := b.docs[item.String()]; row != nil {
				info, err := dcap.ParseTCBInfo(row.Body)
				if err != nil {
					return nil, asError(err)
				}
				return &info.TCBInfo, nil
			}
		}
	}
	info, e := b.service.levels(ctx, fmspc)
	if e != nil && (e.Reason == NotCached || e.Reason == UpstreamUnknown) {
		e.Status = 400
		e.Message = "no PCK certificate can be chosen: " + e.Message
	}
	return info, e
}
