package cli

import (
	"errors"
	"fmt"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/internal/prompt"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/exchange"
	"github.com/feidi-dev/feidi/pcs"
)

// pccsFetching are the flags of pccs fetch.
type pccsFetching struct {
	url, in, out, known, update, keyFile string
	roots                                []string
	crl, force, world                    bool
}

// shownFetch is the JSON object of pccs fetch.
type shownFetch struct {
	File         string   `json:"file"`
	Platforms    int      `json:"platforms"`
	Certificates int      `json:"certificates"`
	Documents    int      `json:"documents"`
	NotAvailable int      `json:"not_available"` // TCB levels without a certificate
	Failed       []string `json:"failed,omitempty"`
}

func (a *app) pccsFetch() *cobra.Command {
	f := &pccsFetching{}
	cmd := a.verb(&cobra.Command{
		Use:   "fetch",
		Short: "Fetch certificates and collateral for a list of platforms",
		Long: `Fetch asks Intel's service, or another at -u, for the PCK certificates of the
platforms of a list, and for all that it takes to verify their quotes, verifies it,
and writes it to a file that ` + "`feidi pccs put`" + ` or ` + "`pccsadmin put`" + ` brings to a PCCS
which may ask nobody.

The list is platform_list.json, if it is there, or that of -i. TCB infos are
fetched for the FMSPCs of its platforms, and with -p for those of all platforms
that Intel knows: client, E3, E5 or all.

Intel wants a subscription key for PCK certificates: from --key-file, $` + envKey + `,
or whoever sits at the terminal. --world asks the software world, without a
server.

It exits with 1 if some platforms failed; the others are in the file.`,
		Example: `  feidi pccs fetch --world -p all -o /tmp/platform_collaterals.json
  feidi pccs fetch --world --crl -o /tmp/lists.json`,
		Args: noOperands,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runPCCSFetch(cmd, f) },
	})
	flags := cmd.Flags()
	flags.StringVarP(&f.url, "url", "u", "", "the `address` of the service (by default Intel's)")
	flags.StringVarP(&f.in, "in", "i", platformList, "the list of platforms in this `file`")
	flags.StringVarP(&f.out, "out", "o", platformCollaterals, "write to this `file`")
	flags.StringVarP(&f.known, "platform", "p", "", "also TCB infos of all platforms of this `kind`: all, client, E3 or E5")
	flags.StringVarP(&f.update, "tcb-update-type", "t", "standard", "`which` TCB infos and identities: standard, early or all")
	flags.StringVar(&f.keyFile, "key-file", "", "the subscription key from this `file`, - for standard input")
	flags.StringArrayVar(&f.roots, "root", nil, "trust the root certificates in this `file` in place of Intel's; may be repeated")
	flags.BoolVarP(&f.crl, "crl", "c", false, "only revocation lists")
	flags.BoolVar(&f.force, "force", false, "replace a file that is there")
	flags.BoolVar(&f.world, "world", false, "ask the software world in place of Intel")
	for _, other := range []string{"url", "root", "key-file"} {
		exclude(cmd, "world", other)
	}
	for _, other := range []string{"in", "platform", "tcb-update-type", "key-file"} {
		exclude(cmd, "crl", other)
	}
	filesOf(cmd, "in", "json")
	filesOf(cmd, "out", "json")
	filesOf(cmd, "root", "pem", "crt", "cer", "der")
	oneOf(cmd, "platform", "all", "client", "E3", "E5")
	oneOf(cmd, "tcb-update-type", "standard", "early", "all")
	return cmd
}

func (a *app) runPCCSFetch(cmd *cobra.Command, f *pccsFetching) error {
	o := exchange.FetchOptions{CRLs: f.crl, Known: f.known}
	switch f.update {
	case "standard", "early":
		o.Updates = []string{f.update}
	case "all":
		o.Updates = []string{collateral.Standard, collateral.Early}
	default:
		return usage("--tcb-update-type %.40s: it is standard, early or all", f.update)
	}
	switch f.known {
	case "", "all", "client", "E3", "E5":
	default:
		return usage("--platform %.40s: it is all, client, E3 or E5", f.known)
	}
	if err := free(f.out, f.force); err != nil {
		return err
	}
	list, err := readList(f.in, !cmd.Flags().Changed("in"))
	if err != nil {
		return err
	}
	if f.crl {
		list = nil
	}
	client, err := f.client(a, len(list) > 0)
	if err != nil {
		return err
	}
	if prompt.IsTerminal(a.err) {
		o.Progress = func(done, all int) {
			fmt.Fprintf(a.err, "\r%d of %d", done, all)
			if done == all {
				fmt.Fprint(a.err, "\r\x1b[K")
			}
		}
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	c, report, err := exchange.Fetch(ctx, client, list, o)
	if err != nil {
		return cannot(err)
	}
	if err := writeCollaterals(f.out, c); err != nil {
		return err
	}
	return f.show(a, report)
}

// client is that of the service. Only PCK certificates take a key, and only at
// Intel.
func (f *pccsFetching) client(a *app, certificates bool) (*collateral.Client, error) {
	cfg := pcs.Config{URL: f.url}
	var roots [][]byte
	if f.world {
		w, err := openWorld()
		if err != nil {
			return nil, err
		}
		cfg, roots = servicesOf(w, ""), [][]byte{w.Root()}
	}
	for _, file := range f.roots {
		certs, err := readRoots(file)
		if err != nil {
			return nil, cannot(fmt.Errorf("%s: %w", file, err))
		}
		for _, c := range certs {
			roots = append(roots, c.Raw)
		}
	}
	if f.keyFile != "" || certificates && f.url == "" && !f.world {
		key, err := a.secret(f.keyFile, envKey, "subscription key of Intel's service")
		if err != nil {
			return nil, err
		}
		cfg.SubscriptionKey = key
	}
	if err := trust(&cfg, ""); err != nil {
		return nil, err
	}
	client, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	check, err := collateral.NewChecker(roots...)
	if err != nil {
		return nil, cannot(err)
	}
	return collateral.NewClient(client, check), nil
}

func (f *pccsFetching) show(a *app, r *exchange.Fetched) error {
	s := &shownFetch{File: f.out, Platforms: r.Platforms, Certificates: r.Certificates, Documents: r.Documents + 1, NotAvailable: r.NotAvailable}
	for _, x := range r.Failed {
		s.Failed = append(s.Failed, x.Error())
	}
	if a.json {
		if err := a.writeJSON(s); err != nil {
			return err
		}
	} else {
		a.printf("%s, and %s of %s in %s\n", plural(s.Documents, "document"), plural(s.Certificates, "certificate"), plural(s.Platforms, "platform"), s.File)
		if s.NotAvailable > 0 {
			a.printf("no certificate is available for %s\n", plural(s.NotAvailable, "TCB level"))
		}
		for _, x := range s.Failed {
			a.printf("failed: %s\n", x)
		}
	}
	if n := len(s.Failed); n > 0 {
		return no(errors.New(plural(n, "platform") + " failed"))
	}
	return nil
}

// plural is a number of things.
func plural(n int, what string) string { return several(n, what, what+"s") }

// several is a number of things that are called otherwise if it is not one.
func several(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
