package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
)

func (a *app) edl() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "edl",
		Short: "Check, format and compile EDL files",
		Long: `An EDL file says what an enclave and its host may call of each other. Feidi reads
the language of the Intel SGX SDK's sgx_edger8r, with #define, #ifdef and
#include, and that of Open Enclave (--dialect oe).`,
		Example: `  feidi demo --save /tmp/feidi-demo
  feidi edl check /tmp/feidi-demo/toy.edl
  feidi edl plan /tmp/feidi-demo/toy.edl
  feidi edl fmt /tmp/feidi-demo/toy.edl
  feidi edl gen /tmp/feidi-demo/toy.edl --lang c --untrusted --untrusted-dir /tmp/feidi-demo/app
  feidi edl gen /tmp/feidi-demo/toy.edl --lang go --untrusted --untrusted-dir /tmp/feidi-demo/toy`,
		// Without Args, a verb that is not there is an error before -h is.
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("there is no verb edl %s", args[0])
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(a.edlCheck(), a.edlFmt(), a.edlPlan(), a.edlGen())
	return cmd
}

func (a *app) edlCheck() *cobra.Command {
	var r reading
	var headerOnly bool
	cmd := a.verb(&cobra.Command{
		Use:   "check FILE...",
		Short: "Check EDL files",
		Long: `Check reads EDL files with all that they import and shows every error with its
place. The exit code is 1 if there is one. What nobody would write on purpose
is a warning.`,
		Example: `  feidi demo --save /tmp/feidi-demo
  feidi edl check /tmp/feidi-demo/toy.edl --search-path /opt/intel/sgxsdk/include`,
		Args:              operands("the EDL file..."),
		ValidArgsFunction: edlFiles,
		RunE: func(_ *cobra.Command, args []string) error {
			var failed error
			results := []*checked{}
			for _, file := range args {
				i, warnings, err := r.load(a, file, func(o *edl.Options) { o.HeaderOnly = headerOnly })
				c := &checked{File: file, OK: err == nil, Errors: []finding{}, Warnings: findings(warnings)}
				var ds edl.Diagnostics
				if errors.As(err, &ds) {
					c.Errors = findings(ds)
				}
				if i != nil {
					c.ECalls, c.OCalls = len(i.ECalls), len(i.OCalls)
				}
				results = append(results, c)
				if !a.json {
					fmt.Fprint(a.err, warnings.Text())
				}
				switch {
				case err != nil && failed == nil:
					failed = err
				case err != nil:
					a.report(err)
				case !a.json:
					a.printf("%s: %s, %s\n", file, count(c.ECalls, "ECALL"), count(c.OCalls, "OCALL"))
				}
			}
			if a.json {
				if err := a.writeJSON(map[string]any{"files": results}); err != nil {
					return err
				}
			}
			return failed
		},
	})
	r.flags(cmd)
	cmd.Flags().BoolVar(&headerOnly, "header-only", false, "do without a public ECALL")
	return cmd
}

// checked is a file in the JSON object of edl check.
type checked struct {
	File     string    `json:"file"`
	OK       bool      `json:"ok"`
	ECalls   int       `json:"ecalls"`
	OCalls   int       `json:"ocalls"`
	Errors   []finding `json:"errors"`
	Warnings []finding `json:"warnings"`
}

// finding is a diagnostic.
type finding struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Rule    string `json:"rule"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

func findings(ds edl.Diagnostics) []finding {
	list := []finding{}
	for _, d := range ds {
		list = append(list, finding{d.Pos.File, d.Pos.Line, d.Pos.Col, fmt.Sprint(d.Rule), d.Msg, d.Hint})
	}
	return list
}

func (a *app) edlFmt() *cobra.Command {
	var write, diff bool
	cmd := &cobra.Command{
		Use:   "fmt FILE...",
		Short: "Print EDL files in canonical form",
		Long: `Fmt prints EDL files in canonical form. Comments and directives stay. With -d it
shows what would change, with the exit code 1 if anything would.`,
		Example: `  feidi demo --save /tmp/feidi-demo
  feidi edl fmt /tmp/feidi-demo/toy.edl`,
		Args:              operands("the EDL file..."),
		ValidArgsFunction: edlFiles,
		RunE: func(_ *cobra.Command, args []string) error {
			changed := 0
			for _, file := range args {
				src, err := readFile(file, maxEDL, nil)
				if err != nil {
					return cannot(err)
				}
				out, err := edl.FormatSource(file, src)
				if err != nil {
					return edlError(err)
				}
				switch same := string(out) == string(src); {
				case !write && !diff:
					a.printf("%s", out)
				case same:
				case diff:
					changed++
					a.printf("%s", lineDiff(file, string(src), string(out)))
				}
				if write && string(out) != string(src) {
					if err := writeBytes(file, out); err != nil {
						return err
					}
				}
			}
			if changed > 0 && !write {
				return no(fmt.Errorf("%s not in canonical form", count(changed, "file")))
			}
			return nil
		},
	}
	cmd.Flags().BoolVarP(&write, "write", "w", false, "write the result into the file")
	cmd.Flags().BoolVarP(&diff, "diff", "d", false, "show what changes")
	return cmd
}

func (a *app) edlPlan() *cobra.Command {
	var d describing
	cmd := a.verb(&cobra.Command{
		Use:   "plan FILE",
		Short: "Show the indexes, and the layout of the marshalling structures",
		Long: `Plan shows the functions with the indexes that they are called by, and where each
parameter lies in the marshalling structure: offset and size in bytes, as C has
them on x86-64.

` + typesHelp,
		Example: `  feidi demo --save /tmp/feidi-demo
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
