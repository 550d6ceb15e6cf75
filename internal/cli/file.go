package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/host"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/measure"
)

// maxFile is the size of the largest enclave file that is read.
const maxFile = 1 << 30

// maxSigStruct is the size of the largest file that is read as a SIGSTRUCT.
const maxSigStruct = 64 << 10

// maxMeasured is the most bytes that are hashed for MRENCLAVE: minutes of
// work. A small file can ask for any number of pages.
const maxMeasured = 128 << 30

// headSize is how much of a file is looked at before the rest is read.
const headSize = 4096

// readFile reads at most most bytes, also of what has no size, as a pipe. What
// check, if any, finds wrong in the first headSize bytes ends it there, however
// large the file is.
func readFile(path string, most int64, check func(head []byte) error) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, headSize))
	if err != nil {
		return nil, err
	}
	if check != nil {
		if err := check(head); err != nil {
			return nil, err
		}
	}
	tooLarge := fmt.Errorf("%s: larger than the limit of %s", path, host.Bytes(uint64(most)))
	var size int64
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		if size = info.Size(); size > most {
			return nil, tooLarge
		}
	}
	b := make([]byte, max(size, headSize)+1) // a byte more tells that the file has no more
	host.AdviseHugePages(b)
	n := copy(b, head)
	k, err := io.ReadFull(f, b[n:])
	b = b[:n+k]
	if err == nil {
		rest := bytes.NewBuffer(b)
		_, err = rest.ReadFrom(io.LimitReader(f, most+1-int64(len(b))))
		b = rest.Bytes()
	}
	switch {
	case err != nil && err != io.EOF && err != io.ErrUnexpectedEOF:
		return nil, err
	case int64(len(b)) > most:
		return nil, tooLarge
	}
	return b, nil
}

// inputName is what messages call a file, of which "-" is standard input.
func inputName(path string) string {
	if path == "-" {
		return "standard input"
	}
	return path
}

// readImage reads an enclave file, with a separate SIGSTRUCT if one is named.
func readImage(path, sigstruct string) (*image.Image, error) {
	b, err := readEnclave(path)
	if err != nil {
		return nil, err
	}
	return parseImage(path, b, sigstruct)
}

// readEnclave reads a file that may be an enclave's.
func readEnclave(path string) ([]byte, error) {
	b, err := readFile(path, maxFile, func(head []byte) error {
		// The beginning of a file lacks what stands further on, but tells
		// what can be no enclave.
		_, err := image.Parse(head)
		switch {
		case !errors.Is(err, image.ErrNotEnclave):
			return nil
		case len(head) == isa.SigStructSize:
			return fmt.Errorf("%s: %w; if it is a SIGSTRUCT, name the enclave's file, and this one with --sigstruct", path, err)
		}
		return fmt.Errorf("%s: %w", path, err)
	})
	if err != nil {
		return nil, cannot(err)
	}
	return b, nil
}

// parseImage parses the enclave file b that was read from path.
func parseImage(path string, b []byte, sigstruct string) (*image.Image, error) {
	var opts []image.Option
	if sigstruct != "" {
		s, err := readFile(sigstruct, maxSigStruct, nil)
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
	if n := measure.Length(m); n > maxMeasured {
		return nil, cannot(fmt.Errorf("%s: its measurement covers %s, more than the limit of %s", path, host.Bytes(n), host.Bytes(maxMeasured)))
	}
	return m, nil
}
