package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/gen"
	"github.com/feidi-dev/feidi/edl/gen/cgen"
	"github.com/feidi-dev/feidi/edl/gen/gogen"
	"github.com/feidi-dev/feidi/edl/plan"
	"github.com/feidi-dev/feidi/enclave/invoke"
)

// generating are the flags of edl gen.
type generating struct {
	reading
	lang, pkg                string
	trusted, untrusted       bool
	trustedDir, untrustedDir string
	headerOnly, usePrefix    bool
	types                    []string
}

func (a *app) edlGen() *cobra.Command {
	var g generating
	cmd := a.verb(&cobra.Command{
		Use:   "gen FILE",
		Short: "Write the code that crosses the border of an enclave",
		Long: `Gen writes the edge routines of an EDL file: in C, X_t.h and X_t.c for the
enclave, X_u.h and X_u.c for its host, which build with the Intel SGX SDK in
place of those of sgx_edger8r; in Go, X_types.go for both, X_u.go, a client of
the enclave, and X_t.go, its table of functions. Without --trusted and
--untrusted it writes both.

The options are those of sgx_edger8r, in capital or small letters, with one
hyphen or two. A link to feidi that is named sgx_edger8r is this verb.

` + typesHelp + `

In Go, another name of an integer is that integer; of other types only the size
counts, and they are integers or arrays of bytes.`,
		Example: `  feidi demo enclave --save /tmp/feidi-demo
  feidi edl gen /tmp/feidi-demo/toy.edl --trusted-dir /tmp/feidi-demo/enclave --untrusted-dir /tmp/feidi-demo/app
  feidi edl gen /tmp/feidi-demo/toy.edl --lang go --untrusted --package client --untrusted-dir /tmp/feidi-demo/client`,
		Args:              operands("the EDL file..."),
		ValidArgsFunction: edlFiles,
		RunE: func(_ *cobra.Command, args []string) error {
			files := []string{}
			for _, file := range args {
				written, err := g.write(a, file)
				if err != nil {
					return err
				}
				files = append(files, written...)
			}
			if a.json {
				return a.writeJSON(map[string]any{"files": files})
			}
			a.printf("%s\n", strings.Join(files, "\n"))
			return nil
		},
	})
	g.reading.flags(cmd)
	set := cmd.Flags()
	set.StringVar(&g.lang, "lang", "c", "the `language`, c or go")
	oneOf(cmd, "lang", "c", "go")
	set.BoolVar(&g.trusted, "trusted", false, "write the code for the enclave")
	set.BoolVar(&g.untrusted, "untrusted", false, "write the code for its host")
	set.StringVar(&g.trustedDir, "trusted-dir", ".", "the `folder` for the former, which is made")
	set.StringVar(&g.untrustedDir, "untrusted-dir", ".", "the `folder` for the latter, which is made")
	set.BoolVar(&g.headerOnly, "header-only", false, "write the headers only (C)")
	set.BoolVar(&g.usePrefix, "use-prefix", false, "begin the host's functions with the name of the EDL file (C)")
	set.StringVar(&g.pkg, "package", "", "the `name` of the package (Go)")
	set.StringArrayVar(&g.types, "type", nil, "describe a type of a C header, `NAME=TYPE` or NAME=SIZE (Go)")
	return cmd
}

// write writes the code for one file and returns the paths.
func (g *generating) write(a *app, file string) ([]string, error) {
	types := &invoke.Types{}
	for _, spec := range g.types {
		if err := types.Add(spec); err != nil {
			return nil, usage("--type: %v", err)
		}
	}
	i, warnings, err := g.load(a, file, func(o *edl.Options) { o.HeaderOnly = g.headerOnly })
	fmt.Fprint(a.err, warnings.Text())
	if err != nil {
		return nil, err
	}
	if g.lang != "c" && g.lang != "go" {
		return nil, usage("--lang %q is neither c nor go", g.lang)
	}
	p, err := plan.New(i, plan.Options{Foreign: types.Layouts()})
	if err != nil {
		return nil, no(err)
	}
	trusted, untrusted := g.trusted, g.untrusted
	if !trusted && !untrusted {
		trusted, untrusted = true, true
	}
	var paths []string
	for _, side := range []struct {
		wanted  bool
		dir     string
		trusted bool
	}{{trusted, g.trustedDir, true}, {untrusted, g.untrustedDir, false}} {
		if !side.wanted {
			continue
		}
		files, err := g.side(p, side.trusted)
		if err != nil {
			return nil, no(err)
		}
		if err := os.MkdirAll(side.dir, 0o755); err != nil {
			return nil, cannot(err)
		}
		for _, f := range files {
			path := filepath.Join(side.dir, f.Name)
			if slices.Contains(paths, path) { // types of Go, for both sides
				continue
			}
			if err := writeBytes(path, f.Content); err != nil {
				return nil, err
			}
			paths = append(paths, path)
		}
	}
	return paths, nil
}

// goIntegers are the types of Go for those that --type says to be other names of
// integers. Of the rest only the size counts.
func goIntegers(specs []string) map[string]gogen.Type {
	known := map[string]string{
		"int8_t": "int8", "int16_t": "int16", "int32_t": "int32", "int64_t": "int64", "short": "int16", "int": "int32", "long": "int64",
		"uint8_t": "uint8", "uint16_t": "uint16", "uint32_t": "uint32", "uint64_t": "uint64", "unsigned": "uint32", "size_t": "uint64",
	}
	types := map[string]gogen.Type{}
	for _, spec := range specs {
		name, c, _ := strings.Cut(spec, "=")
		if g, ok := known[strings.TrimSpace(c)]; ok {
			types[strings.TrimSpace(name)] = gogen.Type{Name: g}
		}
	}
	return types
}

// side generates the code for one side.
func (g *generating) side(p *plan.Plan, trusted bool) ([]gen.File, error) {
	if g.lang == "c" {
		return cgen.Generate(p, cgen.Options{Trusted: trusted, Untrusted: !trusted, HeaderOnly: g.headerOnly, UsePrefix: g.usePrefix})
	}
	o := gogen.Options{Package: g.pkg, Foreign: goIntegers(g.types)}
	types, err := gogen.Types(p, o)
	if err != nil {
		return nil, err
	}
	write := gogen.Untrusted
	if trusted {
		write = gogen.Trusted
	}
	f, err := write(p, o)
	return []gen.File{types, f}, err
}
