package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/internal/state"
	"github.com/feidi-dev/feidi/world"
)

func (a *app) world() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "world",
		Short: "A factory of machines with its own root of trust",
		Long: `A world is what Intel is to its processors: a factory that burns fuses into
machines and remembers them, a root of trust with its certificate authorities,
what is known of the security of the machines, and the key that signs the system
enclaves. Quotes of its machines have Intel's formats, and verify against the
world's root and no other. Every name in its certificates says SOFTWARE - NOT
HARDWARE.

There is one world for a user, below $XDG_STATE_HOME/feidi. Its files are
secrets.`,
		Example: `  feidi world init
  feidi machine new laptop
  feidi world root -o /tmp/root.pem`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Args: cobra.NoArgs,
	}
	cmd.AddCommand(a.worldInit(), a.worldShow(), a.worldRoot(), a.worldReset())
	return cmd
}

// openWorld opens the user's world.
func openWorld() (*world.World, error) {
	dir, err := state.Dir()
	if err != nil {
		return nil, cannot(err)
	}
	w, err := world.Open(dir, world.Options{})
	switch {
	case errors.Is(err, world.ErrDamaged):
		return nil, cannot(fmt.Errorf("%w: put a copy of it back, or begin anew with `feidi world reset`", err))
	case err != nil:
		return nil, cannot(err)
	}
	return w, nil
}

func (a *app) worldInit() *cobra.Command {
	var o world.Options
	cmd := a.verb(&cobra.Command{
		Use:   "init",
		Short: "Make a world",
		Long: `Init draws the keys of a new world and makes its certificates. It changes no
world that is there: ` + "`feidi world reset`" + ` removes it first.`,
		Example: `  feidi world init --name blue`,
		Args:    noOperands,
		RunE: func(*cobra.Command, []string) error {
			dir, err := state.Dir()
			if err != nil {
				return cannot(err)
			}
			w, err := world.Create(dir, o)
			switch {
			case errors.Is(err, world.ErrExists):
				return no(fmt.Errorf("%w: `feidi world show` shows it, `feidi world reset` removes it", err))
			case errors.Is(err, world.ErrOptions):
				return usage("%w", err)
			case err != nil:
				return cannot(err)
			}
			return a.showWorld(w)
		},
	})
	cmd.Flags().StringVar(&o.Name, "name", "", "the `name` in its certificates; by default one is drawn")
	cmd.Flags().StringVar(&o.URL, "url", "", "the `address` at which `feidi pcs serve` will be reached (by default "+world.DefaultURL+")")
	return cmd
}

func (a *app) worldShow() *cobra.Command {
	return a.verb(&cobra.Command{
		Use:     "show",
		Short:   "Show the world",
		Example: `  feidi world show`,
		Args:    noOperands,
		RunE: func(*cobra.Command, []string) error {
			w, err := openWorld()
			if err != nil {
				return err
			}
			return a.showWorld(w)
		},
	})
}

// shownWorld is the JSON object of world.
type shownWorld struct {
	Name     string    `json:"name"`
	Created  time.Time `json:"created"`
	URL      string    `json:"url"`
	Root     string    `json:"root_sha256"`     // of its certificate
	RootKey  string    `json:"root_key_sha256"` // as policies and verdicts name it
	MRSigner string    `json:"system_enclaves_mr_signer"`
	Machines []string  `json:"machines"`
	FMSPCs   []string  `json:"fmspcs"`
}

func (a *app) showWorld(w *world.World) error {
	root, signer := sha256.Sum256(w.Root()), w.LEPubKeyHash()
	anchor, err := verify.RootOf(w.Root())
	if err != nil {
		return cannot(err)
	}
	key := anchor.Fingerprint()
	s := shownWorld{
		Name: w.Name(), Created: w.Created(), URL: w.URL(),
		Root: hex.EncodeToString(root[:]), RootKey: hex.EncodeToString(key[:]), MRSigner: hex.EncodeToString(signer[:]),
		Machines: []string{}, FMSPCs: []string{},
	}
	machines, err := w.Machines()
	if err != nil {
		return refusal(err)
	}
	for _, m := range machines {
		s.Machines = append(s.Machines, m.Name)
	}
	families, err := w.FMSPCs()
	if err != nil {
		return cannot(err)
	}
	for _, f := range families {
		s.FMSPCs = append(s.FMSPCs, fmt.Sprintf("%X", f.FMSPC))
	}
	if a.json {
		return a.writeJSON(s)
	}
	a.printf("world     %s, made %s: SOFTWARE - NOT HARDWARE\n", s.Name, s.Created.Format(time.DateOnly))
	a.printf("root      SHA-256 %s of the certificate\n", s.Root)
	a.printf("          SHA-256 %s of the key, for policies\n", s.RootKey)
	a.printf("enclaves  signed by MRSIGNER %s\n", s.MRSigner)
	a.printf("service   %s (`feidi pcs serve`)\n", s.URL)
	if len(s.Machines) == 0 {
		a.printf("machines  none yet: `feidi machine new NAME` makes one\n")
		return nil
	}
	if len(s.FMSPCs) > 0 {
		a.printf("FMSPCs    %s\n", strings.Join(s.FMSPCs, " "))
	}
	a.printf("machines  %s\n", strings.Join(s.Machines, " "))
	return nil
}

func (a *app) worldRoot() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "root [-o FILE]",
		Short: "Write the world's root certificate, for who is to trust it",
		Long: `Root writes the root certificate of the world in PEM. Who verifies quotes of the
world's machines gives it to the verifier, who trusts only Intel's otherwise:

  feidi world root -o root.pem
  feidi verify quote.bin --root root.pem --collateral ` + world.DefaultURL + `

Give it to tests and to nothing else: whoever has the world's files can make
any quote.`,
		Example: `  feidi world root
  feidi world root -o /tmp/root.pem`,
		Args: noOperands,
		RunE: func(*cobra.Command, []string) error {
			w, err := openWorld()
			if err != nil {
				return err
			}
			if out == "" {
				a.printf("%s", w.RootPEM())
				return nil
			}
			if err := writeBytes(out, w.RootPEM()); err != nil {
				return cannot(err)
			}
			a.printf("%s\n", out)
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "write it to this `file`")
	return cmd
}

func (a *app) worldReset() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "reset --yes",
		Short: "Remove the world and all its machines",
		Long: `Reset removes the world: its keys, its machines, and with their fuses all that
their enclaves have sealed. A new one has other keys. Programs that run on its
machines meanwhile keep running, and attest no more.`,
		Example: `  feidi world reset --yes`,
		Args:    noOperands,
		RunE: func(*cobra.Command, []string) error {
			if !yes {
				return usage("this removes keys that cannot be made again: say --yes")
			}
			dir, err := state.Dir()
			if err != nil {
				return cannot(err)
			}
			if err := world.Remove(dir); err != nil {
				return cannot(err)
			}
			a.printf("removed the world and its machines\n")
			return nil
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "really")
	return cmd
}
