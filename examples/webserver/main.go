// Webserver is a TLS web server whose private key exists inside the enclave
// only: it is drawn there, and kept in a sealed directory for the next run.
//
//	feidi run ./examples/webserver -listen 127.0.0.1:8443 -state webserver-state
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
	"net"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"github.com/feidi-dev/feidi/inside"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("webserver: ")
	listen := flag.String("listen", "127.0.0.1:8443", "serve HTTPS on this `address`")
	state := flag.String("state", "webserver-state", "keep the key in this sealed `directory`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen, *state); err != nil {
		log.Fatal(err)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, listen, state string) error {
	self, err := inside.Self()
	if err != nil {
		return err
	}
	dir, err := inside.OpenSealed(state, nil)
	if err != nil {
		return err
	}
	defer dir.Close()
	cert, err := certificate(dir)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	pin := sha256.Sum256(cert.Certificate[0])
	fmt.Printf("MRENCLAVE %x\ncertificate %x\nlistening on https://%s/\n", self.MREnclave, pin, l.Addr())

	s := &http.Server{
		Handler:           handler(self, pin),
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS13},
		ReadHeaderTimeout: 10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	stopped := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		stopped <- s.Shutdown(grace)
	})
	if err := s.ServeTLS(l, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

func handler(self *inside.Identity, pin [32]byte) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "Hello from an enclave.\nMRENCLAVE %x\n", self.MREnclave)
	})
	mux.HandleFunc("GET /report", func(w http.ResponseWriter, r *http.Request) { report(w, r, pin) })
	mux.HandleFunc("GET /debug/memory", memory)
	return mux
}

// report answers with a REPORT in hex. Its data are what the caller says or,
// so that the caller knows whom it talks to, the hash of the certificate.
// Another enclave that is to verify it says its TARGETINFO.
func report(w http.ResponseWriter, r *http.Request, pin [32]byte) {
	var data [64]byte
	copy(data[:], pin[:])
	if s := r.FormValue("data"); s != "" {
		b, err := hex.DecodeString(s)
		if err != nil || len(b) > len(data) {
			http.Error(w, "data is not up to 64 bytes in hex", http.StatusBadRequest)
			return
		}
		clear(data[copy(data[:], b):])
	}
	target, err := targetInfo(r.FormValue("target"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	rep, err := inside.Report(target, data)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	b, _ := rep.AppendBinary(nil) // cannot fail
	io.WriteString(w, hex.EncodeToString(b)+"\n")
}
