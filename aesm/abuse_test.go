package aesm_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/aesm"
)

var errTooManyFiles = syscall.EMFILE

// closed checks that the server closes a connection without an answer.
func closed(t *testing.T, c net.Conn) {
	t.Helper()
	if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read %d bytes, %v", n, err)
	}
}

func TestGarbage(t *testing.T) {
	leaks(t)
	s := &aesm.Server{Services: newServices()}
	path := start(t, s)
	for _, wire := range []string{
		"\xff\xff\xff\xff", "\x01\x00\x04\x00", "\x00\x00\x00\x00", "\x02\x00\x00\x00\xff\xff", "GET / HTTP/1.1\r\n\r\n",
	} {
		c := dialer(t, path)
		if _, err := io.WriteString(c, wire); err != nil {
			t.Fatal(err)
		}
		closed(t, c)
	}
	if n := s.Stats(); n.Malformed != 5 {
		t.Errorf("%+v", n)
	}

	// What is known but damaged is answered, as Intel's service does it, and
	// what is well formed but unknown in a way that is made for it.
	for wire, want := range map[string]aesm.Response{
		string(message(17, b(1, "report"))):          &aesm.GetQuoteExResponse{ErrorCode: 1},
		string(message(3, n(9, 1)))[:2] + "\xff\x0e": &aesm.GetLaunchTokenResponse{ErrorCode: 1},
		string(message(20, n(1, 1))):                 &aesm.UnsupportedResponse{ErrorCode: 30},
		string(message(5, n(1, 1))):                  &aesm.UnsupportedResponse{ErrorCode: 30},
	} {
		c := dialer(t, path)
		if err := aesm.WriteFrame(c, []byte(wire)); err != nil {
			t.Fatal(err)
		}
		frame, err := aesm.ReadFrame(c)
		if err != nil {
			t.Fatalf("%x: %v", wire, err)
		}
		resp, err := aesm.ParseResponse(frame)
		if err != nil || resp.Kind() != want.Kind() || aesm.CodeOf(resp) != aesm.CodeOf(want) {
			t.Errorf("%x: %+v, %v", wire, resp, err)
		}
	}

	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		c := dialer(t, path)
		junk := make([]byte, random.IntN(64))
		for i := range junk {
			junk[i] = byte(random.Uint32())
		}
		_ = aesm.WriteFrame(c, junk)
		_ = c.Close()
	}
	resp, err := exchange(t, dialer(t, path), &aesm.GetWhiteListSizeRequest{})
	wantSize(t, resp, err)
}

// Clients that say little and slowly fill the table again and again; others are
// served at once nevertheless.
func TestSlowLoris(t *testing.T) {
	leaks(t)
	s := &aesm.Server{Services: newServices(), MaxConnections: 64, ReadTimeout: time.Second}
	path := start(t, s)
	attack := make(chan struct{})
	var attackers sync.WaitGroup
	for range 8 {
		attackers.Go(func() {
			var mine []net.Conn
			defer func() {
				for _, c := range mine {
					_ = c.Close()
				}
			}()
			for {
				select {
				case <-attack:
					return
				case <-time.After(time.Millisecond):
				}
				c, err := net.Dial("unix", path)
				if err != nil {
					continue
				}
				_, _ = c.Write([]byte{200, 0}) // half a length
				if mine = append(mine, c); len(mine) > 50 {
					_ = mine[0].Close()
					mine = mine[1:]
				}
			}
		})
	}
	time.Sleep(100 * time.Millisecond)
	c := aesm.New(aesm.Options{Path: path})
	var slowest time.Duration
	for range 200 {
		begun := time.Now()
		if n, err := c.GetWhiteListSize(t.Context()); err != nil || n != 10 {
			t.Errorf("%d, %v", n, err)
			break
		}
		slowest = max(slowest, time.Since(begun))
	}
	close(attack)
	attackers.Wait()
	if n := s.Stats(); n.Evicted == 0 || n.Open > 64 {
		t.Errorf("%+v", n)
	}
	if slowest > time.Second/2 {
		t.Errorf("an honest client waited for %v", slowest)
	}
}

