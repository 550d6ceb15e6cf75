package testpki

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
)

// openDocument takes a signed document apart without decoding its body, and
// verifies the signature over the very bytes.
func openDocument(t *testing.T, doc []byte, name string, key *ecdsa.PublicKey) (body []byte, valid bool) {
	t.Helper()
	var outer map[string]json.RawMessage
	if err := json.Unmarshal(doc, &outer); err != nil {
		t.Fatalf("%v in %s", err, doc)
	}
	var signature string
	if err := json.Unmarshal(outer["signature"], &signature); err != nil {
		t.Fatal(err)
	}
	sig, err := hex.DecodeString(signature)
	if err != nil {
		t.Fatal(err)
	}
	body = outer[name]
	if len(outer) != 2 || len(body) == 0 || !bytes.Contains(doc, body) {
		t.Fatalf("members of %s", doc)
	}
	return body, verifyRaw(key, body, sig)
}

func TestDocuments(t *testing.T) {
	p := New(Seed("json"))
	m := p.Platform()
	key := p.TCBSigning.X509().PublicKey.(*ecdsa.PublicKey)
	p.QVE.MiscSelect = 0x04030201
	for _, c := range []struct {
		name string
		doc  []byte
		want []string // of the text of the body
	}{
		{"tcbInfo", p.TCBInfoJSON(m.TCBInfo(dcap.TEESGX)), []string{
			`{"id":"SGX","version":3,"issueDate":"2026-05-20T12:00:00Z","nextUpdate":"2026-06-19T12:00:00Z","fmspc":"00FE1D100000","pceId":"0000","tcbType":0,"tcbEvaluationDataNumber":19,"tcbLevels":[{"tcb":{"sgxtcbcomponents":[{"svn":9,"category":"BIOS","type":"Early Microcode Update"},`,
			`"pcesvn":15},"tcbDate":"2025-11-12T00:00:00Z","tcbStatus":"UpToDate"}`,
			`"tcbStatus":"ConfigurationAndSWHardeningNeeded","advisoryIDs":["INTEL-SA-00289","INTEL-SA-00615"]}`,
		}},
		{"tcbInfo", p.TCBInfoJSON(m.TCBInfo(dcap.TEETDX)), []string{
			`"tdxModule":{"mrsigner":"` + strings.Repeat("00", 48) + `","attributes":"0000000000000000","attributesMask":"FFFFFFFFFFFFFFFF"},"tdxModuleIdentities":[{"id":"TDX_03",`,
			`"tcbLevels":[{"tcb":{"isvsvn":6},"tcbDate":"2025-11-12T00:00:00Z","tcbStatus":"UpToDate"},`,
			`"pcesvn":15,"tdxtcbcomponents":[{"svn":5,"category":"OS/VMM","type":"TDX Module"}`,
		}},
		{"enclaveIdentity", p.IdentityJSON(p.TDQE), []string{
			`{"id":"TD_QE","version":2,`, `"miscselect":"00000000","miscselectMask":"FFFFFFFF","attributes":"11000000000000000000000000000000","attributesMask":"FBFFFFFFFFFFFFFF0000000000000000","mrsigner":"DC9E`,
			`"isvprodid":2,"tcbLevels":[{"tcb":{"isvsvn":6},`,
		}},
		{"enclaveIdentity", p.IdentityJSON(p.QVE), []string{`{"id":"QVE","version":2,`, `"miscselect":"01020304"`}},
	} {
		body, valid := openDocument(t, c.doc, c.name, key)
		if !valid {
			t.Errorf("%s: signature", c.name)
		}
		for _, w := range c.want {
			if !bytes.Contains(body, []byte(w)) {
				t.Errorf("%s lacks %s\n%s", c.name, w, body)
			}
		}
	}
}

func TestWrongDocuments(t *testing.T) {
	p := New(Seed("json"))
	info := p.Platform().TCBInfo(dcap.TEESGX)
	key := p.TCBSigning.X509().PublicKey.(*ecdsa.PublicKey)
	for _, c := range []struct {
		name  string
		valid bool
		edit  func(*Document)
	}{
		{"body before signing", true, func(d *Document) {
			d.Body = bytes.Replace(d.Body, []byte(`"tcbType":0`), []byte(`"tcbType":0,"tcbType":1`), 1)
		}},
		{"signer", false, func(d *Document) { d.Signer = p.Key("other") }},
		{"signature", false, func(d *Document) { d.EditSignature = flip(0) }},
		{"body after signing", false, func(d *Document) {
			d.EditJSON = func(b []byte) []byte { return bytes.Replace(b, []byte("OutOfDate"), []byte("UpToDate"), 1) }
		}},
	} {
		if _, valid := openDocument(t, p.TCBInfoJSON(info, c.edit), "tcbInfo", key); valid != c.valid {
			t.Errorf("%s: valid %v", c.name, valid)
		}
	}
}

// A platform with a status is at the level of it, by the rule of the PCS
// documentation: the first level none of whose SVNs is above the platform's.
func TestStatus(t *testing.T) {
	p := New(Seed("status"))
	for s := dcap.UpToDate; s <= dcap.Revoked; s++ {
		m := p.Platform(Status(s))
		for _, tee := range []dcap.TEEType{dcap.TEESGX, dcap.TEETDX} {
			got := dcap.TCBUnknown
		levels:
			for _, l := range m.TCBInfo(tee).Levels {
				for i := range l.SGX {
					if l.SGX[i].SVN > m.SGX.TCB[i] || tee == dcap.TEETDX && i >= 2 && l.TDX[i].SVN > m.TEETCBSVN[i] {
						continue levels
					}
				}
				if l.PCESVN <= m.SGX.PCESVN {
					got = l.Status
					break
				}
			}
			if got != s {
				t.Errorf("%v: status %d, want %d", tee, got, s)
			}
		}
	}
}

func TestFMSPC(t *testing.T) {
	p := New(Seed("fmspc"))
	a, b := p.Platform(), p.Platform(FMSPC([6]byte{1}))
	if a.TCBInfo(dcap.TEESGX) == b.TCBInfo(dcap.TEESGX) || a.TCBInfo(dcap.TEESGX) != p.Platform().TCBInfo(dcap.TEESGX) {
		t.Error("TCB info is not one for each FMSPC")
	}
	if p.TCBInfo(dcap.TEESGX, [6]byte{2}) != nil {
		t.Error("a TCB info for an FMSPC that nobody has")
	}
	a.TCBInfo(dcap.TEESGX).Levels[0].Status = dcap.Revoked
	if c := a.Collateral(dcap.TEESGX); !bytes.Contains(c.TCBInfo, []byte(`"2025-11-12T00:00:00Z","tcbStatus":"Revoked"`)) {
		t.Error("collateral does not follow the TCB info")
	}
}
