package dcap_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/testsuite/vectors"
)

// outer is a signed document as encoding/json reads it.
type outer struct {
	TCBInfo   json.RawMessage `json:"tcbInfo"`
	Identity  json.RawMessage `json:"enclaveIdentity"`
	Signature string          `json:"signature"`
}

// equalTCBInfo compares what this package reads of a document with what
// encoding/json reads.
func equalTCBInfo(t *testing.T, doc []byte) *dcap.SignedTCBInfo {
	t.Helper()
	got, err := dcap.ParseTCBInfo(doc)
	if err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	var o outer
	var r refTCBInfo
	if err := errors.Join(json.Unmarshal(doc, &o), json.Unmarshal(o.TCBInfo, &r)); err != nil {
		t.Fatal(err)
	}
	if want := r.value(t); !reflect.DeepEqual(got.TCBInfo, want) {
		t.Errorf("%s\nread as %+v\nwant    %+v", doc, got.TCBInfo, want)
	}
	equalSigned(t, &got.Signed, doc, o.TCBInfo, o.Signature)
	return got
}

func equalSigned(t *testing.T, s *dcap.Signed, doc, body []byte, signature string) {
	t.Helper()
	if !bytes.Equal(s.Raw, doc) || !bytes.Equal(s.Body, body) || !strings.EqualFold(hex.EncodeToString(s.Signature[:]), signature) {
		t.Errorf("raw %s\nbody %s\nsignature %x", s.Raw, s.Body, s.Signature)
	}
	if &s.Raw[0] != &doc[0] || cap(s.Body) != len(s.Body) {
		t.Error("Raw is a copy, or Body has room behind it")
	}
}

// validSignature checks a signature with the standard library: the body is
// exactly what Intel signed.
func validSignature(t *testing.T, s *dcap.Signed, chain []byte) {
	t.Helper()
	block, _ := pem.Decode(chain)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(s.Body)
	r, sv := new(big.Int).SetBytes(s.Signature[:32]), new(big.Int).SetBytes(s.Signature[32:])
	if !ecdsa.Verify(cert.PublicKey.(*ecdsa.PublicKey), digest[:], r, sv) {
		t.Errorf("the signature is not over the body that was found")
	}
}

// lowerFMSPC are sets whose TCB info has the FMSPC in lower case. The service
// wrote it as it stood in the request.
var lowerFMSPC = map[string]bool{
	"05-tdx-v5-90C06F000000-gtg": true, "09-tdx-v4-50806F000000-trustee-debugTD": true,
	"12-sgx-v3-00606A000000-oasis-eval17": true, "15-sgx-v3-00906EA10000-fortanix-dcapql": true,
}

func TestRealTCBInfos(t *testing.T) {
	for _, set := range vectors.All(t) {
		t.Run(set.Name, func(t *testing.T) {
			info := equalTCBInfo(t, set.Collateral.TCBInfo)
			validSignature(t, &info.Signed, set.Collateral.TCBInfoChain)

			written := info.AppendJSON(nil)
			want := info.Body
			if lowerFMSPC[set.Name] {
				fmspc := hex.EncodeToString(info.FMSPC[:])
				want = bytes.Replace(want, []byte(`"fmspc":"`+fmspc), []byte(`"fmspc":"`+strings.ToUpper(fmspc)), 1)
				if bytes.Equal(want, info.Body) {
					t.Error("the FMSPC is not in lower case")
				}
			}
			if !bytes.Equal(written, want) {
				t.Errorf("written as\n%s\nwant\n%s", written, want)
			}
			// Some were kept with the end of the line.
			served := bytes.TrimSuffix(set.Collateral.TCBInfo, []byte("\n"))
			if signed := dcap.AppendSignedTCBInfo([]byte("x"), info.Body, info.Signature); string(signed) != "x"+string(served) {
				t.Errorf("the document is put together as\n%s\nwant\n%s", signed, served)
			}
		})
	}
}

