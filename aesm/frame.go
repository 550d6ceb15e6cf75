package aesm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

// MaxFrame is the size in bytes of the largest message that is sent or taken.
//
// AESM itself has no limit. Nearly all messages are below 1 KiB, and a quote
// with its certificates about 5 KiB. Larger ones are the launch enclave's white
// list, of at most 2048 signers of 32 bytes with certificates around it (so
// that 64 KiB would not do), and EPID's revocation lists, with 128 bytes of
// request and 160 bytes of quote for each entry. 256 KiB have room for 1600
// entries.
const MaxFrame = 256 << 10

// frameHeader is the size of what stands before a message: its length as a
// 32-bit number, little endian.
const frameHeader = 4

// WriteFrame writes a message with its length in front, all at once.
func WriteFrame(w io.Writer, message []byte) error {
	return writeFrame(w, append(make([]byte, frameHeader, frameHeader+len(message)), message...))
}

// writeFrame writes a frame, in which there is room for the length.
func writeFrame(w io.Writer, frame []byte) error {
	n := len(frame) - frameHeader
	if n > MaxFrame {
		return tooLarge(uint64(n))
	}
	binary.LittleEndian.PutUint32(frame, uint32(n))
	_, err := w.Write(frame)
	return err
}

// frames has buffers for frames that are not kept.
var frames = sync.Pool{New: func() any { return new(buffer) }}

// buffer has room for a frame.
type buffer struct{ b []byte }

// frame returns a frame with a message, and room for the length. It is good until
// the buffer is used again.
func (b *buffer) frame(m message) []byte {
	b.b = appendMessage(append(b.b[:0], make([]byte, frameHeader)...), m)
	return b.b
}

// body reads a message of n bytes, likewise.
func (b *buffer) body(r io.Reader, n int) ([]byte, error) {
	b.b = slices.Grow(b.b[:0], n)[:n]
	return b.b, readBody(r, b.b)
}

// free gives the buffer back, unless it was for one of the few large frames.
func (b *buffer) free() {
	if cap(b.b) <= 16<<10 {
		frames.Put(b)
	}
}

// ReadFrame reads a message with its length in front, and takes no memory for
// one that is larger than MaxFrame, which is ErrTooLarge. If there is nothing to
// read, the error is io.EOF, and if it ends within the frame io.ErrUnexpectedEOF.
func ReadFrame(r io.Reader) ([]byte, error) {
	n, err := readLength(r)
	if err != nil {
		return nil, err
	}
	b := make([]byte, n)
	if err := readBody(r, b); err != nil {
		return nil, err
	}
	return b, nil
}

// readLength reads what stands before a message.
func readLength(r io.Reader) (int, error) {
	var b [frameHeader]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return 0, io.EOF
		}
		return 0, fmt.Errorf("length of a frame: %w", err)
	}
	n := binary.LittleEndian.Uint32(b[:])
	if n > MaxFrame {
		return 0, tooLarge(uint64(n))
	}
	return int(n), nil
}

// readBody fills b with a message.
func readBody(r io.Reader, b []byte) error {
	n, err := io.ReadFull(r, b)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("%d of %d bytes of a frame: %w", n, len(b), err)
	}
	return nil
}

func tooLarge(n uint64) error {
	return fmt.Errorf("%w: %d bytes, at most %d are taken", ErrTooLarge, n, MaxFrame)
}
