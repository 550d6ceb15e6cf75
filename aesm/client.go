package aesm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// Where AESM's socket is.
const (
	// DefaultPath is the socket of Intel's daemon.
	DefaultPath = "/var/run/aesmd/aesm.socket"
	// LegacyPath is the abstract name that old versions had. It stands for
	// the name with zeros up to the whole length of an address, 108 bytes.
	// Linux has such names, which any user can take.
	LegacyPath = "@sgx_aesm_socket_base"
)

// DefaultTimeout is how long Intel's client libraries wait.
const DefaultTimeout = 15 * time.Second

// Options are the settings of a client. The zero value has the usual ones.
type Options struct {
	// Path is the socket. If it is empty, it is DefaultPath, and LegacyPath
	// if nobody listens there.
	Path string
	// Timeout is how long a request may take with its answer. If it is 0, it
	// is DefaultTimeout. The service is told of it in milliseconds.
	Timeout time.Duration
	// Dial makes connections in place of Path's, if it is not nil: to a
	// service that is reached otherwise, over TCP for example.
	Dial func(ctx context.Context) (net.Conn, error)
}

// Client asks an AESM service. It makes a connection for each request, as the
// service expects, and may be used by several goroutines at a time.
type Client struct {
	dial    func(ctx context.Context) (net.Conn, error)
	where   string
	timeout time.Duration
}

// New returns a client. It connects to nobody yet.
func New(o Options) *Client {
	c := &Client{dial: o.Dial, where: o.Path, timeout: o.Timeout}
	if c.timeout <= 0 {
		c.timeout = DefaultTimeout
	}
	switch {
	case c.dial != nil:
		c.where = "the given connection"
	case c.where == "":
		c.where = DefaultPath
		c.dial = func(ctx context.Context) (net.Conn, error) {
			conn, err := dial(ctx, DefaultPath)
			if err != nil && absent(err) {
				if legacy, err := dial(ctx, LegacyPath); err == nil {
					return legacy, nil
				}
			}
			return conn, err
		}
	default:
		path := o.Path
		c.dial = func(ctx context.Context) (net.Conn, error) { return dial(ctx, path) }
	}
	return c
}

// dial connects, and waits while the socket's queue is full, as connect(2) does for
// those who let it block.
func dial(ctx context.Context, path string) (net.Conn, error) {
	var d net.Dialer
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		c, err := d.DialContext(ctx, "unix", address(path))
		if !errors.Is(err, syscall.EAGAIN) {
			return c, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(pause):
		}
	}
}

// address is what package net takes for path.
func address(path string) string {
	if path != LegacyPath {
		return path
	}
	const addressSize = 108 // of sun_path in sockaddr_un
	return path + strings.Repeat("\x00", addressSize-len(path))
}

// absent reports whether an error says that nobody listens.
func absent(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)
}

// Do sends one request and returns what comes back, whatever its code is. Most
// callers want one of the methods below, which turn codes into errors.
func (c *Client) Do(ctx context.Context, r Request) (Response, error) {
	resp, err := c.exchange(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("aesm: %v: %w", r.Kind(), err)
	}
	return resp, nil
}

func (c *Client) exchange(ctx context.Context, r Request) (Response, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("no answer within %v: %w", c.timeout, context.DeadlineExceeded))
	defer cancel()
	conn, err := c.dial(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("%w at %s: %w%s", ErrUnreachable, c.where, err, unreachable(err))
	}
	defer conn.Close()
	// A deadline in the past ends reading and writing.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	resp, err := roundTrip(conn, r)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return resp, err
}

func roundTrip(conn net.Conn, r Request) (Response, error) {
	buf := frames.Get().(*buffer)
	defer buf.free()
	if err := writeFrame(conn, buf.frame(r)); err != nil && !hungUp(err) {
		return nil, err // else there may be an answer nevertheless
	}
	n, err := readLength(conn)
	var b []byte
	if err == nil {
		b, err = buf.body(conn, n)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || hungUp(err) {
		return nil, ErrNoAnswer
	}
	if err != nil {
		return nil, err
	}
	resp, err := ParseResponse(b)
	if err != nil {
		return nil, err
	}
	if k := resp.Kind(); k != r.Kind() && k != KindUnsupported {
		return nil, fmt.Errorf("%w: answer is %v", ErrFormat, k)
	}
	return resp, nil
}

func hungUp(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}

// unreachable is what to do if nobody can be reached.
func unreachable(err error) string {
	switch {
	case absent(err):
		return "; start the AESM service, or name its socket"
	case errors.Is(err, os.ErrPermission):
		return "; this user may not open the socket: look at its mode, and at its directory's"
	}
	return ""
}

// millis is the client's timeout as it is in requests.
func (c *Client) millis() uint32 {
	return uint32(min(max(c.timeout.Milliseconds(), 1), 1<<32-1))
}

// ask sends a request and returns its response. A code that is neither success
// nor one of those that also is *Error.
func ask[R Response](ctx context.Context, c *Client, r Request, also ...Code) (R, error) {
	var none R
	resp, err := c.Do(ctx, r)
	if err != nil {
		return none, err
	}
	code := CodeOf(resp)
	answer, ok := resp.(R)
	for _, a := range also {
		if ok && code == a {
			return answer, nil
		}
	}
	switch {
	case code != Success:
		return none, &Error{r.Kind(), code}
	case !ok:
		return none, fmt.Errorf("aesm: %v: %w: the service does not support it, with the code of success", r.Kind(), ErrFormat)
	}
	return answer, nil
}

// badAnswer wraps what is wrong with a response that has the code of success.
func badAnswer(k Kind, err error) error {
	if errors.Is(err, ErrFormat) {
		return fmt.Errorf("aesm: answer to %v: %w", k, err)
	}
	return fmt.Errorf("aesm: answer to %v: %w: %w", k, ErrFormat, err)
}
