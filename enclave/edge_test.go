package enclave_test

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/status"
)

var (
	_ uedge.Enclave = (*enclave.Enclave)(nil)
	_ uedge.Enclave = (*enclave.Thread)(nil)
)

// callAt makes an ECALL with a typed block in memory outside.
func callAt[T toy.Block](ctx context.Context, t testing.TB, e uedge.Enclave, index toy.ECALL, v T, table uedge.Table) (T, error) {
	t.Helper()
	b := toy.Encode(v)
	m, err := e.Outside(len(b))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Free()
	copy(m.Bytes(), b)
	err = e.CallAt(ctx, int(index), m.Addr(), table)
	out, _ := toy.Decode[T](m.Bytes())
	return out, err
}

// doubleEntry is double as an entry of a table.
func doubleEntry(_ context.Context, c uedge.Call) status.Code {
	b, err := c.Bytes(c.Block(), 16)
	if err != nil {
		return status.ErrInvalidParameter
	}
	binary.LittleEndian.PutUint64(b[8:], 2*binary.LittleEndian.Uint64(b))
	return status.Success
}

// TestCallAt makes calls with tables of their own, beside the one of Load.
func TestCallAt(t *testing.T) {
	other := func(_ context.Context, c *enclave.Call) enclave.Status { return enclave.Status(0x700 + c.Index) }
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}), enclave.WithOtherOCalls(other))
	thread, err := e.Bind()
	if err != nil {
		t.Fatal(err)
	}
	defer thread.Release()
	ctx := context.Background()
	b := buffer(t, e, 16)
	for name, e := range map[string]uedge.Enclave{"enclave": e, "thread": thread} {
		r, err := callAt(ctx, t, e, toy.ECallOCall, toy.MSOCall{Index: 1, Block: b.Addr(), Value: 21}, uedge.Table{nil, doubleEntry})
		if err != nil || r.Status != toy.Success || r.Result != 42 {
			t.Errorf("%s: %v, status %#x, result %d", name, err, r.Status, r.Result)
		}
		for _, table := range []uedge.Table{nil, {nil, doubleEntry}} {
			r, err = callAt(ctx, t, e, toy.ECallOCall, toy.MSOCall{}, table)
			if err != nil || r.Status != 0x700 {
				t.Errorf("%s: %v, status %#x, want what Load's function says", name, err, r.Status)
			}
		}
		if err := e.CallAt(ctx, -1, 0, nil); !errors.Is(err, enclave.ErrInvalidFunction) {
			t.Errorf("%s: ECALL -1: %v", name, err)
		}
	}
}

// TestCallAtNested makes nested calls by the context of an OCALL: they are on
// its thread, also if there is no other.
func TestCallAtNested(t *testing.T) {
	for _, bound := range []bool{false, true} {
		e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{Threads: 1}))
		var root uedge.Enclave = e
		if bound {
			thread, err := e.Bind()
			if err != nil {
				t.Fatal(err)
			}
			defer thread.Release()
			root = thread
		}
		var stale context.Context
		var call uedge.Call
		var nested error
		var info toy.MSInfo
		table := uedge.Table{func(ctx context.Context, c uedge.Call) status.Code {
			stale, call = ctx, c
			info, nested = callAt(ctx, t, root, toy.ECallInfo, toy.MSInfo{}, nil)
			return status.Success
		}}
		r, err := callAt(context.Background(), t, root, toy.ECallOCall, toy.MSOCall{}, table)
		if err != nil || nested != nil || r.Status != toy.Success {
			t.Errorf("bound %v: %v, nested %v, status %#x", bound, err, nested, r.Status)
		}
		if threads := e.Image().Threads; info.TCS != e.Base()+threads[0].Offset {
			t.Errorf("bound %v: nested on %#x", bound, info.TCS)
		}
		if _, err := callAt(stale, t, root, toy.ECallInfo, toy.MSInfo{}, nil); !errors.Is(err, enclave.ErrOCallOver) {
			t.Errorf("bound %v: a nested call after the OCALL: %v", bound, err)
		}
		if _, err := call.Bytes(0, 0); !errors.Is(err, enclave.ErrOCallOver) {
			t.Errorf("bound %v: memory after the OCALL: %v", bound, err)
		}
	}
}

// TestCallAtOtherEnclave calls a second enclave while the first one's OCALL is
// served: that is a root call.
func TestCallAtOtherEnclave(t *testing.T) {
	m := powerOn(t, enclave.MachineConfig{})
	first, second := load(t, m, build(t, toy.Options{})), load(t, m, build(t, toy.Options{}))
	var info toy.MSInfo
	var nested error
	table := uedge.Table{func(ctx context.Context, _ uedge.Call) status.Code {
		info, nested = callAt(ctx, t, second, toy.ECallInfo, toy.MSInfo{}, nil)
		return status.Success
	}}
	if _, err := callAt(context.Background(), t, first, toy.ECallOCall, toy.MSOCall{}, table); err != nil || nested != nil {
		t.Fatal(err, nested)
	}
	if want := second.Base() + second.Image().Threads[0].Offset; info.TCS != want {
		t.Errorf("on %#x, want %#x", info.TCS, want)
	}
}
