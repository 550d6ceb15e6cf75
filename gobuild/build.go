package gobuild

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/feidi-dev/feidi/gobuild/scan"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/elf64"
	"github.com/feidi-dev/feidi/internal/goabi"
)

// IsEnclave reports whether an enclave file holds a Go program that gobuild has
// made an enclave of, and IsProgram whether a file is such a program before
// Link, as `go test` links one.
func IsEnclave(file []byte) bool { return goabi.IsGo(file) && hasMetadata(file) }

// IsProgram reports whether a file is a program for Link.
func IsProgram(file []byte) bool { return goabi.IsGo(file) && !hasMetadata(file) }

// Build builds the main package pkg, as the go command in dir names it, into a
// signed enclave file. What was built before from the same program, with the
// same options, comes from the cache. log gets what the go command writes; it
// may be nil.
func (t *Toolchain) Build(ctx context.Context, dir, pkg string, tags []string, o Options, log io.Writer) ([]byte, error) {
	program, err := t.Compile(ctx, dir, pkg, tags, log)
	if err != nil {
		return nil, err
	}
	return LinkCached(t.cache, program, o)
}

// LinkCached is Link with a cache in front, below the directory cache, after
// the program was searched for instructions that an enclave may not execute.
// What comes from the cache has the date of when it was made.
func LinkCached(cache string, program []byte, o Options) ([]byte, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	h := sha256.New()
	h.Write(program)
	fmt.Fprintf(h, "%d %d %d %d %v %v %d %x", o.Heap, o.Threads, o.ISVProdID, o.ISVSVN, o.Debug, o.DebugEnv, o.Attributes, o.Key.N)
	path := filepath.Join(cache, "enclaves", hex.EncodeToString(h.Sum(nil))[:32])
	if b, ok := readCached(path); ok {
		return b, nil
	}
	if err := Scan(program); err != nil {
		return nil, err
	}
	b, err := Link(program, o)
	if err != nil {
		return nil, err
	}
	writeCached(path, b)
	return b, nil
}

// Scan searches a linked program for instructions that an enclave may not
// execute. Its error wraps ErrIllegal and names the first of them.
func Scan(program []byte) error {
	r, err := scan.Program(program, scan.Default())
	if err != nil {
		return fmt.Errorf("gobuild: %w", err)
	}
	if len(r.Findings) == 0 {
		return nil
	}
	const most = 5
	var lines []string
	for _, f := range r.Findings[:min(most, len(r.Findings))] {
		lines = append(lines, f.String())
	}
	if n := len(r.Findings) + r.More - len(lines); n > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", n))
	}
	return fmt.Errorf("%w: %s. The assembler's macros do not reach code that is written as bytes or comes from a .syso file: build without it, perhaps by a tag such as purego", ErrIllegal, strings.Join(lines, "; "))
}

func hasMetadata(file []byte) bool {
	f, err := elf64.Parse(file)
	return err == nil && f.Section(image.MetadataSection) != nil
}
