// Package images has the system enclaves as linked programs, and makes signed
// enclaves of them. A release has the programs in it (release.go); everything else
// builds them on first use with the Go toolchain that is there, from the source
// that it was itself built from. Both give the same bytes, and so the same
// MRENCLAVE, on any machine and in any folder. Who signs them is the caller's to
// say: no key is shipped.
//
// Program does so for other enclaves of this module, too, such as the demo's. The
// package is not for enclaves of others: those are gobuild's.
package images

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/gobuild"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/elf64"
)

// ErrNoSource is the error of a program that is no release and does not find the
// source that it was built from. That there is no Go toolchain is
// gobuild.ErrToolchain.
var ErrNoSource = errors.New("arch/images: the source of the system enclaves is not here")

const orRelease = "a release of Feidi has the system enclaves in it, and needs neither Go nor source (https://github.com/feidi-dev/feidi/releases)"

// Options say where and how enclaves are made.
type Options struct {
	// Cache is a directory for what was built, 10 MB for an enclave. It is made if
	// it is not there, and may be shared and be deleted. It must be given, for none
	// but the user's own may be trusted.
	Cache string
	// Log gets a line if a build takes more than a second, and what the go command
	// writes. It may be nil.
	Log io.Writer
}

// Program returns a system enclave as a program for gobuild.Link. Its errors wrap
// gobuild.ErrToolchain, gobuild.ErrCompile or ErrNoSource.
func Program(ctx context.Context, e build.Enclave, o Options) ([]byte, error) {
	if o.Cache == "" {
		return nil, errors.New("arch/images: no directory for the cache was given")
	}
	if b, err := embedded(e.Name); b != nil || err != nil {
		return b, err
	}
	t, err := gobuild.FindToolchain(ctx, o.Cache)
	if err != nil {
		return nil, fmt.Errorf("arch/images: the system enclaves are built on first use: %w; %s", err, orRelease)
	}
	dir, err := source(ctx, t.Go)
	if err != nil {
		return nil, err
	}
	return compile(ctx, t, dir, e, o.Log)
}

// Image returns a system enclave that is signed with a key. What comes from the
// cache has the date of when it was made.
func Image(ctx context.Context, e build.Enclave, key *rsa.PrivateKey, date time.Time, o Options) (*image.Image, error) {
	program, err := Program(ctx, e, o)
	if err != nil {
		return nil, err
	}
	b, err := gobuild.LinkCached(o.Cache, program, e.Options(key, date))
	if err != nil {
		return nil, fmt.Errorf("arch/images: %s: %w", e.Name, err)
	}
	return image.Parse(b)
}

// building is held by who runs the go command: all that are built share the
// standard library, which two commands at once would both compile.
var building sync.Mutex

// compile builds a system enclave from the module in dir.
func compile(ctx context.Context, t *gobuild.Toolchain, dir string, e build.Enclave, log io.Writer) ([]byte, error) {
	building.Lock()
	defer building.Unlock()
	p := newProgress(log, time.Second, "building the system enclave "+e.Name+"; the first time takes a minute, for the standard library is built, too")
	defer p.stop()
	b, err := t.Compile(ctx, dir, e.Package, nil, p)
	if err != nil {
		return nil, fmt.Errorf("arch/images: %s: %w", e.Name, err)
	}
	return b, clearUnloaded(b)
}

// clearUnloaded clears what of a program is not loaded: symbols and what a debugger
// needs, a third of it. Nothing moves, since the headers are measured.
func clearUnloaded(program []byte) error {
	f, err := elf64.Parse(program)
	if err != nil {
		return fmt.Errorf("arch/images: what the Go linker made: %w", err)
	}
	for i := range f.Sections {
		if s := &f.Sections[i]; s.Flags&elf64.SectionAlloc == 0 && s.Name != ".shstrtab" {
			clear(f.Data(s))
		}
	}
	return nil
}
