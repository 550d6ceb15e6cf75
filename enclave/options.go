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
