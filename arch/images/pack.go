package images

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Half of each system enclave is the same runtime, at other addresses. One of them
// is kept whole, and of the others what differs from it, as bsdiff does it (Colin
// Percival, "Naive differences of executable code"): pieces of the base, and what to
// add to their bytes, which is mostly zero and else a few distances that come again
// and again.
//
// A packed program is gzip of three lengths, in bytes, and three parts:
//
//	pieces  for each: bytes to take from fresh, bytes to take from the base, and
//	        how far to go in the base before that (signed)
//	added   to the bytes of the base
//	fresh   what the base has not
//
// Numbers are those of encoding/binary's varint.

// base is the enclave that the others are packed against.
const base = "qe"

const (
	seed     = 24 // bytes that must be equal for a piece to begin
	step     = 4  // between the places of the base where one may begin
	patience = 48 // how much worse than its best a piece may become
)

var errPacked = errors.New("arch/images: a packed program is broken")

// Pack returns the files of a release: programs by names of enclaves, one of which
// is the base, as they are embedded.
func Pack(programs map[string][]byte) (map[string][]byte, error) {
	if len(programs[base]) == 0 {
		return nil, fmt.Errorf("arch/images: no %s to pack the others against", base)
	}
	files := map[string][]byte{}
	for name, program := range programs {
		against := programs[base]
		if name == base {
			against = nil
		}
		files[name+".gz"] = pack(against, program)
	}
	return files, nil
}

func pack(base, program []byte) []byte {
	pieces, added, fresh := difference(base, program)
	var out bytes.Buffer
	z, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // the level is one; writes to a Buffer do not fail
	var lengths []byte
	for _, part := range [][]byte{pieces, added, fresh} {
		lengths = binary.AppendUvarint(lengths, uint64(len(part)))
	}
	for _, part := range [][]byte{lengths, pieces, added, fresh} {
		_, _ = z.Write(part)
	}
	_ = z.Close()
	return out.Bytes()
}

// difference returns the three parts of a program that is packed against a base.
func difference(base, program []byte) (pieces, added, fresh []byte) {
	places := make(map[uint64]int, len(base)/step)
	for i := 0; i+seed <= len(base); i += step {
		places[hash(base[i:])] = i
	}
	done, last := 0, 0 // up to where there are pieces, and the end of the last one in the base
	for i := 0; i+seed <= len(program); {
		from, ok := places[hash(program[i:])]
		if !ok || !bytes.Equal(base[from:from+seed], program[i:i+seed]) {
			i++
			continue
		}
		for i > done && from > 0 && program[i-1] == base[from-1] {
			i, from = i-1, from-1
		}
		n := length(base[from:], program[i:])
		pieces = binary.AppendUvarint(pieces, uint64(i-done))
		pieces = binary.AppendUvarint(pieces, uint64(n))
		pieces = binary.AppendVarint(pieces, int64(from-last))
		fresh = append(fresh, program[done:i]...)
		for k := range n {
			added = append(added, program[i+k]-base[from+k])
		}
		i, last = i+n, from+n
		done = i
	}
	return pieces, added, append(fresh, program[done:]...)
}

// hash mixes the first bytes of b, with odd numbers of no meaning.
func hash(b []byte) uint64 {
	le := binary.LittleEndian
	return (le.Uint64(b)*0x9E3779B97F4A7C15^le.Uint64(b[8:]))*0xC2B2AE3D27D4EB4F ^ le.Uint64(b[seed-8:])
}

// length returns how long a piece is best: an equal byte is worth one, another one
// costs two.
func length(a, b []byte) (best int) {
	score, most := 0, 0
	for n := 0; n < min(len(a), len(b)) && score >= most-patience; n++ {
		if score++; a[n] != b[n] {
			score -= 3
		}
		if score > most {
			best, most = n+1, score
		}
	}
	return best
}

// unpack is the reverse of pack. Memory is bounded by what the gzip file holds.
func unpack(base, packed []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPacked, err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPacked, err)
	}
	var n [3]uint64
	for i := range n {
		if n[i], err = number(&b); err != nil {
			return nil, err
		}
	}
	size := uint64(len(b))
	if n[0] > size || n[1] > size-n[0] || n[2] != size-n[0]-n[1] {
		return nil, fmt.Errorf("%w: parts of %d, %d and %d bytes in %d", errPacked, n[0], n[1], n[2], size)
	}
	pieces, added, fresh := b[:n[0]], b[n[0]:n[0]+n[1]], b[n[0]+n[1]:]
	out := make([]byte, 0, len(added)+len(fresh))
	for at := uint64(0); len(pieces) > 0; {
		literal, err1 := number(&pieces)
		count, err2 := number(&pieces)
		seek, err3 := signed(&pieces)
		at += uint64(seek) // wraps around if it goes back
		if err := errors.Join(err1, err2, err3); err != nil || literal > uint64(len(fresh)) || count > uint64(len(added)) ||
			at > uint64(len(base)) || count > uint64(len(base))-at {
			return nil, fmt.Errorf("%w: a piece of %d bytes from %#x of a base of %d", errPacked, count, at, len(base))
		}
		out = append(out, fresh[:literal]...)
		for k, v := range base[at : at+count] {
			out = append(out, v+added[k])
		}
		fresh, added, at = fresh[literal:], added[count:], at+count
	}
	if len(added) > 0 {
		return nil, fmt.Errorf("%w: %d bytes are left", errPacked, len(added))
	}
	return append(out, fresh...), nil
}

// number takes a number from the front of b.
func number(b *[]byte) (uint64, error) {
	v, n := binary.Uvarint(*b)
	if n <= 0 {
		return 0, fmt.Errorf("%w: no number where one is due", errPacked)
	}
	*b = (*b)[n:]
	return v, nil
}

// signed is number for one that may be negative.
func signed(b *[]byte) (int64, error) {
	v, err := number(b)
	return int64(v>>1) ^ -int64(v&1), err
}
