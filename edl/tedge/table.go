package tedge

import (
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/status"
)

// ECall is an entry of the table of trusted functions.
type ECall struct {
	Name string
	Size int // of the marshalling structure in bytes, 0 if there is none
	// Serve unpacks the arguments, calls the function and packs its results.
	// The status of its error is what the host sees.
	Serve func(ctx context.Context, f *edge.Callee) error
	// Private ECALLs are for OCALLs that allow them.
	Private    bool
	Switchless bool
}

// DefaultLimit is the Limit of a table that has none.
const DefaultLimit = 64 << 20

// Table is all that an enclave can be called by.
type Table struct {
	ECalls []ECall
	// Allowed[o][e] says that ECALL e may be called while OCALL o runs. A
	// public ECALL is not allowed there by itself.
	Allowed [][]bool
	// Limit bounds in bytes what one ECALL may have its arguments and results
	// copied to, whose lengths are the host's to choose. An ECALL beyond it
	// returns SGX_ERROR_OUT_OF_MEMORY. 0 stands for DefaultLimit.
	Limit uint64
}

// Root in place of an OCALL stands for none: the ECALL is not nested.
const Root = -1

// Dispatch serves ECALL index with the marshalling structure at ms, which is
// the host's word. ocall is the OCALL that the thread is in, or Root. The
// function gets a context with the gate, which its OCALLs go through.
//
// It returns SGX_ERROR_INVALID_FUNCTION for an index beyond the table, and
// SGX_ERROR_ECALL_NOT_ALLOWED for a private ECALL that is not nested, and for
// a nested one that the OCALL does not allow.
func (t *Table) Dispatch(ctx context.Context, g Gate, index int, ms uint64, ocall int) status.Code {
	if index < 0 || index >= len(t.ECalls) {
		return status.ErrInvalidFunction
	}
	e := &t.ECalls[index]
	if ocall == Root && e.Private || ocall != Root && !t.allowed(ocall, index) {
		return status.ErrECallNotAllowed
	}
	limit := t.Limit
	if limit == 0 {
		limit = DefaultLimit
	}
	c := &call{ctx: gateContext{ctx, g}}
	err := c.callee.Begin(c, ms, e.Size, limit)
	if err == nil {
		err = e.Serve(&c.ctx, &c.callee)
	}
	return edge.Status(err)
}

func (t *Table) allowed(ocall, ecall int) bool {
	if ocall < 0 || ocall >= len(t.Allowed) {
		return false
	}
	row := t.Allowed[ocall]
	return ecall < len(row) && row[ecall]
}

// call is an ECALL that is being served: in one piece, for one allocation.
type call struct {
	ctx    gateContext
	callee edge.Callee
}

// Check implements edge.Memory.
func (c *call) Check(addr, n uint64) bool { return c.ctx.gate.Outside(addr, n) }

// Load implements edge.Memory.
func (c *call) Load(dst []byte, addr uint64) error {
	c.ctx.gate.Load(dst, addr)
	return nil
}

// Store implements edge.Memory.
func (c *call) Store(addr uint64, src []byte) error {
	c.ctx.gate.Store(addr, src)
	return nil
}
