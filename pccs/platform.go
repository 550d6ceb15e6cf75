package pccs

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/store"
	"github.com/feidi-dev/feidi/pcs"
)

// wish is a platform whose certificates are to be had.
type wish struct {
	platform store.Platform // ID, encrypted PPID, manifest
	raw      *store.RawTCB  // a TCB that it was seen with now
	by       string         // who brings it in: byClient or byUser; "" if it is here and is to be renewed
}

// fetchPlatform gets the certificates of a platform from the service behind, and
// what they are chosen by; chooses; and keeps it all.
func (s *Service) fetchPlatform(ctx context.Context, w wish) *Error {
	id := w.platform.PlatformID
	if w.by == byClient {
		// It was not here a moment ago.
		if _, err := s.cfg.Store.Platform(ctx, id); !errors.Is(err, store.ErrNotFound) {
			return asError(err)
		}
	}
	r := pcs.PCKCertsRequest{EncryptedPPID: w.platform.EncryptedPPID, Manifest: w.platform.Manifest}
	if len(r.Manifest) > 0 {
		r.EncryptedPPID = nil
	}
	hexTo(r.PCEID[:], id.PCEID)
	what := fmt.Sprintf("PCK certificates of the platform with QE ID %s", id.QEID)
	s.remind(ctx)
	started := time.Now()
	got, err := s.cfg.Upstream.PCKCerts(ctx, r)
	if err != nil {
		e := s.upstreamError(what, err)
		s.count("pckcerts", e)
		s.cfg.Log.Warn("not fetched", "platform", id.QEID, "why", string(e.Reason), "message", e.Message, tellUpstream(e.RequestID, started))
		return e
	}
	s.count("pckcerts", nil)
	s.cfg.Log.Info("fetched", "platform", id.QEID, "fmspc", fmt.Sprintf("%X", got.FMSPC), "certificates", len(got.Levels), tellUpstream(got.Source.RequestID, started))

	p := s.platformOf(w, got)
	if len(p.Certs) == 0 {
		e := fail(404, UpstreamUnknown, "%s: %s has none for any of its TCBs: is it registered, and did that succeed?", what, s.behind())
		e.RequestID = got.Source.RequestID
		return e
	}
	if ppid, ok := ppidOf(p); w.by == byClient && (!ok || !s.welcome(ppid)) {
		// A failure like others, which are counted: the service behind was asked.
		return fail(404, NotRegistered, "%s: this processor was here under too many QE IDs of late: register the platform (POST /platforms)", what)
	}
	if e := s.tcbInfos(ctx, p.FMSPC); e != nil {
		return e
	}
	// Others may be at the same platform with other encrypted PPIDs: what is here is
	// looked at and replaced by one after the other.
	select {
	case s.keeping <- struct{}{}:
		defer func() { <-s.keeping }()
	case <-ctx.Done():
		return asError(ctx.Err())
	}
	missing := missingLevels(got)
	old, err := s.cfg.Store.Platform(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		old = nil
	case err != nil:
		return asError(err)
	case w.by == byClient: // it has come meanwhile
		if sameProcessor(p, old) && len(missing) == 0 {
			return s.seen(ctx, w)
		}
		return nil
	case !sameProcessor(p, old) && w.by == byUser && (old.Origin == byClient || !isQEID(id.QEID)):
		s.cfg.Log.Warn("registered under an ID that certificates of another processor had, which are gone", "platform", id.QEID, "origin", old.Origin)
		old = nil
	case !sameProcessor(p, old):
		return fail(460, NotGenuine, "%s: they are of another processor than those that are here under this QE ID, which stay: if it was replaced, an administrator brings the new ones (feidi pccs put)", what)
	case len(r.Manifest) > 0 && known(old.EncryptedPPID):
		p.EncryptedPPID = old.EncryptedPPID // nobody has looked at another
	}
	if e := s.chooseAll(ctx, p, old, w, len(missing) > 0); e != nil {
		return e
	}
	if err := s.cfg.Store.PutPlatform(ctx, p); err != nil {
		return asError(err)
	}
	s.succeeded(ctx, nameOf(id))
	s.notify()
	if s.cfg.Mode != Req {
		return nil
	}
	// An administrator may learn what Intel has no certificates for.
	for _, t := range missing {
		err := s.cfg.Store.Register(ctx, &store.Registration{
			PlatformID: id, CPUSVN: t.CPUSVN, PCESVN: t.PCESVN, EncryptedPPID: p.EncryptedPPID, Manifest: p.Manifest,
			State: store.NotAvailable, At: s.cfg.Now().UTC(),
		})
		if err != nil {
			return asError(err)
		}
	}
	return nil
}

