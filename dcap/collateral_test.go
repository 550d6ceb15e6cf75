package dcap_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/testsuite/vectors"
)

// refCollateral is the form of dcap-qvl as encoding/json reads and writes it.
type refCollateral struct {
	PCKCRLIssuerChain     string  `json:"pck_crl_issuer_chain"`
	RootCACRL             string  `json:"root_ca_crl"`
	PCKCRL                string  `json:"pck_crl"`
	TCBInfoIssuerChain    string  `json:"tcb_info_issuer_chain"`
	TCBInfo               string  `json:"tcb_info"`
	TCBInfoSignature      string  `json:"tcb_info_signature"`
	QEIdentityIssuerChain string  `json:"qe_identity_issuer_chain"`
	QEIdentity            string  `json:"qe_identity"`
	QEIdentitySignature   string  `json:"qe_identity_signature"`
	PCKCertificateChain   *string `json:"pck_certificate_chain,omitempty"`
}

func (r *refCollateral) value() *dcap.Collateral {
	signed := func(name, body, signature string) []byte {
		return []byte(`{"` + name + `":` + body + `,"signature":"` + strings.ToLower(signature) + `"}`)
	}
	c := &dcap.Collateral{
		RootCRL: refHex(r.RootCACRL), PCKCRL: refHex(r.PCKCRL), PCKCRLChain: []byte(r.PCKCRLIssuerChain),
		TCBInfo: signed("tcbInfo", r.TCBInfo, r.TCBInfoSignature), TCBInfoChain: []byte(r.TCBInfoIssuerChain),
		QEIdentity: signed("enclaveIdentity", r.QEIdentity, r.QEIdentitySignature), QEIdentityChain: []byte(r.QEIdentityIssuerChain),
	}
	if r.PCKCertificateChain != nil {
		c.PCKChain = []byte(*r.PCKCertificateChain)
	}
	return c
}

func (m made) collateral(id string) *refCollateral {
	chain := "-----BEGIN CERTIFICATE-----\n" + m.hex(40) + "\n-----END CERTIFICATE-----\n"
	return &refCollateral{
		PCKCRLIssuerChain: chain + "a", RootCACRL: m.hex(m.IntN(300)), PCKCRL: m.hex(m.IntN(300)), TCBInfoIssuerChain: chain + "b\r\n\u2028",
		TCBInfo: string(must(json.Marshal(m.tcbInfo(id)))), TCBInfoSignature: m.hex(64), QEIdentityIssuerChain: chain + "c",
		QEIdentity: string(must(json.Marshal(m.identity()))), QEIdentitySignature: m.hex(64), PCKCertificateChain: &chain,
	}
}

func TestCollateral(t *testing.T) {
	m := made{rand.New(rand.NewPCG(8, 1))}
	for i := range 60 {
		r := m.collateral([]string{"", "SGX", "TDX"}[i%3])
		if i%2 == 0 {
			r.PCKCertificateChain = nil
		}
		doc := must(json.MarshalIndent(r, "", "  "))
		var c dcap.Collateral
		if err := json.Unmarshal(doc, &c); err != nil {
			t.Fatal(err)
		}
		if want := r.value(); !reflect.DeepEqual(&c, want) {
			t.Fatalf("%s\nread as %+v\nwant %+v", doc, c, want)
		}
		written := must(json.Marshal(&c))
		var back refCollateral
		if err := json.Unmarshal(written, &back); err != nil || !reflect.DeepEqual(back.value(), &c) {
			t.Fatalf("written as %s, %v", written, err)
		}
	}
}

// Collateral of the real sets survives, but for the ends of lines behind the
// signed documents.
func TestRealCollateral(t *testing.T) {
	for _, set := range vectors.All(t) {
		want := *set.Collateral
		doc, err := want.AppendJSON([]byte("x"))
		if err != nil || doc[0] != 'x' {
			t.Fatalf("%s: %v", set.Name, err)
		}
		got, err := dcap.ParseCollateral(doc[1:])
		want.TCBInfo, want.QEIdentity = bytes.TrimSuffix(want.TCBInfo, []byte("\n")), bytes.TrimSuffix(want.QEIdentity, []byte("\n"))
		if err != nil || !reflect.DeepEqual(got, &want) {
			t.Errorf("%s: %v\n%s", set.Name, err, doc)
		}
	}
}

