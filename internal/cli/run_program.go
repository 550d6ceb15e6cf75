package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/enclave/process"
	"github.com/feidi-dev/feidi/gobuild"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/state"
	"github.com/feidi-dev/feidi/world"
)

// running are the flags of a Go program that runs.
type running struct {
	building
	env []string
	serving
	attest bool
	dir    string
	quiet  bool
	timing bool
	guard  bool
	load   *loading
}

func (r *running) flags(cmd *cobra.Command) {
	r.building.flags(cmd)
	set := cmd.Flags()
	set.StringArrayVar(&r.env, "env", nil, "give the program an environment variable, `NAME=VALUE` or NAME; * is all")
	r.makes = true
	r.serving.add(cmd)
	set.BoolVar(&r.attest, "attest", false, "have the machine's AESM run beside the program, so that it gets quotes")
	set.StringVar(&r.dir, "dir", "", "start the program in this `directory`")
	set.BoolVarP(&r.quiet, "quiet", "q", false, "do not say that nothing is protected")
	set.BoolVar(&r.guard, "guard", false, "have the kernel kill feidi if a system call is made inside the enclave")
	set.BoolVar(&r.timing, "timing", false, "say on standard error how long the start took")
}

const runningHelp = `A Go program, from its enclave file or from its package, runs like outside:
with its arguments, standard input and output, files and sockets of this
machine, and signals. It gets no environment but what --env passes. Feidi's
flags stand before the file, what follows is the program's.

The machine has a name, and its fuses are kept below $XDG_STATE_HOME/feidi: what
a program seals it can open in its next run.

The exit code is the program's, or 128 and the number of the signal that ended
it.`

// errProgram ends the command with the exit code of a program.
type errProgram struct{ code int }

func (e errProgram) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// goProgram is a Go program, ready to be loaded.
type goProgram struct {
	name  string
	image *image.Image
	read  time.Time // when it was there
}

// runProgram runs a Go program from its enclave file.
func (a *app) runProgram(name string, file []byte, args []string, r *running) error {
	img, err := image.Parse(file)
	if err != nil {
		return cannot(fmt.Errorf("%s: %w", name, err))
	}
	g := &goProgram{name: name, image: img, read: time.Now()}
	kept, up, err := r.on(a)
	if err != nil {
		return err
	}
	c := kept.CPU()
	env, err := r.environment()
	if err != nil {
		return err
	}
	if !r.quiet {
		fmt.Fprintln(a.err, banner)
	}
	// Every thread of the program may be in a system call, and come back.
	runtime.GOMAXPROCS(runtime.NumCPU() + len(img.Threads))
	std, err := a.streams()
	if err != nil {
		return cannot(err)
	}
	defer std.close()
	leaves := newLeafLog()
	if r.load.trace {
		c.Trace = leaves.add
		leaves.w = bufio.NewWriter(a.err)
	}
	m, err := enclave.PowerOn(enclave.MachineConfig{CPU: c, LockedLaunch: kept.LockedLaunch})
	if err != nil {
		return cannot(err)
	}
	with := &beside{stop: func() error { return nil }}
	if up != nil {
		start := up.launch
		if r.attest {
			start = up.attest
		}
		if with, err = start(context.Background(), m); err != nil {
			return cannot(errors.Join(err, m.Close()))
		}
	}
	err = a.runOn(m, g, process.New(process.Config{
		Args: append([]string{name}, args...), Env: append(with.env, env...) /* of two, the first counts */, Dir: r.dir,
		Stdin: std.in, Stdout: std.out, Stderr: std.err,
	}), r, with.tokens)
	err = errors.Join(err, closing(with.stop()))
	return errors.Join(err, closing(m.Close()), closing(leaves.flush()))
}

// on is the machine that a program runs on, and if it is to attest or needs a launch
// token what the machine's services need. Without a world a machine is made when it
// is wanted.
func (r *running) on(a *app) (*world.Machine, *services, error) {
	if r.attest {
		up, err := r.prepare(a, slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: slog.LevelWarn})))
		if err != nil {
			return nil, nil, err
		}
		return up.machine, up, nil
	}
	if r.pcs != "" || r.qcnl != "" || r.cacert != "" || r.pce != "" {
		return nil, nil, usage("--pcs, --qcnl, --cacert and --pce are for a program that attests: give --attest, too")
	}
	dir, err := state.Dir()
	if err != nil {
		return nil, nil, cannot(err)
	}
	m, err := world.UseMachine(dir, r.machine)
	switch {
	case errors.Is(err, world.ErrName):
		return nil, nil, usage("--machine %w", err)
	case err != nil:
		return nil, nil, cannot(err)
	case m.LockedLaunch:
		up, err := r.prepare(a, nil)
		return m, up, err
	}
	return m, nil, nil
}

