package local

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/attest/internal/kex"
	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/isa"
)

// Sizes of the messages in bytes.
const (
	Msg1Size = kex.PublicSize + isa.TargetInfoSize         // 576
	Msg2Size = kex.PublicSize + isa.ReportSize + cmac.Size // 512
	Msg3Size = cmac.Size + isa.ReportSize + 4              // 452, and more with additional properties
)

// Offsets of fields that are not at the start.
const (
	off1Target     = kex.PublicSize
	off2Report     = kex.PublicSize
	off2MAC        = off2Report + isa.ReportSize
	off3Report     = cmac.Size
	off3Length     = off3Report + isa.ReportSize
	off3Additional = Msg3Size

	// offReportData is the offset of the report data in a REPORT.
	offReportData = isa.ReportMACOffset - len(isa.ReportBody{}.ReportData)
)

type msg1 struct {
	ga     kex.Public
	target isa.TargetInfo
}

func parseMsg1(b []byte) (*msg1, error) {
	if err := checkSize(1, len(b), Msg1Size); err != nil {
		return nil, err
	}
	m := &msg1{ga: kex.Public(b)}
	if err := m.target.UnmarshalBinary(b[off1Target:]); err != nil {
		return nil, malformed(1, off1Target, err)
	}
	if err := checkTarget(&m.target); err != nil {
		return nil, malformed(1, off1Target, err)
	}
	return m, nil
}

type msg2 struct {
	gb     kex.Public
	raw    []byte // the REPORT as it came
	report isa.Report
	mac    [cmac.Size]byte
}

func parseMsg2(b []byte) (*msg2, error) {
	if err := checkSize(2, len(b), Msg2Size); err != nil {
		return nil, err
	}
	m := &msg2{gb: kex.Public(b), raw: b[off2Report:off2MAC], mac: [cmac.Size]byte(b[off2MAC:])}
	if err := m.report.UnmarshalBinary(m.raw); err != nil {
		return nil, malformed(2, off2Report, err)
	}
	return m, nil
}

type msg3 struct {
	mac        [cmac.Size]byte
	body       []byte // all that follows the CMAC
	report     isa.Report
	additional []byte
}

func parseMsg3(b []byte) (*msg3, error) {
	if len(b) < Msg3Size {
		return nil, checkSize(3, len(b), Msg3Size)
	}
	m := &msg3{mac: [cmac.Size]byte(b), body: b[off3Report:], additional: b[off3Additional:]}
	if n := binary.LittleEndian.Uint32(b[off3Length:]); uint64(n) != uint64(len(m.additional)) {
		return nil, malformed(3, off3Length, fmt.Errorf("%d bytes of additional properties are announced, %d follow", n, len(m.additional)))
	}
	if err := m.report.UnmarshalBinary(b[off3Report:off3Length]); err != nil {
		return nil, malformed(3, off3Report, err)
	}
	return m, nil
}

func checkSize(message, size, want int) error {
	if size == want {
		return nil
	}
	return malformed(message, min(size, want), fmt.Errorf("%d bytes, not %d", size, want))
}

// checkTarget refuses what EREPORT answers with #GP. A peer must not be able
// to make the enclave fault.
func checkTarget(t *isa.TargetInfo) error {
	if t.Reserved1 != 0 || t.Reserved2 != [8]byte{} || t.Reserved3 != [384]byte{} {
		return errors.New("reserved fields of TARGETINFO are not zero")
	}
	return nil
}
