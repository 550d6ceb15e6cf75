package aesm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
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

// newFrame returns a frame with a message, and room for the length.
func newFrame(m message) []byte { return appendMessage(make([]byte, frameHeader, 64), m) }

// ReadFrame reads a message with its length in front, and takes no memory for
// one that is larger than MaxFrame, which is ErrTooLarge. If there is nothing to
// read, the error is io.EOF, and if it ends within the frame io.ErrUnexpectedEOF.
func ReadFrame(r io.Reader) ([]byte, error) {
	n, err := readLength(r)
	if err != nil {
		return nil, err
	}
	return readBody(r, n)
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

// readBody reads a message of n bytes.
func readBody(r io.Reader, n int) ([]byte, error) {
	b := make([]byte, n)
	if m, err := io.ReadFull(r, b); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("%d of %d bytes of a frame: %w", m, n, err)
	}
	return b, nil
}

func tooLarge(n uint64) error {
	return fmt.Errorf("%w: %d bytes, at most %d are taken", ErrTooLarge, n, MaxFrame)
}
