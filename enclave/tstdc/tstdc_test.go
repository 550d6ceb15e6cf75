package tstdc

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/internal/cpuid"
	"github.com/feidi-dev/feidi/status"
)

var ctx = context.Background()

// ok fails the test if an OCALL did not return 0.
func ok(t *testing.T, ret int32, err error) {
	t.Helper()
	if ret != 0 || err != nil {
		t.Fatalf("returned %d, %v", ret, err)
	}
}

func TestCPUID(t *testing.T) {
	var o OCalls
	got, err := o.SgxOcCpuidex(ctx, 0, 0)
	r := cpuid.Leaf(0, 0)
	if want := [4]int32{int32(r.EAX), int32(r.EBX), int32(r.ECX), int32(r.EDX)}; err != nil || got != want {
		t.Errorf("%x, %v, want %x", got, err, want)
	}
}

// Wakes are counted: none is lost, whether it comes before the wait or after.
func TestWakes(t *testing.T) {
	var o OCalls
	for range 3 {
		ret, err := o.SgxThreadSetUntrustedEventOcall(ctx, 8)
		ok(t, ret, err)
	}
	for range 3 {
		ret, err := o.SgxThreadWaitUntrustedEventOcall(ctx, 8)
		ok(t, ret, err)
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := o.SgxThreadWaitUntrustedEventOcall(over, 8); !errors.Is(err, context.Canceled) {
		t.Errorf("a fourth wait: %v", err)
	}
}

// Two threads pass a token to and fro, as threads do that contend for a mutex.
func TestPingPong(t *testing.T) {
	var o OCalls
	const rounds = 2000
	var wg sync.WaitGroup
	for _, p := range []struct{ self, other edge.Pointer }{{1, 2}, {2, 1}} {
		wg.Go(func() {
			for range rounds {
				if ret, err := o.SgxThreadSetwaitUntrustedEventsOcall(ctx, p.other, p.self); ret != 0 || err != nil {
					t.Errorf("%d, %v", ret, err)
				}
			}
		})
	}
	wg.Wait()
}

// As many waits as wakes end, also of threads that wait as one.
func TestMany(t *testing.T) {
	var o OCalls
	const threads, each = 4, 500
	var wg sync.WaitGroup
	for i := range threads {
		wg.Go(func() {
			for range each {
				if ret, err := o.SgxThreadWaitUntrustedEventOcall(ctx, edge.Pointer(1+i/2)); ret != 0 || err != nil {
					t.Errorf("%d, %v", ret, err)
				}
			}
		})
	}
	for range each {
		ret, err := o.SgxThreadSetMultipleUntrustedEventsOcall(ctx, []edge.Pointer{1, 2, 1, 2})
		ok(t, ret, err)
	}
	wg.Wait()
}

func TestRefused(t *testing.T) {
	var o OCalls
	want := func(code status.Code, ret int32, err error) {
		t.Helper()
		if ret != int32(code) || err != nil {
			t.Errorf("%v, %v, want %v", status.Code(ret), err, code)
		}
	}
	ret, err := o.SgxThreadWaitUntrustedEventOcall(ctx, 0)
	want(status.ErrInvalidParameter, ret, err)
	ret, err = o.SgxThreadSetUntrustedEventOcall(ctx, 0)
	want(status.ErrInvalidParameter, ret, err)
	ret, err = o.SgxThreadSetwaitUntrustedEventsOcall(ctx, 0, 1)
	want(status.ErrInvalidParameter, ret, err)
	ret, err = o.SgxThreadSetMultipleUntrustedEventsOcall(ctx, nil)
	want(status.ErrInvalidParameter, ret, err)
	for i := range MaxEvents {
		ret, err = o.SgxThreadSetUntrustedEventOcall(ctx, edge.Pointer(i+1))
		ok(t, ret, err)
	}
	ret, err = o.SgxThreadSetUntrustedEventOcall(ctx, MaxEvents+1)
	want(status.ErrOutOfMemory, ret, err)
}
