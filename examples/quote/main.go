// Quote writes a quote of itself to standard output.
//
//	feidi world init
//	feidi run --attest ./examples/quote -data "any text" > quote.bin
//	feidi quote show quote.bin
package main

import (
	"context"
	"crypto/sha256"
	"flag"
	"log"
	"os"

	"github.com/feidi-dev/feidi/inside"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("quote: ")
	text := flag.String("data", "", "text of which the quote has the SHA-256 as its report data")
	flag.Parse()
	var data [64]byte
	digest := sha256.Sum256([]byte(*text))
	copy(data[:], digest[:])
	quote, err := inside.Quote(context.Background(), data)
	if err == nil {
		_, err = os.Stdout.Write(quote)
	}
	if err != nil {
		log.Fatal(err)
	}
}
