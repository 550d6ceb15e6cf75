package pccs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/store"
)

// Document is an answer.
type Document struct {
	collateral.Document
	Fetched time.Time
	Expired bool  // past its next update
	Stale   error // why it could not be refreshed though it was due; nil if it is fresh
}

// Document returns a document: from the cache, or in LAZY mode from the service
// behind. CRLs and lists are the same in all versions of the API. Errors are
// *Error.
func (s *Service) Document(ctx context.Context, item collateral.Item) (*Document, error) {
	d, e := s.document(ctx, item)
	if e != nil {
		return nil, e
	}
	return d, nil
}

func (s *Service) document(ctx context.Context, item collateral.Item) (*Document, *Error) {
	item, err := s.cfg.Checker.Resolve(item)
	if err != nil {
		return nil, unresolved(err)
	}
	name := item.String()
	row, err := s.cfg.Store.Document(ctx, name)
	switch {
	case err == nil:
		return s.served(ctx, item, row)
	case !errors.Is(err, store.ErrNotFound):
		return nil, asError(err)
	case s.cfg.Mode != Lazy:
		return nil, s.notCached(item)
	case item.API == 3:
		return nil, fail(410, APIRetired, "%s is not here, and Intel's interface of version 3 ended in May 2026: ask for version 4", name)
	}
	if e := s.wanted(ctx, name, s.demand, func(ctx context.Context) *Error { return s.fetchNew(ctx, item) }); e != nil {
		return nil, e
	}
	if row, err = s.cfg.Store.Document(ctx, name); err != nil {
		return nil, asError(err)
	}
	return s.served(ctx, item, row)
}

// unresolved is the answer to a request for what is no document of this
// environment.
func unresolved(err error) *Error {
	e := badRequest("%v", err)
	if errors.Is(err, collateral.ErrUntrusted) {
		e = fail(404, WrongEnvironment, "%v", err)
	}
	e.Err = err
	return e
}

// notCached is the answer where the service behind is not to be asked.
func (s *Service) notCached(item collateral.Item) *Error {
	switch {
	case s.cfg.Tool:
		return fail(404, NotCached, "%s is not in this database: bring it (feidi pccs put), or ask the service that runs on it, which may get it (-u)", item)
	case s.cfg.Mode == Req:
		return fail(404, NotCached, "%s is not here, and in REQ mode it is fetched only when a platform registers: register one of this kind (PCKIDRetrievalTool, or POST /platforms)", item)
	}
	return fail(404, NotCached, "%s is not here, and in OFFLINE mode nobody else is asked: bring it (feidi pccs put, or PUT /platformcollateral)", item)
}

// served returns a row as an answer, if it may be one by the policy.
func (s *Service) served(ctx context.Context, item collateral.Item, row *store.Document) (*Document, *Error) {
	d := s.answer(item, row)
	if d.Expired && s.refreshes(item) && !s.next(row.Name, s.due(row), row.NextUpdate).After(s.cfg.Now()) {
		// Rare: the service was away, or the one behind is. One more attempt,
		// for which the client waits a little.
		if e := s.renew(ctx, item, expiredWait); e == nil {
			if row, err := s.cfg.Store.Document(ctx, item.String()); err == nil {
				d = s.answer(item, row)
			}
		} else if d = s.answer(item, row); d.Stale == nil {
			d.Stale = e
		}
	}
	now := s.cfg.Now()
	past, age := now.Sub(d.NextUpdate), now.Sub(d.Fetched)
	switch {
	case d.Expired && (s.cfg.RefuseExpired || s.cfg.MaxExpired > 0 && past > s.cfg.MaxExpired):
		return nil, s.tooOld(d.Stale, "%s expired at %s", item, d.NextUpdate.UTC().Format(time.RFC3339))
	case d.Stale != nil && s.cfg.MaxStale > 0 && age > s.cfg.MaxStale:
		return nil, s.tooOld(d.Stale, "%s is %v old", item, age.Round(time.Second))
	}
	return d, nil
}

// expiredWait is how long a client waits for a document in the place of an expired
// one, which it may get as well.
const expiredWait = 3 * time.Second

func (s *Service) tooOld(stale error, format string, args ...any) *Error {
	what := fmt.Sprintf(format, args...)
	e := fail(503, Expired, "%s, and the configuration refuses such", what)
	switch {
	case s.cfg.Mode == Offline:
		e.Message += "; the service is in OFFLINE mode: bring a newer one (feidi pccs put)"
	case stale != nil:
		e.Message += "; " + stale.Error()
	}
	e.Err = stale
	return e
}

