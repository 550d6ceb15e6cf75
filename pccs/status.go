package pccs

import (
	"context"
	"crypto/sha512"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/store"
)

// Status is what there is to know of a service.
type Status struct {
	Mode      Mode
	Database  string // its kind
	Upstream  string // its address, or "" in OFFLINE mode
	At        time.Time
	Documents []DocumentStatus
	Platforms map[string]int // by FMSPC
	Failures  []store.Fetch  // that are not mended; also the latest of what is not here, of this instance
	Waiting   int            // registrations in the queue
}

// DocumentStatus is the state of a document.
type DocumentStatus struct {
	store.Document // without Body and Chain
	Item           collateral.Item
	Due            time.Time // when it is refreshed; zero if never
	Expired        bool
	Failures       int
	Reason         Reason // of the last failure
	Message        string
}

// maxTold is how many failures of what is not here a status tells.
const maxTold = 100

// Status returns the state of the service. Errors are *Error.
func (s *Service) Status(ctx context.Context) (*Status, error) {
	st := &Status{Mode: s.cfg.Mode, Database: s.cfg.Store.Kind(), Upstream: s.behind(), At: s.cfg.Now().UTC()}
	if err := s.reload(ctx); err != nil {
		return nil, asError(err)
	}
	rows, err := s.cfg.Store.Documents(ctx)
	if err != nil {
		return nil, asError(err)
	}
	for i := range rows {
		d := DocumentStatus{Document: rows[i], Expired: expired(&rows[i], st.At)}
		if item, err := collateral.ParseItem(d.Name); err == nil {
			d.Item = item
			if s.refreshes(item) {
				d.Due = s.next(d.Name, s.due(&rows[i]), d.NextUpdate)
			}
			if item.API == 3 && s.cfg.Mode != Offline {
				d.Reason, d.Message = APIRetired, errV3.Error()
			}
		}
		s.mu.Lock()
		if f := s.failures[d.Name]; f.Failures > 0 {
			d.Failures, d.Reason, d.Message = f.Failures, Reason(f.Reason), f.Message
		}
		s.mu.Unlock()
		st.Documents = append(st.Documents, d)
	}
	st.Failures = s.told()
	if st.Platforms, err = s.cfg.Store.FMSPCs(ctx); err != nil {
		return nil, asError(err)
	}
	if st.Waiting, err = s.cfg.Store.Waiting(ctx, store.New); err != nil {
		return nil, asError(err)
	}
	return st, nil
}

// told are the failures of a status: of what is here, by name, and then of what is
// not, the latest first.
func (s *Service) told() []store.Fetch {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list, absent []store.Fetch
	for _, f := range s.failures {
		list = append(list, f)
	}
	for name, r := range s.refused {
		if s.failures[name].Failures == 0 {
			absent = append(absent, store.Fetch{
				Name: name, Tried: r.at.UTC(), Failures: r.failures, Reason: string(r.err.Reason), Message: r.err.Message, RequestID: r.err.RequestID, Due: r.until.UTC(),
			})
		}
	}
	slices.SortFunc(list, func(a, b store.Fetch) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(absent, func(a, b store.Fetch) int {
		if c := b.Tried.Compare(a.Tried); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return append(list, absent[:min(len(absent), maxTold)]...)
}

// PutPolicy keeps an appraisal policy, and returns its ID, the SHA-384 of its body
// in hexadecimal. Errors are *Error.
func (s *Service) PutPolicy(ctx context.Context, p store.Policy) (string, error) {
	fmspc, e := digits("fmspc", p.FMSPC, fmspcDigits, fmspcDigits)
	switch {
	case e != nil:
		return "", e
	case p.Body == "":
		return "", badRequest("policy is missing")
	case p.Kind < 0 || p.Kind > 2:
		return "", badRequest("a policy is for SGX (0), TDX 1.0 (1) or TDX 1.5 (2), not %d", p.Kind)
	}
	sum := sha512.Sum384([]byte(p.Body))
	p.FMSPC, p.ID = fmspc, hex.EncodeToString(sum[:])
	if err := s.cfg.Store.PutPolicy(ctx, &p); err != nil {
		return "", asError(err)
	}
	s.notify()
	return p.ID, nil
}

// Policies returns the default policies of an FMSPC. Errors are *Error.
func (s *Service) Policies(ctx context.Context, fmspc string) ([]store.Policy, error) {
	fmspc, e := digits("fmspc", fmspc, fmspcDigits, fmspcDigits)
	if e != nil {
		return nil, e
	}
	list, err := s.cfg.Store.Policies(ctx, fmspc)
	if err != nil {
		return nil, asError(err)
	}
	return list, nil
}
