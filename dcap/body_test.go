package dcap_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/testpki"
)

// pattern fills a buffer so that no two places look alike.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i/251*13 + 1)
	}
	return b
}

// field is where a field of a body is, by the manuals (SGX: Intel SDM,
// "REPORT"; TDX: TDX module ABI, "TDREPORT_STRUCT", and DCAP Quoting Library
// API, "TD Quote Body").
type field struct {
	name         string
	offset, size int
	got          []byte
}

func u64(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }
func u32(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }
func u16(v uint16) []byte { return binary.LittleEndian.AppendUint16(nil, v) }

func enclaveFields(r *dcap.EnclaveReport) []field {
	return []field{
		{"CPUSVN", 0, 16, r.CPUSVN[:]}, {"MISCSELECT", 16, 4, u32(uint32(r.MiscSelect))}, {"ISVEXTPRODID", 32, 16, r.ISVExtProdID[:]},
		{"ATTRIBUTES.FLAGS", 48, 8, u64(uint64(r.Attributes.Flags))}, {"ATTRIBUTES.XFRM", 56, 8, u64(uint64(r.Attributes.XFRM))},
		{"MRENCLAVE", 64, 32, r.MREnclave[:]}, {"MRSIGNER", 128, 32, r.MRSigner[:]}, {"CONFIGID", 192, 64, r.ConfigID[:]},
		{"ISVPRODID", 256, 2, u16(r.ISVProdID)}, {"ISVSVN", 258, 2, u16(r.ISVSVN)}, {"CONFIGSVN", 260, 2, u16(r.ConfigSVN)},
		{"ISVFAMILYID", 304, 16, r.ISVFamilyID[:]}, {"REPORTDATA", 320, 64, r.ReportData[:]},
	}
}

func td10Fields(r *dcap.TDReport10) []field {
	return []field{
		{"TEE_TCB_SVN", 0, 16, r.TEETCBSVN[:]}, {"MRSEAM", 16, 48, r.MRSEAM[:]}, {"MRSIGNERSEAM", 64, 48, r.MRSignerSEAM[:]},
		{"SEAMATTRIBUTES", 112, 8, r.SEAMAttributes[:]}, {"TDATTRIBUTES", 120, 8, u64(uint64(r.TDAttributes))}, {"XFAM", 128, 8, u64(r.XFAM)},
		{"MRTD", 136, 48, r.MRTD[:]}, {"MRCONFIGID", 184, 48, r.MRConfigID[:]}, {"MROWNER", 232, 48, r.MROwner[:]}, {"MROWNERCONFIG", 280, 48, r.MROwnerConfig[:]},
		{"RTMR0", 328, 48, r.RTMR[0][:]}, {"RTMR1", 376, 48, r.RTMR[1][:]}, {"RTMR2", 424, 48, r.RTMR[2][:]}, {"RTMR3", 472, 48, r.RTMR[3][:]},
		{"REPORTDATA", 520, 64, r.ReportData[:]},
	}
}

func td15Fields(r *dcap.TDReport15) []field {
	return append(td10Fields(&r.TDReport10), field{"TEE_TCB_SVN2", 584, 16, r.TEETCBSVN2[:]}, field{"MRSERVICETD", 600, 48, r.MRServiceTD[:]})
}

func td15ExFields(r *dcap.TDReport15Ex) []field {
	return append(td15Fields(&r.TDReport15),
		field{"VMID", 648, 1, []byte{r.VMID}}, field{"TD ID", 649, 32, r.TDID[:]}, field{"device info", 681, 48, r.DevInfo[:]},
		field{"service TD hash at launch", 729, 48, r.InitServTDHash[:]}, field{"service TD attributes at launch", 777, 8, r.InitServTDAttributes[:]},
		field{"CPUSVN at launch", 785, 16, r.InitCPUSVN[:]}, field{"TEE_TCB_SVN at launch", 801, 16, r.InitTEETCBSVN[:]}, field{"FMSPC at launch", 817, 12, r.InitTEEFMSPC[:]},
		field{"service TD hash now", 829, 48, r.CurServTDHash[:]}, field{"service TD attributes now", 877, 8, r.CurServTDAttributes[:]})
}

var bodySizes = map[dcap.BodyType]int{dcap.BodySGX: 384, dcap.BodyTD10: 584, dcap.BodyTD15: 648, dcap.BodyTD15Ex: 885}

