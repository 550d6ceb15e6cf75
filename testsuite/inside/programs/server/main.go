// Server serves the functions of calls.edl.
package main

import (
	"context"
	"log"
	"os"

	"github.com/feidi-dev/feidi/inside"
	"github.com/feidi-dev/feidi/testsuite/inside/calls"
)

func main() {
	if err := inside.Serve(context.Background(), calls.CallsTable(trusted{})); err != nil {
		log.Fatal(err)
	}
}

// trusted implements calls.CallsECalls.
type trusted struct{ host calls.CallsHost }

func (trusted) Empty(context.Context) error { return nil }

func (trusted) Add(_ context.Context, a, b uint64) (uint64, error) { return a + b, nil }

func (trusted) Flip(_ context.Context, src []byte) ([]byte, error) {
	dst := make([]byte, len(src))
	for i, b := range src {
		dst[i] = ^b
	}
	return dst, nil
}

func (t trusted) Forward(ctx context.Context, v uint64) (uint64, error) { return t.host.Ask(ctx, v) }

func (t trusted) Nest(ctx context.Context, depth uint64) (uint64, error) {
	if depth == 0 {
		return 0, nil
	}
	n, err := t.host.Descend(ctx, depth-1)
	return n + 1, err
}

func (t trusted) Deeper(ctx context.Context, depth uint64) (uint64, error) { return t.Nest(ctx, depth) }

func (trusted) Fall(_ context.Context, why string) error { panic(why) }

func (trusted) Leave(_ context.Context, code int32) error {
	os.Exit(int(code))
	return nil
}
