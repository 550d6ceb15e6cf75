package verify_test

import (
	"time"

	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/testpki"
)

// signer makes the chain of TCB info, or of the identity, one of another signer
// with the same key.
func signer(identity bool, edits func(w *world) []func(*testpki.Template)) func(*world) {
	return func(w *world) {
		chain := pem(w.pki.TCBSigning.Reissue(edits(w)...), w.pki.Root)
		if identity {
			w.c.QEIdentityChain = chain
		} else {
			w.c.TCBInfoChain = chain
		}
	}
}

func edit(f func(*testpki.Template)) func(*world) []func(*testpki.Template) {
	return func(*world) []func(*testpki.Template) { return []func(*testpki.Template){f} }
}

func expiredSigner(w *world) []func(*testpki.Template) {
	return []func(*testpki.Template){expire(w)}
}

// rootOf puts a root that expired into the chain of one document.
func rootOf(identity bool) func(*world) {
	return func(w *world) {
		chain := pem(w.pki.TCBSigning, w.pki.Root.Reissue(expire(w)))
		if identity {
			w.c.QEIdentityChain = chain
		} else {
			w.c.TCBInfoChain = chain
		}
	}
}

// identityRows are about the identity of the quoting enclave as a document.
func identityRows() []row {
	return []row{
		{from: "ID/1 REPORT/12 IT-ID/6", name: "identity good"},
		{from: "ID/3", name: "identity not signed by its signer", want: verdict{id: verify.StatusSGXEnclaveIdentityInvalidSignature},
			made: func(w *world) {
				w.c.QEIdentity = w.pki.IdentityJSON(w.identity(), func(d *testpki.Document) { d.EditSignature = flip })
			}},
		{from: "ID/4", name: "root of the identity's signer expired", want: verdict{id: verify.StatusSGXSigningCertChainExpired}, made: rootOf(true)},
		{from: "ID/5", name: "signer of the identity expired", want: verdict{id: verify.StatusSGXSigningCertChainExpired}, made: signer(true, expiredSigner)},
		{from: "ID/7", name: "identity expired", want: verdict{id: verify.StatusSGXEnclaveIdentityExpired},
			edit: func(w *world) { w.identity().NextUpdate = w.pki.Now.Add(-time.Second) }},
	}
}

// infoRows are about TCB info as a document.
func infoRows() []row {
	return []row{
		{from: "INFO/1 IT-INFO/3 IT-INFO/4", name: "TCB info good"},
		{from: "INFO/3", name: "TCB info not signed by its signer", want: verdict{tcb: verify.StatusTCBInfoInvalidSignature},
			made: func(w *world) {
				w.c.TCBInfo = w.pki.TCBInfoJSON(w.info(), func(d *testpki.Document) { d.EditSignature = flip })
			}},
		{from: "INFO/4", name: "root of the TCB info's signer expired", want: verdict{tcb: verify.StatusSGXSigningCertChainExpired}, made: rootOf(false)},
		{from: "INFO/5", name: "signer of the TCB info expired", want: verdict{tcb: verify.StatusSGXSigningCertChainExpired}, made: signer(false, expiredSigner)},
		{from: "INFO/7", name: "TCB info expired", want: verdict{tcb: verify.StatusSGXTCBInfoExpired},
			edit: func(w *world) { w.info().NextUpdate = w.pki.Now.Add(-time.Second) }},
	}
}