func TestMadeTCBInfos(t *testing.T) {
	m := made{rand.New(rand.NewPCG(5, 1))}
	for i := range 300 {
		for _, doc := range m.documents("tcbInfo", m.tcbInfo([]string{"", "SGX", "TDX"}[i%3])) {
			info := equalTCBInfo(t, doc)
			again, err := dcap.ParseTCBInfo(dcap.AppendSignedTCBInfo(nil, info.AppendJSON(nil), info.Signature))
			if err != nil || !reflect.DeepEqual(again.TCBInfo, info.TCBInfo) || again.Signature != info.Signature {
				t.Fatalf("written %s\nread %+v, %v", info.AppendJSON(nil), again, err)
			}
		}
		if t.Failed() {
			return
		}
	}
}

// TDX levels that differ in nothing but the TDX components are two, in a TCB
// info for TDX, and in one for SGX the same twice.
func TestLevelOrder(t *testing.T) {
	m := made{rand.New(rand.NewPCG(5, 2))}
	r := m.tcbInfo("TDX")
	r.TCBLevels = nil
	for _, svns := range [][3]int{{1, 4, 0}, {1, 4, 7}, {1, 5, 1}, {2, 0, 0}} {
		sgx, tdx := make([]refComponent, 16), make([]refComponent, 16)
		sgx[0].SVN, tdx[0].SVN = svns[0], svns[2]
		r.TCBLevels = append(r.TCBLevels, refLevel{map[string]any{"sgxtcbcomponents": sgx, "pcesvn": svns[1], "tdxtcbcomponents": tdx}, m.end("UpToDate")})
	}
	info, err := dcap.ParseTCBInfo(m.document("tcbInfo", r))
	if err != nil {
		t.Fatal(err)
	}
	var got [][3]int
	for _, l := range info.Levels {
		got = append(got, [3]int{int(l.SGX[0].SVN), int(l.PCESVN), int(l.TDX[0].SVN)})
	}
	if want := [][3]int{{2, 0, 0}, {1, 5, 1}, {1, 4, 7}, {1, 4, 0}}; !reflect.DeepEqual(got, want) {
		t.Errorf("levels in the order %v, want %v", got, want)
	}
	r.ID, r.TDXModule, r.TDXModuleIdentities = "SGX", nil, nil
	_, err = dcap.ParseTCBInfo(m.document("tcbInfo", r))
	if !errors.Is(err, dcap.ErrDuplicate) || !errors.Is(err, dcap.ErrInvalid) {
		t.Errorf("%v, want a duplicate level", err)
	}
}

// kindTest is an edit of a document that makes it wrong, and the kinds of the
// error: what Intel's library throws (FormatException, InvalidExtension,
// InvalidVersion), and closer ones.
type kindTest struct {
	path, value string
	kinds       []error
}

func kinds(k ...error) []error { return k }

func (c *kindTest) check(t *testing.T, err error) {
	t.Helper()
	var p *dcap.ParseError
	if !errors.As(err, &p) {
		t.Errorf("%s = %s: %v", c.path, c.value, err)
		return
	}
	for _, k := range []error{dcap.ErrFormat, dcap.ErrInvalid, dcap.ErrVersion, dcap.ErrDuplicate, dcap.ErrTruncated, dcap.ErrTrailing, dcap.ErrTooLarge} {
		if want := slices.Contains(c.kinds, k); want != errors.Is(err, k) {
			t.Errorf("%s = %s: %v; of the kind %v: %v, want %v", c.path, c.value, err, k, !want, want)
		}
	}
	if strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r > '~' }) {
		t.Errorf("message %q", err)
	}
}

