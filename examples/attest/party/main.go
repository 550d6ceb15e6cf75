// Party tells a secret to a service if, and only if, it is a certain enclave: it
// verifies the service's quote, and sends the secret to who has the key that the
// quote names. It needs no SGX.
//
//	go run ./examples/attest/party -mrenclave HEX -root root.pem -pcs http://127.0.0.1:8081 "the secret"
package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/policy"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/pcs"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("party: ")
	url := flag.String("url", "https://127.0.0.1:8444", "the service's `address`")
	mrenclave := flag.String("mrenclave", "", "the `MRENCLAVE` that it is to have, in hexadecimal")
	root := flag.String("root", "", "the root certificate that its quote must end in, a `file` in PEM")
	collateral := flag.String("pcs", pcs.IntelURL, "get what verifies quotes from the PCS or PCCS at this `address`")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("one operand, please: the secret")
	}
	measurement, err := hex.DecodeString(*mrenclave)
	if err != nil || len(measurement) != 32 {
		log.Fatal("-mrenclave is not 32 bytes in hexadecimal")
	}
	trusted := must(dcap.SplitChain(must(os.ReadFile(*root))))[0]
	s := connect(*url)

	quote := must(s.call(http.MethodGet, "/quote", ""))
	fingerprint := must(verify.RootOf(trusted))
	accept := must(policy.New(
		policy.Enclave{MREnclave: [][32]byte{[32]byte(measurement)}},
		policy.Roots(fingerprint.Fingerprint()),
		policy.ReportData(s.key[:]), // it is the quote of who has this key
	))
	if err := accept.Check(verified(quote, trusted, *collateral)).Err(); err != nil {
		log.Fatalf("the secret is not told: %v", err)
	}
	s.pinned = true
	fmt.Printf("%s", must(s.call(http.MethodPost, "/secret", flag.Arg(0))))
}

// verified gets what verifies a quote, and does it. The policy says what is wrong.
func verified(quote, root []byte, service string) *verify.Result {
	client := must(pcs.New(pcs.Config{URL: service}))
	collateral, _, err := client.Collateral(context.Background(), must(pcs.RequestFor(must(dcap.ParseQuote(quote)))))
	if err != nil {
		log.Fatalf("the secret is not told: %v", err)
	}
	r, _ := must(verify.New(verify.WithRoots(root))).Verify(quote, collateral, time.Now())
	return r
}

// service is who is told secrets.
type service struct {
	url    string
	http   *http.Client
	key    [32]byte // SHA-256 of its public key
	pinned bool     // it is known to be the enclave's, and no other will do
}

func connect(url string) *service {
	s := &service{url: url}
	// No connection is used twice: each is looked at when it begins.
	s.http = &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, // its certificate says nothing: the quote says whose the key is
		VerifyConnection: func(c tls.ConnectionState) error {
			key := sha256.Sum256(c.PeerCertificates[0].RawSubjectPublicKeyInfo)
			if s.pinned && key != s.key {
				return errors.New("this is not who has the enclave's key")
			}
			s.key = key
			return nil
		},
	}}}
	return s
}

func (s *service) call(method, path, body string) ([]byte, error) {
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := s.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, dcap.MaxQuoteSize))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(b)))
	}
	return b, err
}

// must ends the program unless all is well.
func must[T any](v T, err error) T {
	if err != nil {
		log.Fatalf("the secret is not told: %v", err)
	}
	return v
}
