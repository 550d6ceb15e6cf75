package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/exchange"
	"github.com/feidi-dev/feidi/pccs/store"
)

// shownPut is the JSON object of pccs put and of pccs import.
type shownPut struct {
	File      string `json:"file"`
	Platforms int    `json:"platforms"`
	Documents int    `json:"documents"`
	Policy    string `json:"policy,omitempty"` // the ID of an appraisal policy
}

func (s *shownPut) show(a *app) error {
	switch {
	case a.json:
		return a.writeJSON(s)
	case s.Policy != "":
		a.printf("policy %s\n", s.Policy)
	default:
		a.printf("put %s, and certificates of %s\n", plural(s.Documents, "document"), plural(s.Platforms, "platform"))
	}
	return nil
}

func (a *app) pccsPut() *cobra.Command {
	at := pccsAt{makes: true}
	var in, fmspc string
	var isDefault bool
	cmd := a.verb(&cobra.Command{
		Use:   "put [FILE]",
		Short: "Bring collateral or an appraisal policy to a PCCS",
		Long: `Put brings collateral as ` + "`feidi pccs fetch`" + ` or ` + "`pccsadmin fetch`" + ` wrote it. This
project's service verifies all of it, and takes all or nothing.

With --fmspc the file is an appraisal policy, a JWT as tee_appraisal_tool makes
it; --default makes it the one that is served for the FMSPC.

` + whichPCCS + `

It exits with 1 if what is brought is refused.`,
		Example: `  feidi pccs put ` + sampleCollaterals + ` --database /tmp/pccs.db --root ` + sampleRoot,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				if cmd.Flags().Changed("in") {
					return usage("a file is given twice")
				}
				in = args[0]
			}
			isPolicy := fmspc != "" || strings.HasSuffix(at.url, "/appraisalpolicy")
			switch {
			case isPolicy && fmspc == "":
				return usage("an appraisal policy is for an FMSPC: say --fmspc")
			case isPolicy && len(args) == 0 && !cmd.Flags().Changed("in"):
				return usage("name the file of the policy")
			case isDefault && !isPolicy:
				return usage("--default belongs to --fmspc")
			}
			s := &shownPut{File: in}
			var put func(context.Context, pccsOffice) error
			if isPolicy {
				p, err := readAppraisal(in, fmspc, isDefault)
				if err != nil {
					return err
				}
				put = func(ctx context.Context, o pccsOffice) (err error) { s.Policy, err = o.PutPolicy(ctx, p); return err }
			} else {
				c, err := readCollaterals(in)
				if err != nil {
					return err
				}
				s.Platforms, s.Documents = len(c.Platforms), documentsOf(c)
				put = func(ctx context.Context, o pccsOffice) error { return o.PutCollateral(ctx, c) }
			}
			office, done, err := at.office(a, cmd, false)
			if err != nil {
				return err
			}
			err = put(cmd.Context(), office)
			if e := done(); err == nil {
				err = e
			}
			if err != nil {
				return refused(err)
			}
			return s.show(a)
		},
	})
	f := cmd.Flags()
	f.StringVarP(&in, "in", "i", platformCollaterals, "bring this `file`")
	f.StringVarP(&fmspc, "fmspc", "f", "", "it is an appraisal policy for this `FMSPC`")
	f.BoolVarP(&isDefault, "default", "d", false, "the policy is the default of its FMSPC")
	filesOf(cmd, "in", "json", "jwt")
	at.add(cmd)
	return cmd
}

// documentsOf counts documents, the root CRL among them.
func documentsOf(c *pccs.Collateral) int {
	n := len(c.Documents)
	if c.RootCRL != nil {
		n++
	}
	return n
}

// readCollaterals reads a platform_collaterals.json.
func readCollaterals(file string) (*pccs.Collateral, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, cannot(err)
	}
	defer f.Close()
	c, err := exchange.ParseCollateral(f)
	if err != nil {
		return nil, cannot(fmt.Errorf("%s: %w", file, err))
	}
	return c, nil
}

// readAppraisal reads the JWT of an appraisal policy.
func readAppraisal(file, fmspc string, isDefault bool) (p store.Policy, err error) {
	fmspcs, err := fmspcList(fmspc)
	if err != nil {
		return p, err
	}
	if len(fmspcs) != 1 {
		return p, usage("--fmspc %.40q: a policy is for one FMSPC", fmspc)
	}
	b, err := readFile(file, exchange.MaxPolicy, nil)
	if err != nil {
		return p, cannot(err)
	}
	p, err = exchange.ParsePolicy(exchange.AppendPolicy(nil, &store.Policy{FMSPC: fmspcs[0], Body: strings.TrimSpace(string(b)), Default: isDefault}))
	if err != nil {
		return p, cannot(fmt.Errorf("%s: %w", file, err))
	}
	return p, nil
}

// readList reads a platform_list.json; none if it is not there, and that is
// allowed.
func readList(file string, orNone bool) ([]store.Registration, error) {
	f, err := os.Open(file)
	if errors.Is(err, os.ErrNotExist) && orNone {
		return nil, nil
	}
	if err != nil {
		return nil, cannot(err)
	}
	defer f.Close()
	list, err := exchange.ParsePlatforms(f)
	if err != nil {
		return nil, cannot(fmt.Errorf("%s: %w", file, err))
	}
	return list, nil
}

// writeCollaterals writes a platform_collaterals.json.
func writeCollaterals(file string, c *pccs.Collateral) error {
	return writeFile(file, 0o666, func(w io.Writer) error { return exchange.WriteCollateral(w, c) })
}
