//go:build linux && amd64

package main

import (
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/tedge"
)

// table has one ECALL: {sum uint64, data pointer, size uint64}, which makes
// OCALL 0 with the data and returns the sum of its bytes.
var table = tedge.Table{
	ECalls:  []tedge.ECall{{Name: "sum", Size: 24, Serve: serveSum}},
	Allowed: [][]bool{{true}},
	Limit:   1 << 20,
}

func serveSum(ctx context.Context, f *edge.Callee) error {
	buf := f.Buffer(8, f.U64(16))
	data := f.Load(buf)
	if err := f.Err(); err != nil {
		return err
	}
	total, before := uint64(0), string(data)
	withSecret(func() {
		o := tedge.NewFrame(ctx, 8)
		defer o.Free()
		o.Text("data", 0, "an OCALL")
		_ = o.Call(0, 0)
	})
	if string(data) != before {
		fail("the arguments of an ECALL")
	}
	for _, c := range data {
		total += uint64(c)
	}
	f.PutU64(0, total)
	f.Return(8)
	return f.Err()
}
