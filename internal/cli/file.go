package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/host"
	"github.com/feidi-dev/feidi/isa"
)

// maxFile is the size of the largest enclave file that is read.
const maxFile = 1 << 30

// maxMeasured is the most bytes that are hashed for MRENCLAVE: minutes of
// work. A small file can ask for any number of pages.
const maxMeasured = 128 << 30

// readFile reads at most max bytes, also of what has no size, as a pipe.
func readFile(path string, max int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, max+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > max {
		return nil, fmt.Errorf("%s: larger than %d bytes", path, max)
	}
	return b, nil
}

// readImage reads an enclave file, with a separate SIGSTRUCT if one is named.
func readImage(path, sigstruct string) (*image.Image, error) {
	b, err := readFile(path, maxFile)
	if err != nil {
		return nil, cannot(err)
	}
	var opts []image.Option
	if sigstruct != "" {
		s, err := readFile(sigstruct, maxFile)
		if err != nil {
			return nil, cannot(err)
		}
		if len(s) != isa.SigStructSize {
			return nil, cannot(fmt.Errorf("%s: a SIGSTRUCT has %d bytes, this file has %d", sigstruct, isa.SigStructSize, len(s)))
		}
		opts = append(opts, image.WithSigStruct(s))
	}
	m, err := image.Parse(b, opts...)
	if err != nil {
		return nil, cannot(fmt.Errorf("%s: %w", path, err))
	}
	if n := measured(m); n > maxMeasured {
		return nil, cannot(fmt.Errorf("%s: its measurement covers %s, more than the limit of %s", path, host.Bytes(n), host.Bytes(maxMeasured)))
	}
	return m, nil
}

// measured is the length of the stream that MRENCLAVE hashes, at least: 64
// bytes for a page, and 320 for each of the sixteen chunks of a measured one.
func measured(m *image.Image) uint64 {
	var n uint64
	for i := range m.Runs {
		r := &m.Runs[i]
		n += r.Pages * 64
		if r.Measured {
			n += r.Pages * 16 * 320
		}
	}
	return n
}
