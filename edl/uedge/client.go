package uedge

import "sync"

const (
	// frameSize is the untrusted memory of a frame, in bytes. What does not
	// fit is allocated for one call.
	frameSize = 16 << 10
	// maxFree is how many frames a client keeps for later calls.
	maxFree = 64
)

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
