package enclave_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"sync"
	"testing"

	_ "github.com/feidi-dev/feidi/cpu/native"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/toy"
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
