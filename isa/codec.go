package isa

import (
	"encoding/binary"
	"fmt"
)

// PageSize is the size of an EPC page in bytes.
const PageSize = 4096

// A coder walks a structure's fields in order, either appending them to a
// buffer or reading them from one, so that each layout is written down once.
type coder struct {
	buf  []byte // what is left to read, or what was written
	read bool
}

func (c *coder) u8(v *uint8) {
	if c.read {
		*v, c.buf = c.buf[0], c.buf[1:]
		return
	}
	c.buf = append(c.buf, *v)
}

func (c *coder) u16(v *uint16) {
	if c.read {
		*v, c.buf = binary.LittleEndian.Uint16(c.buf), c.buf[2:]
		return
	}
	c.buf = binary.LittleEndian.AppendUint16(c.buf, *v)
}

func (c *coder) u32(v *uint32) {
	if c.read {
		*v, c.buf = binary.LittleEndian.Uint32(c.buf), c.buf[4:]
		return
	}
	c.buf = binary.LittleEndian.AppendUint32(c.buf, *v)
}

func (c *coder) u64(v *uint64) {
	if c.read {
		*v, c.buf = binary.LittleEndian.Uint64(c.buf), c.buf[8:]
		return
	}
	c.buf = binary.LittleEndian.AppendUint64(c.buf, *v)
}

func (c *coder) bytes(v []byte) {
	if c.read {
		c.buf = c.buf[copy(v, c.buf):]
		return
	}
	c.buf = append(c.buf, v...)
}

// coded is a structure that lists its fields to a coder.
type coded interface{ code(c *coder) }

func appendTo(b []byte, s coded) []byte {
	c := coder{buf: b}
	s.code(&c)
	return c.buf
}

func decode(b []byte, s coded, name string, size int) error {
	if err := checkSize(b, name, size); err != nil {
		return err
	}
	s.code(&coder{buf: b, read: true})
	return nil
}

func checkSize(b []byte, name string, size int) error {
	if len(b) != size {
		return fmt.Errorf("isa: %s is %d bytes, got %d", name, size, len(b))
	}
	return nil
}
