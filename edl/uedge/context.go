package uedge

import "context"

// callContext is a context that carries an OCALL: one allocation.
type callContext struct {
	context.Context
	call Call
}

type callKey struct{}

// Value implements context.Context.
func (c *callContext) Value(key any) any {
	if key == (callKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// ContextWithCall returns ctx with the OCALL that is being served, so that
// ECALLs made with it are nested.
func ContextWithCall(ctx context.Context, c Call) context.Context {
	return &callContext{ctx, c}
}

// CallFrom returns the innermost OCALL that ctx belongs to.
func CallFrom(ctx context.Context) (c Call, ok bool) {
	cc, ok := ctx.Value(callKey{}).(*callContext)
	if !ok {
		return nil, false
	}
	return cc.call, true
}