func TestTCBInfoErrors(t *testing.T) {
	m := made{rand.New(rand.NewPCG(5, 3))}
	r := m.tcbInfo("TDX")
	for len(r.TDXModuleIdentities) == 0 || len(r.TCBLevels) < 2 {
		r = m.tcbInfo("TDX")
	}
	tdx, sgx, v2 := m.document("tcbInfo", r), m.document("tcbInfo", m.tcbInfo("SGX")), m.document("tcbInfo", m.tcbInfo(""))
	format, invalid := kinds(dcap.ErrFormat), kinds(dcap.ErrInvalid)
	version := kinds(dcap.ErrInvalid, dcap.ErrVersion)
	level := string(must(json.Marshal(r.TCBLevels[0])))
	module := string(must(json.Marshal(r.TDXModuleIdentities[0])))
	moduleLevel := string(must(json.Marshal(r.TDXModuleIdentities[0].TCBLevels[0])))

	common := []kindTest{
		{"", ``, kinds(dcap.ErrFormat, dcap.ErrTruncated)}, {"", `[]`, format}, {"", `{`, kinds(dcap.ErrFormat, dcap.ErrTruncated)}, {"", `{} {}`, kinds(dcap.ErrFormat, dcap.ErrTrailing)},
		{"", `{"a":1,"a":1}`, kinds(dcap.ErrFormat, dcap.ErrDuplicate)}, {"", `{"a":}`, format},
		{"tcbInfo", ``, format}, {"tcbInfo", `[]`, format}, {"tcbInfo", `null`, format}, {"tcbInfo", `{}`, format},
		{"signature", ``, invalid}, {"signature", `1`, invalid}, {"signature", `""`, invalid}, {"signature", `"` + m.hex(63) + `"`, invalid},
		{"signature", `"aA` + strings.Repeat("0", 126) + `"`, invalid}, {"signature", `"g` + strings.Repeat("0", 127) + `"`, invalid},
		{"tcbInfo.version", ``, format}, {"tcbInfo.version", `"3"`, invalid}, {"tcbInfo.version", `3.0`, invalid}, {"tcbInfo.version", `-3`, invalid},
		{"tcbInfo.version", `0`, version}, {"tcbInfo.version", `1`, version}, {"tcbInfo.version", `4`, version}, {"tcbInfo.version", `4294967299`, invalid},
		{"tcbInfo.issueDate", ``, format}, {"tcbInfo.issueDate", `0`, invalid}, {"tcbInfo.issueDate", `"2024-02-30T00:00:00Z"`, invalid},
		{"tcbInfo.nextUpdate", ``, format}, {"tcbInfo.nextUpdate", `{}`, invalid}, {"tcbInfo.nextUpdate", `"2024-02-01T00:00:00+00:00"`, invalid},
		{"tcbInfo.fmspc", ``, format}, {"tcbInfo.fmspc", `1`, invalid}, {"tcbInfo.fmspc", `"00"`, invalid}, {"tcbInfo.fmspc", `"00000000000x"`, invalid},
		{"tcbInfo.pceId", ``, format}, {"tcbInfo.pceId", `"000"`, invalid}, {"tcbInfo.pceId", `[]`, invalid},
		{"tcbInfo.tcbType", ``, format}, {"tcbInfo.tcbType", `1`, invalid}, {"tcbInfo.tcbType", `-1`, invalid}, {"tcbInfo.tcbType", `"0"`, invalid},
		{"tcbInfo.tcbEvaluationDataNumber", ``, format}, {"tcbInfo.tcbEvaluationDataNumber", `4294967296`, invalid}, {"tcbInfo.tcbEvaluationDataNumber", `1e3`, invalid},
		{"tcbInfo.tcbLevels", ``, invalid}, {"tcbInfo.tcbLevels", `[]`, invalid}, {"tcbInfo.tcbLevels", `{}`, invalid}, {"tcbInfo.tcbLevels", `[1]`, format}, {"tcbInfo.tcbLevels", `[{}]`, format},
		{"tcbInfo.tcbLevels.0.tcb", ``, format}, {"tcbInfo.tcbLevels.0.tcb", `[]`, format}, {"tcbInfo.tcbLevels.0.tcb", `{}`, format},
		{"tcbInfo.tcbLevels.0.tcb.pcesvn", ``, format}, {"tcbInfo.tcbLevels.0.tcb.pcesvn", `65536`, format}, {"tcbInfo.tcbLevels.0.tcb.pcesvn", `"1"`, format},
		{"tcbInfo.tcbLevels.0.tcbDate", ``, format}, {"tcbInfo.tcbLevels.0.tcbDate", `"x"`, invalid}, {"tcbInfo.tcbLevels.0.tcbDate", `1`, invalid},
		{"tcbInfo.tcbLevels.0.tcbStatus", ``, format}, {"tcbInfo.tcbLevels.0.tcbStatus", `1`, format}, {"tcbInfo.tcbLevels.0.tcbStatus", `"uptodate"`, invalid},
		{"tcbInfo.tcbLevels.0.tcbStatus", `"TDRelaunchAdvised"`, invalid}, {"tcbInfo.tcbLevels.0.tcbStatus", `"Unknown"`, invalid}, {"tcbInfo.tcbLevels.0.tcbStatus", `""`, invalid},
		{"tcbInfo.tcbLevels.0.tcbStatus", `"\u001b[31m飞"`, invalid},
		{"tcbInfo.tcbLevels.0.tcbStatus", `"` + strings.Repeat("x", 9999) + `"`, invalid},
		{"tcbInfo.tcbLevels.0.advisoryIDs", `"INTEL-SA-00001"`, invalid}, {"tcbInfo.tcbLevels.0.advisoryIDs", `[1]`, invalid}, {"tcbInfo.tcbLevels.0.advisoryIDs", `null`, invalid},
		{"tcbInfo.unknown", strings.Repeat("[", 31) + strings.Repeat("]", 31), kinds(dcap.ErrInvalid, dcap.ErrTooLarge)},
		{"tcbInfo.unknown", `{"\u0061":1,"a":2}`, kinds(dcap.ErrFormat, dcap.ErrDuplicate)},
	}
	components := []kindTest{
		{"tcbInfo.id", ``, format}, {"tcbInfo.id", `1`, invalid}, {"tcbInfo.id", `""`, invalid}, {"tcbInfo.id", `"TDX2"`, invalid}, {"tcbInfo.id", `"?"`, invalid}, {"tcbInfo.id", `"sgx"`, invalid},
		{"tcbInfo.tcbLevels.0.tcb.sgxtcbcomponents", ``, format}, {"tcbInfo.tcbLevels.0.tcb.sgxtcbcomponents", `{}`, format}, {"tcbInfo.tcbLevels.0.tcb.sgxtcbcomponents", `[]`, format},
		{"tcbInfo.tcbLevels.0.tcb.sgxtcbcomponents", `[` + strings.Repeat(`{"svn":1},`, 16) + `{"svn":1}]`, format},
		{"tcbInfo.tcbLevels.0.tcb.sgxtcbcomponents", `[` + strings.Repeat(`{"svn":1},`, 14) + `{"svn":1}]`, format},
		{"tcbInfo.tcbLevels.0.tcb.sgxtcbcomponents.3", `1`, format}, {"tcbInfo.tcbLevels.0.tcb.sgxtcbcomponents.3", `{}`, format},
		{"tcbInfo.tcbLevels.0.tcb.sgxtcbcomponents.3.svn", `256`, format}, {"tcbInfo.tcbLevels.0.tcb.sgxtcbcomponents.3.svn", `-1`, format}, {"tcbInfo.tcbLevels.0.tcb.sgxtcbcomponents.15.svn", `null`, format},
		{"tcbInfo.tcbLevels.0.tcb.sgxtcbcomponents.3.category", `1`, format}, {"tcbInfo.tcbLevels.0.tcb.sgxtcbcomponents.3.type", `null`, format},
	}
	for base, list := range map[string][][]kindTest{
		string(sgx): {common, components, {
			{"tcbInfo.tdxModule", `{}`, invalid}, {"tcbInfo.tdxModuleIdentities", `[]`, invalid},
			{"tcbInfo.id", `"TDX"`, invalid}, // without a tdxModule
		}},
		string(v2): {common, {
			{"tcbInfo.tcbLevels.0.tcb.sgxtcbcomp01svn", ``, format}, {"tcbInfo.tcbLevels.0.tcb.sgxtcbcomp16svn", ``, format},
			{"tcbInfo.tcbLevels.0.tcb.sgxtcbcomp10svn", `256`, invalid}, {"tcbInfo.tcbLevels.0.tcb.sgxtcbcomp09svn", `"1"`, invalid},
			{"tcbInfo.version", `3`, format}, // without an id
		}},
		string(tdx): {common, components, {
			{"tcbInfo.tcbLevels.1", level, kinds(dcap.ErrInvalid, dcap.ErrDuplicate)},
			{"tcbInfo.tcbLevels.0.tcb.tdxtcbcomponents", ``, format}, {"tcbInfo.tcbLevels.0.tcb.tdxtcbcomponents", `[{"svn":1}]`, format}, {"tcbInfo.tcbLevels.0.tcb.tdxtcbcomponents.0.svn", `256`, format},
			{"tcbInfo.version", `2`, format}, // without the components of it
			{"tcbInfo.tdxModule", ``, invalid}, {"tcbInfo.tdxModule", `[]`, format}, {"tcbInfo.tdxModule", `{}`, format},
			{"tcbInfo.tdxModule.mrsigner", ``, format}, {"tcbInfo.tdxModule.mrsigner", `"00"`, format}, {"tcbInfo.tdxModule.attributes", `1`, format}, {"tcbInfo.tdxModule.attributesMask", `""`, format},
			{"tcbInfo.tdxModuleIdentities", `[]`, invalid}, {"tcbInfo.tdxModuleIdentities", `{}`, invalid}, {"tcbInfo.tdxModuleIdentities", `[1]`, format},
			{"tcbInfo.tdxModuleIdentities", `[` + module + `,` + strings.Replace(module, "TDX_", "tdx_", 1) + `]`, kinds(dcap.ErrInvalid, dcap.ErrDuplicate)},
			{"tcbInfo.tdxModuleIdentities.1.id", ``, format}, {"tcbInfo.tdxModuleIdentities.1.id", `3`, format},
			{"tcbInfo.tdxModuleIdentities.1.mrsigner", ``, format}, {"tcbInfo.tdxModuleIdentities.1.attributes", `"0"`, format}, {"tcbInfo.tdxModuleIdentities.1.attributesMask", `null`, format},
			{"tcbInfo.tdxModuleIdentities.1.tcbLevels", ``, format}, {"tcbInfo.tdxModuleIdentities.1.tcbLevels", `[]`, format}, {"tcbInfo.tdxModuleIdentities.1.tcbLevels", `1`, format}, {"tcbInfo.tdxModuleIdentities.1.tcbLevels", `[1]`, format},
			{"tcbInfo.tdxModuleIdentities.0.tcbLevels", `[` + moduleLevel + `,` + moduleLevel + `]`, kinds(dcap.ErrFormat, dcap.ErrDuplicate)},
			{"tcbInfo.tdxModuleIdentities.0.tcbLevels.0.tcb", ``, format}, {"tcbInfo.tdxModuleIdentities.0.tcbLevels.0.tcb", `1`, format},
			{"tcbInfo.tdxModuleIdentities.0.tcbLevels.0.tcb.isvsvn", ``, format}, {"tcbInfo.tdxModuleIdentities.0.tcbLevels.0.tcb.isvsvn", `65536`, format}, {"tcbInfo.tdxModuleIdentities.0.tcbLevels.0.tcb.isvsvn", `-1`, format},
			{"tcbInfo.tdxModuleIdentities.0.tcbLevels.0.tcbDate", ``, format}, {"tcbInfo.tdxModuleIdentities.0.tcbLevels.0.tcbDate", `"x"`, format},
			{"tcbInfo.tdxModuleIdentities.0.tcbLevels.0.tcbStatus", ``, format}, {"tcbInfo.tdxModuleIdentities.0.tcbLevels.0.tcbStatus", `1`, format}, {"tcbInfo.tdxModuleIdentities.0.tcbLevels.0.tcbStatus", `"SWHardeningNeeded"`, invalid},
			{"tcbInfo.tdxModuleIdentities.0.tcbLevels.0.advisoryIDs", `[1]`, format},
		}},
	} {
		for _, c := range slices.Concat(list...) {
			_, err := dcap.ParseTCBInfo(edited([]byte(base), c.path, c.value))
			c.check(t, err)
		}
	}
	many := `[` + module
	for i := range 256 {
		many += `,` + strings.Replace(module, `"TDX_00"`, `"TDX_`+strconv.Itoa(1000+i)+`"`, 1)
	}
	c := kindTest{"tcbInfo.tdxModuleIdentities", many + `]`, kinds(dcap.ErrInvalid, dcap.ErrTooLarge)}
	_, err := dcap.ParseTCBInfo(edited(tdx, c.path, c.value))
	c.value = "257 modules"
	c.check(t, err)
	_, err = dcap.ParseTCBInfo(append(sgx, bytes.Repeat([]byte(" "), dcap.MaxJSONSize)...))
	c = kindTest{"", "1 MiB and more", kinds(dcap.ErrFormat, dcap.ErrTooLarge)}
	c.check(t, err)
}

