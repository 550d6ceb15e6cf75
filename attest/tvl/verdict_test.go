package tvl_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/attest/tvl"
	"github.com/feidi-dev/feidi/isa"
)

var signer = [32]byte{1, 2, 3}

// verdict is one of a QvE that is called SVN 12.
func verdict(t *testing.T) (v *tvl.Verdict, r *isa.Report, nonce [16]byte, quote []byte) {
	t.Helper()
	s, err := full().AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	v = &tvl.Verdict{At: time.Unix(0x0102030405, 0), Expired: true, Result: tvl.SWHardeningNeeded, Supplemental: s}
	nonce, quote = [16]byte{9, 8, 7}, []byte("a quote")
	r = &isa.Report{ReportBody: isa.ReportBody{
		Attributes: isa.Attributes{Flags: isa.AttrInit | isa.AttrMode64Bit, XFRM: 0xe7},
		MRSigner:   signer, ISVProdID: 2, ISVSVN: 12,
	}}
	// What the header of qve.cpp says, byte by byte.
	text := append(nonce[:], "a quote"...)
	text = append(text, "\x05\x04\x03\x02\x01\x00\x00\x00"+"\x01\x00\x00\x00"+"\x07\xa0\x00\x00"...)
	digest := sha256.Sum256(append(text, s...))
	copy(r.ReportData[:], digest[:])
	return v, r, nonce, quote
}

func genuine(*isa.Report) error { return nil }

