package enclave_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/internal/toy"
)

// TestNotify has a thread that computes enter its exception handler. The test
// enclave's wants no such thing and says so: it is asked again, and goes on with
// what it computed in between.
func TestNotify(t *testing.T) {
	var entries, exits atomic.Int64
	trace := func(e cpu.Event) {
		switch {
		case e.Leaf == "EENTER" && e.Err == nil:
			entries.Add(1)
		case e.Leaf == "AEX":
			exits.Add(1)
		}
	}
	e := load(t, powerOn(t, enclave.MachineConfig{CPU: cpu.Config{Trace: trace}}), build(t, toy.Options{}), enclave.WithTimeLimit(200*time.Millisecond))
	b, err := e.Bind()
	if err != nil {
		t.Fatal(err)
	}
	b.Notify() // it is outside: nothing happens
	if err := b.ECall(context.Background(), int(toy.ECallEmpty), nil); err != nil {
		t.Fatal(err)
	}
	before := entries.Load()
	done := make(chan error)
	go func() { done <- b.ECall(context.Background(), int(toy.ECallSpin), nil) }()
	for entries.Load() == before {
		time.Sleep(time.Millisecond)
	}
	b.Notify()
	for entries.Load() < before+3 { // the call, the notice, and once more
		select {
		case err := <-done:
			t.Fatalf("the call ended: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	if exits.Load() == 0 {
		t.Error("no AEX")
	}
	if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the call ended with %v", err)
	}
	b.Notify() // it is gone: nothing happens
}
