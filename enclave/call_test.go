package enclave_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"sync"
	"testing"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/isa"
)

func TestECall(t *testing.T) {
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}))
	if r := mustCall(t, e, toy.ECallAdd, toy.MSAdd{A: 40, B: 2}); r.Sum != 42 {
		t.Errorf("40 + 2 is %d", r.Sum)
	}
	if err := e.ECall(context.Background(), int(toy.ECallEmpty), nil); err != nil {
		t.Errorf("without a block: %v", err)
	}
	r := mustCall(t, e, toy.ECallTLS, toy.MSTLS{})
	if r.Self != r.GSBase || r.FSBase != r.GSBase || r.GSBase-e.Base() >= e.Image().Size {
		t.Errorf("thread data: %+v", r)
	}
	const n = 12345
	if r := mustCall(t, e, toy.ECallCompute, toy.MSCompute{N: n}); r.Result != toy.Compute(n) {
		t.Errorf("computed %#x, want %#x", r.Result, toy.Compute(n))
	}
}

func TestECallIndex(t *testing.T) {
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}))
	beyond := int64(1) << 31 // of 32 bits, which int may have
	// The last two never reach the enclave: its commands are not ECALLs.
	for _, index := range []int{1 << 20, 1<<31 - 1, -1, -3, int(beyond)} {
		err := e.ECall(context.Background(), index, nil)
		if !errors.Is(err, enclave.ErrInvalidFunction) {
			t.Errorf("ECALL %d: %v", index, err)
		}
	}
	mustCall(t, e, toy.ECallAdd, toy.MSAdd{}) // and the enclave lives on
}

// TestBlockSize passes blocks up to the arena's size and beyond.
func TestBlockSize(t *testing.T) {
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}))
	const most = 64 << 10
	for _, size := range []int{24, 25, 64, 4096, most} {
		b := make([]byte, size)
		binary.LittleEndian.PutUint64(b, 7)
		b[size-1] = 0x5A
		last := binary.LittleEndian.Uint64(b[8:])
		if err := e.ECall(context.Background(), int(toy.ECallAdd), b); err != nil {
			t.Errorf("a block of %d bytes: %v", size, err)
		} else if sum := binary.LittleEndian.Uint64(b[16:]); size > 25 && (sum != 7+last || b[size-1] != 0x5A) {
			t.Errorf("a block of %d bytes: sum %d, last byte %#x", size, sum, b[size-1])
		}
	}
	err := e.ECall(context.Background(), int(toy.ECallAdd), make([]byte, most+1))
	if !errors.Is(err, enclave.ErrInvalidParameter) {
		t.Errorf("a block of %d bytes: %v", most+1, err)
	}
}

func TestAlloc(t *testing.T) {
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}))
	b, err := e.Alloc(1000)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Bytes()) != 1000 || b.Addr()%isa.PageSize != 0 || !bytes.Equal(b.Bytes(), make([]byte, 1000)) {
		t.Errorf("%d bytes at %#x, or not zeros", len(b.Bytes()), b.Addr())
	}
	want := uint64(0)
	for i := range b.Bytes() {
		b.Bytes()[i] = byte(i)
		want += uint64(byte(i))
	}
	if r := mustCall(t, e, toy.ECallSum, toy.MSSum{Ptr: b.Addr(), Len: 1000}); r.Sum != want {
		t.Errorf("sum %d, want %d", r.Sum, want)
	}

	for _, c := range []struct {
		addr uint64
		n    int
		ok   bool
	}{
		{b.Addr(), 1000, true},
		{b.Addr() + 999, 1, true},
		{b.Addr() + 1000, 0, true},
		{b.Addr() + 999, 2, false},
		{b.Addr() + 1001, 0, false},
		{b.Addr() - 1, 1, false},
		{b.Addr(), -1, false},
		{e.Base(), 8, false},
		{0, 1, false},
		{^uint64(0), 8, false},
	} {
		got, err := e.Bytes(c.addr, c.n)
		if (err == nil) != c.ok || c.ok && len(got) != c.n {
			t.Errorf("Bytes(base%+d, %d): %d bytes, %v", int64(c.addr-b.Addr()), c.n, len(got), err)
		}
	}
	addr := b.Addr()
	b.Free()
	b.Free()
	if _, err := e.Bytes(addr, 1); !errors.Is(err, enclave.ErrInvalidParameter) {
		t.Errorf("Bytes of memory that was freed: %v", err)
	}
	if _, err := e.Alloc(-1); !errors.Is(err, enclave.ErrInvalidParameter) {
		t.Errorf("Alloc(-1): %v", err)
	}
}