// platformOf is a platform as it is kept, without TCBs.
func (s *Service) platformOf(w wish, got *pcs.PCKCerts) *store.Platform {
	p := &store.Platform{
		PlatformID: w.platform.PlatformID, EncryptedPPID: w.platform.EncryptedPPID, Manifest: w.platform.Manifest,
		FMSPC: fmt.Sprintf("%X", got.FMSPC), CA: string(got.CA), Issuers: got.Issuers, Updated: s.cfg.Now().UTC(),
		Origin: cmp.Or(w.by, w.platform.Origin),
	}
	for i := range got.Levels {
		switch l := &got.Levels[i]; {
		case l.Cert == nil:
		case l.TCB != l.CPUSVN:
			s.cfg.Log.Warn("certificate left out: its CPUSVN is not its components", "platform", p.QEID, "tcbm", tcbm(l))
		default:
			p.Certs = append(p.Certs, store.PCKCert{TCBm: tcbm(l), Cert: string(l.Cert)})
		}
	}
	return p
}

// tcbm is what the certificate of a level is for.
func tcbm(l *pcs.PCKLevel) string {
	return fmt.Sprintf("%X", binary.LittleEndian.AppendUint16(l.CPUSVN[:], l.PCESVN))
}

// missingLevels are the TCBs for which there is no certificate.
func missingLevels(got *pcs.PCKCerts) (list []store.RawTCB) {
	for i := range got.Levels {
		if l := &got.Levels[i]; l.Cert == nil {
			list = append(list, store.RawTCB{
				CPUSVN: fmt.Sprintf("%X", l.TCB), PCESVN: fmt.Sprintf("%X", binary.LittleEndian.AppendUint16(nil, l.PCESVN)),
			})
		}
	}
	return list
}

// chooseAll chooses a certificate for each TCB that the platform was seen with,
// and for the one that it is seen with now. As Intel's service does, in LAZY mode
// that is not recorded where certificates are missing.
func (s *Service) chooseAll(ctx context.Context, p, old *store.Platform, w wish, missing bool) *Error {
	if old != nil {
		p.TCBs = old.TCBs
	}
	if w.raw != nil && (s.cfg.Mode != Lazy || !missing) {
		p.TCBs = withTCB(p.TCBs, *w.raw)
	}
	if len(p.TCBs) == 0 {
		return nil
	}
	info, e := s.levels(ctx, p.FMSPC)
	if e != nil {
		return e
	}
	p.TCBs = chosen(p, info)
	return nil
}

// chosen returns the platform's raw TCBs with the certificate for each; one that
// none is for is left without.
func chosen(p *store.Platform, info *dcap.TCBInfo) []store.RawTCB {
	list := make([]store.RawTCB, len(p.TCBs))
	for i, t := range p.TCBs {
		t.TCBm = ""
		if c, e := best(p, t, info); e == nil {
			t.TCBm = c.TCBm
		}
		list[i] = t
	}
	return list
}

// withTCB adds a raw TCB that is not there yet, if there is room.
func withTCB(list []store.RawTCB, t store.RawTCB) []store.RawTCB {
	for _, have := range list {
		if have.CPUSVN == t.CPUSVN && have.PCESVN == t.PCESVN {
			return list
		}
	}
	if len(list) >= store.MaxTCBs {
		return list
	}
	return append(list, t)
}

// tcbInfos has the TCB infos of an FMSPC here: that for SGX, standard, without
// which nothing is chosen; the early one if there is any; and where only
// registrations fetch, those for TDX, which not all platforms have.
func (s *Service) tcbInfos(ctx context.Context, fmspc string) *Error {
	var items []collateral.Item
	for _, tee := range []dcap.TEEType{dcap.TEESGX, dcap.TEETDX} {
		for _, update := range []string{collateral.Standard, collateral.Early} {
			items = append(items, collateral.Item{Kind: collateral.TCBInfo, API: 4, TEE: tee, FMSPC: fmspc, Update: update})
		}
	}
	if s.cfg.Mode == Lazy {
		items = items[:2]
	}
	return s.ensureAll(ctx, items)[0]
}

// ensureAll has documents here, and returns why not of each.
func (s *Service) ensureAll(ctx context.Context, items []collateral.Item) []*Error {
	failed := make([]*Error, len(items))
	done := make(chan struct{})
	for i, item := range items {
		go func() {
			failed[i] = s.ensure(ctx, item)
			done <- struct{}{}
		}()
	}
	for range items {
		<-done
	}
	return failed
}

// ensure has a document here.
func (s *Service) ensure(ctx context.Context, item collateral.Item) *Error {
	_, err := s.cfg.Store.Document(ctx, item.String())
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, store.ErrNotFound):
		return asError(err)
	}
	return s.needed(ctx, item.String(), s.demand, func(ctx context.Context) *Error { return s.fetchNew(ctx, item) })
}
