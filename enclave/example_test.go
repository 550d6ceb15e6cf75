//go:build linux && amd64

package enclave_test

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log"
	"time"

	_ "github.com/feidi-dev/feidi/cpu/native" // the engine
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/sign"
)

// Load an enclave file and make an ECALL whose marshalling structure holds two
// numbers and room for their sum.
func Example() {
	img := enclaveFile()
	m, err := enclave.PowerOn(enclave.MachineConfig{})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	ctx := context.Background()
	e, err := m.Load(ctx, img)
	if err != nil {
		log.Fatal(err)
	}
	defer e.Destroy()

	const add = 1 // the index of the ECALL
	block := make([]byte, 24)
	binary.LittleEndian.PutUint64(block[0:], 40)
	binary.LittleEndian.PutUint64(block[8:], 2)
	if err := e.ECall(ctx, add, block); err != nil {
		log.Fatal(err)
	}
	fmt.Println("sum:", binary.LittleEndian.Uint64(block[16:]))

	// The host sees none of the enclave's memory.
	b := make([]byte, 4)
	if _, err := e.ReadAt(b, 0); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("from outside: % x\n", b)
	// Output:
	// sum: 42
	// from outside: ff ff ff ff
}

// Serve OCALLs with Go functions. The block of an OCALL lies in memory that
// the enclave was given, and Call.Bytes checks that.
func ExampleWithOCalls() {
	greet := func(_ context.Context, c *enclave.Call) enclave.Status {
		b, err := c.Bytes(c.Block, 16)
		if err != nil {
			return enclave.ErrInvalidParameter
		}
		fmt.Println("the enclave says", binary.LittleEndian.Uint64(b))
		binary.LittleEndian.PutUint64(b[8:], 7)
		return enclave.Success
	}
	m, err := enclave.PowerOn(enclave.MachineConfig{})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	ctx := context.Background()
	e, err := m.Load(ctx, enclaveFile(), enclave.WithOCalls(greet))
	if err != nil {
		log.Fatal(err)
	}
	defer e.Destroy()

	out, err := e.Alloc(16) // for the OCALL's block
	if err != nil {
		log.Fatal(err)
	}
	block := toy.Encode(toy.MSOCall{Index: 0, Block: out.Addr(), Value: 42})
	if err := e.ECall(ctx, int(toy.ECallOCall), block); err != nil {
		log.Fatal(err)
	}
	r, err := toy.Decode[toy.MSOCall](block)
	fmt.Println("the host says", r.Result, err)
	// Output:
	// the enclave says 42
	// the host says 7 <nil>
}

// Stop an enclave that does not come back, and tell where one crashed.
func ExampleEnclave_ECall() {
	m, err := enclave.PowerOn(enclave.MachineConfig{})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	e, err := m.Load(context.Background(), enclaveFile())
	if err != nil {
		log.Fatal(err)
	}
	defer e.Destroy()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	err = e.ECall(ctx, int(toy.ECallSpin), nil)
	fmt.Println(err)

	err = e.ECall(context.Background(), int(toy.ECallFault), toy.Encode(toy.MSFault{Kind: toy.FaultDiv0}))
	var f *enclave.FaultError
	if errors.As(err, &f) {
		fmt.Println(f.Status, f.Vector, "in", f.Symbol)
	}
	// Output:
	// enclave: stopped inside the enclave: context deadline exceeded
	// SGX_ERROR_ENCLAVE_CRASHED #DE in fault_div0
}

// enclaveFile stands for reading an enclave's file: it builds a small one.
func enclaveFile() *image.Image {
	key, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	file, err := toy.Build(toy.Options{Key: key})
	if err != nil {
		log.Fatal(err)
	}
	img, err := image.Parse(file)
	if err != nil {
		log.Fatal(err)
	}
	return img
}
