package testpki

import (
	"encoding/binary"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/isa"
)

// The structures of a quote are written field by field at the offsets that the
// DCAP Quoting Library API and the TDX module ABI have, and not in the order of
// the fields of the structs: that is what the parsers are tested against.

func encodeHeader(h *dcap.QuoteHeader) []byte {
	b := make([]byte, 48)
	binary.LittleEndian.PutUint16(b[0:], h.Version)
	binary.LittleEndian.PutUint16(b[2:], uint16(h.AttestationKeyType))
	binary.LittleEndian.PutUint32(b[4:], uint32(h.TEEType))
	binary.LittleEndian.PutUint16(b[8:], h.QESVN)
	binary.LittleEndian.PutUint16(b[10:], h.PCESVN)
	copy(b[12:28], h.QEVendorID[:])
	copy(b[28:48], h.UserData[:])
	return b
}

func encodeEnclaveReport(r *isa.ReportBody) []byte {
	b := make([]byte, 384)
	copy(b[0:], r.CPUSVN[:])
	binary.LittleEndian.PutUint32(b[16:], uint32(r.MiscSelect))
	b[20] = r.CETAttributes
	copy(b[21:], r.Reserved1[:])
	copy(b[32:], r.ISVExtProdID[:])
	binary.LittleEndian.PutUint64(b[48:], uint64(r.Attributes.Flags))
	binary.LittleEndian.PutUint64(b[56:], uint64(r.Attributes.XFRM))
	copy(b[64:], r.MREnclave[:])
	copy(b[96:], r.Reserved2[:])
	copy(b[128:], r.MRSigner[:])
	copy(b[160:], r.Reserved3[:])
	copy(b[192:], r.ConfigID[:])
	binary.LittleEndian.PutUint16(b[256:], r.ISVProdID)
	binary.LittleEndian.PutUint16(b[258:], r.ISVSVN)
	binary.LittleEndian.PutUint16(b[260:], r.ConfigSVN)
	copy(b[262:], r.Reserved4[:])
	copy(b[304:], r.ISVFamilyID[:])
	copy(b[320:], r.ReportData[:])
	return b
}

// body returns as much of the report as the body type has. A type that nobody
// knows has all.
func (q *Quote) body() []byte {
	switch q.BodyType {
	case dcap.BodySGX:
		return encodeEnclaveReport(&q.Enclave)
	case dcap.BodyTD10:
		return encodeTDReport(&q.TD)[:584]
	case dcap.BodyTD15:
		return encodeTDReport(&q.TD)[:648]
	}
	return encodeTDReport(&q.TD)
}

func encodeTDReport(r *dcap.TDReport15Ex) []byte {
	b := make([]byte, 885)
	copy(b[0:], r.TEETCBSVN[:])
	copy(b[16:], r.MRSEAM[:])
	copy(b[64:], r.MRSignerSEAM[:])
	copy(b[112:], r.SEAMAttributes[:])
	binary.LittleEndian.PutUint64(b[120:], uint64(r.TDAttributes))
	binary.LittleEndian.PutUint64(b[128:], r.XFAM)
	copy(b[136:], r.MRTD[:])
	copy(b[184:], r.MRConfigID[:])
	copy(b[232:], r.MROwner[:])
	copy(b[280:], r.MROwnerConfig[:])
	for i := range r.RTMR {
		copy(b[328+48*i:], r.RTMR[i][:])
	}
	copy(b[520:], r.ReportData[:])

	copy(b[584:], r.TEETCBSVN2[:])
	copy(b[600:], r.MRServiceTD[:])

	b[648] = r.VMID
	copy(b[649:], r.TDID[:])
	copy(b[681:], r.DevInfo[:])
	copy(b[729:], r.InitServTDHash[:])
	copy(b[777:], r.InitServTDAttributes[:])
	copy(b[785:], r.InitCPUSVN[:])
	copy(b[801:], r.InitTEETCBSVN[:])
	copy(b[817:], r.InitTEEFMSPC[:])
	copy(b[829:], r.CurServTDHash[:])
	copy(b[877:], r.CurServTDAttributes[:])
	return b
}

func join(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}
