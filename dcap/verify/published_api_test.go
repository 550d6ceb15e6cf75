package verify_test

import (
	encoding "encoding/pem"
	"fmt"
	"slices"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/testpki"
)

// garbage is what Intel's tests give in place of a document.
var garbage = []byte("not a document of any kind")

// apiRows are those of Intel's integration tests that no other group has. Where
// Intel's functions answer that a null pointer is no certificate, here the
// answer is that the document is missing, in each step that needs it.
func apiRows() []row {
	missing := verify.StatusMissingParameters
	format := verify.StatusSGXCRLUnsupportedFormat
	pemCRL := func(der []byte) []byte {
		return encoding.EncodeToMemory(&encoding.Block{Type: "X509 CRL", Bytes: der})
	}
	noRootCRL := all(missing, missing)
	return []row{
		// Lists are taken in DER only, as Intel serves them: a client that gets
		// another form decodes it.
		{from: "IT-PCK/1 IT-CRL/1 IT-CRL/3", name: "revocation lists in PEM", want: verdict{pck: format, tcb: format, id: format, quote: verify.StatusUnsupportedPCKRLFormat},
			made: func(w *world) { w.c.RootCRL, w.c.PCKCRL = pemCRL(w.c.RootCRL), pemCRL(w.c.PCKCRL) }},
		{from: "IT-PCK/3", name: "one revocation list in PEM", want: verdict{pck: format, quote: verify.StatusUnsupportedPCKRLFormat},
			made: func(w *world) { w.c.PCKCRL = pemCRL(w.c.PCKCRL) }},
		{from: "IT-ID/7", name: "root revocation list in PEM", want: all(format, format), made: func(w *world) { w.c.RootCRL = pemCRL(w.c.RootCRL) }},
		{from: "IT-PCK/5 IT-CRL/6 IT-INFO/7", name: "root revocation list is none", want: all(format, format), made: func(w *world) { w.c.RootCRL = garbage }},
		{from: "IT-PCK/6", name: "PCK revocation list is none", want: verdict{pck: format, quote: verify.StatusUnsupportedPCKRLFormat}, made: func(w *world) { w.c.PCKCRL = garbage }},
		{from: "IT-PCK/7 IT-QUOTE/9", name: "PCK revocation list begins like PEM", want: verdict{pck: format, quote: verify.StatusUnsupportedPCKRLFormat},
			made: func(w *world) { w.c.PCKCRL = []byte("-----BEGIN X509 CRL-----\n none") }},
		{from: "IT-PCK/8 IT-CRL/7 IT-QUOTE/8", name: "PCK chain is none", want: verdict{pck: verify.StatusUnsupportedCertFormat, quote: verify.StatusUnsupportedPCKCertFormat},
			edit: func(w *world) { w.q.CertData = garbage }},
		{from: "IT-PCK/9", name: "PCK chain of two", want: verdict{pck: verify.StatusUnsupportedCertFormat},
			edit: chainOf(func(w *world) []*testpki.Cert { return []*testpki.Cert{w.m.PCK, w.pki.Root} })},
		{from: "IT-PCK/10 IT-QUOTE/2", name: "no PCK chain", want: verdict{pck: missing, quote: missing},
			edit: func(w *world) { w.q.CertType = dcap.CertPPIDRSA3072 }, made: func(w *world) { w.c.PCKChain = nil }},
		{from: "IT-PCK/11 IT-ID/4", name: "no root revocation list", want: noRootCRL, made: func(w *world) { w.c.RootCRL = nil }},
		{from: "IT-PCK/12 IT-QUOTE/3", name: "no PCK revocation list", want: verdict{pck: missing, quote: missing}, made: func(w *world) { w.c.PCKCRL = nil }},
		{from: "IT-PCK/13", name: "no revocation lists", want: verdict{missing, missing, missing, missing}, made: func(w *world) { w.c.RootCRL, w.c.PCKCRL = nil, nil }},

		{from: "IT-ID/2 IT-QUOTE/14 IT-QUOTE/16 IT-QUOTE/21", name: "no identity, which Intel's quote step goes without", want: verdict{id: missing, quote: missing},
			made: func(w *world) { w.c.QEIdentity = nil }},
		{from: "IT-ID/3", name: "no chain of the identity", want: verdict{id: missing}, made: func(w *world) { w.c.QEIdentityChain = nil }},
		{from: "IT-INFO/2", name: "TCB info of version 2", kinds: sgxKinds, edit: func(w *world) { w.info().Version = 2 }},
		{from: "IT-INFO/5", name: "chain of TCB info is none", want: verdict{tcb: verify.StatusUnsupportedCertFormat}, made: func(w *world) { w.c.TCBInfoChain = garbage }},
		{from: "IT-INFO/8", name: "TCB info of TCB type 42", want: verdict{tcb: verify.StatusSGXTCBInfoInvalid, quote: verify.StatusUnsupportedTCBInfoFormat},
			edit: func(w *world) { w.info().TCBType = 42 }},

		{from: "IT-QUOTE/1", name: "no quote", want: verdict{quote: verify.StatusUnsupportedQuoteFormat}, made: func(w *world) { w.raw = []byte{} }},
		{from: "IT-QUOTE/4", name: "no TCB info", want: verdict{tcb: missing, quote: missing}, made: func(w *world) { w.c.TCBInfo = nil }},
		{from: "IT-QUOTE/5", name: "quote is none", want: verdict{quote: verify.StatusUnsupportedQuoteFormat}, made: func(w *world) { w.raw = garbage }},
		{from: "IT-QUOTE/6", name: "quote of a wrong size", want: verdict{quote: verify.StatusUnsupportedQuoteFormat}, made: func(w *world) { w.raw = w.raw[:1000] }},
		{from: "IT-QUOTE/7", name: "quote of version 99", want: verdict{quote: verify.StatusUnsupportedQuoteFormat}, made: func(w *world) { w.raw[0] = 99 }},
		{from: "IT-QUOTE/10", name: "TCB info is none", want: verdict{tcb: verify.StatusSGXTCBInfoUnsupportedFormat, quote: verify.StatusUnsupportedTCBInfoFormat},
			made: func(w *world) { w.c.TCBInfo = garbage }},
		{from: "IT-QUOTE/11 IT-QUOTE/12", name: "identity is none", want: verdict{id: verify.StatusSGXEnclaveIdentityUnsupportedFormat, quote: verify.StatusUnsupportedQEIdentityFormat},
			made: func(w *world) { w.c.QEIdentity = garbage }},
		// Intel's structure has 450 bytes for advisories, and the function fails
		// for more. Here are 1200.
		{from: "IT-QUOTE/23", name: "many advisories", edit: func(w *world) { w.info().Levels[0].AdvisoryIDs = manyAdvisories() },
			check: func(t *testing.T, r *verify.Result) {
				if !slices.Equal(r.AdvisoryIDs(), manyAdvisories()) {
					t.Errorf("advisories %q", r.AdvisoryIDs())
				}
			}},
	}
}

func manyAdvisories() (list []string) {
	for i := range 80 {
		list = append(list, fmt.Sprintf("INTEL-SA-%05d", i))
	}
	return list
}