// bodyOf makes a quote of version 5 with a body of these bytes, and reads it.
func bodyOf(t *testing.T, kind dcap.BodyType, body []byte) *dcap.Quote {
	t.Helper()
	m := testpki.New(testpki.Seed("body")).Platform()
	make := m.TDXQuote
	if kind == dcap.BodySGX {
		make = m.SGXQuote
	}
	raw := make(func(q *testpki.Quote) {
		q.Header.Version, q.BodyType = 5, kind
		q.EditUnsigned = func(p *testpki.Parts) { p.Body = body }
	}).Bytes()
	q, err := dcap.ParseQuote(raw)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// TestBodyLayout checks where each field of a body is read from, and written
// to.
func TestBodyLayout(t *testing.T) {
	for kind, size := range bodySizes {
		raw := pattern(size)
		q := bodyOf(t, kind, raw)
		if kind.Size() != size || q.Body.Size() != size || q.Body.Type() != kind {
			t.Errorf("%v: %d bytes, type %v", kind, q.Body.Size(), q.Body.Type())
		}
		var fields []field
		switch b := q.Body.(type) {
		case *dcap.EnclaveReport:
			fields = enclaveFields(b)
		case *dcap.TDReport10:
			fields = td10Fields(b)
		case *dcap.TDReport15:
			fields = td15Fields(b)
		case *dcap.TDReport15Ex:
			fields = td15ExFields(b)
		}
		covered := make([]bool, size)
		for _, f := range fields {
			if !bytes.Equal(f.got, raw[f.offset:f.offset+f.size]) {
				t.Errorf("%v: %s is %x, at %d is %x", kind, f.name, f.got, f.offset, raw[f.offset:f.offset+f.size])
			}
			for i := range f.size {
				if covered[f.offset+i] {
					t.Errorf("%v: %s covers byte %d again", kind, f.name, f.offset+i)
				}
				covered[f.offset+i] = true
			}
		}
		for i, c := range covered {
			if !c && kind != dcap.BodySGX { // which has reserved bytes
				t.Errorf("%v: no field has byte %d", kind, i)
			}
		}
		if got := q.AppendSigned(nil); !bytes.Equal(got[54:], raw) {
			t.Errorf("%v: written as\n%x\nread from\n%x", kind, got[54:], raw)
		}
	}
}

// TestBodyAccessors checks which of the common parts each body has.
func TestBodyAccessors(t *testing.T) {
	for kind, size := range bodySizes {
		q := bodyOf(t, kind, pattern(size))
		if (q.EnclaveReport() != nil) != (kind == dcap.BodySGX) || (q.TDReport() != nil) != (kind != dcap.BodySGX) || (q.TDReport15() != nil) != (kind >= dcap.BodyTD15) {
			t.Errorf("%v: %v, %v, %v", kind, q.EnclaveReport(), q.TDReport(), q.TDReport15())
		}
		at := 520
		if kind == dcap.BodySGX {
			at = 320
		}
		if d := q.ReportData(); !bytes.Equal(d[:], pattern(size)[at:at+64]) {
			t.Errorf("%v: report data %x", kind, d)
		}
	}
}

func TestBodyNames(t *testing.T) {
	if n := dcap.BodyType(9).Size(); n != 0 {
		t.Errorf("body type 9 has %d bytes", n)
	}
	seen := map[string]bool{}
	for kind := range dcap.BodyType(6) {
		seen[kind.String()] = true
	}
	for _, tee := range []dcap.TEEType{dcap.TEESGX, dcap.TEETDX, 1, 0x80} {
		seen[tee.String()] = true
	}
	for kind := range dcap.CertificationType(9) {
		seen[kind.String()] = true
	}
	if len(seen) != 6+4+9 || !seen["SGX"] || !seen["TDX"] || !seen["TEE type 0x80"] || !seen["body type 5"] || !seen["certification data type 8"] {
		t.Errorf("%d names: %v", len(seen), seen)
	}
}

// TDUntrustedDebug is the byte "TUD" of the attributes; the bits below it are
// those of the ABI.
func TestTDAttributes(t *testing.T) {
	for bit, a := range map[int]dcap.TDAttributes{
		0: dcap.TDDebug, 28: dcap.TDSEPTVEDisable, 30: dcap.TDPKS, 31: dcap.TDKeyLocker, 63: dcap.TDPerfmon, 29: dcap.TDMigratable,
	} {
		raw := make([]byte, 584)
		raw[120+bit/8] = 1 << (bit % 8)
		if got := bodyOf(t, dcap.BodyTD10, raw).TDReport().TDAttributes; got != a {
			t.Errorf("bit %d: %#x, want %#x", bit, got, a)
		}
		if (a&dcap.TDUntrustedDebug != 0) != (bit < 8) {
			t.Errorf("bit %d: under debug is %v", bit, a&dcap.TDUntrustedDebug)
		}
	}
}
