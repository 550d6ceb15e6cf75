package cli

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pcs"
)

// pccsExporting are the flags of pccs export.
type pccsExporting struct {
	pccsAt
	out, ca, tee, update string
}

func (a *app) pccsExport() *cobra.Command {
	f := &pccsExporting{}
	cmd := a.verb(&cobra.Command{
		Use:   "export FMSPC -o PLACE",
		Short: "Save what a PCCS has for quotes of an FMSPC, to verify them offline",
		Long: `Export writes the collateral that a PCCS has for an FMSPC for ` + "`feidi verify --collateral`" + `:
one file if PLACE ends in .json, else a folder. It is verified before, with --root
by that root, which is then in it, too.

The service is that at -u, of which no token is wanted. With --database,
--config or --world no service is asked, but its database.`,
		Example: `  feidi pccs import ` + sampleCollaterals + ` --database /tmp/pccs.db --root ` + sampleRoot + `
  feidi pccs export 00FE1D100000 --database /tmp/pccs.db --root ` + sampleRoot + ` -o /tmp/bundle.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runPCCSExport(cmd, f, args[0]) },
	})
	flags := cmd.Flags()
	flags.StringVarP(&f.out, "out", "o", "", "write to this `place`: a file if it ends in .json, else a folder")
	flags.StringVar(&f.ca, "ca", "platform", "the `CA` of the PCK certificates: processor or platform")
	flags.StringVar(&f.tee, "tee", "sgx", "for quotes of this `TEE`: sgx or tdx")
	flags.StringVar(&f.update, "update", "standard", "`when` after a TCB recovery: standard or early")
	f.add(cmd)
	oneOf(cmd, "ca", "processor", "platform")
	oneOf(cmd, "tee", "sgx", "tdx")
	oneOf(cmd, "update", "standard", "early")
	return cmd
}

// fetcher gets a verified document.
type fetcher func(context.Context, collateral.Item) (*collateral.Document, error)

func (a *app) runPCCSExport(cmd *cobra.Command, f *pccsExporting, fmspc string) error {
	r, err := (&saving{fmspc: fmspc, ca: f.ca, tee: f.tee}).request()
	switch {
	case err != nil:
		return err
	case f.update != collateral.Standard && f.update != collateral.Early:
		return usage("--update %.40s: it is standard or early", f.update)
	case f.out == "":
		return usage("name the place to write to: -o PLACE")
	}
	get, root, done, err := f.fetcher(a, cmd)
	if err != nil {
		return err
	}
	b := &pcs.Bundle{Root: root}
	err = exportTo(cmd.Context(), &b.Collateral, get, r, f.update)
	if e := done(); err == nil {
		err = e
	}
	if err == nil {
		err = pcs.SaveBundle(f.out, b)
	}
	if err != nil {
		return coded(err)
	}
	if a.json {
		return a.writeJSON(map[string]string{"saved": f.out, "fmspc": hex.EncodeToString(r.FMSPC[:]), "ca": string(r.CA), "tee": f.tee})
	}
	a.printf("Saved in %s\n", f.out)
	return nil
}

// exportTo gets the documents of collateral.
func exportTo(ctx context.Context, c *dcap.Collateral, get fetcher, r pcs.Request, update string) error {
	for _, part := range []struct {
		item        collateral.Item
		body, chain *[]byte
	}{
		{collateral.Item{Kind: collateral.TCBInfo, API: 4, TEE: r.TEE, FMSPC: fmt.Sprintf("%X", r.FMSPC), Update: update}, &c.TCBInfo, &c.TCBInfoChain},
		{collateral.Item{Kind: collateral.QEIdentity, API: 4, TEE: r.TEE, Update: update}, &c.QEIdentity, &c.QEIdentityChain},
		{collateral.Item{Kind: collateral.PCKCRL, API: 4, CA: string(r.CA)}, &c.PCKCRL, &c.PCKCRLChain},
		{collateral.Item{Kind: collateral.RootCRL, API: 4}, &c.RootCRL, nil},
	} {
		d, err := get(ctx, part.item)
		if err != nil {
			return err
		}
		*part.body = d.Body
		if part.chain != nil {
			*part.chain = d.Chain
		}
	}
	return nil
}

// fetcher is what gets documents, and the roots to trust besides Intel's, PEM.
func (f *pccsExporting) fetcher(a *app, cmd *cobra.Command) (fetcher, []byte, func() error, error) {
	var root []byte
	var ders [][]byte
	for _, file := range f.local.roots {
		certs, err := readRoots(file)
		if err != nil {
			return nil, nil, nil, cannot(fmt.Errorf("%s: %w", file, err))
		}
		for _, c := range certs {
			ders, root = append(ders, c.Raw), dcap.AppendPEM(root, c.Raw)
		}
	}
	if len(ders) > 1 {
		return nil, nil, nil, usage("saved collateral has one root: give --root once, with a file of one certificate")
	}
	if f.isLocal() {
		if f.local.world {
			w, err := openWorld()
			if err != nil {
				return nil, nil, nil, err
			}
			root = dcap.AppendPEM(nil, w.Root())
		}
		local, done, err := f.openLocal(a, cmd, false)
		if err != nil {
			return nil, nil, nil, err
		}
		return func(ctx context.Context, item collateral.Item) (*collateral.Document, error) {
			d, err := local.Document(ctx, item)
			if err != nil {
				return nil, err
			}
			if d.Expired {
				fmt.Fprintf(a.err, "feidi: %s is out of its time since %s\n", item, day(d.NextUpdate))
			}
			return &d.Document, nil
		}, root, done, nil
	}
	if f.tokenFile != "" {
		return nil, nil, nil, usage("--token-file: export wants no token")
	}
	cfg := pcs.Config{URL: f.address(), InsecureTLS: f.insecure}
	if err := trust(&cfg, f.cacert); err != nil {
		return nil, nil, nil, err
	}
	client, err := newClient(cfg)
	if err != nil {
		return nil, nil, nil, err
	}
	check, err := collateral.NewChecker(ders...)
	if err != nil {
		return nil, nil, nil, cannot(err)
	}
	c := collateral.NewClient(client, check)
	return func(ctx context.Context, item collateral.Item) (*collateral.Document, error) {
		d, err := c.Fetch(ctx, item)
		if err != nil && errors.Is(err, collateral.ErrExpired) {
			err = fmt.Errorf("%w: the PCCS is to be refreshed", err)
		}
		return d, err
	}, root, func() error { return nil }, nil
}
