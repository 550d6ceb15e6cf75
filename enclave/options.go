package enclave

import (
	"context"
	"time"

	"github.com/feidi-dev/feidi/isa"
)

// OCall serves one OCALL. Its result becomes the status that the enclave sees.
type OCall func(ctx context.Context, c *Call) Status

// Option changes how an enclave is loaded.
type Option func(*options)

type options struct {
	debug       bool
	force       bool
	token       *isa.EinitToken
	tokens      TokenSource
	ocalls      []OCall
	otherOCalls OCall
	timeLimit   time.Duration
	configID    [64]byte
	configSVN   uint16
	noInit      bool
}

// WithDebug loads a debug enclave (ATTRIBUTES.DEBUG), whose memory EDBGRD
// reads. Its keys differ from those of the production enclave.
func WithDebug() Option { return func(o *options) { o.debug = true } }

// WithForce loads an enclave that may need more memory than the machine has.
func WithForce() Option { return func(o *options) { o.force = true } }

// WithEinitToken gives EINIT a launch token.
func WithEinitToken(t *isa.EinitToken) Option { return func(o *options) { o.token = t } }

// TokenSource gives a launch token for an enclave: for its MRENCLAVE, the modulus
// of its signer's key, little endian, and the attributes that it was created with.
// Such are LaunchToken of an aesm.LaunchService and GetLaunchToken of an
// aesm.Client.
type TokenSource func(ctx context.Context, mrEnclave [32]byte, modulus *[isa.RSAKeySize]byte, attributes isa.Attributes) (*isa.EinitToken, error)

// WithTokenSource has Load ask for a launch token if EINIT wants one, which it does
// where launch control is locked to another signer. The attributes of a token are
// those that this machine has of what the image asks for, so that it is best made
// then.
func WithTokenSource(f TokenSource) Option { return func(o *options) { o.tokens = f } }

// WithOCalls gives the OCALL table: the function at index i serves OCALL i.
func WithOCalls(table ...OCall) Option { return func(o *options) { o.ocalls = table } }

// WithOtherOCalls gives the function that serves OCALLs beyond the table,
// which otherwise fail with ErrInvalidFunction.
func WithOtherOCalls(f OCall) Option { return func(o *options) { o.otherOCalls = f } }

// WithTimeLimit limits the time of each root ECALL, INIT included.
func WithTimeLimit(d time.Duration) Option { return func(o *options) { o.timeLimit = d } }

// WithConfig sets CONFIGID and CONFIGSVN of an enclave with key separation
// and sharing (KSS).
func WithConfig(id [64]byte, svn uint16) Option {
	return func(o *options) { o.configID, o.configSVN = id, svn }
}

// WithoutInit leaves the INIT ECALL of an Intel SDK enclave to the caller, who
// makes it by Enter, with RDI -1 and RSI the address of a system_features_t.
func WithoutInit() Option { return func(o *options) { o.noInit = true } }
