package verify_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/testpki"
)

// bad is input that is wrong in one way. All else of it is right, and signed.
type bad struct {
	name      string
	kinds     []kind // if nil, an SGX and a TDX quote
	want      verdict
	words     string // in the error of the whole
	authentic bool   // the quote is genuine all the same
	edit      func(*world)
	made      func(*world)
}

func (b *bad) run(t *testing.T) {
	kinds := b.kinds
	if kinds == nil {
		kinds = []kind{sgx3, tdx15}
	}
	r := row{name: b.name, kinds: kinds, want: b.want, edit: b.edit, made: b.made, check: func(t *testing.T, r *verify.Result) {
		if err := r.Err(); err == nil || !strings.Contains(err.Error(), b.words) {
			t.Errorf("%q should be in the error: %v", b.words, err)
		}
		if r.Authentic() != b.authentic {
			t.Errorf("authentic is %v: %v", r.Authentic(), r.Err())
		}
		if r.Status == verify.StatusOK {
			t.Error("accepted")
		}
	}}
	r.run(t)
}

func TestBad(t *testing.T) {
	for _, list := range [][]bad{badJSON(), badCertificates(), badSignatures(), badDates(), badRevocations(), badMatches(), badQuotes()} {
		for _, b := range list {
			b.run(t)
		}
	}
}

