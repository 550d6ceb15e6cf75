package cli

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/host"
	"github.com/feidi-dev/feidi/isa"
)

func (a *app) run() *cobra.Command {
	var l loading
	p := running{load: &l}
	cmd := a.verb(&cobra.Command{
		Use:   "run [flags] FILE|PACKAGE [ARGUMENTS]",
		Short: "Run a Go program in an enclave, or try whether an enclave starts",
		Long: `Run loads an enclave on a software machine: ECREATE, EADD, EEXTEND, EINIT, and
for an Intel SDK enclave the ECALL that initialises its runtime. A Go program
runs then. Of another enclave it reports the identity that the processor gave
it, and destroys it. A package of a Go program is built first, as by
` + "`feidi build`" + `, if it is not in the cache.

` + runningHelp + `

What follows is about other enclaves.

` + loadingHelp + `

In JSON, "init_status" is SGX_SUCCESS, the error code of EINIT, or the status
of the initialising ECALL; "leaves" counts the leaves that were executed, and
"load_ms" the time until the enclave could be called, with that counting.`,
		Example: `  feidi run ./examples/hello
  feidi run -q --env HOME --heap 64M --timing ./examples/hello
  feidi demo enclave --save /tmp/feidi-demo
  feidi run /tmp/feidi-demo/alice.signed.so
  feidi run --sigstruct /tmp/feidi-demo/stream.sig --trace /tmp/feidi-demo/stream.sgxs
  feidi run --debug --json /tmp/feidi-demo/alice.signed.so`,
		Args: operands("the enclave's file, or the package of a Go program,..."),
		RunE: func(cmd *cobra.Command, args []string) error {
			p.building.debug = l.debug
			if err := p.configure(cmd); err != nil {
				return err
			}
			file, err := a.runOperand(args[0], args[1:], &p)
			if file == nil {
				return err
			}
			if len(args) > 1 {
				return usage("%.60q: arguments are for Go programs; flags stand before the file", args[1])
			}
			if p.attest {
				return usage("--attest is for Go programs, and %.60s is none", args[0])
			}
			if cmd.Flags().Changed("machine") {
				return usage("--machine is for Go programs: other enclaves have a new machine each time")
			}
			m, err := parseImage(args[0], file, l.sigstruct)
			if err != nil {
				return err
			}
			ctx, stop := interruptible()
			defer stop()
			e, err := a.load(ctx, args[0], m, &l)
			if e == nil {
				return err
			}
			r := outcome(args[0], e, err)
			r.sigstruct = l.sigstruct
			if cerr := e.close(); err == nil && cerr != nil {
				err = cannot(cerr)
			}
			r.Leaves = e.leaves.counts()
			if a.json {
				if jerr := a.writeJSON(r); jerr != nil {
					return jerr
				}
			} else {
				r.show(a)
			}
			return err
		},
	})
	l.flags(cmd)
	p.flags(cmd)
	cmd.Flags().SetInterspersed(false)
	return cmd
}

// ran is the JSON object of run.
type ran struct {
	File        string            `json:"file"`
	Format      string            `json:"format"`
	Mode        string            `json:"mode"`
	Engine      string            `json:"engine"`
	Initialized bool              `json:"initialized"`
	InitStatus  string            `json:"init_status"`
	Error       string            `json:"error,omitempty"`
	SignedHere  bool              `json:"signed_here"`
	LoadMS      float64           `json:"load_ms"`
	Pages       uint64            `json:"pages"`
	ELRangeSize uint64            `json:"elrange_size"`
	Base        uint64            `json:"base"`
	TCSCount    int               `json:"tcs_count"`
	MREnclave   string            `json:"mrenclave"`
	MRSigner    string            `json:"mrsigner"`
	Attributes  attributes        `json:"attributes"`
	MiscSelect  string            `json:"misc_select"`
	ISVProdID   uint16            `json:"isv_prod_id"`
	ISVSVN      uint16            `json:"isv_svn"`
	Debug       bool              `json:"debug"`
	Leaves      map[string]uint64 `json:"leaves"`

	sigstruct string // file of the SIGSTRUCT; empty for the enclave's own
}

// outcome reports what became of loading e. If it failed, the identity is
// empty: the processor gave none.
func outcome(file string, e *loaded, err error) *ran {
	m := e.image
	r := &ran{
		File: file, Format: string(m.Format), Mode: string(m.Mode), Engine: e.machine.Engine().Name(),
		Initialized: err == nil, InitStatus: statusName(err), SignedHere: e.signedHere,
		LoadMS: float64(e.took.Round(time.Microsecond)) / float64(time.Millisecond), ELRangeSize: m.Size, TCSCount: len(m.Threads),
		Attributes: showAttributes(m.Attributes), MiscSelect: fmt.Sprintf("%#x", uint32(m.MiscSelect)),
	}
	for i := range m.Runs {
		r.Pages += m.Runs[i].Pages
	}
	if err != nil {
		r.Error = err.Error()
		return r
	}
	s := e.enclave.SECS()
	r.Base = e.enclave.Base()
	r.MREnclave, r.MRSigner = hex.EncodeToString(s.MREnclave[:]), hex.EncodeToString(s.MRSigner[:])
	r.Attributes, r.MiscSelect = showAttributes(s.Attributes), fmt.Sprintf("%#x", uint32(s.MiscSelect))
	r.ISVProdID, r.ISVSVN = s.ISVProdID, s.ISVSVN
	r.Debug = s.Attributes.Flags&isa.AttrDebug != 0
	return r
}

func (r *ran) show(a *app) {
	a.printf("%s\n", r.File)
	var t table
	if r.Initialized {
		t.add("Initialised", fmt.Sprintf("yes, in %.1f ms by the %s engine", r.LoadMS, r.Engine))
	} else {
		t.add("Initialised", "NO: "+r.InitStatus)
	}
	signed := "as the file says"
	switch {
	case r.SignedHere:
		signed = "here, with a fresh key: the file has no SIGSTRUCT"
	case r.sigstruct != "":
		signed = "as " + r.sigstruct + " says"
	}
	t.add("Signed", signed)
	if r.Initialized {
		t.add("MRENCLAVE", r.MREnclave)
		t.add("MRSIGNER", r.MRSigner)
		t.add("Product", fmt.Sprintf("id %d, SVN %d", r.ISVProdID, r.ISVSVN))
		t.add("Attributes", fmt.Sprintf("%s (%s), XFRM %s, MISCSELECT %s", r.Attributes.Flags, strings.Join(r.Attributes.Names, " "), r.Attributes.XFRM, r.MiscSelect))
	}
	t.add("Memory", fmt.Sprintf("%s (%s) in an ELRANGE of %s, %d TCS", count(r.Pages, "page"), host.Bytes(r.Pages*isa.PageSize), host.Bytes(r.ELRangeSize), r.TCSCount))
	if r.Format == string(image.FormatSGXS) && r.Initialized {
		t.add("INIT ECALL", "none: an SGX stream has no SDK runtime")
	}
	t.add("Leaves", showCounts(r.Leaves))
	t.write(a, "  ")
}

func showCounts(leaves map[string]uint64) string {
	var v []string
	for _, name := range slices.Sorted(maps.Keys(leaves)) {
		v = append(v, fmt.Sprintf("%s %d", name, leaves[name]))
	}
	if v == nil {
		return "none"
	}
	return strings.Join(v, ", ")
}
