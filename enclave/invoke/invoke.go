// Package invoke calls the functions of an enclave by name, with values in
// place of generated code: it packs arguments by the plan of an EDL, makes the
// ECALL, and gives back results and buffers as values with names. OCALLs are
// unpacked the same way and handed to a function of the caller.
//
// It reaches enclaves through uedge.Enclave, and checks every number against
// the type that it is passed as. It does no I/O.
//
// What an enclave writes is not trusted: addresses are followed only into
// memory that the enclave was given, and lengths are bounded.
package invoke

import (
	"context"
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/edl/plan"
	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/edl/value"
)

// MaxMemory bounds what all buffers of one call take, in bytes.
const MaxMemory = 64 << 20

// Errors. Those about an argument are wrapped by an *ArgumentError.
var (
	ErrFunction = errors.New("no such function")
	ErrArgument = errors.New("wrong argument")
	ErrRange    = errors.New("out of range")
	ErrLength   = errors.New("wrong length")
	ErrType     = errors.New("a type of a C header that is not described")
	ErrAnswer   = errors.New("wrong answer to an OCALL")
)

// ArgumentError says what is wrong with an argument. Pos and End are where it
// was written; both are zero if it was not.
type ArgumentError struct {
	Pos, End int
	Err      error
}

// Error describes the argument in one line.
func (e *ArgumentError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *ArgumentError) Unwrap() error { return e.Err }

// wrong makes an ArgumentError that points at v.
func wrong(v *value.Value, sentinel error, format string, args ...any) error {
	return &ArgumentError{v.Pos, v.End, fmt.Errorf("%w: %s", sentinel, fmt.Sprintf(format, args...))}
}

// Options are what a plan does not say.
type Options struct {
	// Types describe types of C headers, in addition to the well-known ones.
	Types *Types
	// Handler serves the OCALLs. Without it, they are served as the
	// enclave's loader said.
	Handler Handler
}

// Client calls the functions of one enclave. It may be used concurrently, if
// the enclave and the handler may.
type Client struct {
	codec   *codec
	enclave uedge.Enclave
	plan    *plan.Plan
	handler Handler
}

// New returns a client of an enclave with the interface of p. A plan with
// foreign types must have been made with the layouts of o.Types.
func New(e uedge.Enclave, p *plan.Plan, o Options) *Client {
	return &Client{codec: newCodec(p, o.Types), enclave: e, plan: p, handler: o.Handler}
}

// Result is what became of an ECALL that returned.
type Result struct {
	Func *plan.Call
	// Return is the function's result, Omitted for void.
	Return value.Value
	// Out are the buffers that the enclave wrote to, and those behind
	// pointers that it was given as they are, in the order of the parameters.
	Out []value.Field
}

// Find returns the ECALL of that name.
func Find(p *plan.Plan, name string) (*plan.Call, error) {
	for _, f := range p.ECalls {
		if f.Name == name {
			return f, nil
		}
	}
	if findOCall(p, name) != nil {
		return nil, fmt.Errorf("%w: %s is an OCALL, which the enclave calls", ErrFunction, name)
	}
	if near := nearest(name, p.ECalls); near != "" {
		return nil, fmt.Errorf("%w: %s; there is %s", ErrFunction, name, near)
	}
	return nil, fmt.Errorf("%w: %s", ErrFunction, name)
}

// Call makes an ECALL. An error of the call itself is that of
// uedge.Enclave.CallAt; an error of what was asked for, which is found before
// the enclave is entered, is an *ArgumentError. The first OCALL that could not
// be served, or whose answer was wrong (ErrAnswer), is an error even if the
// ECALL itself succeeded; in that case there is a result, too.
func (c *Client) Call(ctx context.Context, call *value.Call) (*Result, error) {
	f, err := Find(c.plan, call.Name)
	if err != nil {
		return nil, &ArgumentError{call.Pos, call.Pos + len(call.Name), err}
	}
	args, err := bind(f, call)
	if err != nil {
		return nil, err
	}
	w := &writer{codec: c.codec}
	packed, err := w.ecall(f, args)
	if err != nil {
		return nil, err
	}
	mem, err := w.place(c.enclave)
	if err != nil {
		return nil, err
	}
	var ms uint64
	if mem != nil {
		defer mem.Free()
		if ms = mem.Addr(); !f.HasMS() {
			ms = 0
		}
	}
	s := &server{client: c}
	err = s.with(c.enclave.CallAt(ctx, f.Index, ms, s.table()))
	if err != nil && !s.returned {
		return nil, err
	}
	r := &reader{codec: c.codec}
	if mem != nil {
		// The enclave may have left a thread behind that writes: one look.
		r.frame = frame{base: mem.Addr(), bytes: append([]byte(nil), mem.Bytes()...)}
	}
	return r.result(f, args, packed), err
}

// with adds what went wrong in OCALLs to the error of the ECALL.
func (s *server) with(err error) error {
	s.returned = err == nil
	switch {
	case s.failed == nil:
		return err
	case err == nil:
		return s.failed
	}
	return fmt.Errorf("%w (%w)", err, s.failed)
}
