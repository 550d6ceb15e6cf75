package qve_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"testing"

	"github.com/feidi-dev/feidi/arch/internal/fake"
	"github.com/feidi-dev/feidi/arch/qve"
	"github.com/feidi-dev/feidi/arch/qve/edl"
	"github.com/feidi-dev/feidi/attest/tvl"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/testpki"
)

// kind is a form that a quote can have.
type kind struct {
	name    string
	version uint16
	body    dcap.BodyType
}

var kinds = []kind{
	{"SGX v3", 3, dcap.BodySGX}, {"SGX v5", 5, dcap.BodySGX},
	{"TDX v4", 4, dcap.BodyTD10}, {"TDX 1.5 v5", 5, dcap.BodyTD15},
}

func (k kind) tee() dcap.TEEType {
	if k.body == dcap.BodySGX {
		return dcap.TEESGX
	}
	return dcap.TEETDX
}

// world is a fake Intel, a platform with a quote, and a machine with a QvE and an
// application that relies on it.
type world struct {
	testing.TB
	kind
	pki   *testpki.PKI
	m     *testpki.Platform
	q     *testpki.Quote
	quote []byte
	c     *dcap.Collateral

	qve, app *fake.Enclave
	server   *qve.QvE
}

func newWorld(t testing.TB, k kind, edits ...func(*testpki.Platform)) *world {
	t.Helper()
	pki := testpki.New(testpki.Seed("qve"))
	machine := &fake.Platform{Root: [16]byte{1}, Seal: [16]byte{2}, CPUSVN: [16]byte{3}}
	w := &world{
		TB: t, kind: k, pki: pki, m: pki.Platform(edits...),
		qve: machine.NewEnclave("qve", "the signer", 12, 0), app: machine.NewEnclave("app", "somebody", 1, 0),
	}
	w.qve.Self.ISVProdID = tvl.ProdID
	var err error
	if w.server, err = qve.New(w.qve, pki.Root.DER); err != nil {
		t.Fatal(err)
	}
	w.make()
	return w
}

// make makes quote and collateral anew.
func (w *world) make(edits ...func(*testpki.Quote)) {
	of := w.m.TDXQuote
	if w.body == dcap.BodySGX {
		of = w.m.SGXQuote
	}
	form := func(q *testpki.Quote) { q.Header.Version, q.BodyType = w.version, w.body }
	w.q = of(append([]func(*testpki.Quote){form}, edits...)...)
	w.quote, w.c = w.q.Bytes(), w.m.Collateral(w.tee())
}

var nonce = [16]byte{'n', 'o', 'n', 'c', 'e'}

// info asks for a REPORT for the application.
func (w *world) info() *edl.SgxQlQeReportInfoT {
	return &edl.SgxQlQeReportInfoT{Nonce: nonce, AppEnclaveTargetInfo: *w.app.Target()}
}

// supplemental is a buffer for data of version 3.minor.
func supplemental(minor uint16) []byte {
	b := make([]byte, tvl.SupplementalSize)
	binary.LittleEndian.PutUint16(b, 3)
	binary.LittleEndian.PutUint16(b[2:], minor)
	return b
}

// verify has the QvE verify the quote at the time of the PKI.
func (w *world) verify(info *edl.SgxQlQeReportInfoT, supplemental []byte) (*tvl.Verdict, tvl.Code) {
	return w.verifyAt(w.pki.Now.Unix(), qve.NewCollateral(w.c, w.tee()), info, supplemental)
}

func (w *world) verifyAt(date int64, c *edl.SgxQlQveCollateralT, info *edl.SgxQlQeReportInfoT, supplemental []byte) (*tvl.Verdict, tvl.Code) {
	w.Helper()
	ret, expired, result, err := w.server.SgxQveVerifyQuote(context.Background(), w.quote, c, date, info, supplemental)
	if err != nil || expired > 1 {
		w.Fatal(expired, err)
	}
	v := &tvl.Verdict{At: w.pki.Now, Expired: expired == 1, Result: tvl.Result(result), Supplemental: supplemental}
	if (ret == 0) != v.Result.Genuine() {
		w.Errorf("%v with %v", tvl.Code(ret), v.Result)
	}
	return v, tvl.Code(ret)
}

// direct verifies the same with dcap/verify.
func (w *world) direct() *verify.Result {
	w.Helper()
	v, err := verify.New(verify.WithRoots(w.pki.Root.DER))
	if err != nil {
		w.Fatal(err)
	}
	r, _ := v.Verify(w.quote, w.c, w.pki.Now)
	return r
}

// want wants a code.
func (w *world) want(what string, want tvl.Code) {
	w.Helper()
	before := supplemental(3)
	data, info := bytes.Clone(before), w.info()
	if _, code := w.verify(info, data); code != want {
		w.Errorf("%s: %v, want %v", what, code, want)
	}
	if want != tvl.Success && (!bytes.Equal(data, before) || *info != *w.info()) {
		w.Errorf("%s: something was written", what)
	}
}

func asHex(der []byte) []byte { return []byte(hex.EncodeToString(der)) }
func asPEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}
