package cli

import (
	"context"
	"crypto/rsa"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/gobuild"
	"github.com/feidi-dev/feidi/gobuild/config"
	"github.com/feidi-dev/feidi/internal/state"
)

// building are the flags of what a Go program becomes.
type building struct {
	heap     size
	threads  int
	prodID   uint16
	svn      uint16
	debug    bool
	debugEnv bool
	key      string
	tags     []string
	config   string // file that has the options that no flag gave
	given    string // one of the flags that were given
}

const buildingHelp = `The Go toolchain is the one in PATH, of Go 1.26. It needs nothing that the
program does not need outside, but cgo, plug-ins and assembly that writes
system calls as bytes cannot be in an enclave: the build says so.

The key is the user's development key, drawn when it is first needed and kept
below $XDG_STATE_HOME/feidi, unless --key names another. The same source, Go
and options have the same MRENCLAVE everywhere.`

// flags adds the flags to a verb. One that loads the enclave has a --debug of
// its own.
func (b *building) flags(cmd *cobra.Command) {
	set := cmd.Flags()
	b.heap.Size = gobuild.DefaultHeap
	set.Var(&b.heap, "heap", "give the program a heap of this `size`, such as 512M")
	set.IntVar(&b.threads, "threads", gobuild.DefaultThreads, "give it `N` threads; each runs goroutines or waits in a system call")
	set.Uint16Var(&b.prodID, "prod-id", 0, "product `number` (ISVPRODID)")
	set.Uint16Var(&b.svn, "svn", 0, "security version `number` (ISVSVN)")
	set.BoolVar(&b.debugEnv, "godebug", false, "let GODEBUG reach the program, though it can turn off what protects it")
	set.StringVar(&b.key, "key", "", "sign with the RSA key of this PEM `file`")
	set.StringSliceVar(&b.tags, "tags", nil, "build `tags`, with commas between them")
	set.StringVar(&b.config, "config", "", "take the options that no flag gives from this TOML `file`")
	filesOf(cmd, "config", "toml")
	filesOf(cmd, "key", "pem")
}

// options are the flags as package gobuild has them.
func (b *building) options() (gobuild.Options, error) {
	key, err := b.signer()
	if err != nil {
		return gobuild.Options{}, err
	}
	return gobuild.Options{
		Heap: uint64(b.heap.Size), Threads: b.threads, ISVProdID: b.prodID, ISVSVN: b.svn,
		Debug: b.debug, DebugEnv: b.debugEnv, Key: key, Date: time.Now(),
	}, nil
}

func (b *building) signer() (*rsa.PrivateKey, error) {
	if b.key != "" {
		return readPrivateKey(b.key)
	}
	key, _, err := state.DevelopmentKey()
	if err != nil {
		return nil, cannot(err)
	}
	return key, nil
}

// toolchain finds the Go toolchain.
func toolchain(ctx context.Context) (*gobuild.Toolchain, error) {
	cache, err := state.Cache()
	if err != nil {
		return nil, cannot(err)
	}
	t, err := gobuild.FindToolchain(ctx, cache)
	if err != nil {
		return nil, cannot(err)
	}
	return t, nil
}

// buildPackage builds a package. On a terminal it says so when it takes a while.
func (a *app) buildPackage(ctx context.Context, pkg string, b *building) ([]byte, error) {
	o, err := b.options()
	if err != nil {
		return nil, err
	}
	t, err := toolchain(ctx)
	if err != nil {
		return nil, err
	}
	done := a.progress("building " + pkg + "; the first time takes a minute, for the standard library is built, too")
	file, err := t.Build(ctx, ".", pkg, b.tags, o, nil)
	done()
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, cannot(fmt.Errorf("building %s: %w", pkg, errInterrupted))
	case err != nil:
		return nil, cannot(err)
	}
	return file, nil
}

// progress says on a terminal what is under way, if it takes long, until the
// function that it returns is called.
func (a *app) progress(what string) (done func()) {
	if a.terminal() == nil {
		return func() {}
	}
	const patience = 700 * time.Millisecond
	t := time.AfterFunc(patience, func() { fmt.Fprintf(a.err, "feidi: %s ...\n", printable(what)) })
	return func() { t.Stop() }
}

// terminal is standard error if that is a terminal, for what is shown to people
// while they wait; else nil.
func (a *app) terminal() io.Writer {
	f, ok := a.err.(*os.File)
	if !ok {
		return nil
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	return f
}

// size is a number of bytes as a flag.
type size struct{ config.Size }

// Set implements pflag.Value.
func (s *size) Set(text string) error { return s.UnmarshalText([]byte(text)) }

// Type implements pflag.Value.
func (s *size) Type() string { return "size" }
