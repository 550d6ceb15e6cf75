package local

import (
	"encoding/binary"
	"fmt"

	"github.com/feidi-dev/feidi/isa"
)

// spec says how to make a TARGETINFO of a REPORT, so that a responder can
// make a REPORT for an initiator of a newer kind than it knows (LAv2's
// proto_spec).
//
//	 0  "SGX LA"
//	 6  version, 2
//	 7  revision, 0
//	 8  revision of the list, 0
//	 9  number of entries, to 27
//	10  entries, u16: bits 3:0 log2 of the size, bits 15:4 the offset in the
//	    REPORT, signed
//
// Entries fill the TARGETINFO from its start, each at a multiple of its size.
// Offset -1 leaves zeros.
type spec [64]byte

const (
	offSpecVersion  = 6
	offSpecRevision = 7
	offSpecList     = 8
	offSpecCount    = 9
	offSpecEntries  = 10

	maxSpecEntries = (64 - offSpecEntries) / 2
)

// ownSpec is what initiators say.
func ownSpec() (s spec) {
	copy(s[:], "SGX LA\x02\x00"+"\x00\x06"+
		"\x05\x04"+ // MRENCLAVE: 32 bytes at 64
		"\x04\x03"+ // ATTRIBUTES: 16 bytes at 48
		"\x40\x01"+ // CET_ATTRIBUTES: 1 byte at 20
		"\x41\x10"+ // CONFIGSVN: 2 bytes at 260
		"\x02\x01"+ // MISCSELECT: 4 bytes at 16
		"\x06\x0c") // CONFIGID: 64 bytes at 192
	return s
}

// isSpec reports whether report data are a spec of LAv2. Those of LAv1 begin
// with a hash.
func isSpec(data [64]byte) bool { return string(data[:offSpecRevision]) == "SGX LA\x02" }

// target makes the TARGETINFO of the enclave that a REPORT is of.
func (s *spec) target(report []byte) (*isa.TargetInfo, error) {
	count := int(s[offSpecCount])
	if s[offSpecRevision] != 0 || s[offSpecList] != 0 || count > maxSpecEntries {
		return nil, fmt.Errorf("specification of TARGETINFO of revision %d, %d with %d entries is unknown",
			s[offSpecRevision], s[offSpecList], count)
	}
	var info [isa.TargetInfoSize]byte
	to := 0
	for i := range count {
		entry := int(int16(binary.LittleEndian.Uint16(s[offSpecEntries+2*i:])))
		size, from := 1<<(entry&15), entry>>4
		to = (to + size - 1) &^ (size - 1)
		if to+size > len(info) || from < -1 || from >= 0 && from+size > len(report) {
			return nil, fmt.Errorf("entry %d of the specification of TARGETINFO, %d bytes from %d to %d, is out of bounds", i+1, size, from, to)
		}
		if from >= 0 {
			copy(info[to:], report[from:from+size])
		}
		to += size
	}
	t := new(isa.TargetInfo)
	if err := t.UnmarshalBinary(info[:]); err != nil {
		return nil, err
	}
	return t, checkTarget(t)
}