// Without a lack of room, too, a client that never ends its request is closed.
func TestReadTimeout(t *testing.T) {
	s := &aesm.Server{Services: newServices(), ReadTimeout: 50 * time.Millisecond}
	path := start(t, s)
	c := dialer(t, path)
	begun := time.Now()
	if _, err := c.Write([]byte{200, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	for range 100 { // a byte now and then does not help
		if _, err := c.Write([]byte{0}); err != nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if took := time.Since(begun); took > 500*time.Millisecond {
		t.Errorf("the connection lived for %v", took)
	}
	if n := s.Stats(); n.Slow != 1 {
		t.Errorf("%+v", n)
	}
}

// A client that asks and asks but does not take its answers is closed.
func TestAnswersNotTaken(t *testing.T) {
	s := &aesm.Server{Services: newServices(), ReadTimeout: 50 * time.Millisecond}
	path := start(t, s)
	r := &aesm.GetQuoteExRequest{AttKeyID: key(), BufSize: 5000}
	r.Report, _ = report("full").AppendBinary(nil)
	c, begun := dialer(t, path), time.Now()
	for range 10_000 {
		if err := aesm.WriteFrame(c, aesm.AppendRequest(nil, r)); err != nil {
			break
		}
	}
	if took := time.Since(begun); s.Stats().Open != 0 || took > 5*time.Second {
		t.Errorf("still open after %v and %d answers", took, s.Stats().Requests)
	}
}

// If all connections are being answered, a further one waits.
func TestAllBusy(t *testing.T) {
	leaks(t)
	quotes := newFakeQuotes()
	quotes.block, quotes.begun = make(chan struct{}), make(chan struct{})
	services := newServices()
	services.Quote = []aesm.QuoteService{quotes}
	s := &aesm.Server{Services: services, MaxConnections: 4}
	path := start(t, s)
	c, key := aesm.New(aesm.Options{Path: path}), aesm.DefaultECDSAKeyID()
	var busy sync.WaitGroup
	for range 4 {
		busy.Go(func() {
			if _, err := c.GetQuoteEx(t.Context(), &key, report("block!!!"), 1000, nil); err != nil {
				t.Error(err)
			}
		})
		<-quotes.begun
	}
	late := make(chan error)
	go func() {
		_, err := c.GetWhiteListSize(t.Context())
		late <- err
	}()
	select {
	case err := <-late:
		t.Errorf("was not made to wait: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	if n := s.Stats(); n.Open != 4 || n.Evicted != 0 {
		t.Errorf("%+v", n)
	}
	close(quotes.block)
	if err := <-late; err != nil {
		t.Error(err)
	}
	busy.Wait()
}

// Large requests that are never completed take a bounded amount of memory.
func TestLargeRequests(t *testing.T) {
	leaks(t)
	s := &aesm.Server{Services: newServices(), ReadTimeout: 10 * time.Second}
	path := start(t, s)
	client := aesm.New(aesm.Options{Path: path})
	for range 100 { // 25 MiB, but one after the other
		if err := client.RegisterWhiteList(t.Context(), make([]byte, aesm.MaxFrame-100)); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.RegisterWhiteList(t.Context(), []byte("white list")); err != nil {
		t.Fatal(err)
	}
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 300 { // would be 75 MiB
		c := dialer(t, path)
		if _, err := c.Write(append([]byte{0, 0, 4, 0}, make([]byte, 100)...)); err != nil && !errors.Is(err, syscall.EPIPE) {
			t.Fatal(err)
		}
	}
	for range 200 {
		if s.Stats().Crowded >= 300-64 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	runtime.GC()
	runtime.ReadMemStats(&during)
	if n := s.Stats(); n.Crowded != 300-64 || n.Open != 64 {
		t.Errorf("%+v", n)
	}
	if grown := int64(during.HeapAlloc) - int64(before.HeapAlloc); grown > 24<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	resp, err := exchange(t, dialer(t, path), &aesm.GetWhiteListSizeRequest{})
	wantSize(t, resp, err)
}

// Ten thousand connections in turn, of all kinds.
func TestTenThousand(t *testing.T) {
	leaks(t)
	s := &aesm.Server{Services: newServices()}
	path := start(t, s)
	request := aesm.AppendRequest(nil, &aesm.GetWhiteListSizeRequest{Timeout: 15000})
	for i := range 10_000 {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		switch i % 5 {
		case 0: // gone at once
		case 1: // gone in the middle
			_, _ = c.Write([]byte{6, 0, 0, 0, 1})
		case 2: // gone before the answer
			_ = aesm.WriteFrame(c, request)
		case 3: // half closed
			_ = aesm.WriteFrame(c, request)
			_ = c.(*net.UnixConn).CloseWrite()
			if _, err := aesm.ReadFrame(c); err != nil {
				t.Fatalf("%d: %v", i, err)
			}
		case 4:
			resp, err := exchange(t, c, &aesm.GetWhiteListSizeRequest{})
			wantSize(t, resp, err)
		}
		_ = c.Close()
	}
	for range 100 {
		if s.Stats().Open == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	n := s.Stats()
	if n.Connections != 10_000 || n.Open != 0 || n.Panics != 0 || n.Requests < 4000 || n.Malformed != 2000 {
		t.Errorf("%+v", n)
	}
	if n.Evicted != 0 {
		t.Errorf("%+v", n)
	}
}
