package cli

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/feidi-dev/feidi/enclave"
)

const blockHelp = `The block is what the function that sgx_edger8r generates passes to sgx_ecall:
a structure whose first field is, for most functions, the result. --in gives it
as hex digits, or names a file with its bytes. Between the digits,

  {N}      stands for the address of N bytes of zeros outside the enclave,
  {=HEX}   for the address of these bytes,
  {@FILE}  for the address of the bytes of a file,

eight bytes each. --out makes the block at least N bytes long. The block and
what it points to are shown as they are after the call.`

// maxBuffers bounds all buffers together that a marshalling block points to,
// and the text of --in, in bytes.
const maxBuffers = 16 << 20

// block is a marshalling block that is not yet in memory.
type block struct {
	bytes    []byte
	pointers []pointer
}

// pointer is a field of a block that holds the address of a buffer.
type pointer struct {
	offset  int
	content []byte
}

// parseBlock reads the argument of --in: hex digits with pointers, or else
// the name of a file.
func parseBlock(arg string) (*block, error) {
	b, err := parseHexBlock(arg)
	if err == nil {
		return b, nil
	}
	content, ferr := readFile(arg, maxBuffers, nil)
	switch {
	case ferr == nil:
		return &block{bytes: content}, nil
	case strings.ContainsAny(arg, "{}"):
		return nil, usage("--in %q: %v", arg, err)
	case errors.Is(ferr, fs.ErrNotExist):
		return nil, usage("--in %q: %v, and no such file", arg, err)
	}
	return nil, cannot(ferr)
}

func parseHexBlock(arg string) (*block, error) {
	b := &block{}
	total := 0
	rest := strings.Join(strings.Fields(arg), "")
	for rest != "" {
		digits, tail, open := strings.Cut(rest, "{")
		raw, err := hex.DecodeString(digits)
		if err != nil {
			return nil, fmt.Errorf("%q is not an even number of hex digits", digits)
		}
		b.bytes = append(b.bytes, raw...)
		if !open {
			break
		}
		inner, after, closed := strings.Cut(tail, "}")
		if !closed {
			return nil, fmt.Errorf("%q is not closed", "{"+inner)
		}
		content, err := parseBuffer(inner)
		if err != nil {
			return nil, err
		}
		if total += len(content); total > maxBuffers {
			return nil, fmt.Errorf("more than %d bytes of buffers", maxBuffers)
		}
		b.pointers = append(b.pointers, pointer{len(b.bytes), content})
		b.bytes = append(b.bytes, make([]byte, 8)...)
		rest = after
	}
	return b, nil
}

// parseBuffer reads what stands between braces.
func parseBuffer(s string) ([]byte, error) {
	if digits, ok := strings.CutPrefix(s, "="); ok {
		raw, err := hex.DecodeString(digits)
		if err != nil {
			return nil, fmt.Errorf("%q is not an even number of hex digits", digits)
		}
		return raw, nil
	}
	if name, ok := strings.CutPrefix(s, "@"); ok {
		return readFile(name, maxBuffers, nil)
	}
	n, err := strconv.ParseUint(s, 0, 32)
	if err != nil || n > maxBuffers {
		return nil, fmt.Errorf("%q is not a number of bytes up to %d", s, maxBuffers)
	}
	return make([]byte, n), nil
}

// grow makes the block at least n bytes long.
func (b *block) grow(n int) {
	if len(b.bytes) < n {
		b.bytes = append(b.bytes, make([]byte, n-len(b.bytes))...)
	}
}

// place puts the buffers into memory that e may be told of, and their
// addresses into the block.
func (b *block) place(e *enclave.Enclave) ([]*enclave.Buffer, error) {
	var placed []*enclave.Buffer
	for _, p := range b.pointers {
		buf, err := e.Alloc(len(p.content))
		if err != nil {
			return nil, err
		}
		copy(buf.Bytes(), p.content)
		binary.LittleEndian.PutUint64(b.bytes[p.offset:], buf.Addr())
		placed = append(placed, buf)
	}
	return placed, nil
}