func TestCheck(t *testing.T) {
	v, r, nonce, quote := verdict(t)
	qve := tvl.SignedBy(signer, 12)
	if err := v.Check(genuine, r, nonce, quote, qve); err != nil {
		t.Fatal(err)
	}
	if s, err := v.Details(); err != nil || s.EvaluationDataNumber != 17 {
		t.Error(s, err)
	}
	broken := errors.New("broken")
	if err := v.Check(func(*isa.Report) error { return broken }, r, nonce, quote, qve); !errors.Is(err, tvl.ReportInvalid) || !errors.Is(err, broken) {
		t.Error(err)
	}
	changed := func(what string, want error, edit func(v *tvl.Verdict, r *isa.Report, nonce *[16]byte, quote []byte)) {
		t.Helper()
		v, r, nonce, quote := verdict(t)
		edit(v, r, &nonce, quote)
		if err := v.Check(genuine, r, nonce, quote, qve); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	for i := range v.Supplemental {
		changed("supplemental data", tvl.ReportInvalid, func(v *tvl.Verdict, _ *isa.Report, _ *[16]byte, _ []byte) { v.Supplemental[i] ^= 0x80 })
	}
	for i := range r.ReportData {
		changed("report data", tvl.ReportInvalid, func(_ *tvl.Verdict, r *isa.Report, _ *[16]byte, _ []byte) { r.ReportData[i]++ })
	}
	for what, edit := range map[string]func(v *tvl.Verdict, r *isa.Report, nonce *[16]byte, quote []byte){
		"result":       func(v *tvl.Verdict, _ *isa.Report, _ *[16]byte, _ []byte) { v.Result = tvl.OK },
		"expiration":   func(v *tvl.Verdict, _ *isa.Report, _ *[16]byte, _ []byte) { v.Expired = false },
		"time":         func(v *tvl.Verdict, _ *isa.Report, _ *[16]byte, _ []byte) { v.At = v.At.Add(time.Second) },
		"no more data": func(v *tvl.Verdict, _ *isa.Report, _ *[16]byte, _ []byte) { v.Supplemental = nil },
		"nonce":        func(_ *tvl.Verdict, _ *isa.Report, nonce *[16]byte, _ []byte) { nonce[15]++ },
		"quote":        func(_ *tvl.Verdict, _ *isa.Report, _ *[16]byte, quote []byte) { quote[3]++ },
	} {
		changed(what, tvl.ReportInvalid, edit)
	}
	for what, edit := range map[string]func(*isa.Report){
		"signer":          func(r *isa.Report) { r.MRSigner[31]++ },
		"product":         func(r *isa.Report) { r.ISVProdID = 1 },
		"debug":           func(r *isa.Report) { r.Attributes.Flags |= isa.AttrDebug },
		"provisioning":    func(r *isa.Report) { r.Attributes.Flags |= isa.AttrProvisionKey },
		"not initialised": func(r *isa.Report) { r.Attributes.Flags &^= isa.AttrInit },
	} {
		changed(what, tvl.QvEIdentityMismatch, func(_ *tvl.Verdict, r *isa.Report, _ *[16]byte, _ []byte) { edit(r) })
	}
	changed("old", tvl.QvEOutOfDate, func(_ *tvl.Verdict, r *isa.Report, _ *[16]byte, _ []byte) { r.ISVSVN = 11 })
	v, r, nonce, quote = verdict(t)
	r.MiscSelect, r.Attributes.XFRM, r.ISVSVN, r.Attributes.Flags = 1, 3, 13, isa.AttrInit
	if err := v.Check(genuine, r, nonce, quote, qve); err != nil {
		t.Errorf("what is the machine's to choose: %v", err)
	}
}

// The values are those of Intel's TVL (sgx_dcap_constant_val.h).
func TestIntel(t *testing.T) {
	v, r, nonce, quote := verdict(t)
	check := func(threshold uint16) error { return v.Check(genuine, r, nonce, quote, tvl.Intel(threshold)) }
	if err := check(0); !errors.Is(err, tvl.QvEIdentityMismatch) {
		t.Errorf("another's QvE: %v", err)
	}
	intel, err := hex.DecodeString("8C4F5775D796503E96137F77C68A829A0056AC8DED70140B081B094490C57BFF")
	if err != nil {
		t.Fatal(err)
	}
	r.MRSigner = [32]byte(intel)
	if err := check(12); err != nil {
		t.Error(err)
	}
	if err := check(13); !errors.Is(err, tvl.QvEOutOfDate) {
		t.Error(err)
	}
	r.ISVSVN = 6
	if err := check(0); !errors.Is(err, tvl.QvEOutOfDate) {
		t.Errorf("below the least: %v", err)
	}
	r.ISVSVN, r.MiscSelect = 7, 1
	if err := check(0); !errors.Is(err, tvl.QvEIdentityMismatch) {
		t.Errorf("MISCSELECT: %v", err)
	}
}

func TestRootKeyID(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	want := sha512.Sum384(point)
	if got := tvl.RootKeyID([64]byte(point[1:])); !bytes.Equal(got[:], want[:]) {
		t.Errorf("%x, want %x", got, want)
	}
}

// Numbers and names are those of the headers.
func TestNames(t *testing.T) {
	for number, name := range map[uint32]string{
		0: "OK", 0xA001: "CONFIG_NEEDED", 0xA002: "OUT_OF_DATE", 0xA003: "OUT_OF_DATE_CONFIG_NEEDED", 0xA004: "INVALID_SIGNATURE",
		0xA005: "REVOKED", 0xA006: "UNSPECIFIED", 0xA007: "SW_HARDENING_NEEDED", 0xA008: "CONFIG_AND_SW_HARDENING_NEEDED",
		0xA009: "TD_RELAUNCH_ADVISED", 0xA00A: "TD_RELAUNCH_ADVISED_CONFIG_NEEDED",
	} {
		r := tvl.Result(number)
		if r.String() != "SGX_QL_QV_RESULT_"+name {
			t.Errorf("%#x is %v, want %s", number, r, name)
		}
		if bad := number >= 0xA004 && number <= 0xA006; r.Genuine() == bad {
			t.Errorf("%v is genuine: %v", r, r.Genuine())
		}
	}
	for _, r := range []tvl.Result{1, 0xA000, 0xA00B, 0xFFFFFFFF} {
		if r.Genuine() || r.String()[:4] != "sgx_" {
			t.Errorf("%#x is %v", uint32(r), r)
		}
	}
	for number, name := range map[uint32]string{
		0: "SGX_QL_SUCCESS", 0xE001: "SGX_QL_ERROR_UNEXPECTED", 0xE013: "SGX_QL_ERROR_REPORT", 0xE022: "SGX_QL_PCK_CERT_CHAIN_ERROR",
		0xE050: "SGX_QL_QVEIDENTITY_MISMATCH", 0xE068: "SGX_QL_RESULT_INVALID_SIGNATURE", 0xE003: "quote3_error_t(0xe003)",
	} {
		c := tvl.Code(number)
		if c.String() != name || (c.Err() == nil) != (number == 0) || number != 0 && c.Err().Error() != name {
			t.Errorf("%#x is %v, want %s", number, c, name)
		}
	}
}
