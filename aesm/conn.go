package aesm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"time"
)

// Requests of up to smallFrame bytes are taken without further ado. Of larger
// ones there are at most maxLarge bytes at a time, so that the requests of all
// connections take no more memory than maxLarge and MaxConnections*smallFrame,
// twice: once as they came, and once as they were read.
const (
	smallFrame = 4 << 10
	maxLarge   = 64 * MaxFrame // 16 MiB
)

var errTooMuch = errors.New("too many large requests at a time")

// converse answers the requests of a connection, one after the other. Clients
// send but one.
func (s *Server) converse(ctx context.Context, t *table, c *conn) {
	for s.turn(ctx, t, c) {
	}
}

// turn answers one request. It returns false if there are to be no more.
func (s *Server) turn(ctx context.Context, t *table, c *conn) bool {
	timeout := or(s.ReadTimeout, DefaultReadTimeout)
	if !t.waits(c, timeout) {
		return false
	}
	n, err := readLength(c)
	if err == nil && n > smallFrame {
		defer s.large.Add(int64(-n)) // not before the answer: the request is in memory until then
		if s.large.Add(int64(n)) > maxLarge {
			err = errTooMuch
		}
	}
	b := frames.Get().(*buffer)
	defer b.free()
	var request []byte
	if err == nil {
		request, err = b.body(c, n)
	}
	if err != nil {
		s.stats.unread(err)
		return false
	}
	if !t.busy(c) {
		return false
	}
	answer := s.respond(ctx, request, b)
	if answer == nil {
		return false
	}
	_ = c.SetWriteDeadline(time.Now().Add(timeout))
	return writeFrame(c, answer) == nil
}

// respond returns the frame that answers what was sent, in the buffer b where that
// may be, or nil if the connection should be closed, as Intel's service does with
// what it cannot read. It answers requests that it knows but whose fields are wrong.
func (s *Server) respond(ctx context.Context, request []byte, b *buffer) []byte {
	r, err := ParseRequest(request)
	if err != nil {
		s.stats.malformed.Add(1)
		var f *FormatError
		if !errors.As(err, &f) || f.Kind == 0 {
			return nil
		}
		if _, known := newRequest(f.Kind); known {
			return b.frame(failure(f.Kind, ErrUnexpected))
		}
		return b.frame(failure(KindUnsupported, ErrServiceUnavailable))
	}
	s.stats.requests.Add(1)
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, or(s.RequestTimeout, DefaultRequestTimeout))
	defer cancel()
	resp, err := s.contained(ctx, r)
	answer := b.frame(resp)
	if n := len(answer) - frameHeader; n > MaxFrame {
		resp, err = failure(r.Kind(), ErrUnexpected), tooLarge(uint64(n))
		answer = b.frame(resp)
	}
	s.stats.answered(CodeOf(resp))
	s.tell(ctx, r.Kind(), CodeOf(resp), err, time.Since(start))
	return answer
}

// tell logs an answer. What a client alone is to blame for is nothing that
// should fill an operator's disk.
func (s *Server) tell(ctx context.Context, k Kind, c Code, err error, took time.Duration) {
	level := slog.LevelWarn
	switch c {
	case Success, ErrUpdateAvailable, ErrParameter, ErrUnsupportedAttKeyID, ErrReport, ErrInvalidReport, ErrQEReport, ErrAttKeyNotInitialized, ErrServiceUnavailable, ErrGetLicenseToken:
		level = slog.LevelDebug
	case ErrUnexpected:
		level = slog.LevelError
	}
	log := s.log()
	if !log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{slog.String("request", k.String()), slog.String("code", c.String()), slog.Duration("took", took)}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	log.LogAttrs(ctx, level, "answered", attrs...)
}

// contained answers a request, and with ErrUnexpected if a plug-in panics.
func (s *Server) contained(ctx context.Context, r Request) (resp Response, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.stats.panics.Add(1)
			resp, err = failure(r.Kind(), ErrUnexpected), fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return s.Services.answer(ctx, r)
}

// unread counts why no request was read.
func (s *stats) unread(err error) {
	switch {
	case errors.Is(err, io.EOF): // the client is done
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.slow.Add(1)
	case errors.Is(err, errTooMuch):
		s.crowded.Add(1)
	case errors.Is(err, ErrTooLarge), errors.Is(err, io.ErrUnexpectedEOF):
		s.malformed.Add(1)
	}
}
