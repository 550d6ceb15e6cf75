package enclave_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/internal/toy"
)

// nest makes a nested ECALL with a typed block.
func nest[T toy.Block](ctx context.Context, c *enclave.Call, index toy.ECALL, v T) (T, error) {
	b := toy.Encode(v)
	err := c.ECall(ctx, int(index), b)
	out, _ := toy.Decode[T](b)
	return out, err
}

// TestNested makes ECALLs in OCALLs, level upon level. Each level sees its own
// blocks unharmed, and all of them run on the same TCS, each on memory of the
// enclave's stack below the one before.
func TestNested(t *testing.T) {
	const levels = 20
	var depth int
	var tcs []uint64
	var problems []string
	down := func(ctx context.Context, c *enclave.Call) enclave.Status {
		info, err := nest(ctx, c, toy.ECallInfo, toy.MSInfo{})
		if err != nil {
			problems = append(problems, err.Error())
			return enclave.ErrUnexpected
		}
		tcs = append(tcs, info.TCS)
		if depth++; depth == levels {
			return enclave.Success
		}
		level := uint64(depth)
		b, err := c.Enclave().Alloc(16)
		if err != nil {
			return enclave.ErrOutOfMemory
		}
		defer b.Free()
		r, err := nest(ctx, c, toy.ECallOCall, toy.MSOCall{Index: 0, Block: b.Addr(), Value: level})
		own, _ := toy.Decode[toy.OCallBlock](b.Bytes())
		if err != nil || r.Status != toy.Success || r.Value != level || own.Value != level {
			problems = append(problems, "a level's block was changed by the one below")
		}
		return enclave.Success
	}
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{Threads: 1}), enclave.WithOCalls(down))
	if r := mustCall(t, e, toy.ECallOCall, toy.MSOCall{}); r.Status != toy.Success {
		t.Errorf("status %#x", r.Status)
	}
	if depth != levels || len(problems) > 0 {
		t.Errorf("%d levels, %v", depth, problems)
	}
	if slices.Min(tcs) != slices.Max(tcs) {
		t.Errorf("nested ECALLs run on other TCSs: %#x", tcs)
	}
	// Afterwards nothing of it is left.
	if r := mustCall(t, e, toy.ECallAdd, toy.MSAdd{A: 1, B: 2}); r.Sum != 3 {
		t.Error("the thread is spoilt")
	}
}

// TestNestedTooDeep bounds the depth: the enclave sees an OCALL fail.
func TestNestedTooDeep(t *testing.T) {
	depth, status := 0, uint64(0)
	down := func(ctx context.Context, c *enclave.Call) enclave.Status {
		depth++
		if depth > 1000 {
			return enclave.ErrUnexpected
		}
		r, err := nest(ctx, c, toy.ECallOCall, toy.MSOCall{})
		if err == nil && r.Status != toy.Success {
			status = r.Status
		}
		return enclave.Success
	}
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{StackPages: 64}), enclave.WithOCalls(down))
	mustCall(t, e, toy.ECallOCall, toy.MSOCall{})
	if enclave.Status(status) != enclave.ErrStackOverrun || depth > 100 {
		t.Errorf("%d levels, then %v", depth, enclave.Status(status))
	}
}

// TestNestedStack looks at the untrusted stack that nested entries begin with.
// An enclave that made an OCALL may have put its block below the stack pointer
// of its entry (sgx_ocalloc), and a red zone lies below that of its exit.
func TestNestedStack(t *testing.T) {
	const taken, redZone = 4096 + 64, 128
	var sp []uint64
	down := func(ctx context.Context, c *enclave.Call) enclave.Status {
		sp = append(sp, enclave.StackPointer(c))
		if len(sp) < 4 {
			_ = c.ECall(ctx, int(toy.ECallOCall), toy.Encode(toy.MSOCall{}))
			sp = append(sp, enclave.StackPointer(c)) // as it was before
		}
		return enclave.Success
	}
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}), enclave.WithOCalls(down))
	top := enclave.LowerStack(e, taken)
	mustCall(t, e, toy.ECallOCall, toy.MSOCall{})
	if len(sp) != 7 {
		t.Fatalf("stack pointers %#x", sp)
	}
	last := top - taken
	for _, s := range sp[:4] {
		if s > last-redZone || s%16 != 0 {
			t.Errorf("a nested entry at %#x, %d bytes below the OCALL's %#x", s, last-s, last)
		}
		last = s
	}
	if sp[4] != sp[2] || sp[5] != sp[1] || sp[6] != sp[0] {
		t.Errorf("stack pointers %#x do not come back", sp)
	}
}

