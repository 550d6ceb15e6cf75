// Package gobuild makes a signed enclave of an ordinary Go program, with the
// Go toolchain that is there: it has the compiler's assembler turn SYSCALL,
// CPUID and RDTSC into calls of a gate, adds that gate to package runtime by an
// overlay, and turns what the linker made into an enclave file of the Intel
// SDK's format. What was compiled is then searched, instruction by instruction,
// for anything that an enclave may not execute.
//
// The result runs by package enclave/process, and it can be read, measured and
// signed again by anything that reads the format.
//
// The package runs the go command and writes to a cache; all else is pure.
package gobuild

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"time"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/measure"
	"github.com/feidi-dev/feidi/sign"
)

// Errors of a build. They are wrapped with detail.
var (
	// ErrToolchain is the error of a Go toolchain that is missing, or another one
	// than the enclave's runtime is made for.
	ErrToolchain = errors.New("gobuild: the Go toolchain")
	// ErrCompile is the error of a program that the go command does not build.
	ErrCompile = errors.New("gobuild: go build")
	// ErrIllegal is the error of a program with instructions that an enclave may
	// not execute.
	ErrIllegal = errors.New("gobuild: instructions that an enclave may not execute")
)

// Defaults of Options.
const (
	DefaultHeap    = 256 << 20
	DefaultThreads = 32
	MinHeap        = 16 << 20
	MinThreads     = 5 // the program, the collector and its helpers, and the monitor
	MaxThreads     = 1024
)

// Options say what the enclave is to be.
type Options struct {
	// Heap is the memory of the program's heap and goroutine stacks, in bytes.
	// It is all added before the enclave starts. Zero is DefaultHeap.
	Heap uint64
	// Threads is how many threads it has. Each one runs goroutines, or waits in
	// a system call for one of them. Zero is DefaultThreads.
	Threads int
	// ISVProdID and ISVSVN are the product and its security version.
	ISVProdID, ISVSVN uint16
	// Debug lets the enclave be loaded as a debug enclave.
	Debug bool
	// DebugEnv lets GODEBUG reach the program in any enclave. It can turn off
	// what protects the program.
	DebugEnv bool
	// Attributes are further bits of ATTRIBUTES, such as AttrProvisionKey.
	Attributes isa.AttributeFlags
	// Key signs the enclave.
	Key *rsa.PrivateKey
	// Date is the day that the SIGSTRUCT names, in UTC.
	Date time.Time
}

// check fills in what is zero and refuses what cannot be.
func (o *Options) check() error {
	if o.Heap == 0 {
		o.Heap = DefaultHeap
	}
	if o.Threads == 0 {
		o.Threads = DefaultThreads
	}
	switch {
	case o.Heap < MinHeap || o.Heap > maxELRange:
		return fmt.Errorf("gobuild: a heap of %d MB is not one from %d MB to %d GB", o.Heap>>20, MinHeap>>20, maxELRange>>30)
	case o.Threads < MinThreads || o.Threads > MaxThreads:
		return fmt.Errorf("gobuild: %d threads: Go needs %d at least, and there are %d at most", o.Threads, MinThreads, MaxThreads)
	case o.Key == nil:
		return errors.New("gobuild: no key to sign with")
	}
	return nil
}

// Link makes a signed enclave file of a program that `go build` has linked with
// the enclave's runtime.
func Link(program []byte, o Options) ([]byte, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	l, meta, img, err := lay(program, &o)
	if err != nil {
		return nil, err
	}
	meta.SigStruct = sigStruct(&o, measure.Image(img))
	if err := sign.Sign(&meta.SigStruct, o.Key); err != nil {
		return nil, err
	}
	return l.write(meta)
}

// lay makes the enclave of a program, but for its SIGSTRUCT.
func lay(program []byte, o *Options) (*linked, *image.Metadata, *image.Image, error) {
	l, err := place(program, o)
	if err != nil {
		return nil, nil, nil, err
	}
	meta := l.metadata(o)
	img, err := image.Lay(l.file, meta)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("gobuild: %w", err)
	}
	return l, meta, img, nil
}

// write returns the file with its metadata.
func (l *linked) write(meta *image.Metadata) ([]byte, error) {
	meta.Size = metaRoom
	block, err := meta.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	return withNote(l.file, block)
}

// sigStruct is the statement that is signed.
func sigStruct(o *Options, hash [32]byte) isa.SigStruct {
	s := isa.SigStruct{
		Date:       sign.Date(o.Date),
		MiscSelect: isa.MiscEXINFO, // wanted, not demanded
		Attributes: isa.Attributes{Flags: isa.AttrMode64Bit | o.Attributes, XFRM: isa.XFRMLegacy},
		AttributeMask: isa.Attributes{
			Flags: ^isa.AttrInit, XFRM: ^(wantedXFRM &^ isa.XFRMLegacy),
		},
		EnclaveHash: hash, ISVProdID: o.ISVProdID, ISVSVN: o.ISVSVN,
	}
	if o.Debug {
		s.AttributeMask.Flags &^= isa.AttrDebug
	}
	return s
}
