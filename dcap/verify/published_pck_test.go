package verify_test

import (
	"crypto"
	"crypto/x509/pkix"
	"strconv"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/testpki"
)

func decimal(n int) string { return strconv.Itoa(n) }

// all is the verdict of what concerns each chain.
func all(pck, signer verify.Status) verdict { return verdict{pck: pck, tcb: signer, id: signer} }

// expire ends the validity of a certificate a second ago.
func expire(w *world) func(*testpki.Template) {
	return func(t *testpki.Template) { t.NotAfter = w.pki.Now.Add(-time.Second) }
}

// flip changes the last bit of something.
func flip(b []byte) []byte {
	b[len(b)-1] ^= 1
	return b
}

// signedBy replaces the signer of a certificate.
func signedBy(key crypto.Signer) func(*testpki.Template) {
	return func(t *testpki.Template) { t.Signer = key }
}

// withoutCRLSign is a CA that may not sign revocation lists.
func withoutCRLSign(t *testpki.Template) { t.Set(testpki.KeyUsage(dcap.KeyUsageCertSign)) }

// chainOf puts other certificates into the quote.
func chainOf(certs func(*world) []*testpki.Cert) func(*world) {
	return func(w *world) { w.q.CertData = pem(certs(w)...) }
}

// expired makes a list out of its time.
func expired(t *testpki.CRLTemplate) { t.NextUpdate = t.ThisUpdate.Add(time.Second) }

// otherRoot trusts another root of the same name.
func otherRoot(w *world) {
	w.options = []verify.Option{verify.WithRoots(testpki.New(testpki.Seed("other")).Root.DER)}
}

// noRoot trusts a certificate that is none.
func noRoot(w *world) { w.options = []verify.Option{verify.WithRoots(w.pki.PlatformCA.DER)} }

// pckRows are about the chain of the PCK certificate.
func pckRows() []row {
	return []row{
		{from: "PCK/1 IT-PCK/2 IT-CRL/2 IT-CRL/4", name: "all good"},
		{from: "PCK/2", name: "PCK certificate revoked", want: verdict{pck: verify.StatusSGXPCKRevoked, quote: verify.StatusPCKRevoked},
			edit: func(w *world) { w.pki.PlatformCA.Revoke(w.pki.TCBSigning, w.m.PCK) }},
		{from: "PCK/3", name: "intermediate CA revoked", want: verdict{pck: verify.StatusSGXIntermediateCARevoked},
			edit: func(w *world) { w.pki.Root.Revoke(w.pki.PlatformCA) }},
		{from: "PCK/4", name: "PCK CA may not sign revocation lists", want: verdict{pck: verify.StatusSGXCRLInvalid},
			edit: func(w *world) { w.pki.PlatformCA = w.pki.PlatformCA.Reissue(withoutCRLSign) }},
		{from: "PCK/5", name: "root may not sign revocation lists", want: all(verify.StatusSGXCRLInvalid, verify.StatusSGXCRLInvalid),
			edit: func(w *world) { w.pki.Root = w.pki.Root.Reissue(withoutCRLSign) }},
		{from: "PCK/6 CRL/6 SIGNER/2", name: "another root is trusted",
			want: all(verify.StatusSGXPCKCertChainUntrusted, verify.StatusSGXTCBSigningCertChainUntrusted), edit: otherRoot},
		{from: "PCK/7 CRL/8 SIGNER/3", name: "what is trusted is no root",
			want: all(verify.StatusTrustedRootCAInvalid, verify.StatusTrustedRootCAInvalid), edit: noRoot},
		{from: "PCK/8", name: "root expired", want: all(verify.StatusSGXPCKCertChainExpired, verify.StatusSGXSigningCertChainExpired),
			edit: func(w *world) { w.pki.Root = w.pki.Root.Reissue(expire(w)) }},
		{from: "PCK/9", name: "intermediate CA expired", want: verdict{pck: verify.StatusSGXPCKCertChainExpired},
			edit: func(w *world) { w.pki.PlatformCA = w.pki.PlatformCA.Reissue(expire(w)) }},
		{from: "PCK/10", name: "PCK certificate expired", want: verdict{pck: verify.StatusSGXPCKCertChainExpired},
			edit: func(w *world) { w.reissue(expire(w)) }},
		{from: "PCK/11 ID/6 INFO/6", name: "root revocation list expired", want: all(verify.StatusSGXCRLExpired, verify.StatusSGXCRLExpired),
			made: func(w *world) { w.c.RootCRL = w.pki.Root.CRL(expired) }},
		{from: "PCK/12", name: "PCK revocation list expired", want: verdict{pck: verify.StatusSGXCRLExpired},
			made: func(w *world) { w.c.PCKCRL = w.pki.PlatformCA.CRL(expired) }},
		{from: "PCK/13", name: "PCK certificate of another name", want: verdict{pck: verify.StatusSGXPCKMissing, quote: verify.StatusInvalidPCKCert},
			edit: func(w *world) { w.reissue(func(t *testpki.Template) { t.Subject.CommonName = "Intel SGX" }) }},
		{from: "PCK/14", name: "PCK certificate of another issuer", want: verdict{pck: verify.StatusSGXPCKInvalidIssuer, quote: verify.StatusInvalidPCKCRL},
			edit: func(w *world) { w.reissue(func(t *testpki.Template) { t.Issuer.CommonName = "Other CA" }) }},
		{from: "PCK/15", name: "PCK certificate not signed by its issuer", want: verdict{pck: verify.StatusSGXPCKInvalidIssuer},
			edit: func(w *world) { w.reissue(signedBy(w.pki.Key("other"))) }},
		// Intel's mocks answer that a certificate is missing.
		{from: "PCK/16", name: "intermediate CA not signed by the root", want: verdict{pck: verify.StatusSGXIntermediateCAInvalidIssuer},
			edit: func(w *world) { w.pki.PlatformCA = w.pki.PlatformCA.Reissue(signedBy(w.pki.Key("other"))) }},
		{from: "PCK/17 ID/2 INFO/2 SIGNER/9", name: "root not signed with its own key", want: all(verify.StatusSGXRootCAInvalidIssuer, verify.StatusSGXRootCAInvalidIssuer),
			edit: func(w *world) {
				w.pki.Root = w.pki.Root.Reissue(func(t *testpki.Template) { t.EditSignature = flip })
			}},
		{from: "PCK/18", name: "no PCK certificate", want: verdict{pck: verify.StatusSGXPCKMissing, quote: verify.StatusInvalidPCKCert},
			edit: chainOf(func(w *world) []*testpki.Cert { return []*testpki.Cert{w.pki.TCBSigning, w.pki.PlatformCA, w.pki.Root} })},
		{from: "PCK/19", name: "no intermediate CA", want: verdict{pck: verify.StatusSGXIntermediateCAMissing},
			edit: chainOf(func(w *world) []*testpki.Cert { return []*testpki.Cert{w.m.PCK, w.pki.TCBSigning, w.pki.Root} })},
		{from: "PCK/20 CRL/7 CRL/11 CRL/14", name: "no root", want: verdict{pck: verify.StatusSGXRootCAMissing},
			edit: chainOf(func(w *world) []*testpki.Cert { return []*testpki.Cert{w.m.PCK, w.pki.PlatformCA, w.pki.TCBSigning} })},
	}
}

