package aesm_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/aesm"
)

// exchange sends a request as it is and returns what comes back.
func exchange(t testing.TB, c net.Conn, r aesm.Request) (aesm.Response, error) {
	t.Helper()
	if err := aesm.WriteFrame(c, aesm.AppendRequest(nil, r)); err != nil {
		return nil, err
	}
	frame, err := aesm.ReadFrame(c)
	if err != nil {
		return nil, err
	}
	return aesm.ParseResponse(frame)
}

func wantSize(t testing.TB, resp aesm.Response, err error) {
	t.Helper()
	if r, ok := resp.(*aesm.GetWhiteListSizeResponse); err != nil || !ok || r.ErrorCode != 0 || r.Size != 10 {
		t.Fatalf("%+v, %v", resp, err)
	}
}

// Intel's clients write the length and the message apart, use a connection once
// and close it. Others are free to do otherwise.
func TestWaysToAsk(t *testing.T) {
	s := &aesm.Server{Services: newServices()}
	path := start(t, s)
	c := dialer(t, path)
	for range 3 { // several requests, one after the other
		resp, err := exchange(t, c, &aesm.GetWhiteListSizeRequest{})
		wantSize(t, resp, err)
	}

	var both bytes.Buffer // several at once, byte by byte, and then nothing more
	for range 2 {
		if err := aesm.WriteFrame(&both, aesm.AppendRequest(nil, &aesm.GetWhiteListSizeRequest{Timeout: 15000})); err != nil {
			t.Fatal(err)
		}
	}
	c = dialer(t, path)
	for _, b := range both.Bytes() {
		if _, err := c.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.(*net.UnixConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		frame, err := aesm.ReadFrame(c)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := aesm.ParseResponse(frame)
		wantSize(t, resp, err)
	}
	if _, err := aesm.ReadFrame(c); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	if n := s.Stats(); n.Requests != 5 || n.Codes[0] != 5 || n.Connections != 2 || n.Malformed != 0 {
		t.Errorf("%+v", n)
	}
}

func TestStop(t *testing.T) {
	quotes := newFakeQuotes()
	quotes.block, quotes.begun = make(chan struct{}), make(chan struct{})
	s := &aesm.Server{Services: aesm.Services{Quote: []aesm.QuoteService{quotes}}}
	path := filepath.Join(t.TempDir(), "s")
	l, err := aesm.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	stop := serve(t, s, l)
	silent, open := dialer(t, path), dialer(t, path)
	answered := make(chan aesm.Response, 1)
	go func() {
		r := &aesm.GetQuoteExRequest{AttKeyID: key(), BufSize: 1000}
		r.Report, _ = report("block!!!").AppendBinary(nil)
		resp, err := exchange(t, open, r) // and leaves it open
		if err != nil {
			t.Error(err)
		}
		answered <- resp
	}()
	<-quotes.begun
	time.AfterFunc(300*time.Millisecond, func() { close(quotes.block) })
	if _, err := exchange(t, silent, new(aesm.GetSupportedAttKeyIDNumRequest)); err != nil {
		t.Error(err)
	}
	time.Sleep(50 * time.Millisecond) // until the server awaits the next request
	begun := time.Now()
	if err := stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
	if resp := <-answered; resp == nil || aesm.CodeOf(resp) != aesm.Success {
		t.Errorf("the request that was under way: %+v", resp)
	}
	if _, err := silent.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("silent connection: %v", err)
	}
	if _, err := net.Dial("unix", path); err == nil {
		t.Error("the socket is still there")
	}
	if n := s.Stats(); n.Open != 0 {
		t.Errorf("%+v", n)
	}
}

func TestStopBreaksOff(t *testing.T) {
	leaks(t)
	quotes := newFakeQuotes()
	quotes.block, quotes.begun = make(chan struct{}), make(chan struct{})
	s := &aesm.Server{Services: aesm.Services{Quote: []aesm.QuoteService{quotes}}, Drain: 50 * time.Millisecond}
	path := filepath.Join(t.TempDir(), "s")
	l, err := aesm.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	stop := serve(t, s, l)
	key := aesm.DefaultECDSAKeyID()
	answered := make(chan error, 1)
	go func() {
		_, err := aesm.New(aesm.Options{Path: path}).GetQuoteEx(context.Background(), &key, report("block!!!"), 1000, nil)
		answered <- err
	}()
	<-quotes.begun
	if err := stop(); err == nil || !strings.Contains(err.Error(), "1 requests were broken off") {
		t.Error(err)
	}
	if err := <-answered; !errors.Is(err, aesm.ErrNoAnswer) {
		t.Error(err)
	}
}

func TestRequestTimeout(t *testing.T) {
	quotes := newFakeQuotes()
	quotes.block, quotes.begun = make(chan struct{}), make(chan struct{}, 1)
	path := start(t, &aesm.Server{Services: aesm.Services{Quote: []aesm.QuoteService{quotes}}, RequestTimeout: 20 * time.Millisecond})
	key := aesm.DefaultECDSAKeyID()
	if _, err := aesm.New(aesm.Options{Path: path}).GetQuoteEx(t.Context(), &key, report("block!!!"), 1000, nil); !errors.Is(err, aesm.ErrBusy) {
		t.Error(err)
	}
}

// A plug-in that panics harms nobody else, and the operator is told.
func TestLog(t *testing.T) {
	var log syncBuffer
	s := &aesm.Server{Services: newServices(), Log: slog.New(slog.NewTextHandler(&log, nil))}
	path := start(t, s)
	c, key := aesm.New(aesm.Options{Path: path}), aesm.DefaultECDSAKeyID()
	for word, code := range map[string]error{"panic!!!": aesm.ErrUnexpected, "errorful": aesm.ErrUnexpected, "invalid!": aesm.ErrInvalidReport, "strange!": aesm.Code(1 << 31), "fine": nil} {
		if _, err := c.GetQuoteEx(t.Context(), &key, report(word), 1000, nil); !errors.Is(err, code) {
			t.Errorf("%s: %v", word, err)
		}
	}
	text := log.String()
	if strings.Count(text, "level=ERROR") != 2 || !strings.Contains(text, "no more ink") || !strings.Contains(text, "a plug-in has a bug") || !strings.Contains(text, "request=GetQuoteEx") {
		t.Error(text)
	}
	if strings.Contains(text, "INVALID_REPORT") {
		t.Error("a client's mistake is logged")
	}
	if n := s.Stats(); n.Panics != 1 || n.Codes[1] != 2 || n.Codes[47] != 1 || n.Codes[0] != 1 || n.Codes[52] != 1 {
		t.Errorf("%+v", n)
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// A socket that fails for good ends the server; one that lacks files for a
// while does not.
func TestAcceptFails(t *testing.T) {
	broken := errors.New("broken")
	err := new(aesm.Server).Serve(t.Context(), &failingListener{errs: []error{&net.OpError{Op: "accept", Err: errTooManyFiles}, broken}})
	if !errors.Is(err, broken) {
		t.Error(err)
	}
}

type failingListener struct{ errs []error }

func (f *failingListener) Accept() (net.Conn, error) {
	err := f.errs[0]
	f.errs = f.errs[1:]
	return nil, err
}
func (f *failingListener) Close() error   { return nil }
func (f *failingListener) Addr() net.Addr { return &net.UnixAddr{Name: "broken"} }

// leaks checks that a test leaves no goroutine behind. Call it first, so that
// it looks last.
func leaks(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for range 100 {
			if runtime.NumGoroutine() <= before {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		stacks := make([]byte, 1<<16)
		t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
	})
}