// What is ignored: the fields of version 3 in version 2, and whatever has no
// meaning.
func TestTCBInfoIgnores(t *testing.T) {
	m := made{rand.New(rand.NewPCG(5, 4))}
	v2, sgx := m.document("tcbInfo", m.tcbInfo("")), m.document("tcbInfo", m.tcbInfo("SGX"))
	for _, c := range []struct {
		doc         []byte
		path, value string
	}{
		{v2, "tcbInfo.id", `7`}, {v2, "tcbInfo.id", `"TDX"`}, {v2, "tcbInfo.tdxModule", `7`}, {v2, "tcbInfo.tdxModuleIdentities", `7`},
		{v2, "tcbInfo.tcbLevels.0.tcb.sgxtcbcomponents", `7`}, {v2, "tcbInfo.tcbLevels.0.tcb.sgxtcbcomp17svn", `"x"`}, {v2, "tcbInfo.tcbLevels.0.tcb.sgxtcbcomp00svn", `"x"`},
		{sgx, "tcbInfo.tcbLevels.0.tcb.tdxtcbcomponents", `7`}, {sgx, "tcbInfo.tcbLevels.0.advisoryIDs", `[]`}, {sgx, "tcbInfo.unknown", strings.Repeat("[", 30) + strings.Repeat("]", 30)},
		{sgx, "unknown", `7`}, {sgx, "SIGNATURE", `7`},
	} {
		if c.value == `[]` {
			c.doc = edited(c.doc, c.path, "")
		}
		want, err1 := dcap.ParseTCBInfo(c.doc)
		got, err2 := dcap.ParseTCBInfo(edited(c.doc, c.path, c.value))
		if err := errors.Join(err1, err2); err != nil {
			t.Errorf("%s = %s: %v", c.path, c.value, err)
			continue
		}
		if !reflect.DeepEqual(got.TCBInfo, want.TCBInfo) {
			t.Errorf("%s = %s changed the value", c.path, c.value)
		}
	}
}

// The path in an error, and the offset.
func TestTCBInfoErrorPlace(t *testing.T) {
	m := made{rand.New(rand.NewPCG(5, 5))}
	doc := edited(m.document("tcbInfo", m.tcbInfo("SGX")), "tcbInfo.tcbLevels.0.tcb.pcesvn", `77777`)
	_, err := dcap.ParseTCBInfo(doc)
	var p *dcap.ParseError
	if !errors.As(err, &p) || p.Document != "TCB info" || p.Path != "tcbInfo.tcbLevels[0].tcb.pcesvn" || p.Offset != bytes.Index(doc, []byte("77777")) {
		t.Errorf("%v", err)
	}
}
