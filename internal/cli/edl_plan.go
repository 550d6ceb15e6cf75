package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
)

func (a *app) edlPlan() *cobra.Command {
	var d describing
	cmd := a.verb(&cobra.Command{
		Use:   "plan FILE",
		Short: "Show the indexes, and the layout of the marshalling structures",
		Long: `Plan shows the functions with the indexes that they are called by, and where each
parameter lies in the marshalling structure: offset and size in bytes, as C has
them on x86-64.

` + typesHelp,
		Example: `  feidi demo enclave --save /tmp/feidi-demo
  feidi edl plan /tmp/feidi-demo/toy.edl --json`,
		Args:              operands("the EDL file"),
		ValidArgsFunction: edlFiles,
		RunE: func(_ *cobra.Command, args []string) error {
			d.edl = args[0]
			r, err := d.load(a)
			if err != nil {
				return err
			}
			p := planOf(r.plan)
			if a.json {
				return a.writeJSON(p)
			}
			p.show(a)
			return nil
		},
	})
	d.reading.flags(cmd)
	cmd.Flags().StringArrayVar(&d.types, "type", nil, "describe a type of a C header, `NAME=TYPE` or NAME=SIZE")
	return cmd
}

// planned is the JSON object of edl plan.
type planned struct {
	Name   string        `json:"name"`
	ECalls []plannedCall `json:"ecalls"`
	OCalls []plannedCall `json:"ocalls"`
}

type plannedCall struct {
	Index      int            `json:"index"`
	Name       string         `json:"name"`
	Public     bool           `json:"public"`
	Switchless bool           `json:"switchless"`
	Allow      []string       `json:"allow,omitempty"`
	Size       *uint64        `json:"size"` // null if a type is not known
	Fields     []plannedField `json:"fields"`
}

type plannedField struct {
	Name   string  `json:"name"`
	Type   string  `json:"type"`
	Offset *uint64 `json:"offset"`
	Size   *uint64 `json:"size"`
	Pass   string  `json:"pass"`
	Buffer string  `json:"buffer,omitempty"`
}

var passNames = map[plan.Pass]string{
	plan.Value: "value", plan.Address: "address", plan.Copied: "buffer", plan.String: "string", plan.WString: "wide string",
}

func planOf(p *plan.Plan) *planned {
	r := &planned{Name: p.Interface.Name, ECalls: []plannedCall{}, OCalls: []plannedCall{}}
	for _, f := range p.ECalls {
		r.ECalls = append(r.ECalls, planCall(f))
	}
	for _, f := range p.OCalls {
		r.OCalls = append(r.OCalls, planCall(f))
	}
	return r
}

func planCall(f *plan.Call) plannedCall {
	c := plannedCall{Index: f.Index, Name: f.Name, Public: f.Public, Switchless: f.Switchless, Allow: f.Allow, Fields: []plannedField{}}
	if f.Known() || !f.HasMS() {
		c.Size = &f.Size
	}
	add := func(name string, t plan.Type, offset uint64, pass, buffer string) {
		field := plannedField{Name: name, Type: t.String(), Pass: pass, Buffer: buffer}
		if f.Known() {
			field.Offset, field.Size = &offset, &t.Size
		}
		c.Fields = append(c.Fields, field)
	}
	if f.Result != nil {
		add("ms_retval", f.Result.Type, f.Result.Offset, "result", "")
	}
	if f.Errno != nil {
		add("ocall_errno", f.Errno.Type, f.Errno.Offset, "errno", "")
	}
	for _, p := range f.Params {
		add("ms_"+p.Name, p.Type, p.Offset, passNames[p.Pass], bufferText(p))
		if p.LenOffset > 0 {
			size := plan.Type{Type: edl.Type{Kind: edl.SizeT}, Layout: plan.Layout{Size: 8, Align: 8}}
			add("ms_"+p.Name+"_len", size, p.LenOffset, "length", "")
		}
	}
	return c
}

// bufferText says what of a buffer is copied.
func bufferText(p *plan.Param) string {
	b := p.Buffer
	if b == nil {
		return ""
	}
	parts := []string{p.Direction.String()}
	operand := func(name string, o *edl.Operand) {
		switch {
		case o == nil:
		case o.Name != "":
			parts = append(parts, name+"="+o.Name)
		default:
			parts = append(parts, fmt.Sprintf("%s=%d", name, o.Number))
		}
	}
	operand("size", b.Size)
	operand("count", b.Count)
	switch {
	case b.Fixed > 0:
		parts = append(parts, fmt.Sprintf("%d elements", b.Fixed))
	case p.Pass == plan.Copied && b.Size == nil && b.Count == nil:
		parts = append(parts, "one")
	}
	return strings.Join(parts, ", ")
}

func (p *planned) show(a *app) {
	for _, side := range []struct {
		noun  string
		calls []plannedCall
	}{{"ECALL", p.ECalls}, {"OCALL", p.OCalls}} {
		a.printf("%s\n", count(len(side.calls), side.noun))
		for _, c := range side.calls {
			notes := ""
			if side.noun == "ECALL" && !c.Public {
				notes += ", private"
			}
			if c.Switchless {
				notes += ", switchless"
			}
			if len(c.Allow) > 0 {
				notes += ", allows " + strings.Join(c.Allow, ", ")
			}
			size := "a type is not known: --type"
			if c.Size != nil {
				size = count(*c.Size, "byte")
			}
			a.printf("  %d  %s: %s%s\n", c.Index, c.Name, size, notes)
			var t table
			for _, f := range c.Fields {
				if f.Offset == nil {
					t.add("?", "?", f.Type, f.Name, f.Pass, f.Buffer)
					continue
				}
				t.add(fmt.Sprintf("%d", *f.Offset), fmt.Sprintf("%d", *f.Size), f.Type, f.Name, f.Pass, f.Buffer)
			}
			t.write(a, "       ")
		}
	}
}
