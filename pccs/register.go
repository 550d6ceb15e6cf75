package pccs

import (
	"context"
	"encoding/hex"
	"errors"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/store"
)

// Registration is the body of POST /platforms, and its parameter.
type Registration struct {
	QEID, PCEID, CPUSVN, PCESVN string
	EncryptedPPID               string // hexadecimal
	Manifest                    string // hexadecimal; if it is there, the three before are not looked at
	Update                      string // which identities are to be here: "standard", which is meant by "", "early" or "all"
}

// read reads a registration.
func (r *Registration) read() (a asked, manifest []byte, e *Error) {
	q := PCKQuery{QEID: r.QEID, PCEID: r.PCEID, CPUSVN: r.CPUSVN, PCESVN: r.PCESVN, EncryptedPPID: r.EncryptedPPID}
	if r.Manifest == "" {
		if a, e = q.read(); e == nil && a.ppid == nil {
			e = badRequest("enc_ppid is missing, and so is platform_manifest in its place")
		}
		return a, nil, e
	}
	q.EncryptedPPID = ""
	if a, e = q.platform(); e != nil {
		return a, nil, e
	}
	text, e := digits("platform_manifest", r.Manifest, 2, maxManifest)
	if e != nil {
		return a, nil, e
	}
	if manifest, err := hex.DecodeString(text); err == nil {
		return a, manifest, nil
	}
	return a, nil, badRequest("platform_manifest has an odd number of digits")
}

// Register takes a platform in: it gets its certificates at once (LAZY, REQ), or
// queues it (OFFLINE). What verifiers need besides is fetched, too. Of a platform
// that is here already nothing is asked. Errors are *Error.
func (s *Service) Register(ctx context.Context, r Registration) error {
	if e := s.register(ctx, &r); e != nil {
		return e
	}
	return nil
}

func (s *Service) register(ctx context.Context, r *Registration) *Error {
	updates, ok := map[string][]string{
		"": {collateral.Standard}, "standard": {collateral.Standard}, "early": {collateral.Early}, "all": {collateral.Early, collateral.Standard},
	}[r.Update]
	if !ok {
		return badRequest("update is %.20q: standard, early or all", r.Update)
	}
	a, manifest, e := r.read()
	if e != nil {
		return e
	}
	w := wish{platform: store.Platform{PlatformID: a.id, EncryptedPPID: a.ppid, Manifest: manifest}, by: byUser}
	if a.raw.CPUSVN != "" {
		w.raw = &a.raw
	}
	here, e := s.isHere(ctx, a, &w)
	if e != nil {
		return e
	}
	queue := func(state store.State) *Error {
		err := s.cfg.Store.Register(ctx, &store.Registration{
			PlatformID: a.id, CPUSVN: a.raw.CPUSVN, PCESVN: a.raw.PCESVN, EncryptedPPID: a.ppid, Manifest: manifest,
			State: state, At: s.cfg.Now().UTC(),
		})
		return asError(err)
	}
	if s.cfg.Mode == Offline {
		if here {
			return nil
		}
		return queue(store.New)
	}
	if !here {
		if e := s.takeIn(ctx, w, queue); e != nil {
			return e
		}
	}
	return s.verifiersNeed(ctx, updates)
}

// takeIn fetches a platform, whatever failed before: who registers has mended
// something. In REQ mode it stands in the queue meanwhile, and
// stays there if it fails.
func (s *Service) takeIn(ctx context.Context, w wish, queue func(store.State) *Error) *Error {
	if s.cfg.Mode == Req {
		if e := queue(store.New); e != nil {
			return e
		}
	}
	name := nameOf(w.platform.PlatformID)
	for range 2 {
		e := s.fly(ctx, name, s.certs, longestWait, func(ctx context.Context) *Error { return s.fetchPlatform(ctx, w) })
		if e != nil && !e.own() && s.mayTell(name) {
			s.failed(context.WithoutCancel(ctx), name, e)
		}
		if e != nil {
			return e
		}
		p, err := s.cfg.Store.Platform(ctx, w.platform.PlatformID)
		if err != nil {
			return asError(err)
		}
		if p.Origin != byClient {
			break
		}
		// The fetch was begun by somebody who may only ask, and has ended.
	}
	if e := s.seen(ctx, w); e != nil {
		return e
	}
	if s.cfg.Mode == Req {
		return queue(store.Drained)
	}
	return nil
}