// TestEnter passes registers to enclaves of both formats.
func TestEnter(t *testing.T) {
	m := powerOn(t, enclave.MachineConfig{})
	stream, sig, err := toy.BuildSGXS(toy.SGXSOptions{Key: testKey(), Unmeasured: []byte{8, 7, 6, 5, 4, 3, 2, 1}})
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Parse(stream, image.WithSigStruct(sig))
	if err != nil {
		t.Fatal(err)
	}
	e := load(t, m, img)
	for range 3 {
		r := cpu.Regs{RDI: 6, RSI: 7}
		if err := e.Enter(context.Background(), &r); err != nil {
			t.Fatal(err)
		}
		if r.RDX != 13 || r.R8 != 42 || r.R9 != 0x0102030405060708 || r.RDI != 6 || r.RSI != 7 {
			t.Errorf("registers %+v", r)
		}
	}
	// It makes something else of the SDK's commands, and ECall says so.
	if err := e.ECall(context.Background(), 0, nil); err == nil {
		t.Error("ECall on an enclave without the SDK's contract succeeds")
	}

	sdk := load(t, m, build(t, toy.Options{}))
	r := cpu.Regs{RDI: uint64(toy.ECallEmpty)}
	if err := sdk.Enter(context.Background(), &r); err != nil || int64(r.RDI) != toy.ERET || r.RSI != toy.Success {
		t.Errorf("an SDK enclave: %v, RDI %#x, RSI %#x", err, r.RDI, r.RSI)
	}
}

// TestBadCommand gives the trusted runtime a command that it does not have:
// it crashes the enclave.
func TestBadCommand(t *testing.T) {
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}))
	command := int64(-100)
	r := cpu.Regs{RDI: uint64(command)}
	if err := e.Enter(context.Background(), &r); err != nil || r.RSI != toy.ErrorUnexpected {
		t.Errorf("%v, status %#x", err, r.RSI)
	}
	if err := e.ECall(context.Background(), int(toy.ECallEmpty), nil); !errors.Is(err, enclave.ErrEnclaveCrashed) {
		t.Errorf("afterwards: %v", err)
	}
}

// TestRegistersSurvive has the enclave hold values in all of its registers
// while signals interrupt it.
func TestRegistersSurvive(t *testing.T) {
	m := powerOn(t, enclave.MachineConfig{})
	e := load(t, m, build(t, toy.Options{}))
	indexes := []toy.ECALL{toy.ECallXmmHold, toy.ECallGprHold}
	if m.Processor().XFRM()&isa.XFRMAVX != 0 {
		indexes = append(indexes, toy.ECallYmmHold)
	}
	for _, index := range indexes {
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				block := toy.Encode(toy.MSHold{N: 20_000_000})
				err := e.ECall(context.Background(), int(index), block)
				if r, _ := toy.Decode[toy.MSHold](block); err != nil || r.Lost != 0 {
					t.Errorf("%v: %d registers changed, %v", index, r.Lost, err)
				}
			})
		}
		for range 100 {
			enclave.Interrupt(e)
			_, _ = rand.Read(make([]byte, 1<<16))
		}
		wg.Wait()
	}
}
