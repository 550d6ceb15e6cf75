package cli

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/measure"
	"github.com/feidi-dev/feidi/sign"
)

const banner = "feidi: software SGX: nothing inside this enclave is protected from this machine"

// loading are the flags of the verbs that load an enclave.
type loading struct {
	sigstruct    string
	debug, force bool
	trace        bool
	timeout      time.Duration
}

const loadingHelp = `The machine is new each time: its fuses are drawn at random, so keys and REPORTs
do not last. A stream without its SIGSTRUCT is signed with a fresh key.

Interrupt (Ctrl-C) and --timeout stop an enclave wherever it is. A second
interrupt ends feidi, whatever it waits for.`

// flags adds the flags to a verb.
func (l *loading) flags(cmd *cobra.Command) {
	set := cmd.Flags()
	set.StringVar(&l.sigstruct, "sigstruct", "", "read the SIGSTRUCT from this `file`, in place of the enclave's own")
	set.BoolVar(&l.debug, "debug", false, "load it as a debug enclave")
	set.BoolVar(&l.force, "force", false, "load it even if it may need more memory than there is")
	set.BoolVar(&l.trace, "trace", false, "show every leaf with its operands and result, on standard error")
	set.DurationVar(&l.timeout, "timeout", 0, "stop a call after this `time`, such as 10s; 0 is never")
}

// loaded is an enclave on a machine of its own.
type loaded struct {
	machine    *enclave.Machine
	enclave    *enclave.Enclave
	image      *image.Image
	signedHere bool
	took       time.Duration // to load, INIT included
	leaves     *leafLog
}

// load says the banner, powers on a machine and loads the enclave m of the
// file at path. On an error of the enclave, what it returns has a nil enclave.
func (a *app) load(ctx context.Context, path string, m *image.Image, l *loading, opts ...enclave.Option) (*loaded, error) {
	if l.timeout < 0 {
		return nil, usage("--timeout %v is less than nothing", l.timeout)
	}
	var err error
	fmt.Fprintln(a.err, banner)
	r := &loaded{image: m, leaves: newLeafLog()}
	if m.Format == image.FormatSGXS && m.SigStruct == nil {
		if m.SigStruct, err = signImage(m); err != nil {
			return nil, cannot(err)
		}
		r.signedHere = true
	}
	if l.trace {
		r.leaves.w = bufio.NewWriter(a.err)
	}
	r.machine, err = enclave.PowerOn(enclave.MachineConfig{CPU: cpu.Config{Trace: r.leaves.add}})
	if err != nil {
		return nil, cannot(err)
	}
	if l.debug {
		opts = append(opts, enclave.WithDebug())
	}
	if l.force {
		opts = append(opts, enclave.WithForce())
	}
	if l.timeout > 0 {
		opts = append(opts, enclave.WithTimeLimit(l.timeout))
	}
	start := time.Now()
	r.enclave, err = r.machine.Load(ctx, m, opts...)
	r.took = time.Since(start)
	return r, enclaveError(path, err)
}

// interruptible returns a context that an interrupt ends. The next interrupt
// ends the process: an OCALL may wait for a pipe that nobody reads.
func interruptible() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// close destroys the enclave and powers off.
func (r *loaded) close() error {
	var errs []error
	if r.enclave != nil {
		errs = append(errs, r.enclave.Destroy())
	}
	errs = append(errs, r.machine.Close(), r.leaves.flush())
	return errors.Join(errs...)
}

// enclaveError is the error for what enclave returned: the enclave's or the
// processor's "no", or something that the machine cannot do.
func enclaveError(path string, err error) error {
	if err == nil {
		return nil
	}
	wrapped := fmt.Errorf("%s: %w", path, err)
	if errors.Is(err, context.DeadlineExceeded) {
		wrapped = fmt.Errorf("%w (give it more time with --timeout)", wrapped)
	}
	var code isa.ErrorCode
	var status enclave.Status
	var fault *cpu.Fault
	switch {
	case errors.Is(err, enclave.ErrMemory), errors.Is(err, enclave.ErrOutOfEPC), errors.Is(err, enclave.ErrOutOfMemory):
		return cannot(wrapped)
	case errors.As(err, &code), errors.As(err, &status), errors.As(err, &fault),
		errors.Is(err, enclave.ErrSimulation), errors.Is(err, enclave.ErrUnsigned),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return no(wrapped)
	}
	return cannot(wrapped)
}

// statusName names the outcome of a call or a load: the SDK's status, the
// processor's error code, or a word for what neither of them knows.
func statusName(err error) string {
	var code isa.ErrorCode
	var status enclave.Status
	switch {
	case err == nil:
		return enclave.Success.String()
	case errors.As(err, &status):
		return status.String()
	case errors.As(err, &code):
		return code.Error()
	case errors.Is(err, enclave.ErrSimulation):
		return enclave.ErrModeIncompatible.String()
	case errors.Is(err, enclave.ErrMemory):
		return enclave.ErrOutOfMemory.String()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "stopped"
	}
	return "failed"
}

// signImage signs what m measures with a key that is forgotten at once.
func signImage(m *image.Image) (*isa.SigStruct, error) {
	key, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	s := &isa.SigStruct{
		Date:       sign.Date(time.Now()),
		MiscSelect: m.MiscSelect, MiscMask: ^isa.MiscSelect(0),
		Attributes: m.Attributes, AttributeMask: isa.Attributes{Flags: ^isa.AttrDebug, XFRM: isa.XFRMLegacy},
		EnclaveHash: measure.Image(m),
	}
	return s, sign.Sign(s, key)
}