// badJSON is about signed documents whose form is wrong.
func badJSON() []bad {
	info := verdict{tcb: verify.StatusSGXTCBInfoUnsupportedFormat, quote: verify.StatusUnsupportedTCBInfoFormat}
	infoInvalid := verdict{tcb: verify.StatusSGXTCBInfoInvalid, quote: verify.StatusUnsupportedTCBInfoFormat}
	id := verdict{id: verify.StatusSGXEnclaveIdentityUnsupportedFormat, quote: verify.StatusUnsupportedQEIdentityFormat}
	deep := `"version":3,"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100)
	appendTo := func(what string) func(*world) {
		return func(w *world) { w.c.TCBInfo = append(w.c.TCBInfo, what...) }
	}
	return []bad{
		{name: "key of TCB info twice", want: info, words: "duplicate", made: infoEdit(`"version":3`, `"version":3,"version":3`)},
		{name: "key of TCB info twice, one with an escape", want: info, words: "duplicate", made: infoEdit(`"version":3`, `"version":3,"\u0076ersion":3`)},
		{name: "key of no meaning twice", want: info, words: "duplicate", made: infoEdit(`"version":3`, `"version":3,"x":1,"x":1`)},
		{name: "signature of TCB info twice", want: info, words: "duplicate", made: func(w *world) {
			w.c.TCBInfo = []byte(strings.Replace(string(w.c.TCBInfo), `,"signature"`, `,"signature":"`+strings.Repeat("00", 64)+`","signature"`, 1))
		}},
		{name: "body of TCB info twice", want: info, words: "duplicate", made: func(w *world) {
			w.c.TCBInfo = []byte(strings.Replace(string(w.c.TCBInfo), `,"signature"`, `,"tcbInfo":{},"signature"`, 1))
		}},
		{name: "key of a level twice", want: info, words: "duplicate", made: infoEdit(`"tcbStatus":"OutOfDate"`, `"tcbStatus":"OutOfDate","tcbStatus":"UpToDate"`)},
		{name: "key of identity twice", want: id, words: "duplicate", made: identityEdit(`"version":2`, `"version":2,"version":2`)},
		{name: "data after TCB info", want: info, words: "trailing data", made: appendTo(" {}")},
		{name: "zero byte after TCB info", want: info, words: "trailing data", made: appendTo("\x00")},
		{name: "data after identity", want: id, words: "trailing data", made: func(w *world) { w.c.QEIdentity = append(w.c.QEIdentity, '}') }},
		{name: "deep TCB info", want: infoInvalid, words: "too large", made: infoEdit(`"version":3`, deep)},
		{name: "deep identity", want: verdict{id: verify.StatusSGXEnclaveIdentityInvalid, quote: verify.StatusUnsupportedQEIdentityFormat}, words: "too large", made: identityEdit(`"version":2`, strings.Replace(deep, "3", "2", 1))},
		{name: "TCB info of 2 MiB", want: info, words: "too large", made: appendTo(strings.Repeat(" ", 2<<20))},
		{name: "two levels of the same SVNs", want: infoInvalid, words: "duplicate",
			edit: func(w *world) {
				l := w.info().Levels
				l[1].SGX, l[1].TDX, l[1].PCESVN = l[0].SGX, l[0].TDX, l[0].PCESVN
			}},
		{name: "status that does not exist", want: infoInvalid, words: `"Fine"`, made: infoEdit(`"tcbStatus":"UpToDate","advisory`, `"tcbStatus":"Fine","advisory`),
			edit: func(w *world) { w.info().Levels[0].AdvisoryIDs = []string{"X"} }},
		{name: "version 4 of TCB info", want: infoInvalid, words: "unknown version", made: infoEdit(`"version":3`, `"version":4`)},
		{name: "TCB info and identity exchanged", words: "tcbInfo",
			want: verdict{tcb: verify.StatusSGXTCBInfoUnsupportedFormat, id: verify.StatusSGXEnclaveIdentityUnsupportedFormat, quote: verify.StatusUnsupportedTCBInfoFormat},
			made: func(w *world) { w.c.TCBInfo, w.c.QEIdentity = w.c.QEIdentity, w.c.TCBInfo }},
	}
}

// certificateBad is what a PCK certificate gives that cannot be read for its
// form; extension the same for an extension. The leaf comes first in the text,
// where Intel's library takes it for the root.
var (
	certificateBad = verdict{pck: verify.StatusUnsupportedCertFormat, quote: verify.StatusUnsupportedPCKCertFormat}
	extensionBad   = verdict{pck: verify.StatusSGXRootCAInvalidExtensions, quote: verify.StatusInvalidPCKCert}
)

func newKey(curve elliptic.Curve) crypto.Signer {
	k, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
}

var rsaKey = func() crypto.Signer {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
}()

// badCertificates is about what stands in certificates.
func badCertificates() []bad {
	oid := asn1.ObjectIdentifier{1, 2, 3, 4}
	leaf := func(edit func(*testpki.Template)) func(*world) { return func(w *world) { w.reissue(edit) } }
	key := func(k crypto.Signer) func(*world) { return leaf(func(t *testpki.Template) { t.Key = k }) }
	signerBad := func(k crypto.Signer) func(*world) {
		return func(w *world) {
			w.pki.TCBSigning = w.pki.TCBSigning.Reissue(func(t *testpki.Template) { t.Key = k })
		}
	}
	signer := all(verify.StatusOK, verify.StatusUnsupportedCertFormat)
	intermediate := func(edit func(*testpki.Template)) func(*world) {
		return func(w *world) { w.pki.PlatformCA = w.pki.PlatformCA.Reissue(edit) }
	}
	usage := func(u dcap.KeyUsage) func(*testpki.Template) {
		return func(t *testpki.Template) { t.Set(testpki.KeyUsage(u)) }
	}
	return []bad{
		{name: "PCK on P-384", want: certificateBad, words: "secp384r1", edit: func(w *world) { key(newKey(elliptic.P384()))(w); w.q.QEReportSigner = w.pki.Key("any") }},
		{name: "PCK on P-224", want: certificateBad, words: "secp224r1", edit: func(w *world) { key(newKey(elliptic.P224()))(w); w.q.QEReportSigner = w.pki.Key("any") }},
		{name: "PCK on P-521", want: certificateBad, words: "secp521r1", edit: func(w *world) { key(newKey(elliptic.P521()))(w); w.q.QEReportSigner = w.pki.Key("any") }},
		{name: "PCK of RSA", want: certificateBad, words: "rsaEncryption", edit: func(w *world) { key(rsaKey)(w); w.q.QEReportSigner = w.pki.Key("any") }},
		{name: "PCK signed with P-384", want: certificateBad, words: "ecdsa-with-SHA384", edit: leaf(signedBy(newKey(elliptic.P384())))},
		{name: "PCK signed with RSA", want: certificateBad, words: "sha256WithRSAEncryption", edit: leaf(signedBy(rsaKey))},
		{name: "TCB signer on P-384", want: signer, words: "secp384r1", edit: signerBad(newKey(elliptic.P384()))},
		{name: "TCB signer of RSA", want: signer, words: "rsaEncryption", edit: signerBad(rsaKey)},
		{name: "PCK not on the curve", want: certificateBad, words: "no point of P-256", edit: leaf(func(t *testpki.Template) {
			t.EditTBS = func(b []byte) []byte { return replace(b, publicPoint(t.Key), append(publicPoint(t.Key)[:64:64], 0)) }
		})},
		{name: "PCK certificate of version 1", want: certificateBad, words: "version 1", edit: leaf(func(t *testpki.Template) { t.Version = 1 })},

		{name: "critical extension that nobody knows", want: extensionBad, words: "critical and not known",
			edit: leaf(func(t *testpki.Template) { t.Set(pkix.Extension{Id: oid, Critical: true, Value: []byte{5, 0}}) })},
		{name: "the same in the intermediate CA", want: verdict{pck: verify.StatusSGXIntermediateCAInvalidExtensions, quote: verify.StatusInvalidPCKCert}, words: "critical and not known",
			edit: intermediate(func(t *testpki.Template) { t.Set(pkix.Extension{Id: oid, Critical: true, Value: []byte{5, 0}}) })},
		{name: "the same in the TCB signer, behind the root", want: verdict{tcb: verify.StatusSGXTCBSigningCertInvalidExtensions}, words: "critical and not known",
			made: func(w *world) {
				w.c.TCBInfoChain = pem(w.pki.Root, w.pki.TCBSigning.Reissue(func(t *testpki.Template) {
					t.Set(pkix.Extension{Id: oid, Critical: true, Value: []byte{5, 0}})
				}))
			}},
		{name: "the same in the PCK certificate, behind the others", want: verdict{pck: verify.StatusSGXPCKInvalidExtensions, quote: verify.StatusInvalidPCKCert}, words: "critical and not known",
			edit: func(w *world) {
				w.reissue(func(t *testpki.Template) { t.Set(pkix.Extension{Id: oid, Critical: true, Value: []byte{5, 0}}) })
				chainOf(func(w *world) []*testpki.Cert { return []*testpki.Cert{w.pki.Root, w.pki.PlatformCA, w.m.PCK} })(w)
			}},
		{name: "extension twice", want: extensionBad, words: "twice", edit: leaf(func(t *testpki.Template) { t.Extensions = append(t.Extensions, t.Extensions[0]) })},
		{name: "no subject key identifier", want: extensionBad, words: "subjectKeyIdentifier", edit: leaf(func(t *testpki.Template) { t.Remove(testpki.OIDSubjectKeyID) })},
		{name: "no SGX extension", want: verdict{pck: verify.StatusSGXPCKInvalidExtensions, quote: verify.StatusInvalidPCKCert}, words: "SGX extension",
			edit: leaf(func(t *testpki.Template) { t.SGX = nil })},
		{name: "SGX extension without PPID", want: verdict{pck: verify.StatusSGXPCKInvalidExtensions, quote: verify.StatusInvalidPCKCert}, words: "extensions.sgx", edit: leaf(func(t *testpki.Template) {
			fields := testpki.SGXFields(t.SGX)
			t.SGX = nil
			t.Set(pkix.Extension{Id: testpki.OIDSGX, Value: testpki.EncodeSGX(fields[1:])})
		})},
		{name: "intermediate that is no CA", want: verdict{pck: verify.StatusSGXIntermediateCAInvalid}, words: "may not sign others",
			edit: intermediate(func(t *testpki.Template) { t.Set(testpki.BasicConstraints(false, -1)) })},
		{name: "intermediate that may not sign certificates", want: verdict{pck: verify.StatusSGXIntermediateCAInvalid}, words: "may not sign others", edit: intermediate(usage(dcap.KeyUsageCRLSign))},
		{name: "root that is no CA", want: all(verify.StatusSGXRootCAInvalid, verify.StatusSGXRootCAInvalid), words: "may not sign others",
			edit: func(w *world) {
				w.pki.Root = w.pki.Root.Reissue(func(t *testpki.Template) { t.Set(testpki.BasicConstraints(false, -1)) })
			}},
		{name: "PCK certificate that is a CA", want: verdict{pck: verify.StatusSGXPCKInvalid}, words: "not one for signatures", edit: leaf(func(t *testpki.Template) { t.Set(testpki.BasicConstraints(true, 0)) })},
		{name: "PCK certificate that may not sign", want: verdict{pck: verify.StatusSGXPCKInvalid}, words: "not one for signatures", edit: leaf(usage(dcap.KeyUsageCertSign))},
		{name: "TCB signer that may not sign", want: all(verify.StatusOK, verify.StatusSGXTCBSigningCertInvalid), words: "not one for signatures",
			edit: func(w *world) { w.pki.TCBSigning = w.pki.TCBSigning.Reissue(usage(dcap.KeyUsageCertSign)) }},
		{name: "PCK certificate issued by the root", want: verdict{pck: verify.StatusSGXPCKInvalidIssuer, quote: verify.StatusInvalidPCKCRL}, words: "is issued by",
			edit: func(w *world) {
				w.reissue(func(t *testpki.Template) { t.Issuer, t.Signer = w.pki.Root.Template.Subject, w.pki.Root.Key() })
			}},
		{name: "PCK certificate issued by another PCK", want: verdict{pck: verify.StatusSGXPCKInvalidIssuer}, words: "not signed with the key",
			edit: func(w *world) { w.reissue(signedBy(w.pki.Platform().PCK.Key())) }},
		{name: "root twice in the chain", want: verdict{pck: verify.StatusUnsupportedCertFormat}, words: "three certificates, this has 4",
			edit: chainOf(func(w *world) []*testpki.Cert {
				return []*testpki.Cert{w.m.PCK, w.pki.PlatformCA, w.pki.Root, w.pki.Root}
			})},
		{name: "extra certificate in the signing chain", want: all(verify.StatusOK, verify.StatusUnsupportedCertFormat), words: "two certificates, this has 3",
			made: func(w *world) {
				chain := pem(w.pki.TCBSigning, w.pki.PlatformCA, w.pki.Root)
				w.c.TCBInfoChain, w.c.QEIdentityChain = chain, chain
			}},
		{name: "signing chain of one certificate", want: all(verify.StatusOK, verify.StatusUnsupportedCertFormat), words: "two certificates, this has 1",
			made: func(w *world) {
				w.c.TCBInfoChain, w.c.QEIdentityChain = w.pki.TCBSigning.PEM(), w.pki.TCBSigning.PEM()
			}},
		{name: "text before the chain", want: certificateBad, words: "expected", edit: func(w *world) { w.q.CertData = append([]byte("# PCK\n"), w.m.ChainPEM()...) }},
		{name: "another root", want: all(verify.StatusSGXPCKCertChainUntrusted, verify.StatusSGXTCBSigningCertChainUntrusted), words: "root that is not trusted", edit: otherRoot},
		{name: "root of Intel's name and another key", want: all(verify.StatusSGXPCKCertChainUntrusted, verify.StatusSGXTCBSigningCertChainUntrusted), words: "trusted is Intel's",
			edit: func(w *world) { w.options = nil }},
	}
}

// replace replaces one sequence of bytes by another of the same length.
func replace(b, old, new []byte) []byte {
	s := strings.Replace(string(b), string(old), string(new), 1)
	if s == string(b) || len(s) != len(b) {
		panic("nothing to replace")
	}
	return []byte(s)
}

// publicPoint is a public key as an uncompressed point.
func publicPoint(k crypto.Signer) []byte {
	b, err := k.Public().(*ecdsa.PublicKey).Bytes()
	if err != nil {
		panic(err)
	}
	return b
}

// badDates is about documents that are out of their time, on both sides. What
// is only expired is genuine all the same.
func badDates() []bad {
	pckExpired, signerExpired := verify.StatusSGXPCKCertChainExpired, verify.StatusSGXSigningCertChainExpired
	begin := func(w *world) func(*testpki.Template) {
		return func(t *testpki.Template) { t.NotBefore = w.pki.Now.Add(time.Second) }
	}
	until, from := "was valid until 2026-06-01T11:59:59Z", "valid from 2026-06-01T12:00:01Z on"
	at := func(d time.Duration) func(*world) { return func(w *world) { w.at = w.at.Add(d) } }
	crlFrom := func(w *world) func(*testpki.CRLTemplate) {
		return func(t *testpki.CRLTemplate) { t.ThisUpdate = w.pki.Now.Add(time.Second) }
	}
	list := []bad{
		{name: "root expired", want: all(pckExpired, signerExpired), words: until, edit: func(w *world) { w.pki.Root = w.pki.Root.Reissue(expire(w)) }},
		{name: "root of the future", want: all(pckExpired, signerExpired), words: from, edit: func(w *world) { w.pki.Root = w.pki.Root.Reissue(begin(w)) }},
		{name: "intermediate CA expired", want: verdict{pck: pckExpired}, words: until, edit: func(w *world) { w.pki.PlatformCA = w.pki.PlatformCA.Reissue(expire(w)) }},
		{name: "intermediate CA of the future", want: verdict{pck: pckExpired}, words: from, edit: func(w *world) { w.pki.PlatformCA = w.pki.PlatformCA.Reissue(begin(w)) }},
		{name: "PCK certificate expired", want: verdict{pck: pckExpired}, words: until, edit: func(w *world) { w.reissue(expire(w)) }},
		{name: "PCK certificate of the future", want: verdict{pck: pckExpired}, words: from, edit: func(w *world) { w.reissue(begin(w)) }},
		{name: "TCB signer expired", want: all(verify.StatusOK, signerExpired), words: until, edit: func(w *world) { w.pki.TCBSigning = w.pki.TCBSigning.Reissue(expire(w)) }},
		{name: "TCB signer of the future", want: all(verify.StatusOK, signerExpired), words: from, edit: func(w *world) { w.pki.TCBSigning = w.pki.TCBSigning.Reissue(begin(w)) }},
		{name: "root revocation list expired", want: all(verify.StatusSGXCRLExpired, verify.StatusSGXCRLExpired), words: "a newer one is needed", made: func(w *world) { w.c.RootCRL = w.pki.Root.CRL(expired) }},
		{name: "root revocation list of the future", want: all(verify.StatusSGXCRLExpired, verify.StatusSGXCRLExpired), words: "is after the time", made: func(w *world) { w.c.RootCRL = w.pki.Root.CRL(crlFrom(w)) }},
		{name: "PCK revocation list expired", want: verdict{pck: verify.StatusSGXCRLExpired}, words: "a newer one is needed", made: func(w *world) { w.c.PCKCRL = w.pki.PlatformCA.CRL(expired) }},
		{name: "PCK revocation list of the future", want: verdict{pck: verify.StatusSGXCRLExpired}, words: "is after the time", made: func(w *world) { w.c.PCKCRL = w.pki.PlatformCA.CRL(crlFrom(w)) }},
		{name: "TCB info expired", want: verdict{tcb: verify.StatusSGXTCBInfoExpired}, words: "a newer one is needed", edit: func(w *world) { w.info().NextUpdate = w.pki.Now.Add(-time.Second) }},
		{name: "TCB info of the future", want: verdict{tcb: verify.StatusSGXTCBInfoExpired}, words: "is after the time", edit: func(w *world) { w.info().IssueDate = w.pki.Now.Add(time.Second) }},
		{name: "identity expired", want: verdict{id: verify.StatusSGXEnclaveIdentityExpired}, words: "a newer one is needed", edit: func(w *world) { w.identity().NextUpdate = w.pki.Now.Add(-time.Second) }},
		{name: "identity of the future", want: verdict{id: verify.StatusSGXEnclaveIdentityExpired}, words: "is after the time", edit: func(w *world) { w.identity().IssueDate = w.pki.Now.Add(time.Second) }},
		{name: "a century later", want: all(pckExpired, signerExpired), words: "was valid until", edit: at(100 * 365 * 24 * time.Hour)},
		{name: "a century before", want: verdict{pck: verify.StatusSGXCRLExpired, tcb: verify.StatusSGXCRLExpired, id: verify.StatusSGXCRLExpired}, words: "is after the time", edit: at(-100 * 365 * 24 * time.Hour)},
	}
	for i := range list {
		list[i].authentic = true
	}
	parameter := verify.StatusInvalidParameter
	return append(list, bad{name: "at no time", want: verdict{parameter, parameter, parameter, parameter}, words: "no time was given", edit: func(w *world) { w.at = time.Time{} }})
}

// badRevocations is about what is revoked, and lists that are wrong.
func badRevocations() []bad {
	list := func(edit func(*testpki.CRLTemplate)) func(*world) {
		return func(w *world) { w.c.PCKCRL = w.pki.PlatformCA.CRL(edit) }
	}
	format := verdict{pck: verify.StatusSGXCRLUnsupportedFormat, quote: verify.StatusUnsupportedPCKRLFormat}
	extension := verdict{pck: verify.StatusSGXCRLInvalidExtensions, quote: verify.StatusUnsupportedPCKRLFormat}
	return []bad{
		{name: "PCK certificate revoked", want: verdict{pck: verify.StatusSGXPCKRevoked, quote: verify.StatusPCKRevoked}, words: "revoked by", edit: func(w *world) { w.pki.PlatformCA.Revoke(w.m.PCK) }},
		{name: "PCK certificate revoked, after 50000 others", want: verdict{pck: verify.StatusSGXPCKRevoked, quote: verify.StatusPCKRevoked}, words: "revoked by",
			edit: func(w *world) { w.pki.PlatformCA.Revoke(w.m.PCK) },
			made: list(func(t *testpki.CRLTemplate) { t.Fill(50000); t.Revoked = append(t.Revoked[1:], t.Revoked[0]) })},
		{name: "intermediate CA revoked", want: verdict{pck: verify.StatusSGXIntermediateCARevoked}, words: "is revoked by the root", edit: func(w *world) { w.pki.Root.Revoke(w.pki.PlatformCA) }},
		{name: "TCB signer revoked", want: all(verify.StatusOK, verify.StatusSGXTCBSigningCertRevoked), words: "is revoked by the root", edit: func(w *world) { w.pki.Root.Revoke(w.pki.TCBSigning) }},
		{name: "list of 9 MB", want: format, words: "too large", made: list(func(t *testpki.CRLTemplate) { t.Fill(175000) })},
		{name: "list of version 1", want: format, words: "version 1", made: list(func(t *testpki.CRLTemplate) { t.Version = 1 })},
		{name: "list without next update", want: format, made: list(func(t *testpki.CRLTemplate) { t.NextUpdate = time.Time{} })},
		{name: "list without number", want: format, words: "has no number", made: list(func(t *testpki.CRLTemplate) { t.Extensions = t.Extensions[1:] })},
		{name: "list with a critical extension that nobody knows", want: extension, words: "critical and not known",
			made: list(func(t *testpki.CRLTemplate) {
				t.Extensions = append(t.Extensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: []byte{0x30, 0}})
			})},
		{name: "list signed with P-384", want: format, words: "ecdsa-with-SHA384", made: list(func(t *testpki.CRLTemplate) { t.Signer = newKey(elliptic.P384()) })},
		{name: "data after the list", want: format, words: "trailing data", made: func(w *world) { w.c.PCKCRL = append(w.c.PCKCRL, 0) }},
	}
}

// badMatches is about good documents that are those of something else.
func badMatches() []bad {
	mismatch := verdict{quote: verify.StatusTCBInfoMismatch}
	other := [6]byte{1, 2, 3, 4, 5, 6}
	return []bad{
		{name: "TCB info of another FMSPC", want: mismatch, words: "FMSPC", made: func(w *world) {
			m := w.pki.Platform(testpki.FMSPC(other))
			w.c.TCBInfo = m.Collateral(w.tee()).TCBInfo
		}},
		{name: "TCB info of another PCE ID", want: mismatch, words: "PCEID", edit: func(w *world) { w.m.SGX.PCEID = [2]byte{0, 1}; w.reissue() }},
		{name: "TCB info for TDX", kinds: sgxKinds, want: mismatch, words: "is for TDX", made: func(w *world) { w.c.TCBInfo = w.m.Collateral(dcap.TEETDX).TCBInfo }},
		{name: "TCB info for SGX", kinds: tdxKinds, want: mismatch, words: "is for SGX", made: func(w *world) { w.c.TCBInfo = w.m.Collateral(dcap.TEESGX).TCBInfo }},
		{name: "TCB info of version 2", kinds: tdxKinds, want: mismatch, words: "is for SGX", made: func(w *world) {
			info := *w.m.TCBInfo(dcap.TEESGX)
			info.Version = 2
			w.c.TCBInfo = w.pki.TCBInfoJSON(&info)
		}},
		{name: "identity of the QE of TDX", kinds: sgxKinds, want: verdict{quote: verify.StatusQEIdentityMismatch}, words: "TD_QE", made: func(w *world) { w.c.QEIdentity = w.pki.IdentityJSON(w.pki.TDQE) }},
		{name: "identity of the QE of SGX", kinds: tdxKinds, want: verdict{quote: verify.StatusQEIdentityMismatch}, words: "TD_QE", made: func(w *world) { w.c.QEIdentity = w.pki.IdentityJSON(w.pki.QE) }},
		{name: "identity of the QvE", want: verdict{quote: verify.StatusQEIdentityMismatch}, words: "QVE", made: func(w *world) { w.c.QEIdentity = w.pki.IdentityJSON(w.pki.QVE) }},
		{name: "PCK chain of another platform", want: verdict{quote: verify.StatusInvalidQEReportSignature}, words: "QE report", edit: func(w *world) { w.q.CertData = w.pki.Platform().ChainPEM() }},
		{name: "PCK chain of another platform, given aside", want: verdict{quote: verify.StatusInvalidQEReportSignature}, words: "QE report",
			edit: func(w *world) { w.q.CertType = dcap.CertPPIDClear }, made: func(w *world) { w.c.PCKChain = w.pki.Platform().ChainPEM() }},
		{name: "TDX module that nobody knows", kinds: tdxKinds, want: verdict{quote: verify.StatusTDXModuleMismatch}, words: `"TDX_02"`, edit: func(w *world) { w.q.TD.TEETCBSVN[1] = 2 }},
		{name: "TDX module below all levels", kinds: tdxKinds, want: verdict{quote: verify.StatusTCBNotSupported}, words: "TDX_01", authentic: true, edit: func(w *world) { w.q.TD.TEETCBSVN[0] = 1 }},
		{name: "a TDX module that nobody knows runs now", kinds: []kind{tdx15, tdx15x}, want: verdict{quote: verify.StatusTCBNotSupported}, words: "runs now", authentic: true,
			edit: func(w *world) { w.q.TD.TEETCBSVN2[1] = 2 }},
		{name: "MRSIGNERSEAM", kinds: tdxKinds, want: verdict{quote: verify.StatusTDXModuleMismatch}, words: "MRSIGNERSEAM", edit: func(w *world) { w.q.TD.MRSignerSEAM[0] = 1 }},
		{name: "SEAMATTRIBUTES", kinds: tdxKinds, want: verdict{quote: verify.StatusTDXModuleMismatch}, words: "SEAMATTRIBUTES", edit: func(w *world) { w.q.TD.SEAMAttributes[7] = 0x80 }},
		{name: "attributes of the module in TCB info", kinds: tdxKinds, want: verdict{quote: verify.StatusTDXModuleMismatch}, words: "SEAMATTRIBUTES", edit: func(w *world) {
			w.info().TDXModuleIdentities[1].Attributes[0] = 1
			w.q.TD.SEAMAttributes[0] = 1 // that they are the same does not help
		}},
		{name: "no level met", want: verdict{quote: verify.StatusTCBNotSupported}, words: "none of the levels", authentic: true, edit: func(w *world) { w.m.SGX.PCESVN = 1; w.reissue() }},
		{name: "out of date", want: verdict{quote: verify.StatusTCBOutOfDate}, words: "short of the level", authentic: true, edit: func(w *world) { testpki.Status(dcap.OutOfDate)(w.m); w.reissue(); w.quote() }},
		{name: "revoked TCB", want: verdict{quote: verify.StatusTCBRevoked}, words: "withdrawn its trust", authentic: true, edit: func(w *world) { testpki.Status(dcap.Revoked)(w.m); w.reissue(); w.quote() }},
	}
}

// bind has the QE report bind what the quote says is its attestation key.
func bind(p *testpki.Parts) {
	sum := sha256.Sum256(append(append([]byte{}, p.PublicKey...), p.AuthData...))
	copy(p.QEReport[320:], sum[:])
}

// badQuotes is about quotes whose parts do not belong together.
func badQuotes() []bad {
	format := verdict{quote: verify.StatusUnsupportedQuoteFormat}
	unsigned := func(f func(*testpki.Parts)) func(*world) { return func(w *world) { w.q.EditUnsigned = f } }
	return []bad{
		{name: "vendor", want: format, words: "vendor ID", edit: func(w *world) { w.q.Header.QEVendorID[0]++ }},
		{name: "platform manifest", want: verdict{quote: verify.StatusUnsupportedQuoteFormat}, words: "platform manifest", edit: func(w *world) { w.q.CertType = dcap.CertPlatformManifest }},
		{name: "attestation key not on the curve", want: format, words: "attestation key", edit: unsigned(func(p *testpki.Parts) { p.PublicKey[63] ^= 1; bind(p) })},
		{name: "attestation key of zeros", want: format, words: "attestation key", edit: unsigned(func(p *testpki.Parts) { clear(p.PublicKey); bind(p) })},
		{name: "attestation key above the field", want: format, words: "attestation key", edit: unsigned(func(p *testpki.Parts) {
			for i := range p.PublicKey {
				p.PublicKey[i] = 0xff
			}
			bind(p)
		})},
		{name: "attestation key that the QE report is not for", want: verdict{quote: verify.StatusInvalidQEReportData}, words: "not for this attestation key",
			edit: func(w *world) {
				w.q.EditUnsigned = func(p *testpki.Parts) { copy(p.PublicKey, publicPoint(w.pki.Key("other"))[1:]) }
				w.q.Signer = w.pki.Key("other")
			}},
		{name: "QE report data", want: verdict{quote: verify.StatusInvalidQEReportData}, words: "not for this attestation key", edit: unsigned(func(p *testpki.Parts) { p.QEReport[351] ^= 1 })},
		{name: "QE authentication data", want: verdict{quote: verify.StatusInvalidQEReportData}, words: "not for this attestation key", edit: unsigned(func(p *testpki.Parts) { p.AuthData = []byte("other") })},
		{name: "QE report of somebody else", want: verdict{quote: verify.StatusInvalidQEReportSignature}, words: "QE report", edit: func(w *world) { w.q.QEReportSigner = w.pki.Key("other") }},
		{name: "quote of somebody else", want: verdict{quote: verify.StatusInvalidQuoteSignature}, words: "its attestation key", edit: func(w *world) { w.q.Signer = w.pki.Key("other") }},
		{name: "body of another quote", want: verdict{quote: verify.StatusInvalidQuoteSignature}, words: "its attestation key",
			edit: func(w *world) { w.q.EditSigned = func(p *testpki.Parts) { p.Body[len(p.Body)-1] ^= 1 } }},
		{name: "data after the quote", want: format, words: "trailing data", made: func(w *world) { w.raw = append(w.raw, 0, 0, 1) }},
		{name: "quote of 200 KB", want: format, words: "too large", made: func(w *world) { w.raw = append(w.raw, make([]byte, 200<<10)...) }},
	}
}