func TestCollateralErrors(t *testing.T) {
	m := made{rand.New(rand.NewPCG(8, 2))}
	base := must(json.Marshal(m.collateral("SGX")))
	format, invalid, size := kinds(dcap.ErrFormat), kinds(dcap.ErrInvalid), kinds(dcap.ErrFormat, dcap.ErrTooLarge)
	list := []kindTest{
		{"", ``, kinds(dcap.ErrFormat, dcap.ErrTruncated)}, {"", `[]`, format}, {"", `{}`, format}, {"", `null`, format}, {"", string(base) + "x", kinds(dcap.ErrFormat, dcap.ErrTrailing)},
		{"", string(base[:len(base)-1]) + `,"pck_crl":""}`, kinds(dcap.ErrFormat, dcap.ErrDuplicate)},
		{"root_ca_crl", `"0"`, format}, {"root_ca_crl", `"0x"`, format}, {"pck_crl", `"aA"`, format}, {"pck_crl", `null`, format},
		{"pck_crl_issuer_chain", `null`, format}, {"pck_certificate_chain", `1`, format}, {"qe_identity_issuer_chain", `["x"]`, format},
		{"tcb_info_issuer_chain", `"` + strings.Repeat("x", dcap.MaxChainSize+1) + `"`, size}, {"pck_crl", `"` + strings.Repeat("00", dcap.MaxCRLSize+1) + `"`, size},
		{"tcb_info", `"` + strings.Repeat(" ", dcap.MaxJSONSize) + `{}"`, size},
		{"tcb_info", `{}`, format}, {"tcb_info", `""`, format}, {"tcb_info", `"[]"`, format}, {"tcb_info", `"{} "`, nil}, {"tcb_info", `"{},"`, format}, {"qe_identity", `"{"`, format},
		{"qe_identity", `"{\"a\":1,\"a\":1}"`, format}, {"qe_identity", `"{},\"signature\":\"\",\"x\":{}"`, format},
		{"tcb_info_signature", `"` + m.hex(63) + `"`, invalid}, {"qe_identity_signature", `"g` + strings.Repeat("0", 127) + `"`, invalid},
	}
	for _, key := range []string{"pck_crl_issuer_chain", "root_ca_crl", "pck_crl", "tcb_info_issuer_chain", "tcb_info", "tcb_info_signature", "qe_identity_issuer_chain", "qe_identity", "qe_identity_signature"} {
		list = append(list, kindTest{key, ``, format})
	}
	for _, c := range list {
		_, err := dcap.ParseCollateral(edited(base, c.path, c.value))
		if c.kinds == nil {
			if err != nil {
				t.Errorf("%s = %s: %v", c.path, c.value, err)
			}
			continue
		}
		c.check(t, err)
	}
	_, err := dcap.ParseCollateral(make([]byte, dcap.MaxCollateralSize+1))
	c := kindTest{"", "40 MiB and more", size}
	c.check(t, err)
	for _, bad := range []dcap.Collateral{{}, {TCBInfo: []byte(`{"tcbInfo":{},"signature":""}`)}, {TCBInfo: []byte(`{"tcbInfo":1}`)}} {
		if b, err := bad.AppendJSON(nil); err == nil || b != nil {
			t.Errorf("%s became %s", bad.TCBInfo, b)
		}
	}
	got := dcap.Collateral{PCKChain: []byte("x")}
	if err := got.UnmarshalJSON([]byte(`{}`)); !errors.Is(err, dcap.ErrFormat) || string(got.PCKChain) != "x" {
		t.Errorf("%v, %+v", err, got)
	}
}