// answer says of a row how old it is.
func (s *Service) answer(item collateral.Item, row *store.Document) *Document {
	now := s.cfg.Now()
	d := &Document{
		Document: collateral.Document{
			Item: item, Body: row.Body, Chain: row.Chain, Issued: row.Issued, NextUpdate: row.NextUpdate, Evaluation: row.Evaluation,
		},
		Fetched: row.Fetched,
		Expired: expired(row, now),
	}
	due := s.due(row)
	switch {
	case s.cfg.Mode == Offline || now.Before(due):
	case item.API == 3:
		d.Stale = errV3
	default:
		d.Stale = s.stale(row.Name, due, now)
	}
	return d
}

var errV3 = errors.New("it can no longer be refreshed: Intel's interface of version 3 ended in May 2026")

// stale says why something is not fresh that was due.
func (s *Service) stale(name string, due, now time.Time) error {
	s.mu.Lock()
	f, failed := s.failures[name]
	s.mu.Unlock()
	switch {
	case failed && f.Failures > 0:
		return fmt.Errorf("it could not be refreshed since %s: %s: %s", due.UTC().Format(time.RFC3339), f.Reason, f.Message)
	case now.Sub(due) > lateness:
		return fmt.Errorf("it was to be refreshed at %s, and was not: is no service running that refreshes?", due.UTC().Format(time.RFC3339))
	}
	return nil
}

// lateness is how much later than due a refresh may be without a word.
const lateness = time.Hour

func expired(row *store.Document, now time.Time) bool {
	return !row.NextUpdate.IsZero() && now.After(row.NextUpdate)
}

// refreshes reports whether a document can be had again.
func (s *Service) refreshes(item collateral.Item) bool { return s.cfg.Mode != Offline && item.API != 3 }

// fetchNew is fetch of what was not here a moment ago.
func (s *Service) fetchNew(ctx context.Context, item collateral.Item) *Error {
	_, err := s.cfg.Store.Document(ctx, item.String())
	if !errors.Is(err, store.ErrNotFound) {
		return asError(err)
	}
	return s.fetch(ctx, item)
}

// fetch gets a document from the service behind, and keeps it.
func (s *Service) fetch(ctx context.Context, item collateral.Item) *Error {
	name := item.String()
	old, err := s.cfg.Store.Document(ctx, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return asError(err)
	}
	s.remind(ctx)
	started := time.Now()
	got, err := s.cfg.Upstream.Fetch(ctx, item)
	if err != nil {
		e := s.upstreamError(name, err)
		s.count(string(item.Kind), e)
		s.cfg.Log.Warn("not fetched", "item", name, "why", string(e.Reason), "message", e.Message, tellUpstream(e.RequestID, started))
		return e
	}
	s.count(string(item.Kind), nil)
	row := rowOf(got, s.cfg.Now(), "pcs")
	if old != nil && older(row, old) {
		e := fail(502, UpstreamOld, "%s: %s has one that was issued at %s, here is one of %s: the newer one stays", name, s.behind(), row.Issued.UTC().Format(time.RFC3339), old.Issued.UTC().Format(time.RFC3339))
		e.RequestID = got.RequestID
		s.cfg.Log.Warn("not kept", "item", name, "why", string(e.Reason), "message", e.Message, tellUpstream(e.RequestID, started))
		return e
	}
	if err := s.cfg.Store.PutDocuments(ctx, row); err != nil {
		return asError(err)
	}
	s.cfg.Log.Info("fetched", "item", name, "next_update", row.NextUpdate, tellUpstream(got.RequestID, started))
	s.mu.Lock()
	delete(s.failures, name)
	s.mu.Unlock()
	s.levelsOf(item, old, row)
	s.notify()
	return nil
}

// remind tells the client of the root CRL that is here, if it knows none yet. Else
// nothing could be had after a restart as long as that one cannot.
func (s *Service) remind(ctx context.Context) {
	if s.cfg.Upstream.HasRootCRL() {
		return
	}
	item := collateral.Item{Kind: collateral.RootCRL, API: 4}
	row, err := s.cfg.Store.Document(ctx, item.String())
	if err != nil {
		return // the client asks for it
	}
	d, err := s.cfg.Checker.Check(item, row.Body, nil, nil, s.cfg.Now())
	if d == nil { // not even an expired one
		s.cfg.Log.Warn("the root CRL in the database is of no use", "error", err)
		return
	}
	s.cfg.Upstream.Remember(d)
}

// older reports whether a document is from before another one, by what it says.
func older(a, b *store.Document) bool {
	return a.Evaluation < b.Evaluation || a.Issued.Before(b.Issued)
}

func rowOf(d *collateral.Document, now time.Time, origin string) *store.Document {
	return &store.Document{
		Name: d.Item.String(), Body: d.Body, Chain: d.Chain, Issued: d.Issued, NextUpdate: d.NextUpdate, Evaluation: d.Evaluation,
		Fetched: now.UTC(), Origin: origin,
	}
}
