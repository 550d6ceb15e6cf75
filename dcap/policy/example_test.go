package policy_test

import (
	"fmt"
	"log"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/policy"
	"github.com/feidi-dev/feidi/isa"
)

// A relying party accepts one product of one signer, from SVN 3 on, and binds
// each connection to it by a nonce.
func Example() {
	signer := [32]byte{0x83, 0xd7, 0x19} // SHA-256 of the signer's key
	base, err := policy.New(
		policy.Enclave{Name: "payments", MRSigner: [][32]byte{signer}, ISVProdID: []uint16{7}, MinISVSVN: 3},
		policy.AcceptTCB(dcap.SWHardeningNeeded),
		policy.AllowAdvisories("INTEL-SA-00334", "INTEL-SA-00615"), // the enclave is hardened against these
	)
	if err != nil {
		log.Fatal(err)
	}
	p, err := base.With(policy.ReportData([]byte("a nonce of 32 bytes at random...")))
	if err != nil {
		log.Fatal(err)
	}

	result := sgxResult() // of verify.Verifier.Verify
	body := result.Quote.EnclaveReport()
	body.MRSigner, body.ISVSVN = signer, 2
	body.Attributes.Flags |= isa.AttrDebug
	copy(body.ReportData[:], "a nonce of 32 bytes at random...")

	verdict := p.Check(result)
	fmt.Println("accepted:", verdict.Accepted)
	for _, f := range verdict.Failures {
		fmt.Println(f)
	}
	// Output:
	// accepted: false
	// sgx.min_isvsvn: wanted 3 or more, found 2: update the enclave
	// sgx.allow_debug: wanted an enclave without DEBUG, found DEBUG: the host sees inside: accept debug for tests only
}

func ExampleParseTOML() {
	p, err := policy.ParseTOML([]byte(`
[tcb]
out_of_date_grace = "30d"             # to update after a TCB recovery
out_of_date_grace_from = "newer_level"
min_tcb_date = 2023-08-09

[collateral]
expired_grace = "3d"

[[tdx]]
name = "db"
mrtd = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"
attributes_required = ["SEPT_VE_DISABLE"]
`))
	if err != nil {
		log.Fatal(err)
	}
	verdict := p.Check(tdResult()) // of verify.Verifier.Verify
	fmt.Println(verdict.Accepted, verdict.Identity)

	_, err = policy.ParseTOML([]byte("[[sgx]]\nmr_signer = \"00\"\n"))
	fmt.Println(err)
	// Output:
	// true db
	// policy: 2:1: sgx[0].mr_signer: there is no such key: write mrsigner
}
