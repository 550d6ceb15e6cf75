package enclave_test

import (
	"context"
	"testing"

	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/internal/toy"
)

func BenchmarkECall(b *testing.B) {
	e := load(b, powerOn(b, enclave.MachineConfig{}), build(b, toy.Options{}))
	ctx := context.Background()
	for b.Loop() {
		if err := e.ECall(ctx, int(toy.ECallEmpty), nil); err != nil {
			b.Fatal(err)
		}
	}
}
