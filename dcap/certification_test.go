package dcap_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/testpki"
)

// certified makes a quote with these certification data.
func certified(version uint16, kind uint16, data []byte) []byte {
	m := testpki.New(testpki.Seed("certification")).Platform()
	return m.SGXQuote(func(q *testpki.Quote) {
		q.Header.Version = version
		q.EditUnsigned = func(p *testpki.Parts) { p.CertType, p.CertData = kind, data }
	}).Bytes()
}

// PPIDs have 16 bytes, 256 or 384, then come CPUSVN, PCESVN and, but for older
// quotes, the PCE ID.
func TestCertificationPPID(t *testing.T) {
	for kind, size := range map[dcap.CertificationType]int{dcap.CertPPIDClear: 16, dcap.CertPPIDRSA2048: 256, dcap.CertPPIDRSA3072: 384} {
		for _, tail := range []int{18, 20} {
			data := pattern(size + tail)
			q, err := dcap.ParseQuote(certified(4, uint16(kind), data))
			if err != nil {
				t.Errorf("type %d: %v", kind, err)
				continue
			}
			p, ok := q.Certification.(*dcap.PPID)
			if !ok || p.Type() != kind || p.Encryption != kind || !bytes.Equal(p.PPID, data[:size]) || p.CPUSVN != [16]byte(data[size:]) ||
				p.PCESVN != binary.LittleEndian.Uint16(data[size+16:]) || !bytes.Equal(p.PCEID, data[size+18:]) {
				t.Errorf("type %d: %+v", kind, q.Certification)
			}
		}
		for _, n := range []int{0, 1, size - 1, size, size + 17, size + 19, size + 21, size + 22, 1000} {
			_, err := dcap.ParseQuote(certified(4, uint16(kind), make([]byte, n)))
			if !errors.Is(err, dcap.ErrInvalid) {
				t.Errorf("type %d of %d bytes: %v", kind, n, err)
			}
		}
	}
}

func TestCertificationOthers(t *testing.T) {
	data := []byte("any bytes: they are not looked into here\x00")
	for _, version := range []uint16{3, 4, 5} {
		for kind := range uint16(10) {
			q, err := dcap.ParseQuote(certified(version, kind, data))
			var got []byte
			switch kind {
			case 4:
				got = q.Certification.(*dcap.PCKLeaf).PEM
			case 5:
				got = q.Certification.(*dcap.PCKChain).PEM
			case 7:
				got = q.Certification.(*dcap.PlatformManifest).Manifest
			case 1, 2, 3: // TestCertificationPPID has these
				continue
			default:
				if !errors.Is(err, dcap.ErrKind) {
					t.Errorf("version %d, type %d: %v", version, kind, err)
				}
				continue
			}
			if err != nil || q.Certification.Type() != dcap.CertificationType(kind) || !bytes.Equal(got, data) {
				t.Errorf("version %d, type %d: %q, %v", version, kind, got, err)
			}
			again, err := q.AppendBinary(nil)
			if err != nil || !bytes.Equal(again, q.Raw) {
				t.Errorf("version %d, type %d: not written as it was read: %v", version, kind, err)
			}
		}
	}
}
