package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pcs"
)

func (a *app) collateral() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "collateral",
		Short: "Fetch, keep and show what it takes to verify quotes",
		Long: `Collateral is what a verifier needs besides a quote: TCB info, the identity of
the quoting enclave, revocation lists, and the chains of certificates behind
them. Intel's service has it, or a PCCS. Saved, it verifies quotes without a
network: ` + "`feidi verify --collateral`" + ` takes what ` + "`feidi collateral save`" + ` wrote.`,
		Example: `  feidi collateral show ` + sampleSet + `/collateral.json`,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Args:    cobra.NoArgs,
	}
	cmd.AddCommand(a.collateralSave(), a.collateralShow())
	return cmd
}

// saving are the flags of collateral save.
type saving struct {
	asking
	out, from      string
	fmspc, ca, tee string
}

func (a *app) collateralSave() *cobra.Command {
	f := &saving{}
	cmd := a.verb(&cobra.Command{
		Use:     "save [QUOTE] [-o PLACE]",
		Aliases: []string{"fetch"},
		Short:   "Fetch collateral for a quote or an FMSPC, and save it",
		Long: `Save asks Intel's service, or a PCCS, for all that it takes to verify a quote,
and writes it to PLACE: one file if its name ends in .json, else a folder with a
file for each document. A folder that is there is replaced if it has nothing
but collateral. Without a quote, --fmspc, --ca and --tee say for which
platforms. --from takes what was saved in place of a service, and so changes
its form. Without -o it only tells what it got:

  feidi collateral save quote.bin -o collateral
  feidi collateral save --fmspc 90C06F000000 --ca platform --tee tdx -o tdx.json
  feidi collateral save quote.bin --pccs https://localhost:8081 --pccs-ca pccs.pem

Nothing of it is verified here: the verifier does that each time.

Copies are kept in the user's cache, for a day and never past the next update
that a document names. --qcnl takes the settings of Intel's client from its
configuration, which is often ` + pcs.QCNLFile + `; flags count more.

` + quoteForms + `

It exits with 3 if something could not be had, and says what to do.`,
		Example: `  feidi collateral save --from ` + sampleSet + `/collateral.json -o /tmp/collateral
  feidi collateral save --from ` + sampleSet + `/collateral.json -o /tmp/collateral.json --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runCollateralSave(cmd, f, args) },
	})
	f.add(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&f.out, "out", "o", "", "write to this `place`: a file if it ends in .json, else a folder")
	flags.StringVar(&f.from, "from", "", "take what was saved in this `place`, and ask no service")
	flags.StringVar(&f.fmspc, "fmspc", "", "for platforms with this FMSPC: 12 `digits`, hexadecimal")
	flags.StringVar(&f.ca, "ca", "platform", "the `CA` of their PCK certificates: processor or platform")
	flags.StringVar(&f.tee, "tee", "sgx", "for quotes of this `TEE`: sgx or tdx")
	oneOf(cmd, "ca", "processor", "platform")
	oneOf(cmd, "tee", "sgx", "tdx")
	return cmd
}

// savedCollateral is the JSON object of collateral save.
type savedCollateral struct {
	Saved     string          `json:"saved,omitempty"` // where it was written
	Documents []savedDocument `json:"documents,omitempty"`
	*shownCollateral
}

// savedDocument tells where a document is from.
type savedDocument struct {
	Document   string     `json:"document"`
	URL        string     `json:"url"`
	Fetched    time.Time  `json:"fetched"`
	NextUpdate *time.Time `json:"next_update,omitempty"`
	Cached     bool       `json:"cached"`
	Expired    bool       `json:"expired"`
	Sandbox    bool       `json:"sandbox"`
	RequestID  string     `json:"request_id,omitempty"`
	Warnings   []string   `json:"warnings,omitempty"`
}

func (a *app) runCollateralSave(cmd *cobra.Command, f *saving, args []string) error {
	if err := f.check(cmd, args); err != nil {
		return err
	}
	result := &savedCollateral{}
	var b *pcs.Bundle
	var err error
	if f.from != "" {
		if b, err = loadBundle(f.from); err != nil {
			return cannot(err)
		}
	} else {
		r, err := a.collateralRequest(f, args)
		if err != nil {
			return err
		}
		client, err := f.client(a)
		if err != nil {
			return err
		}
		c, report, err := client.Collateral(cmd.Context(), r)
		if err != nil {
			return cannot(err)
		}
		b = &pcs.Bundle{Collateral: *c}
		for i := range report {
			result.Documents = append(result.Documents, saved(&report[i], time.Now()))
		}
	}
	if f.out != "" {
		if err := pcs.SaveBundle(f.out, b); err != nil {
			return cannot(err)
		}
		result.Saved = f.out
	}
	result.shownCollateral = showCollateral(f.out, b, time.Now())
	if a.json {
		return a.writeJSON(result)
	}
	for _, d := range result.Documents {
		where := "from " + d.URL
		if d.Cached {
			where = "a copy of " + d.Fetched.Format(time.RFC3339)
		}
		a.printf("%s: %s\n", d.Document, where)
		for _, w := range d.Warnings {
			a.printf("  WARNING: %s\n", w)
		}
	}
	if f.out == "" {
		result.show(a)
		return nil
	}
	a.printf("Saved in %s: %s\n", f.out, result.summary())
	return nil
}

// check checks what is said twice, or not at all.
func (f *saving) check(cmd *cobra.Command, args []string) error {
	ways := len(args)
	for _, way := range []string{f.from, f.fmspc} {
		if way != "" {
			ways++
		}
	}
	switch {
	case ways == 0:
		return usage("a quote, --fmspc or --from is missing")
	case ways > 1:
		return usage("a quote, --fmspc and --from exclude each other")
	}
	for _, flag := range []string{"ca", "tee"} {
		if f.fmspc == "" && cmd.Flags().Changed(flag) {
			return usage("--%s belongs to --fmspc", flag)
		}
	}
	if f.from != "" {
		return notAsking(cmd, "--from")
	}
	return nil
}

// loadBundle loads a folder or file, and says of what is something else what it
// is to be.
func loadBundle(path string) (*pcs.Bundle, error) {
	b, err := pcs.LoadBundle(path)
	var parse *dcap.ParseError
	if !errors.As(err, &parse) { // no error, or one of a folder
		return b, err
	}
	file, e := readFile(path, dcap.MaxCollateralSize, nil)
	if e != nil {
		return nil, err
	}
	var doc struct {
		TCBInfo    json.RawMessage `json:"tcbInfo"`
		Identity   json.RawMessage `json:"enclaveIdentity"`
		Collateral json.RawMessage `json:"tcb_info"`
	}
	e = json.Unmarshal(file, &doc)
	switch {
	case doc.TCBInfo != nil:
		return nil, fmt.Errorf("%s: this is TCB info, which is one part of collateral: name the folder", path)
	case doc.Identity != nil:
		return nil, fmt.Errorf("%s: this is an enclave identity, which is one part of collateral: name the folder", path)
	case e != nil && looksLikeJSON(file): // cut off, or the like
	case doc.Collateral == nil:
		return nil, fmt.Errorf("%s: this is no collateral: give a folder, or JSON as `feidi collateral save` writes", path)
	}
	return nil, err
}

// collateralRequest is what is to be asked for.
func (a *app) collateralRequest(f *saving, args []string) (r pcs.Request, err error) {
	if f.fmspc != "" {
		return f.request()
	}
	q, err := a.readQuote(args[0])
	if err != nil {
		return r, cannot(err)
	}
	if r, err = pcs.RequestFor(q); err != nil {
		return r, cannot(fmt.Errorf("%s: %w", inputName(args[0]), err))
	}
	return r, nil
}

func saved(s *pcs.Source, now time.Time) savedDocument {
	d := savedDocument{
		Document: s.Document, URL: s.URL, Fetched: s.Fetched, Cached: s.Cached, Expired: s.Expired(now),
		Sandbox: s.Sandbox, RequestID: s.RequestID,
	}
	if !s.NextUpdate.IsZero() {
		d.NextUpdate = &s.NextUpdate
	}
	warn := func(condition bool, format string, args ...any) {
		if condition {
			d.Warnings = append(d.Warnings, fmt.Sprintf(format, args...))
		}
	}
	warn(s.Stale != nil, "no service answered, so this is a copy: %v", s.Stale)
	warn(d.Expired, "it was to be replaced by %s, and a verifier will refuse it: a PCCS that serves such is to be refreshed", s.NextUpdate.Format(time.RFC3339))
	warn(s.Sandbox, "it is of Intel's sandbox, whose root certificate is not the one that verifiers trust")
	warn(s.Warning != "", "the service says: %s", strings.TrimPrefix(s.Warning, "299 - "))
	warn(s.NotKept != nil, "no copy could be kept: %v", s.NotKept)
	return d
}