// signerRows are about the chain of the TCB signing certificate.
func signerRows() []row {
	missing := verify.StatusSGXTCBSigningCertMissing
	return []row{
		{from: "SIGNER/1", name: "all good"},
		{from: "SIGNER/4", name: "TCB signing certificate revoked", want: all(verify.StatusOK, verify.StatusSGXTCBSigningCertRevoked),
			edit: func(w *world) { w.pki.Root.Revoke(w.pki.TCBSigning) }},
		// Intel's mock of the list answers that the signer is missing.
		{from: "SIGNER/5", name: "root revocation list not signed by the root", want: all(verify.StatusSGXCRLInvalidSignature, verify.StatusSGXCRLInvalidSignature),
			made: func(w *world) {
				w.c.RootCRL = w.pki.Root.CRL(func(t *testpki.CRLTemplate) { t.EditSignature = flip })
			}},
		{from: "SIGNER/6", name: "signer of another issuer", want: verdict{tcb: verify.StatusSGXTCBSigningCertInvalidIssuer},
			made: func(w *world) { // the root comes first: else it, which issued none, would be taken for the signer
				other := w.pki.TCBSigning.Reissue(func(t *testpki.Template) { t.Issuer.CommonName = testpki.NamePlatformCA })
				w.c.TCBInfoChain = pem(w.pki.Root, other)
			}},
		{from: "SIGNER/7", name: "signer not signed by the root", want: verdict{id: verify.StatusSGXTCBSigningCertInvalidIssuer},
			made: signer(true, edit(func(t *testpki.Template) { t.EditSignature = flip }))},
		{from: "SIGNER/8", name: "no signer", want: verdict{tcb: missing},
			made: func(w *world) { w.c.TCBInfoChain = pem(w.pki.PlatformCA, w.pki.Root) }},
		{from: "SIGNER/10", name: "no root", want: verdict{id: verify.StatusSGXRootCAMissing},
			made: func(w *world) { w.c.QEIdentityChain = pem(w.pki.PlatformCA, w.pki.TCBSigning) }},
	}
}

// reportRows are about the report of the quoting enclave and its identity.
func reportRows() []row {
	mismatch := verdict{quote: verify.StatusQEIdentityMismatch}
	invalid := verdict{id: verify.StatusSGXEnclaveIdentityInvalid, quote: verify.StatusUnsupportedQEIdentityFormat}
	levels := func(have uint16, svns ...uint16) func(*world) {
		return func(w *world) {
			id := w.identity()
			for i, svn := range svns {
				id.Levels[i].ISVSVN = svn
			}
			id.Levels = id.Levels[:len(svns)]
			w.q.QEReport.ISVSVN = have
		}
	}
	return []row{
		{from: "REPORT/1", name: "identity of another MISCSELECT", want: mismatch, edit: func(w *world) { w.identity().MiscSelect = 0x01010101 }},
		{from: "REPORT/2", name: "identity of other ATTRIBUTES", want: mismatch, edit: func(w *world) { w.identity().Attributes = [16]byte{9, 9, 9, 9} }},
		{from: "REPORT/3", name: "mask of a wrong size", want: invalid, made: identityEdit(`"attributesMask":"`, `"attributesMask":"00`)},
		{from: "REPORT/4", name: "no MRSIGNER", want: invalid, made: identityEdit(`"mrsigner"`, `"signer"`)},
		{from: "REPORT/5", name: "no ISVPRODID", want: invalid, made: identityEdit(`"isvprodid"`, `"prodid"`)},
		{from: "REPORT/6", name: "no ISVSVN",
			want: verdict{id: verify.StatusSGXEnclaveIdentityUnsupportedFormat, quote: verify.StatusUnsupportedQEIdentityFormat}, made: identityEdit(`"isvsvn"`, `"svn"`)},
		{from: "REPORT/7", name: "identity of another MRSIGNER", want: mismatch, edit: func(w *world) { w.identity().MRSigner = [32]byte{8, 8, 8} }},
		{from: "REPORT/8", name: "identity of another ISVPRODID", want: mismatch, edit: func(w *world) { w.identity().ISVProdID = 11 }},
		{from: "REPORT/9", name: "SVN below all levels", want: verdict{quote: verify.StatusTCBNotSupported}, edit: levels(2, 6, 5, 4)},
		{from: "REPORT/10", name: "SVN at the revoked level", want: verdict{quote: verify.StatusTCBRevoked}, edit: levels(4, 6, 5, 4)},
		{from: "REPORT/11", name: "SVN at the level that is out of date", want: verdict{quote: verify.StatusTCBOutOfDate}, edit: levels(5, 6, 5, 4)},
		{from: "REPORT/13", name: "SVN 1 and levels from 2 on", want: verdict{quote: verify.StatusTCBNotSupported}, edit: levels(1, 5, 3, 2)},
		{from: "IT-REPORT/5", name: "date of no known form", want: invalid, made: func(w *world) {
			identityEdit(`"issueDate":"`+w.identity().IssueDate.Format(time.RFC3339), `"issueDate":"2018-080:09:10Z`)(w)
		}},
	}
}
