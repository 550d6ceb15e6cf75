package uedge

import (
	"context"
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/status"
)

// maxOCall bounds what the arguments of one OCALL are copied to, in bytes. They
// lie in memory that the enclave was given, but may share it.
const maxOCall = 1 << 30

// Server serves an OCALL.
type Server struct {
	Name string
	Size int // of the marshalling structure, 0 if there is none
	// Serve unpacks the arguments, calls the function and packs its results.
	// The status of its error is what the enclave sees.
	Serve func(ctx context.Context, f *edge.Callee) error
}

// OCallError is why an OCALL failed that an ECALL has made. It unwraps to the
// error of the function that served it.
type OCallError struct {
	Index int
	Name  string
	Err   error
}

// Error names the OCALL and its error.
func (e *OCallError) Error() string { return fmt.Sprintf("OCALL %d (%s): %v", e.Index, e.Name, e.Err) }

// Unwrap returns the error of the function that served the OCALL.
func (e *OCallError) Unwrap() error { return e.Err }

// serve serves an OCALL of the ECALL of f, of which there is one at a time.
func (f *Frame) serve(ctx context.Context, index int, c Call) status.Code {
	s := &f.client.servers[index]
	f.call = c
	err := f.callee.Begin((*memory)(f), c.Block(), s.Size, maxOCall)
	if err == nil {
		err = s.Serve(ctx, &f.callee)
	}
	f.call = nil
	if err != nil {
		f.ocallErrs = append(f.ocallErrs, &OCallError{index, s.Name, err})
	}
	return edge.Status(err)
}

// join adds what went wrong in OCALLs to the error of an ECALL.
func (f *Frame) join(err error) error {
	if err == nil || len(f.ocallErrs) == 0 {
		return err
	}
	return errors.Join(append([]error{err}, f.ocallErrs...)...)
}

// memory is the untrusted memory that the OCALL of a frame may refer to.
type memory Frame

// Check implements edge.Memory.
func (m *memory) Check(addr, n uint64) bool {
	_, err := m.at(addr, n)
	return err == nil
}

// Load implements edge.Memory.
func (m *memory) Load(dst []byte, addr uint64) error {
	b, err := m.at(addr, uint64(len(dst)))
	copy(dst, b)
	return err
}

// Store implements edge.Memory.
func (m *memory) Store(addr uint64, src []byte) error {
	b, err := m.at(addr, uint64(len(src)))
	copy(b, src)
	return err
}

func (m *memory) at(addr, n uint64) ([]byte, error) {
	if int(n) < 0 || uint64(int(n)) != n || addr+n < addr {
		return nil, fmt.Errorf("edl/uedge: %w: %d bytes at %#x", status.ErrInvalidParameter, n, addr)
	}
	return m.call.Bytes(addr, int(n))
}
