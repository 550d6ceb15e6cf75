package aesm_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os/signal"
	"syscall"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/isa"
)

// A host program gets a quote for its enclave. It works with Intel's daemon on
// a machine with SGX, too.
func ExampleClient_Quote() {
	var enclave interface {
		Report(target *isa.TargetInfo) (*isa.Report, error) // EREPORT, inside
	}
	quote, err := aesm.New(aesm.Options{}).Quote(context.Background(), enclave.Report)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(quote))
}

// A daemon that takes its socket from systemd, or makes it.
func ExampleServer() {
	var quotes aesm.QuoteService // a quoting enclave
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	sockets, err := aesm.Activated()
	if err != nil {
		log.Fatal(err)
	}
	if len(sockets) == 0 {
		l, err := aesm.Listen(aesm.DefaultPath)
		if err != nil {
			log.Fatal(err)
		}
		sockets = append(sockets, l)
	}
	server := &aesm.Server{Services: aesm.Services{Quote: []aesm.QuoteService{quotes}}, Log: slog.Default()}
	if err := server.Serve(ctx, sockets[0]); err != nil {
		log.Fatal(err)
	}
}
