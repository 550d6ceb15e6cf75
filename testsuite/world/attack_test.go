package world_test

import (
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/aesm"
)

// maxGrowth is how much memory, in bytes, clients may make AESM take beyond what
// it has at work. The server's own bound is 16 MiB of large requests and 4 KiB for
// each of 1024 connections, twice; the collector of garbage lets it be twice that.
const maxGrowth = 2 * 2 * (16<<20 + 1024*4<<10)

// AESM is attacked by all at once, and keeps serving those who mean well.
func TestAttack(t *testing.T) {
	h := newWorld(t, "laptop")
	c, d := h.powerOn("laptop"), h.aesmd("laptop")
	for range 20 {
		mustQuote(d, c.app)
	}
	before := d.memory("VmRSS")

	ctx, end := context.WithCancel(t.Context())
	var attackers sync.WaitGroup
	defer func() {
		end()
		attackers.Wait()
	}()
	for _, a := range []func(*attack){(*attack).garbage, (*attack).giants, (*attack).slow, (*attack).slow, (*attack).halfClosed, (*attack).deaf} {
		attackers.Go(func() { a(&attack{ctx, t, d}) })
	}
	turns := make(chan struct{})
	attackers.Go(func() {
		defer close(turns)
		(&attack{ctx, t, d}).turns(10_000)
	})
	served := 0
	for going := true; going; served++ {
		select {
		case <-turns:
			going = false
		default:
		}
		if q, err := quote(d, c.app); err != nil || len(q) == 0 {
			t.Fatalf("somebody who means well: %v\n%s", err, d.log.String())
		}
	}
	peak, now := d.memory("VmHWM"), d.memory("VmRSS")
	end()
	attackers.Wait()
	t.Logf("memory %d MiB before, %d MiB after, %d MiB at most; %d quotes meanwhile", before>>20, now>>20, peak>>20, served)
	if peak-before > maxGrowth {
		t.Errorf("it took %d bytes more", peak-before)
	}
	mustQuote(d, c.app)
}

// attack is somebody who means no good.
type attack struct {
	context.Context
	t *testing.T
	d *daemon
}

// dial connects. It returns nil if the attack is over.
func (a *attack) dial() net.Conn {
	if a.Err() != nil {
		return nil
	}
	c, err := a.d.dial(a)
	if err != nil && a.Err() == nil {
		a.t.Errorf("connecting: %v", err)
	}
	if err != nil {
		return nil
	}
	return c
}

// each makes connections until the attack is over.
func (a *attack) each(pause time.Duration, do func(net.Conn)) {
	for c := a.dial(); c != nil; c = a.dial() {
		do(c)
		_ = c.Close()
		time.Sleep(pause)
	}
}

// read reads until the other side closes, or it has taken long enough.
func read(c net.Conn) {
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.Copy(io.Discard, c)
}

// frame is a frame with that length in front.
func frame(n uint32, content []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, n), content...)
}

// garbage sends frames of random bytes.
func (a *attack) garbage() {
	a.each(time.Millisecond, func(c net.Conn) {
		b := make([]byte, rand.IntN(6000))
		for i := range b {
			b[i] = byte(rand.Uint32())
		}
		_, _ = c.Write(frame(uint32(len(b)), b))
		_ = c.(*net.UnixConn).CloseWrite()
		read(c)
	})
}

// giants sends frames that are too large, or as large as may be, many at a time.
func (a *attack) giants() {
	for a.Err() == nil {
		var all sync.WaitGroup
		for i := range 100 {
			n := [...]uint32{1<<32 - 1, 1 << 31, aesm.MaxFrame + 1, aesm.MaxFrame}[i%4]
			all.Go(func() {
				if c := a.dial(); c != nil {
					_, _ = c.Write(frame(n, make([]byte, aesm.MaxFrame-1)))
					time.Sleep(100 * time.Millisecond)
					_ = c.Close()
				}
			})
		}
		all.Wait()
	}
}

// slow keeps connections that send a byte at a time, if at all.
func (a *attack) slow() {
	var conns []net.Conn
	for range 700 { // two of them are more than the server has at a time
		if c := a.dial(); c != nil {
			conns = append(conns, c)
		}
	}
	request := frame(100, make([]byte, 100))
	for i := 0; a.Err() == nil; i++ {
		for j, c := range conns {
			if _, err := c.Write(request[i%100 : i%100+1]); err != nil {
				_ = c.Close()
				if again := a.dial(); again != nil {
					conns[j] = again
				}
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	for _, c := range conns {
		_ = c.Close()
	}
}

// halfClosed says that it will send no more, before a request, in it and after it,
// of which only the last is answered.
func (a *attack) halfClosed() {
	request := aesm.AppendRequest(nil, &aesm.GetSupportedAttKeyIDNumRequest{})
	whole := frame(uint32(len(request)), request)
	i := 0
	a.each(time.Millisecond, func(c net.Conn) {
		n := [...]int{0, 2, len(whole) - 1, len(whole)}[i%4]
		i++
		if _, err := c.Write(whole[:n]); err != nil {
			return // it was thrown out to make room
		}
		_ = c.(*net.UnixConn).CloseWrite()
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		b, err := io.ReadAll(c)
		if n < len(whole) && len(b) > 0 {
			a.t.Errorf("%d bytes of a request are answered with %x, %v", n, b, err)
		}
	})
}

// deaf asks and does not listen.
func (a *attack) deaf() {
	request := aesm.AppendRequest(nil, &aesm.GetSupportedAttKeyIDsRequest{BufSize: 1 << 12})
	a.each(0, func(c net.Conn) {
		for range 1000 {
			_ = c.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
			if _, err := c.Write(frame(uint32(len(request)), request)); err != nil {
				return
			}
		}
	})
}

// turns makes connections one after the other, some of which ask for something.
func (a *attack) turns(n int) {
	request := aesm.AppendRequest(nil, &aesm.GetSupportedAttKeyIDNumRequest{})
	for i := range n {
		c := a.dial()
		if c == nil {
			return
		}
		if i%4 == 0 {
			_, _ = c.Write(frame(uint32(len(request)), request))
		}
		_ = c.Close()
	}
}
