package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/edl"
)

func (a *app) edlCheck() *cobra.Command {
	var r reading
	var headerOnly bool
	cmd := a.verb(&cobra.Command{
		Use:   "check FILE...",
		Short: "Check EDL files",
		Long: `Check reads EDL files with all that they import and shows every error with its
place. The exit code is 1 if there is one. What nobody would write on purpose
is a warning.`,
		Example: `  feidi demo enclave --save /tmp/feidi-demo
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
