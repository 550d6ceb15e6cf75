package testpki_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/feidi-dev/feidi/dcap"
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

// A relying party should refuse all of these.
func Example_wrong() {
	pki := testpki.New(testpki.Seed("example"))

	// A platform that was not updated.
	old := pki.Platform(testpki.Status(dcap.OutOfDate)).SGXQuote()

	// A debug enclave.
	debug := pki.Platform().SGXQuote()
	debug.Enclave.Attributes.Flags |= 1 << 1

	// A quote that somebody signed who has no attestation key.
	forged := pki.Platform().SGXQuote()
	forged.Signer = pki.Key("somebody")

	// A platform whose key leaked.
	leaked := pki.Platform()
	pki.PlatformCA.Revoke(leaked.PCK)
	crl := leaked.Collateral(dcap.TEESGX).PCKCRL

	// TCB information that is a day too old.
	stale := pki.Platform()
	stale.TCBInfo(dcap.TEESGX).NextUpdate = pki.Now.AddDate(0, 0, -1)

	// An authority that expired.
	pki.PlatformCA = pki.PlatformCA.Reissue(func(t *testpki.Template) { t.NotAfter = pki.Now.Add(-time.Second) })

	fmt.Println(len(old.Bytes()) > 4000, len(debug.Bytes()) > 4000, len(forged.Bytes()) > 4000, len(crl) > 200)
	// Output: true true true true
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
