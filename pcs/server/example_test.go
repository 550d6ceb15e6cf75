package server_test

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/pcs/server"
	"github.com/feidi-dev/feidi/world"
)

// A world's service at a socket, until the context is done.
func ExampleServer_Serve() {
	serve := func(ctx context.Context, state string) error {
		w, err := world.Open(state, world.Options{})
		if err != nil {
			return err
		}
		l, err := net.Listen("tcp", "127.0.0.1:8081")
		if err != nil {
			return err
		}
		return server.New(w, server.Options{}).Serve(ctx, l)
	}
	_ = serve
}

// The client in the same process, without a socket.
func ExampleServer_Transport() {
	show := func(ctx context.Context, w *world.World) error {
		s := server.New(w, server.Options{})
		c, err := pcs.New(pcs.Config{URL: w.URL(), HTTP: &http.Client{Transport: s.Transport()}})
		if err != nil {
			return err
		}
		d, err := c.QEIdentity(ctx, dcap.TEESGX)
		if err != nil {
			return err
		}
		fmt.Printf("%s\n", d.Body)
		return nil
	}
	_ = show
}