// crlRows are about revocation lists. Many of Intel's rows are of a function
// that it deprecated, which checks a list alone with a chain of its own; here a
// list is always checked with the chain that it is for, and the code is that of
// the function which took its place.
func crlRows() []row {
	unknown := verdict{pck: verify.StatusSGXCRLUnknownIssuer, quote: verify.StatusInvalidPCKCRL}
	return []row{
		{from: "CRL/1 CRL/5 CRL/13", name: "lists with what Intel's have, and entries",
			edit: func(w *world) {
				w.pki.PlatformCA.Revoke(w.pki.TCBSigning)
				w.pki.Root.Revoke(w.pki.ProcessorCA)
			}},
		{from: "CRL/2", name: "PCK list not signed by its issuer", want: verdict{pck: verify.StatusSGXCRLInvalidSignature},
			made: func(w *world) {
				w.c.PCKCRL = w.pki.PlatformCA.CRL(func(t *testpki.CRLTemplate) { t.Signer = w.pki.Key("other") })
			}},
		{from: "CRL/3", name: "PCK list does not name the key of its issuer", want: verdict{pck: verify.StatusSGXCRLInvalidExtensions},
			made: func(w *world) {
				w.c.PCKCRL = w.pki.PlatformCA.CRL(func(t *testpki.CRLTemplate) { t.Extensions = []pkix.Extension{testpki.CRLNumber(1)} })
			}},
		{from: "CRL/4 CRL/9", name: "list of the root for that of the PCK CA", want: unknown, made: func(w *world) { w.c.PCKCRL = w.pki.Root.CRL() }},
		{from: "CRL/21", name: "list of an issuer that nobody knows", want: unknown, made: func(w *world) {
			w.c.PCKCRL = w.pki.PlatformCA.CRL(func(t *testpki.CRLTemplate) { t.Issuer = dcap.Name{} })
		}},
		{from: "CRL/12", name: "Processor CA", edit: func(w *world) {
			w.m = w.pki.Platform(testpki.SinglePackage)
			w.quote()
		}},
		{from: "CRL/15", name: "root not signed with its own key", want: all(verify.StatusSGXRootCAInvalidIssuer, verify.StatusSGXRootCAInvalidIssuer),
			edit: func(w *world) { w.pki.Root = w.pki.Root.Reissue(signedBy(w.pki.Key("other"))) }},
		{from: "CRL/16 CRL/17 CRL/18", name: "a chain of four", want: verdict{pck: verify.StatusUnsupportedCertFormat},
			edit: chainOf(func(w *world) []*testpki.Cert {
				return []*testpki.Cert{w.m.PCK, w.pki.PlatformCA, w.pki.ProcessorCA, w.pki.Root}
			})},
		{from: "CRL/20", name: "intermediate CA of another issuer", want: verdict{pck: verify.StatusSGXIntermediateCAInvalidIssuer},
			edit: func(w *world) {
				w.pki.PlatformCA = w.pki.PlatformCA.Reissue(func(t *testpki.Template) { t.Issuer.CommonName = "Other Root CA" })
			}},
	}
}
