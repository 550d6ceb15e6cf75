package plan_test

import (
	"errors"
	"testing"
	"testing/fstest"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
)

// FuzzPlan lays out what the text of an EDL file says. It fits: in order,
// aligned, without overlap.
func FuzzPlan(f *testing.F) {
	f.Add([]byte("enclave{trusted{public void f();};};"))
	f.Fuzz(func(t *testing.T, text []byte) {
		i, _, err := edl.Load("x.edl", edl.Options{Dialect: edl.Dialect(len(text) % 2), Open: fstest.MapFS{"x.edl": {Data: text}}.ReadFile})
		if err != nil {
			return
		}
		p, err := plan.New(i, plan.Options{})
		if err != nil {
			var at *plan.Error
			if !errors.As(err, &at) {
				t.Fatalf("an error without a position: %v", err)
			}
			return
		}
		for _, calls := range [][]*plan.Call{p.ECalls, p.OCalls} {
			for _, c := range calls {
				checkCall(t, c)
			}
		}
		for _, c := range p.Types {
			checkMembers(t, c)
		}
	})
}

// checkMembers checks the layout of a struct or a union.
func checkMembers(t *testing.T, c *plan.Composite) {
	if !c.Known() {
		return
	}
	end := uint64(0)
	for _, m := range c.Members {
		if m.Offset%m.Type.Align != 0 || c.Kind == edl.StructKind && m.Offset < end || m.Offset+m.Count*m.Type.Size > c.Size {
			t.Errorf("%s.%s: %+v in %+v", c.Name, m.Name, m, c)
		}
		end = m.Offset + m.Count*m.Type.Size
	}
}

// checkCall checks the layout of a marshalling structure.
func checkCall(t *testing.T, c *plan.Call) {
	if !c.Known() {
		return
	}
	end := uint64(0)
	field := func(name string, offset uint64, l plan.Layout) {
		if offset < end || offset%l.Align != 0 || offset+l.Size > c.Size || l.Align > c.Align {
			t.Errorf("%s: %s at %d with %+v, in %+v", c.Name, name, offset, l, c.Layout)
		}
		end = offset + l.Size
	}
	if c.Result != nil {
		field("result", c.Result.Offset, c.Result.Type.Layout)
	}
	if c.Errno != nil {
		field("errno", c.Errno.Offset, c.Errno.Type.Layout)
	}
	for _, q := range c.Params {
		field(q.Name, q.Offset, q.Type.Layout)
		if q.HasLen {
			field(q.Name+"_len", q.LenOffset, plan.Layout{Size: 8, Align: 8})
		}
	}
}
