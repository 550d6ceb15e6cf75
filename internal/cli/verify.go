package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/verifyd/wire"
)

// verifyFlags are the flags of verify.
type verifyFlags struct {
	verifying
	at         string
	reportData string
	explain    bool
}

func (a *app) verify() *cobra.Command {
	f := &verifyFlags{}
	cmd := a.verb(&cobra.Command{
		Use:   "verify QUOTE",
		Short: "Tell whether a quote is genuine, and whether to accept it",
		Long: `Verify tells whether a quote of an SGX enclave or a TDX guest is genuine, what
Intel says of the platform that it comes from, and whether a policy accepts it.
It makes the checks of Intel's Quote Verification Library, and needs no SGX.

` + quoteForms + `

What is needed besides, the collateral, comes from Intel's service, which is
asked over the network; or with --collateral from a folder or file that
` + "`feidi collateral save`" + ` wrote, or from a PCCS. Trust ends in Intel's root key,
unless --root names other roots, which then take its place. A root.pem or a
verify_at.txt that lies beside the collateral is not obeyed.

Without --policy a quote is accepted if all checks hold as of --at, Intel calls
the platform UpToDate, and the enclave or TD is not under debug. Whose enclave
or TD it is, is then not looked at: compare MRENCLAVE, MRSIGNER or MRTD and the
report data yourself, or name them in a policy.

In JSON, keys that do not apply are absent. What a quote says that is not
authentic stands under "unverified", apart from the rest.

Exit codes: 0 accepted, 1 rejected, 2 cannot tell: a file cannot be read, or
there is no collateral, or a flag is wrong.`,
		Example: `  feidi verify ` + sampleSet + `/quote.bin --collateral ` + sampleSet + `/collateral.json --root ` + sampleSet + `/root.pem --at 2026-06-02
  feidi verify ` + sampleSet + `/quote.bin --collateral ` + sampleSet + `/collateral.json --root ` + sampleSet + `/root.pem --at 2026-06-02 --explain --json`,
		Args: operands("the quote's file"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runVerify(cmd, f, args[0]) },
	})
	f.add(cmd)
	cmd.Flags().StringVar(&f.at, "at", "", "verify as of this `time`, such as 2026-01-31 or 2026-01-31T12:00:00Z, in place of now")
	cmd.Flags().StringVar(&f.reportData, "report-data", "", "demand that the report data begins with these bytes, in `hexadecimal`, and is zero after them")
	cmd.Flags().BoolVar(&f.explain, "explain", false, "explain the verdict: what falls short, by how much, and what would mend it")
	return cmd
}

// judged is the JSON object of verify.
type judged struct {
	File       string `json:"file"`
	Collateral string `json:"collateral"` // where it is from
	*wire.Answer

	hints []string
}

func (a *app) runVerify(cmd *cobra.Command, f *verifyFlags, file string) error {
	at := time.Now()
	var err error
	if f.at != "" {
		if at, err = wire.ParseTime(f.at); err != nil {
			return usage("--at: %v", err)
		}
	}
	var data *[64]byte
	if cmd.Flags().Changed("report-data") {
		if data, err = wire.ParseReportData(f.reportData); err != nil {
			return usage("--report-data: %v", err)
		}
	}
	if err := f.checkFlags(cmd); err != nil {
		return err
	}
	q, err := a.readQuote(file)
	if err != nil {
		return unsure(err)
	}
	v, judge, err := f.load()
	if err != nil {
		return unsure(err)
	}
	from, err := f.place(a)
	if err != nil {
		return unsure(err)
	}
	if from.intel {
		fmt.Fprintf(a.err, "feidi: asking Intel's service for the collateral of this platform (--collateral names another place)\n")
	}
	c, err := from.get(cmd.Context(), q)
	if err != nil {
		return unsure(fmt.Errorf("collateral: %w", err))
	}
	r, _ := v.Verify(q.Raw, c, at) // the result has the error
	j := &judged{File: file, Collateral: from.name, Answer: judge.Answer(r, data)}
	if f.explain {
		j.Explanation = r.Explain()
	}
	j.hint(from, f)
	if a.json {
		if err := a.writeJSON(j); err != nil {
			return unsure(err)
		}
	} else {
		j.show(a)
	}
	if !j.Accepted {
		return no(fmt.Errorf("%s: rejected", inputName(file)))
	}
	return nil
}

// hint tells what would help, if it is what usually does.
func (j *judged) hint(from *place, f *verifyFlags) {
	b := from.bundle
	switch {
	case j.Accepted:
		return
	case b == nil && j.CollateralAtFault && from.copies:
		j.hints = append(j.hints, "the collateral has copies of an earlier time in it, which may be of another root: --refresh gets it anew.")
		return
	case b == nil:
		return
	}
	if j.CollateralAtFault {
		quote := j.File
		if quote == "-" {
			quote = "QUOTE"
		}
		j.hints = append(j.hints, fmt.Sprintf("the collateral may be of another platform. `feidi collateral save %s -o PLACE` gets that of this one.", quote))
		return
	}
	untrusted := func(s wire.Step) bool { return s.Status == verify.StatusSGXPCKCertChainUntrusted }
	if untrusted(j.Steps.PCKChain) && len(b.Root) > 0 {
		j.hints = append(j.hints, fmt.Sprintf("%s has a root certificate that is not Intel's. It is trusted only if --root names it, and should be only if you know whose it is.", from.name))
	}
	if f.at == "" && j.Expired && !b.At.IsZero() {
		j.hints = append(j.hints, fmt.Sprintf("%s says that it is to be looked at as of %s: --at %[2]s does so. It says nothing about today.", from.name, b.At.Format(time.RFC3339)))
	}
}
