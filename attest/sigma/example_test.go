package sigma_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/attest/sigma"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/testpki"
)

// The machine is one of a fake Intel here, whose root is given.
func Example() {
	intel := testpki.New(testpki.Seed("example"))
	machine := intel.Platform()
	collateral := machine.SGXQuote().Collateral()
	verifier, err := verify.New(verify.WithRoots(intel.Root.DER))
	if err != nil {
		panic(err)
	}

	// The service provider.
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	provider, err := sigma.NewProvider(&sigma.Config{
		Key: key,
		Verify: func(quote []byte, reportData [64]byte) error {
			r, err := verifier.Verify(quote, collateral, intel.Now)
			if err != nil {
				return err
			}
			if r.Quote.ReportData() != reportData {
				return errors.New("the quote is of another exchange")
			}
			return nil // but for the enclave's identity: see package policy
		},
	})
	if err != nil {
		panic(err)
	}

	// The client, an enclave that knows the provider's public key.
	client, err := sigma.NewClient(&key.PublicKey, func(reportData [64]byte) ([]byte, error) {
		return machine.SGXQuote(func(q *testpki.Quote) { q.Enclave.ReportData = reportData }).Bytes(), nil
	})
	if err != nil {
		panic(err)
	}

	msg1, err := client.Msg1()
	if err != nil {
		panic(err)
	}
	msg2, err := provider.ProcMsg1(msg1)
	if err != nil {
		panic(err)
	}
	msg3, atClient, err := client.ProcMsg2(msg2)
	if err != nil {
		panic(err)
	}
	atProvider, err := provider.ProcMsg3(msg3)
	if err != nil {
		panic(err)
	}
	fmt.Println(*atClient == *atProvider)
	// Output: true
}
