package platform

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/feidi-dev/feidi/aesm"
	ideedl "github.com/feidi-dev/feidi/arch/ide/edl"
	pceedl "github.com/feidi-dev/feidi/arch/pce/edl"
	qeedl "github.com/feidi-dev/feidi/arch/qe/edl"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/platform/internal/supervisor"
)

// DefaultRefresh is how long a PCK certificate is used before the service is asked
// for a newer one.
const DefaultRefresh = 24 * time.Hour

// PCKSource gives PCK certificates. *pcs.Client is one.
type PCKSource interface {
	PCKCert(ctx context.Context, r pcs.PCKRequest) (*pcs.PCKCert, error)
}

// Config is what a platform is made of.
type Config struct {
	// Machine is what the enclaves run on. It outlives the platform.
	Machine *enclave.Machine
	// PCE, QE and IDE are the system enclaves. The PCE may be Intel's. QE and IDE
	// are Go enclaves of package arch/build, of the same signer; without an IDE
	// the QE does its work.
	PCE, QE, IDE *image.Image
	// PPIDKey is the document with the provisioning service's key, as package
	// arch/ppid makes it. Without it the machine cannot be identified.
	PPIDKey []byte
	// PCK is asked for PCK certificates.
	PCK PCKSource
	// CertType is the type of the certification data in quotes: CertPCKChain, if
	// it is 0, or CertPPIDRSA3072, with which whoever verifies a quote must get
	// the PCK certificate. For the latter PCK may be nil or not answer, and the key
	// is certified at the machine's own TCB then.
	CertType dcap.CertificationType
	// Dir is where the attestation key, sealed, and the PCK certificate are kept,
	// each in a file of mode 0600. It is made if it is not there. If it is empty,
	// nothing is kept.
	Dir string
	// Refresh is how long a PCK certificate is used before PCK is asked again;
	// DefaultRefresh if it is 0.
	Refresh time.Duration
	// Stderr is where the enclaves' messages go; nil for nowhere.
	Stderr *os.File
	// Log gets what the operator should know; nil for nothing.
	Log *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Platform is a machine that makes quotes. Its methods may be called concurrently.
type Platform struct {
	cfg Config

	pce *supervisor.Supervisor[*pceedl.Pce]
	qe  *supervisor.Supervisor[*qeedl.Qe3]
	ide *supervisor.Supervisor[*ideedl.IdEnclave] // nil if there is none

	keyIDs []aesm.AttKeyID
	id     atomic.Pointer[ID]
	key    atomic.Pointer[key] // what quotes are made with; nil until InitQuote
	blobs  sync.Pool           // of *[qe.BlobSize]byte

	ctx    context.Context // of what goes on in the background
	cancel context.CancelFunc
	work   sync.WaitGroup
	mu     sync.Mutex
	flight *flight // the initialisation under way, or nil
	closed bool
}

var _ aesm.QuoteService = (*Platform)(nil)

// errGo is the error of an image of another kind.
var errGo = errors.New("not a Go enclave, as package arch/build makes them")

// Start starts PCE and QE. All else is done when it is asked for.
func Start(ctx context.Context, c Config) (*Platform, error) {
	switch c.CertType {
	case 0:
		c.CertType = dcap.CertPCKChain
	case dcap.CertPCKChain, dcap.CertPPIDRSA3072:
	default:
		return nil, fmt.Errorf("platform: quotes cannot have certification data of type %d, only %d and %d", c.CertType, dcap.CertPCKChain, dcap.CertPPIDRSA3072)
	}
	if c.Refresh <= 0 {
		c.Refresh = DefaultRefresh
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	var key []string // the argument of QE and IDE
	if c.PPIDKey != nil {
		key = []string{hex.EncodeToString(c.PPIDKey)}
	}
	p := &Platform{cfg: c}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.blobs.New = func() any { return new(blob) }
	p.pce = supervise(&c, "PCE", c.PCE, nil, pceedl.NewPce)
	p.qe = supervise(&c, "QE", c.QE, key, qeedl.NewQe3)
	if c.IDE != nil {
		p.ide = supervise(&c, "IDE", c.IDE, key, ideedl.NewIdEnclave)
	}
	if err := p.start(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// supervise has a system enclave run on the platform's machine.
func supervise[C supervisor.Client](c *Config, name string, img *image.Image, args []string, connect func(uedge.Enclave) C) *supervisor.Supervisor[C] {
	return supervisor.New(supervisor.Config[C]{
		Name: name, Machine: c.Machine, Image: img, Args: args, Connect: connect, Stderr: c.Stderr, Log: c.Log,
		Fail: func(doing string, code aesm.Code, err error) error { return &Error{Doing: doing, Code: code, Err: err} },
	})
}

func (p *Platform) start(ctx context.Context) error {
	if !supervisor.IsGo(p.cfg.QE) {
		return &Error{Doing: "starting the QE", Code: aesm.ErrEnclaveLoad, Err: errGo}
	}
	if p.ide != nil && !supervisor.IsGo(p.cfg.IDE) {
		return &Error{Doing: "starting the IDE", Code: aesm.ErrEnclaveLoad, Err: errGo}
	}
	if err := p.pce.Do(ctx, func(context.Context, *supervisor.Running[*pceedl.Pce]) error { return nil }); err != nil {
		return err
	}
	return p.qe.Do(ctx, func(_ context.Context, r *supervisor.Running[*qeedl.Qe3]) error {
		own, intels := aesm.ECDSAKeyID(r.SECS.MRSigner), aesm.DefaultECDSAKeyID()
		p.keyIDs = []aesm.AttKeyID{own}
		if !own.Same(&intels) {
			p.keyIDs = append(p.keyIDs, intels)
		}
		return nil
	})
}

// Close ends the enclaves. Quotes that are being made are finished; what is asked
// for later fails with aesm.ErrServiceStopped.
func (p *Platform) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.cancel()
	p.work.Wait()
	var ide error
	if p.ide != nil {
		ide = p.ide.Close()
	}
	return errors.Join(ide, p.qe.Close(), p.pce.Close())
}
