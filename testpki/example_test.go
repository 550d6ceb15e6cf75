package testpki_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/policy"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/testpki"
)

// A valid quote, what verifies it, and what to tell the verifier.
func ExampleNew() {
	pki := testpki.New(testpki.Seed("example"))
	quote := pki.Platform().TDXQuote()
	raw, collateral := quote.Bytes(), quote.Collateral()

	fmt.Println("quote version:", raw[0])
	fmt.Println("TCB info:", string(collateral.TCBInfo[:34]))
	fmt.Println("trust:", pki.Root.X509().Subject)
	fmt.Println("at:", pki.Now.Format(time.RFC3339))
	// Output:
	// quote version: 4
	// TCB info: {"tcbInfo":{"id":"TDX","version":3
	// trust: CN=Intel SGX Root CA,O=Intel Corporation,L=Santa Clara,ST=CA,C=US
	// at: 2026-06-01T12:00:00Z
}

// A relying party is told to trust the fake root, and should refuse all of these.
func Example_relyingParty() {
	pki := testpki.New(testpki.Seed("example"))
	verifier, _ := verify.New(verify.WithRoots(pki.Root.DER))
	root, _ := verify.RootOf(pki.Root.DER)
	mine, _ := policy.New(policy.AnyIdentity(), policy.Roots(root.Fingerprint()))
	judge := func(q *testpki.Quote) {
		result, _ := verifier.Verify(q.Bytes(), q.Collateral(), pki.Now)
		fmt.Println(result.Status, mine.Check(result).Accepted)
	}

	judge(pki.Platform().SGXQuote())

	// A platform that was not updated.
	judge(pki.Platform(testpki.Status(dcap.OutOfDate)).SGXQuote())

	// A debug enclave.
	debug := pki.Platform().SGXQuote()
	debug.Enclave.Attributes.Flags |= isa.AttrDebug
	judge(debug)

	// A quote that somebody signed who has no attestation key.
	forged := pki.Platform().SGXQuote()
	forged.Signer = pki.Key("somebody")
	judge(forged)

	// A platform whose key leaked.
	leaked := pki.Platform()
	pki.PlatformCA.Revoke(leaked.PCK)
	judge(leaked.TDXQuote())

	// TCB information that is a day too old.
	stale := pki.Platform(testpki.FMSPC([6]byte{1, 2, 3}))
	stale.TCBInfo(dcap.TEESGX).NextUpdate = pki.Now.AddDate(0, 0, -1)
	judge(stale.SGXQuote())

	// Output:
	// STATUS_OK true
	// STATUS_TCB_OUT_OF_DATE false
	// STATUS_OK false
	// STATUS_INVALID_QUOTE_SIGNATURE false
	// STATUS_SGX_PCK_REVOKED false
	// STATUS_SGX_TCB_INFO_EXPIRED false
}

// A client of Intel's provisioning certification service can be pointed at the
// fake one.
func ExamplePKI_PCS() {
	pki := testpki.New(testpki.Seed("example"))
	pki.Platform()
	server := httptest.NewServer(pki.PCS())
	defer server.Close()

	r, err := http.Get(server.URL + "/sgx/certification/v4/tcb?fmspc=00FE1D100000")
	if err != nil {
		fmt.Println(err)
		return
	}
	r.Body.Close()
	fmt.Println(r.Status, r.Header.Get("Content-Type"), len(r.Header.Get("TCB-Info-Issuer-Chain")) > 1000)
	// Output: 200 OK application/json true
}
