package tedge

import (
	"context"
	"errors"
)

// ErrNoGate is returned by an OCALL whose context is not that of an ECALL.
var ErrNoGate = errors.New("edl/tedge: the context of an OCALL must be that of the ECALL that makes it")

// gateContext is a context that carries a gate: one allocation.
type gateContext struct {
	context.Context
	gate Gate
}

type gateKey struct{}

// Value implements context.Context.
func (c *gateContext) Value(key any) any {
	if key == (gateKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// gateFrom returns the gate that the ECALL of ctx came through.
func gateFrom(ctx context.Context) (g Gate, ok bool) {
	c, ok := ctx.Value(gateKey{}).(*gateContext)
	if !ok {
		return nil, false
	}
	return c.gate, true
}
