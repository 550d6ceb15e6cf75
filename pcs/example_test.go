package pcs_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/policy"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/pcs"
)

// From a quote to a decision: what belongs to its platform comes from Intel.
func Example() {
	raw, err := os.ReadFile("quote.bin")
	if err != nil {
		log.Fatal(err)
	}
	quote, err := dcap.ParseQuote(raw)
	if err != nil {
		log.Fatal(err)
	}

	client, err := pcs.New(pcs.Config{}) // Intel; a PCCS has a URL
	if err != nil {
		log.Fatal(err)
	}
	request, err := pcs.RequestFor(quote)
	if err != nil {
		log.Fatal(err)
	}
	collateral, _, err := client.Collateral(context.Background(), request)
	if err != nil {
		log.Fatal(err) // says what to do
	}

	verifier, err := verify.New()
	if err != nil {
		log.Fatal(err)
	}
	wanted, err := policy.New(policy.TD{MRTD: [][48]byte{{0x91, 0xeb}}})
	if err != nil {
		log.Fatal(err)
	}
	result, _ := verifier.Verify(raw, collateral, time.Now()) // the policy looks at the error, too
	fmt.Println(wanted.Check(result).Err())
}
