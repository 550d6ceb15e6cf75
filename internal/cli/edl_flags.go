package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
	"github.com/feidi-dev/feidi/enclave/invoke"
)

// maxEDL is the size of the largest file that is read as EDL.
const maxEDL = 4 << 20

// reading are the flags of the verbs that read an EDL file.
type reading struct {
	search  []string
	defines []string
	dialect string
}

func (r *reading) flags(cmd *cobra.Command) {
	set := cmd.Flags()
	set.StringArrayVarP(&r.search, "search-path", "I", nil, "look for imported EDL files in these `folders`, separated by colons")
	set.StringArrayVarP(&r.defines, "define", "D", nil, "define a macro, `NAME` or NAME=VALUE")
	set.StringVar(&r.dialect, "dialect", "intel", "whose EDL it is: `intel`, or oe for Open Enclave")
	oneOf(cmd, "dialect", "intel", "oe")
}

func (r *reading) options() (edl.Options, error) {
	o := edl.Options{
		Open:    func(path string) ([]byte, error) { return readFile(path, maxEDL, nil) },
		Defines: r.defines,
	}
	for _, s := range r.search {
		for folder := range strings.SplitSeq(s, ":") {
			if folder != "" {
				o.SearchPath = append(o.SearchPath, folder)
			}
		}
	}
	switch r.dialect {
	case "intel", "":
	case "oe":
		o.Dialect = edl.OpenEnclave
	default:
		return o, usage("--dialect %q is neither intel nor oe", r.dialect)
	}
	return o, nil
}

// load reads an EDL file. Warnings go to standard error; the error has all
// errors of the file with their places.
func (r *reading) load(a *app, path string, change func(*edl.Options)) (*edl.Interface, edl.Diagnostics, error) {
	o, err := r.options()
	if err != nil {
		return nil, nil, err
	}
	if change != nil {
		change(&o)
	}
	i, warnings, err := edl.Load(path, o)
	return i, warnings, edlError(err)
}

// edlError is the error of an EDL file: a missing file is no answer, and a
// wrong one is a "no".
func edlError(err error) error {
	var ds edl.Diagnostics
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ds) && len(ds) > 0:
		code := exitNo
		if ds[0].Rule == edl.RuleFile && ds[0].Pos.File == "" {
			code = exitCannot
		}
		return &exitError{code: code, err: err, detail: strings.TrimRight(ds.Text(), "\n"), summary: count(len(ds), "error")}
	}
	return cannot(err)
}

// describing are the flags of the verbs that call by name.
type describing struct {
	reading
	edl   string
	types []string
}

const typesHelp = `Types that only a C header defines, and that are not well known, are described
with --type, which can be repeated:

  --type my_t=16              16 bytes, given and shown as bytes
  --type my_t=16:4            the same, aligned to 4
  --type my_t=uint32_t        another name of a type; also int[4], void*
  --type 'my_t=struct { int a; double b; }'`

func (d *describing) flags(cmd *cobra.Command) {
	d.reading.flags(cmd)
	cmd.Flags().StringVar(&d.edl, "edl", "", "the EDL `file` of the enclave")
	cmd.Flags().StringArrayVar(&d.types, "type", nil, "describe a type of a C header, `NAME=TYPE` or NAME=SIZE")
}

// described is an interface that can be called by name.
type described struct {
	plan  *plan.Plan
	types *invoke.Types
}

func (d *describing) load(a *app) (*described, error) {
	types := &invoke.Types{}
	for _, spec := range d.types {
		if err := types.Add(spec); err != nil {
			return nil, usage("--type: %v", err)
		}
	}
	// The warnings are for those who write the EDL: edl check shows them.
	i, _, err := d.reading.load(a, d.edl, func(o *edl.Options) { o.HeaderOnly = true })
	if err != nil {
		return nil, err
	}
	p, err := plan.New(i, plan.Options{Foreign: types.Layouts()})
	if err != nil {
		return nil, cannot(err)
	}
	return &described{p, types}, nil
}
