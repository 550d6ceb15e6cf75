package epid

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"os"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/arch/epidqe"
	"github.com/feidi-dev/feidi/arch/epidqe/edl"
	"github.com/feidi-dev/feidi/arch/pve"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/platform/internal/supervisor"
)

// Provisioner is the factory: it answers the messages of the provisioning enclave,
// see package arch/pve. *world.EPID is one.
type Provisioner interface {
	Provision(ctx context.Context, message []byte) (answer []byte, err error)
}

// Config is what a service is made of.
type Config struct {
	Machine *enclave.Machine // that the enclaves run on; it outlives the service
	PvE, QE *image.Image     // of arch/build.PVE and EPIDQE, of one signer
	// Group is the document of the extended group, with the word of the images'
	// signer: what pve.Group.Sign makes.
	Group       []byte
	Provisioner Provisioner
	PCESVN      uint16       // ISVSVN of the machine's PCE, which quotes say
	Dir         string       // for the member's key; empty: it is not kept
	Stderr      *os.File     // of the enclaves; nil: it is lost
	Log         *slog.Logger // nil for nothing
}

// Service makes EPID quotes. It may be used concurrently.
type Service struct {
	cfg   Config
	group *pve.Group

	qe *supervisor.Supervisor[*edl.EpidQe]

	turn chan struct{} // has room for who provisions
	key  *key          // nil until it is ready; not changed
}

type quoting = supervisor.Running[*edl.EpidQe]

// key is a member's key.
type key struct {
	blob []byte
	data *epidqe.Data
}

var _ aesm.EPIDService = (*Service)(nil)

// Start starts the quoting enclave. All else is done when it is asked for.
func Start(ctx context.Context, c Config) (*Service, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{cfg: c, turn: make(chan struct{}, 1), qe: supervisor.New(supervisor.Config[*edl.EpidQe]{
		Name: "EPID-QE", Machine: c.Machine, Image: c.QE, Connect: edl.NewEpidQe, Stderr: c.Stderr, Log: c.Log,
		Fail: func(doing string, code aesm.Code, err error) error { return &Error{doing, code, err} },
	})}
	if err := s.qe.Do(ctx, func(_ context.Context, q *quoting) (err error) {
		if s.group, err = pve.OpenGroup(c.Group, q.SECS.MRSigner); err != nil {
			return &Error{"starting", aesm.ErrUnexpected, err}
		}
		return nil
	}); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close ends the quoting enclave, once the calls that are under way have returned.
// What is asked for later fails with aesm.ErrServiceStopped.
func (s *Service) Close() error { return s.qe.Close() }

// InitQuote implements [aesm.EPIDService]: it makes the member's key ready, for
// which the factory may be asked.
func (s *Service) InitQuote(ctx context.Context) (target *isa.TargetInfo, gid [4]byte, err error) {
	k, err := s.ready(ctx, false)
	if err != nil {
		return nil, gid, err
	}
	if err := s.qe.Do(ctx, func(_ context.Context, q *quoting) error {
		t := q.Target
		target = &t
		return nil
	}); err != nil {
		return nil, gid, err
	}
	return target, k.gid(), nil
}

// gid is the group's ID, little-endian.
func (k *key) gid() (b [4]byte) {
	binary.LittleEndian.PutUint32(b[:], binary.BigEndian.Uint32(k.data.Group.GID[:]))
	return b
}

// sigRLOverhead is the size of a SigRL's file without entries, and sigRLEntry that
// of an entry, in bytes.
const (
	sigRLOverhead = 4 + 12 + 64
	sigRLEntry    = 128
)

// Quote implements [aesm.EPIDService].
func (s *Service) Quote(ctx context.Context, r *aesm.EPIDQuote) (quote []byte, qeReport *isa.Report, err error) {
	const doing = "making a quote"
	if (r.Nonce != nil) != r.WantQEReport {
		return nil, nil, failed(doing, aesm.ErrParameter, "a nonce is for the quoting enclave's report, and either is needed for the other")
	}
	k, err := s.ready(ctx, true)
	if err != nil {
		return nil, nil, err
	}
	kind := epidqe.Unlinkable
	if r.Linkable {
		kind = epidqe.Linkable
	}
	size := aesm.EPIDQuoteSize(max(0, len(r.SigRL)-sigRLOverhead) / sigRLEntry)
	spid := edl.SgxSpidT(r.SPID)
	blob := append([]byte(nil), k.blob...) // the call writes it back
	var report isa.Report
	err = s.qe.Do(ctx, func(ctx context.Context, q *quoting) error {
		var ret uint32
		var err error
		ret, report, quote, err = q.Calls.GetQuote(ctx, blob, &r.Report, kind, &spid, (*edl.SgxQuoteNonceT)(r.Nonce), r.SigRL, uint32(size), s.cfg.PCESVN)
		return qeError(doing, ret, err)
	})
	if errors.Is(err, aesm.ErrEPIDBlob) {
		s.forget(k)
	}
	if err != nil {
		return nil, nil, err
	}
	if r.WantQEReport {
		qeReport = &report
	}
	return quote, qeReport, nil
}
