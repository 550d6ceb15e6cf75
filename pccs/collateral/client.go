package collateral

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/feidi-dev/feidi/pcs"
)

// Client gets documents from a service, Intel's, that of a world or another PCCS,
// and verifies them. It is safe for concurrent use.
//
// Revocation by the root is asked of the newest root CRL that the service has
// given, or that it was told of, which is had before anything else. Without one
// nothing is got.
type Client struct {
	service *pcs.Client
	check   *Checker

	turn chan struct{} // holds one while somebody asks for the root CRL

	mu   sync.Mutex // guards what follows
	root []byte     // the newest root CRL, DER; nil: none yet
	date time.Time  // of it
	next time.Time  // when to ask for it again
}

// How long a root CRL is taken for the newest, how long after nothing came, and how
// long one that is newer than what there is may take.
const (
	rootAge   = time.Hour
	rootRetry = time.Minute
	rootWait  = 10 * time.Second
)

// NewClient returns a client. The service's clock is also that by which documents
// are verified.
func NewClient(service *pcs.Client, check *Checker) *Client {
	return &Client{service: service, check: check, turn: make(chan struct{}, 1)}
}

// URL is the address of the service, without what identifies a user.
func (c *Client) URL() string { return c.service.URL() }

// HasRootCRL reports whether there is a root CRL, of whatever age.
func (c *Client) HasRootCRL() bool {
	root, _ := c.kept()
	return root != nil
}

// Remember tells of a root CRL that was verified before, such as in an earlier run.
// It is what there is until the service has given one, so that nothing else fails
// if that alone cannot be had.
func (c *Client) Remember(rootCRL *Document) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(rootCRL)
}

// keep keeps a root CRL if it is the newest. The lock is held.
func (c *Client) keep(d *Document) {
	if !d.Issued.Before(c.date) {
		c.root, c.date = d.Body, d.Issued
	}
}

// HasKey reports whether requests for PCK certificates carry a subscription key.
func (c *Client) HasKey() bool { return c.service.HasKey() }

// Fetch gets a document. The error wraps a *pcs.Error if there is none to be had,
// an *Error if it is not good or, ErrExpired, not good any more, or is what Resolve
// or the context says.
func (c *Client) Fetch(ctx context.Context, item Item) (*Document, error) {
	what, err := c.check.Resolve(item)
	if err != nil {
		return nil, err
	}
	if what.API == 3 {
		return nil, &pcs.Error{
			Document: what.String(), Kind: pcs.ErrRetired,
			Reason: "version 3 of Intel's interface ended in May 2026", Advice: "ask for version 4",
		}
	}
	var d *Document
	var rootCRL []byte
	switch what.Kind {
	case RootCRL:
		d, err = c.newRootCRL(ctx)
	case FMSPCs: // nobody has signed it
		d, err = c.fetch(ctx, what, nil)
	default:
		if rootCRL, err = c.rootCRL(ctx); err == nil {
			d, err = c.fetch(ctx, what, rootCRL)
		}
	}
	if err != nil {
		return nil, err
	}
	d.Item = item
	return d, nil
}

// PCKCerts gets the PCK certificates of a platform. That of a manifest is
// registered by this. There may be levels without a certificate, even all. Errors
// are those of Fetch.
func (c *Client) PCKCerts(ctx context.Context, r pcs.PCKCertsRequest) (*pcs.PCKCerts, error) {
	rootCRL, err := c.rootCRL(ctx)
	if err != nil {
		return nil, err
	}
	p, err := c.service.PCKCerts(ctx, r)
	if err != nil {
		return nil, classify(pckCertificates, err)
	}
	sgx, err := c.check.checkPCK(p, rootCRL, c.service.Now())
	if err == nil && sgx != nil && sgx.PCEID != r.PCEID {
		err = &Error{Document: pckCertificates, Kind: ErrForged, Err: fmt.Errorf("they are for PCE ID %X and not for %X", sgx.PCEID, r.PCEID)}
	}
	if err != nil {
		return nil, from(err, &p.Source)
	}
	return p, nil
}

// rootCRL returns the newest root CRL that there is, which may have expired.
func (c *Client) rootCRL(ctx context.Context) ([]byte, error) {
	root, fresh := c.kept()
	if fresh {
		return root, nil
	}
	select {
	case c.turn <- struct{}{}:
	default:
		if root != nil { // somebody is at it
			return root, nil
		}
		select {
		case c.turn <- struct{}{}:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	defer func() { <-c.turn }()
	if root, fresh = c.kept(); fresh {
		return root, nil
	}
	if root != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, rootWait)
		defer cancel()
	}
	_, err := c.newRootCRL(ctx)
	if root, _ = c.kept(); root == nil {
		return nil, fmt.Errorf("nothing is got without a root CRL, and that is not to be had: %w", err)
	}
	return root, nil
}

// kept returns the root CRL that there is, and whether it is new enough.
func (c *Client) kept() (root []byte, fresh bool) {
	now := c.service.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	// What is to be asked for in a long time was so before the clock went back.
	return c.root, c.root != nil && now.Before(c.next) && now.After(c.next.Add(-2*rootAge))
}

// newRootCRL gets the root CRL, and keeps it if it is the newest, even if it has
// expired: what it revokes, it does.
func (c *Client) newRootCRL(ctx context.Context) (*Document, error) {
	d, err := c.fetch(ctx, Item{Kind: RootCRL, API: 4}, nil)
	now := c.service.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if d != nil {
		c.keep(d)
	}
	c.next = now.Add(rootAge)
	if err != nil {
		c.next = now.Add(rootRetry)
		return nil, err
	}
	return d, nil
}

// fetch gets and verifies a document, and returns one that has expired beside the
// error.
func (c *Client) fetch(ctx context.Context, item Item, rootCRL []byte) (*Document, error) {
	got, err := c.get(ctx, item)
	if err != nil {
		return nil, classify(item.String(), err)
	}
	d, err := c.check.Check(item, got.Body, got.Chain, rootCRL, c.service.Now())
	if d != nil {
		d.RequestID = got.Source.RequestID
	}
	return d, from(err, &got.Source)
}

// get asks the service.
func (c *Client) get(ctx context.Context, item Item) (*pcs.Document, error) {
	chosen := c.service.Choosing(pcs.Update(item.Update), item.Evaluation)
	switch item.Kind {
	case TCBInfo:
		fmspc, err := hex.DecodeString(item.FMSPC)
		if err != nil {
			return nil, err
		}
		return chosen.TCBInfo(ctx, item.TEE, [6]byte(fmspc))
	case QEIdentity:
		return chosen.QEIdentity(ctx, item.TEE)
	case QVEIdentity:
		return chosen.QVEIdentity(ctx)
	case Evaluations:
		_, d, err := c.service.EvaluationDataNumbers(ctx, item.TEE)
		return d, err
	case FMSPCs:
		return c.service.FMSPCList(ctx, item.Platform)
	case PCKCRL:
		return c.service.PCKCRL(ctx, pcs.CA(item.CA))
	}
	return c.service.RootCRL(ctx)
}

// classify makes a reply that is not what was asked for one that is not genuine.
func classify(document string, err error) error {
	bad, ok := errors.AsType[*pcs.Error](err)
	if !ok || bad.Kind != pcs.ErrBadReply || bad.Status != 200 {
		return err
	}
	return &Error{Document: document, Kind: ErrForged, RequestID: bad.RequestID, Err: err}
}

// from adds to an error where the document is from.
func from(err error, s *pcs.Source) error {
	if bad, ok := errors.AsType[*Error](err); ok {
		bad.From, bad.RequestID = s.URL, s.RequestID
	}
	return err
}
