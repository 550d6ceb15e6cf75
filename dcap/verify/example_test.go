package verify_test

import (
	"fmt"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/testpki"
)

// Quote and collateral are those of a fake Intel here, whose root is given. For
// real ones leave the option out, get the collateral with package pcs, and
// verify as of now.
func ExampleVerifier_Verify() {
	intel := testpki.New(testpki.Seed("example"))
	quote := intel.Platform(testpki.Status(dcap.SWHardeningNeeded)).SGXQuote()

	v, err := verify.New(verify.WithRoots(intel.Root.DER)) // keep it: it remembers what it found good
	if err != nil {
		panic(err)
	}
	r, err := v.Verify(quote.Bytes(), quote.Collateral(), intel.Now)

	// An error need not be the end: a policy may accept this one.
	fmt.Println(err != nil, r.Authentic(), r.TCBStatus, r.AdvisoryIDs())
	fmt.Printf("FMSPC %X, TCB date %s\n", r.PCK.SGX.FMSPC, r.TCBDate().Format("2006-01-02"))
	// Output:
	// true true SWHardeningNeeded [INTEL-SA-00615]
	// FMSPC 00FE1D100000, TCB date 2025-05-14
}
