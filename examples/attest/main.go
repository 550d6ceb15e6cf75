// Attest is a TLS service that proves to its clients that it is this program, in an
// enclave: the quote that it gives them names its key, which only the enclave has.
// Then they may tell it a secret. Folder party has such a client.
//
//	feidi run --env SGX_AESM_SOCKET ./examples/attest -listen 127.0.0.1:8444
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"github.com/feidi-dev/feidi/inside"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("attest: ")
	listen := flag.String("listen", "127.0.0.1:8444", "serve HTTPS on this `address`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen); err != nil {
		log.Fatal(err)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, listen string) error {
	self, err := inside.Self()
	if err != nil {
		return err
	}
	cert, err := certificate()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Printf("MRENCLAVE %x\nlistening on https://%s/\n", self.MREnclave, l.Addr())
	s := &http.Server{
		Handler:      handler(reportData(cert.Leaf)),
		TLSConfig:    &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS13},
		ReadTimeout:  10 * time.Second,
		WriteTimeout: 30 * time.Second,
	}
	context.AfterFunc(ctx, func() { _ = s.Close() })
	if err := s.ServeTLS(l, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// reportData is what quotes say: the SHA-256 of the certificate's public key, in the
// encoding that certificates have (SubjectPublicKeyInfo).
func reportData(cert *x509.Certificate) (data [64]byte) {
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	copy(data[:], sum[:])
	return data
}

func handler(data [64]byte) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /quote", func(w http.ResponseWriter, r *http.Request) {
		quote, err := inside.Quote(r.Context(), data)
		if err != nil {
			log.Print(err)
			http.Error(w, "no quote is to be had at present", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write(quote)
	})
	mux.HandleFunc("POST /secret", func(w http.ResponseWriter, r *http.Request) {
		secret, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, "The enclave has a secret of %d bytes.\n", len(secret))
	})
	return mux
}

// certificate draws a key and makes a certificate of it, which says nothing that
// clients rely on: they look at the key.
func certificate() (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}
