package enclave_test

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"sync"
	"testing"
	"time"

	"context"

	_ "github.com/feidi-dev/feidi/cpu/native"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
)

var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
})

// build returns the image of a toy enclave.
func build(t testing.TB, o toy.Options) *image.Image {
	t.Helper()
	if o.Key == nil {
		o.Key = testKey()
	}
	b, err := toy.Build(o)
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func powerOn(t testing.TB, c enclave.MachineConfig) *enclave.Machine {
	t.Helper()
	m, err := enclave.PowerOn(c)
	if errors.Is(err, enclave.ErrNoEngine) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func load(t testing.TB, m *enclave.Machine, img *image.Image, opts ...enclave.Option) *enclave.Enclave {
	t.Helper()
	e, err := m.Load(context.Background(), img, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Destroy(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// call makes an ECALL with a typed block and returns it as it is afterwards.
func call[T toy.Block](t testing.TB, e *enclave.Enclave, index toy.ECALL, v T) (T, error) {
	t.Helper()
	b := toy.Encode(v)
	err := e.ECall(context.Background(), int(index), b)
	out, derr := toy.Decode[T](b)
	if derr != nil {
		t.Fatal(derr)
	}
	return out, err
}

func mustCall[T toy.Block](t testing.TB, e *enclave.Enclave, index toy.ECALL, v T) T {
	t.Helper()
	out, err := call(t, e, index, v)
	if err != nil {
		t.Fatalf("%v: %v", index, err)
	}
	return out
}

func TestECall(t *testing.T) {
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}))
	if r := mustCall(t, e, toy.ECallAdd, toy.MSAdd{A: 40, B: 2}); r.Sum != 42 {
		t.Errorf("40 + 2 is %d", r.Sum)
	}
	if err := e.ECall(context.Background(), 1<<20, nil); !errors.Is(err, enclave.ErrInvalidFunction) {
		t.Errorf("ECALL out of range: %v", err)
	}
	if r := mustCall(t, e, toy.ECallTLS, toy.MSTLS{}); r.Self != r.GSBase || r.GSBase < e.Base() {
		t.Errorf("thread data: %+v", r)
	}
}

func TestTimeLimit(t *testing.T) {
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}), enclave.WithTimeLimit(50*time.Millisecond))
	err := e.ECall(context.Background(), int(toy.ECallSpin), nil)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("spinning: %v", err)
	}
	if r := mustCall(t, e, toy.ECallAdd, toy.MSAdd{A: 1, B: 2}); r.Sum != 3 {
		t.Error("another thread does not work any more")
	}
}

func TestFaults(t *testing.T) {
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{MiscSelect: isa.MiscEXINFO}))
	r := mustCall(t, e, toy.ECallFault, toy.MSFault{Trap: toy.Trap{Armed: 1}, Kind: toy.FaultUD2})
	t.Logf("%+v", r)
}
