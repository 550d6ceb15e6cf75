package dcap_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/testsuite/vectors"
)

// equalIdentity compares what this package reads of a document with what
// encoding/json reads.
func equalIdentity(t *testing.T, doc []byte) *dcap.SignedIdentity {
	t.Helper()
	got, err := dcap.ParseEnclaveIdentity(doc)
	if err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	var o outer
	var r refIdentity
	if err := errors.Join(json.Unmarshal(doc, &o), json.Unmarshal(o.Identity, &r)); err != nil {
		t.Fatal(err)
	}
	if want := r.value(); !reflect.DeepEqual(got.EnclaveIdentity, want) {
		t.Errorf("%s\nread as %+v\nwant    %+v", doc, got.EnclaveIdentity, want)
	}
	equalSigned(t, &got.Signed, doc, o.Identity, o.Signature)
	return got
}

func TestRealIdentities(t *testing.T) {
	for _, set := range vectors.All(t) {
		t.Run(set.Name, func(t *testing.T) {
			identity := equalIdentity(t, set.Collateral.QEIdentity)
			validSignature(t, &identity.Signed, set.Collateral.QEIdentityChain)
			if written := identity.AppendJSON(nil); !bytes.Equal(written, identity.Body) {
				t.Errorf("written as\n%s\nwant\n%s", written, identity.Body)
			}
			served := bytes.TrimSuffix(set.Collateral.QEIdentity, []byte("\n"))
			if signed := dcap.AppendSignedIdentity([]byte("x"), identity.Body, identity.Signature); string(signed) != "x"+string(served) {
				t.Errorf("the document is put together as\n%s\nwant\n%s", signed, served)
			}
		})
	}
}

// The only set with a MISCSELECT that tells byte orders apart, which Intel's
// library finds equal to that of the QE report in the quote.
func TestMiscSelectOrder(t *testing.T) {
	set := vectors.Named(t, "16")
	identity, err := dcap.ParseEnclaveIdentity(set.Collateral.QEIdentity)
	if err != nil {
		t.Fatal(err)
	}
	const qeReport = 48 + 384 + 4 + 64 + 64 // behind header, body, length, signature and key
	if b := set.Quote[qeReport+16:]; identity.MiscSelect != uint32(b[0])|uint32(b[1])<<8|uint32(b[2])<<16|uint32(b[3])<<24 || identity.MiscSelect == 0 {
		t.Errorf("MISCSELECT %#x, the report has % x", identity.MiscSelect, b[:4])
	}
}

func TestMadeIdentities(t *testing.T) {
	m := made{rand.New(rand.NewPCG(6, 1))}
	for range 300 {
		for _, doc := range m.documents("enclaveIdentity", m.identity()) {
			identity := equalIdentity(t, doc)
			again, err := dcap.ParseEnclaveIdentity(dcap.AppendSignedIdentity(nil, identity.AppendJSON(nil), identity.Signature))
			if err != nil || !reflect.DeepEqual(again.EnclaveIdentity, identity.EnclaveIdentity) || again.Signature != identity.Signature {
				t.Fatalf("written %s\nread %+v, %v", identity.AppendJSON(nil), again, err)
			}
		}
		if t.Failed() {
			return
		}
	}
}

func TestIdentityErrors(t *testing.T) {
	m := made{rand.New(rand.NewPCG(6, 2))}
	r := m.identity()
	r.TCBLevels = append(r.TCBLevels, r.TCBLevels[0])
	r.TCBLevels[0].TCB.ISVSVN = 1000
	base := m.document("enclaveIdentity", r)
	format, invalid, version := kinds(dcap.ErrFormat), kinds(dcap.ErrInvalid), kinds(dcap.ErrVersion)
	level := string(must(json.Marshal(r.TCBLevels[0])))
	list := []kindTest{
		{"", ``, kinds(dcap.ErrFormat, dcap.ErrTruncated)}, {"", `null`, format}, {"", `{}`, format}, {"", `{}x`, kinds(dcap.ErrFormat, dcap.ErrTrailing)},
		{"enclaveIdentity", ``, format}, {"enclaveIdentity", `[]`, format}, {"enclaveIdentity", `{}`, invalid},
		{"signature", ``, format}, {"signature", `{}`, invalid}, {"signature", `"00"`, invalid},
		{"enclaveIdentity.id", `1`, invalid}, {"enclaveIdentity.id", `"qe"`, invalid}, {"enclaveIdentity.id", `""`, invalid},
		{"enclaveIdentity.version", `1`, version}, {"enclaveIdentity.version", `3`, version}, {"enclaveIdentity.version", `"2"`, invalid}, {"enclaveIdentity.version", `2.0`, invalid}, {"enclaveIdentity.version", `4294967298`, invalid},
		{"enclaveIdentity.issueDate", `"2023-13-01T00:00:00Z"`, invalid}, {"enclaveIdentity.nextUpdate", `5`, invalid},
		{"enclaveIdentity.tcbEvaluationDataNumber", `-1`, invalid},
		{"enclaveIdentity.miscselect", `"000000000"`, invalid}, {"enclaveIdentity.miscselect", `0`, invalid}, {"enclaveIdentity.miscselectMask", `"0000000g"`, invalid},
		{"enclaveIdentity.attributes", `"00"`, invalid}, {"enclaveIdentity.attributesMask", `[]`, invalid}, {"enclaveIdentity.mrsigner", `"` + m.hex(31) + `"`, invalid},
		{"enclaveIdentity.isvprodid", `65536`, invalid}, {"enclaveIdentity.isvprodid", `"1"`, invalid},
		{"enclaveIdentity.tcbLevels", `[]`, invalid}, {"enclaveIdentity.tcbLevels", `1`, invalid}, {"enclaveIdentity.tcbLevels", `[1]`, format},
		{"enclaveIdentity.tcbLevels", `[` + level + `,` + level + `]`, kinds(dcap.ErrInvalid, dcap.ErrDuplicate)},
		{"enclaveIdentity.tcbLevels.0.tcb", ``, format}, {"enclaveIdentity.tcbLevels.0.tcb", `1`, format}, {"enclaveIdentity.tcbLevels.0.tcb", `{}`, format},
		{"enclaveIdentity.tcbLevels.0.tcb.isvsvn", `65536`, invalid}, {"enclaveIdentity.tcbLevels.0.tcb.isvsvn", `null`, invalid},
		{"enclaveIdentity.tcbLevels.0.tcbDate", ``, format}, {"enclaveIdentity.tcbLevels.0.tcbDate", `"x"`, invalid},
		{"enclaveIdentity.tcbLevels.0.tcbStatus", ``, format}, {"enclaveIdentity.tcbLevels.0.tcbStatus", `1`, invalid}, {"enclaveIdentity.tcbLevels.0.tcbStatus", `"ConfigurationNeeded"`, invalid},
		{"enclaveIdentity.tcbLevels.0.advisoryIDs", `{}`, invalid}, {"enclaveIdentity.tcbLevels.0.advisoryIDs", `[{}]`, invalid},
	}
	for _, field := range []string{"id", "version", "issueDate", "nextUpdate", "tcbEvaluationDataNumber", "miscselect", "miscselectMask", "attributes", "attributesMask", "mrsigner", "isvprodid", "tcbLevels"} {
		list = append(list, kindTest{"enclaveIdentity." + field, ``, invalid})
	}
	for _, c := range list {
		_, err := dcap.ParseEnclaveIdentity(edited(base, c.path, c.value))
		c.check(t, err)
	}
}