// TestNestedFails has a nested ECALL end by an exception: the enclave has
// crashed, and the outer call cannot go on.
func TestNestedFails(t *testing.T) {
	var nested, again error
	down := func(ctx context.Context, c *enclave.Call) enclave.Status {
		_, nested = nest(ctx, c, toy.ECallFault, toy.MSFault{Kind: toy.FaultUD2})
		_, again = nest(ctx, c, toy.ECallAdd, toy.MSAdd{})
		return enclave.Success
	}
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}), enclave.WithOCalls(down))
	_, err := call(t, e, toy.ECallOCall, toy.MSOCall{})
	var f *enclave.FaultError
	if !errors.As(nested, &f) || !errors.Is(err, enclave.ErrEnclaveCrashed) {
		t.Errorf("the nested call: %v; the outer: %v", nested, err)
	}
	if !errors.Is(again, enclave.ErrThreadLost) {
		t.Errorf("a further nested call: %v", again)
	}
}

// TestNestedRefused has nested ECALLs fail without harm to the outer call.
func TestNestedRefused(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	var index, late error
	down := func(ctx context.Context, c *enclave.Call) enclave.Status {
		index = c.ECall(ctx, 1000, nil)
		late = c.ECall(ended, int(toy.ECallEmpty), nil)
		return enclave.Success
	}
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}), enclave.WithOCalls(down))
	mustCall(t, e, toy.ECallOCall, toy.MSOCall{})
	if !errors.Is(index, enclave.ErrInvalidFunction) || !errors.Is(late, context.Canceled) {
		t.Errorf("bad index: %v; context ended before: %v", index, late)
	}
}

// TestNestedPanics recovers from a panic in an OCALL of a nested ECALL, within
// the outer OCALL: the outer call fails, because the enclave still waits for
// the inner OCALL.
func TestNestedPanics(t *testing.T) {
	outer := func(ctx context.Context, c *enclave.Call) enclave.Status {
		if v := panicked(func() { _ = c.ECall(ctx, int(toy.ECallOCall), toy.Encode(toy.MSOCall{Index: 1})) }); v == nil {
			t.Error("the panic was swallowed")
		}
		return enclave.Success
	}
	inner := func(context.Context, *enclave.Call) enclave.Status { panic("inner") }
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{Threads: 1}), enclave.WithOCalls(outer, inner))
	if _, err := call(t, e, toy.ECallOCall, toy.MSOCall{}); !errors.Is(err, enclave.ErrThreadLost) {
		t.Errorf("the outer call: %v", err)
	}
	if err := e.ECall(context.Background(), int(toy.ECallEmpty), nil); !errors.Is(err, enclave.ErrOutOfTCS) || !strings.Contains(err.Error(), "load the enclave again") {
		t.Errorf("the thread is used again: %v", err)
	}
}

// TestNestedStopped ends the context many levels down. The error that comes
// up through them is worded once.
func TestNestedStopped(t *testing.T) {
	const levels = 10
	ctx, cancel := context.WithCancel(context.Background())
	depth := 0
	down := func(ctx context.Context, c *enclave.Call) enclave.Status {
		if depth++; depth == levels {
			cancel()
		}
		if err := c.ECall(ctx, int(toy.ECallOCall), toy.Encode(toy.MSOCall{})); err != nil {
			return enclave.ErrUnexpected
		}
		return enclave.Success
	}
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}), enclave.WithOCalls(down))
	err := e.ECall(ctx, int(toy.ECallOCall), toy.Encode(toy.MSOCall{}))
	if !errors.Is(err, context.Canceled) || strings.Count(err.Error(), "enclave:") != 1 {
		t.Errorf("error %q", err)
	}
}