// seen records the TCB that a platform registers with, if the fetch was begun by
// somebody else, who did not know of it.
func (s *Service) seen(ctx context.Context, w wish) *Error {
	if w.raw == nil {
		return nil
	}
	id := w.platform.PlatformID
	_, err := s.cfg.Store.Match(ctx, id, w.raw.CPUSVN, w.raw.PCESVN)
	if err == nil || !errors.Is(err, store.ErrNotFound) {
		return asError(err)
	}
	p, err := s.cfg.Store.Platform(ctx, id)
	if err != nil {
		return asError(err)
	}
	c, e := s.choose(ctx, p, *w.raw)
	if e != nil {
		return e
	}
	t := *w.raw
	t.TCBm = c.TCBm
	return asError(s.cfg.Store.PutTCB(ctx, id, t))
}

// mayTell reports whether it is to be known to all that a registration failed. Of
// too many it is not, for they may be of IDs that are none.
func (s *Service) mayTell(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.failures[name]
	return known || len(s.failures) < maxRefused
}

// isHere reports whether a registration asks for nothing new: not where only
// clients have named the platform. One that is here with a manifest keeps it.
func (s *Service) isHere(ctx context.Context, a asked, w *wish) (bool, *Error) {
	p, err := s.cfg.Store.Platform(ctx, a.id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return false, nil
	case err != nil:
		return false, asError(err)
	case len(w.platform.Manifest) > 0:
		return p.Origin != byClient && string(p.Manifest) == string(w.platform.Manifest), nil
	case p.Origin == byClient:
		return false, nil // it has no manifest
	}
	w.platform.Manifest = p.Manifest
	for _, t := range p.TCBs {
		if t.CPUSVN == a.raw.CPUSVN && t.PCESVN == a.raw.PCESVN && t.TCBm != "" {
			return true, nil
		}
	}
	return false, nil
}

// verifiersNeed has what all verifiers need here.
func (s *Service) verifiersNeed(ctx context.Context, updates []string) *Error {
	items := []collateral.Item{
		{Kind: collateral.PCKCRL, API: 4, CA: "processor"}, {Kind: collateral.PCKCRL, API: 4, CA: "platform"}, {Kind: collateral.RootCRL, API: 4},
	}
	for _, update := range updates {
		items = append(items,
			collateral.Item{Kind: collateral.QEIdentity, API: 4, TEE: dcap.TEESGX, Update: update},
			collateral.Item{Kind: collateral.QEIdentity, API: 4, TEE: dcap.TEETDX, Update: update},
			collateral.Item{Kind: collateral.QVEIdentity, API: 4, TEE: dcap.TEESGX, Update: update})
	}
	for _, e := range s.ensureAll(ctx, items) {
		if e != nil {
			return e
		}
	}
	return nil
}

// Registrations returns, and unless keep drains, the queue of a state. Errors are
// *Error.
func (s *Service) Registrations(ctx context.Context, state store.State, keep bool) ([]store.Registration, error) {
	list, err := s.cfg.Store.Drain(ctx, state, keep)
	if err != nil {
		return nil, asError(err)
	}
	return list, nil
}

// Platforms lists cached platforms of FMSPCs, all if there are none: each as often
// as it was seen with another TCB, but once at least. Errors are *Error.
func (s *Service) Platforms(ctx context.Context, fmspcs []string) ([]store.Registration, error) {
	var list []store.Registration
	err := s.each(ctx, fmspcs, func(p *store.Platform) *Error {
		r := store.Registration{PlatformID: p.PlatformID, EncryptedPPID: p.EncryptedPPID, Manifest: p.Manifest, At: p.Updated}
		for _, t := range p.TCBs {
			r.CPUSVN, r.PCESVN = t.CPUSVN, t.PCESVN
			list = append(list, r)
		}
		if len(p.TCBs) == 0 {
			list = append(list, r)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// each calls f for the platforms of FMSPCs, all if there are none, page by page.
func (s *Service) each(ctx context.Context, fmspcs []string, f func(*store.Platform) *Error) *Error {
	upper := make([]string, len(fmspcs))
	for i, fmspc := range fmspcs {
		var e *Error
		if upper[i], e = digits("fmspc", fmspc, fmspcDigits, fmspcDigits); e != nil {
			return e
		}
	}
	for after := (store.PlatformID{}); ; {
		page, err := s.cfg.Store.Platforms(ctx, upper, after, pageSize)
		if err != nil {
			return asError(err)
		}
		for i := range page {
			if e := f(&page[i]); e != nil {
				return e
			}
			after = page[i].PlatformID
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

const pageSize = 500 // platforms that are read at a time