func closing(err error) error {
	if err != nil {
		return cannot(err)
	}
	return nil
}

// runOn loads a program on a machine and runs it to its end.
func (a *app) runOn(m *enclave.Machine, p *goProgram, proc *process.Process, r *running, tokens enclave.TokenSource) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if r.load.timeout > 0 {
		ctx, cancel = context.WithTimeout(ctx, r.load.timeout)
		defer cancel()
	}
	opts := []enclave.Option{proc.Option(), enclave.WithTokenSource(tokens)}
	if r.load.debug {
		opts = append(opts, enclave.WithDebug())
	}
	if r.load.force {
		opts = append(opts, enclave.WithForce())
	}
	e, err := m.Load(ctx, p.image, opts...)
	loaded := time.Now()
	if err != nil {
		return enclaveError(p.name, err)
	}
	if r.guard {
		if err := e.Guard(); err != nil {
			return cannot(errors.Join(err, e.Destroy()))
		}
	}
	stop := forward(proc)
	err = proc.Start(ctx, e)
	var s process.State
	if err == nil {
		s, err = proc.Wait()
	}
	stop()
	if r.timing {
		a.showTiming(p, loaded, proc.FirstRequest())
	}
	if derr := e.Destroy(); err == nil && derr != nil {
		return cannot(derr)
	}
	var fault *enclave.FaultError
	switch {
	case errors.As(err, &fault), errors.Is(err, context.DeadlineExceeded):
		return no(fmt.Errorf("%s: %w", p.name, err))
	case err != nil:
		return cannot(fmt.Errorf("%s: %w", p.name, err))
	case s.Signal != 0:
		return errProgram{128 + int(s.Signal)}
	case s.ExitCode != 0:
		return errProgram{s.ExitCode}
	}
	return nil
}

// forward passes signals on to a program, until the function that it returns
// is called.
func forward(p *process.Process) (stop func()) {
	c := make(chan os.Signal, 16)
	signal.Notify(c, programSignals...)
	go func() {
		for s := range c {
			if n, ok := s.(syscall.Signal); ok {
				_ = p.Signal(n) // it may have ended
			}
		}
	}()
	return func() {
		signal.Stop(c)
		close(c)
	}
}

// environment is what --env passes.
func (r *running) environment() ([]string, error) {
	var env []string
	for _, e := range r.env {
		name, _, ok := strings.Cut(e, "=")
		switch {
		case e == "*":
			env = append(env, os.Environ()...)
		case name == "":
			return nil, usage("--env %q has no name", e)
		case ok:
			env = append(env, e)
		default:
			if v, ok := os.LookupEnv(e); ok {
				env = append(env, e+"="+v)
			}
		}
	}
	return slices.Clip(env), nil
}

// runOperand runs what the operand of run names, if it is a Go program. If it
// is a file of another kind, that is returned for others to run.
func (a *app) runOperand(operand string, args []string, r *running) (other []byte, err error) {
	info, err := os.Stat(operand)
	if err == nil && !info.IsDir() && !strings.HasSuffix(operand, ".go") {
		file, err := readEnclave(operand)
		switch {
		case err != nil:
			return nil, err
		case gobuild.IsEnclave(file) && r.given != "":
			return nil, usage("--%s is for what is built, and %s is an enclave already", r.given, operand)
		case gobuild.IsEnclave(file):
			return nil, a.runProgram(operand, file, args, r)
		case gobuild.IsProgram(file):
			return nil, a.runLinked(operand, file, args, r)
		}
		return file, nil
	}
	if err != nil && looksLikeFile(operand) {
		return nil, cannot(err)
	}
	ctx, stop := interruptible()
	file, err := a.buildPackage(ctx, operand, &r.building)
	stop()
	if err != nil {
		return nil, err
	}
	return nil, a.runProgram(operand, file, args, r)
}

// looksLikeFile reports whether an operand that does not exist was to be an
// enclave's file, and not a package.
func looksLikeFile(name string) bool {
	return strings.HasSuffix(name, ".so") || strings.HasSuffix(name, ".sgxs") || strings.HasSuffix(name, ".dll")
}

// runLinked runs a program that was linked for an enclave and is none yet, as
// those of `go test` are.
func (a *app) runLinked(name string, file []byte, args []string, r *running) error {
	o, err := r.options()
	if err != nil {
		return err
	}
	cache, err := state.Cache()
	if err != nil {
		return cannot(err)
	}
	enclaveFile, err := gobuild.LinkCached(cache, file, o)
	if err != nil {
		return cannot(fmt.Errorf("%s: %w", name, err))
	}
	return a.runProgram(name, enclaveFile, args, r)
}
