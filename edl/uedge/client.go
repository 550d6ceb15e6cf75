package uedge

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/status"
)

// Pointer is an address that crosses the border as it is.
type Pointer = edge.Pointer

const (
	// frameSize is the untrusted memory of a frame, in bytes. What does not
	// fit is allocated for one call.
	frameSize = 16 << 10
	// maxFree is how many frames a client keeps for later calls.
	maxFree = 64
	// maxOCall bounds what the arguments of one OCALL are copied to, in
	// bytes. They lie in memory that the enclave was given, but may share it.
	maxOCall = 1 << 30
)

// Server serves an OCALL.
type Server struct {
	Name string
	Size int // of the marshalling structure, 0 if there is none
	// Serve unpacks the arguments, calls the function and packs its results.
	// The status of its error is what the enclave sees.
	Serve func(ctx context.Context, f *edge.Callee) error
}

// Client calls an enclave. It may be used concurrently.
type Client struct {
	enclave Enclave
	servers []Server

	mu     sync.Mutex
	free   []*Frame
	closed bool
}

// NewClient returns a client whose OCALLs are served by servers. An entry
// without Serve is left to who loaded the enclave.
func NewClient(e Enclave, servers ...Server) *Client {
	return &Client{enclave: e, servers: servers}
}

// Close gives the client's untrusted memory back. Calls under way are not
// disturbed, and later ones allocate anew.
func (c *Client) Close() {
	c.mu.Lock()
	free := c.free
	c.free, c.closed = nil, true
	c.mu.Unlock()
	for _, f := range free {
		f.release()
	}
}

// Frame begins an ECALL whose marshalling structure has size bytes.
func (c *Client) Frame(size int) *Frame {
	f := c.take()
	if f.mem == nil && size > 0 {
		mem, err := c.enclave.Outside(frameSize)
		if err != nil {
			f.Fail(err)
		} else {
			f.mem, f.addr, f.bytes = mem, mem.Addr(), mem.Bytes()
		}
	}
	if size > 0 {
		f.ms = f.structure(size)
		f.Block = f.ms.Block
	}
	return f
}

func (c *Client) take() *Frame {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.free); n > 0 {
		f := c.free[n-1]
		c.free[n-1] = nil
		c.free = c.free[:n-1]
		return f
	}
	return newFrame(c)
}

// give takes a frame back, or frees it.
func (c *Client) give(f *Frame) {
	c.mu.Lock()
	keep := !c.closed && len(c.free) < maxFree
	if keep {
		c.free = append(c.free, f)
	}
	c.mu.Unlock()
	if !keep {
		f.release()
	}
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
