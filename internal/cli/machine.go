package cli

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/world"
)

func (a *app) machine() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "machine",
		Short: "Machines of the world: make, list and recover them",
		Long: `A machine is a processor with fuses, which the factory of the world has burned.
It keeps the root provisioning key, so that the machine can be certified, and
forgets the root seal key. ` + "`feidi run --machine NAME`" + ` runs an enclave on it,
and ` + "`feidi aesmd --machine NAME`" + ` its services.`,
		Example: `  feidi machine new laptop
  feidi machine list`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Args: cobra.NoArgs,
	}
	cmd.AddCommand(a.machineNew(), a.machineList(), a.machineShow(), a.machineRecover(), a.machineRegister(), a.machineIdentify())
	return cmd
}

func (a *app) machineNew() *cobra.Command {
	var o world.MachineOptions
	var fmspc, svn string
	var adopt bool
	cmd := a.verb(&cobra.Command{
		Use:   "new NAME",
		Short: "Have the factory make a machine",
		Long: `New burns the fuses of a machine. A machine of several packages has a platform
manifest, by which it must be registered before it is certified
(` + "`feidi machine register`" + `); one of a single package is certified as it is.

With --adopt it makes none: the factory gets to know a machine that was there
before it, as those are that ` + "`feidi run`" + ` has made without a world.`,
		Example: `  feidi machine new laptop
  feidi machine new server --packages 2 --fmspc 00FE1D200000`,
		Args: operands("the machine's name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := hexFlag("fmspc", fmspc, o.FMSPC[:]); err != nil {
				return err
			}
			if err := hexFlag("cpusvn", svn, o.CPUSVN[:]); err != nil {
				return err
			}
			if cmd.Flags().Changed("packages") && o.Packages < 1 {
				return usage("--packages %d: a machine has 1 to %d", o.Packages, world.MaxPackages)
			}
			w, err := openWorld()
			if err != nil {
				return err
			}
			if adopt {
				m, err := w.Adopt(args[0])
				return a.showMachine(w, m, err)
			}
			m, err := w.NewMachine(args[0], o)
			if err := a.showMachine(w, m, err); err != nil || a.json || m.Packages == 1 {
				return err
			}
			a.printf("next      `feidi machine register %s`: until then it is not certified\n", m.Name)
			return nil
		},
	})
	f := cmd.Flags()
	f.StringVar(&fmspc, "fmspc", "", "the family of machines: 12 `digits`, hexadecimal (by default "+fmt.Sprintf("%X", world.DefaultFMSPC)+")")
	f.StringVar(&svn, "cpusvn", "", "the CPUSVN: 32 `digits`, hexadecimal (by default that of the newest TCB)")
	f.IntVar(&o.Packages, "packages", 1, "a machine of so many `packages`")
	f.BoolVar(&o.LockedLaunch, "locked", false, "without flexible launch control: enclaves need a launch token")
	f.BoolVar(&adopt, "adopt", false, "make the machine of this name, which is there, known to the factory")
	for _, other := range []string{"fmspc", "cpusvn", "packages", "locked"} {
		exclude(cmd, "adopt", other)
	}
	return cmd
}

// hexFlag reads a flag of so many bytes, which may be absent.
func hexFlag(name, text string, to []byte) error {
	if text == "" {
		return nil
	}
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(to) {
		return usage("--%s %.60s: it has %d hexadecimal digits", name, text, 2*len(to))
	}
	if len(bytes.Trim(b, "\x00")) == 0 {
		return usage("--%s %s: it is not zero; without the flag a default is taken", name, text)
	}
	copy(to, b)
	return nil
}

func (a *app) machineList() *cobra.Command {
	return a.verb(&cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the machines",
		Example: `  feidi machine list`,
		Args:    noOperands,
		RunE: func(*cobra.Command, []string) error {
			w, err := openWorld()
			if err != nil {
				return err
			}
			machines, err := w.Machines()
			if err != nil {
				return refusal(err)
			}
			all := []shownMachine{}
			for _, m := range machines {
				all = append(all, describe(w, m))
			}
			if a.json {
				return a.writeJSON(map[string][]shownMachine{"machines": all})
			}
			if len(all) == 0 {
				a.printf("none: `feidi machine new NAME` makes one\n")
				return nil
			}
			var t table
			t.add("NAME", "FMSPC", "CPUSVN", "PACKAGES", "STATE", "WORLD")
			for _, m := range all {
				t.add(m.Name, m.FMSPC, m.CPUSVN, fmt.Sprint(m.Packages), m.state(), m.World)
			}
			t.write(a, "")
			return nil
		},
	})
}

func (a *app) machineRecover() *cobra.Command {
	var o world.RecoverOptions
	var svn string
	cmd := a.verb(&cobra.Command{
		Use:   "recover NAME",
		Short: "Play a TCB recovery",
		Long: `Recover plays what follows a flaw in processors. The machine gets new microcode,
and with it a higher CPUSVN; the TCB info of its family gets a new level, and
machines below that are out of date until they are recovered, too.

It takes effect when the machine is powered on the next time, so end its aesmd
and start it again. The PCK and the attestation key are others then, and quotes
tell of the new TCB. What was sealed before can be unsealed, for the keys of a
lower CPUSVN can still be derived; what is sealed then, not by the old microcode.`,
		Example: `  feidi machine recover laptop --advisory INTEL-SA-00001`,
		Args:    operands("the machine's name"), ValidArgsFunction: machines,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := hexFlag("svn", svn, o.CPUSVN[:]); err != nil {
				return err
			}
			w, err := openWorld()
			if err != nil {
				return err
			}
			m, err := w.Recover(args[0], o)
			if err := a.showMachine(w, m, err); err != nil || a.json {
				return err
			}
			a.printf("next      power it on: what runs on it meanwhile has the old CPUSVN\n")
			return nil
		},
	})
	f := cmd.Flags()
	f.StringVar(&svn, "svn", "", "the new CPUSVN: 32 `digits`, hexadecimal (by default that of the newest TCB, or if the machine has that, one more in components 1 and 2)")
	f.StringSliceVar(&o.Advisories, "advisory", nil, "the `advisory` about what the older TCB lacks; may be repeated")
	f.BoolVar(&o.Early, "early", false, "so that only relying parties that ask for early TCB info get to know it")
	return cmd
}

func (a *app) machineRegister() *cobra.Command {
	var url, cacert string
	cmd := a.verb(&cobra.Command{
		Use:   "register NAME",
		Short: "Register a machine of several packages",
		Long: `Register sends the platform manifest of a machine to the registration service of
the world, as the multi-package agent does. Without --pcs it asks no server, but
the world itself.`,
		Example: `  feidi machine register server`,
		Args:    operands("the machine's name"), ValidArgsFunction: machines,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cacert != "" && url == "" {
				return usage("--cacert belongs to --pcs")
			}
			w, err := openWorld()
			if err != nil {
				return err
			}
			m, err := w.Machine(args[0])
			if err != nil {
				return refusal(err)
			}
			manifest := m.Manifest()
			if manifest == nil {
				return no(fmt.Errorf("%s has one package: it is certified without being registered", m.Name))
			}
			cfg := servicesOf(w, url)
			if err := trust(&cfg, cacert); err != nil {
				return err
			}
			client, err := pcs.New(cfg)
			if err != nil {
				return usage("--pcs %s", strings.TrimPrefix(err.Error(), "pcs: "))
			}
			ppid, err := client.RegisterPlatform(cmd.Context(), manifest)
			if err != nil {
				return cannot(err)
			}
			if a.json {
				return a.writeJSON(map[string]string{"machine": m.Name, "ppid": hex.EncodeToString(ppid[:])})
			}
			a.printf("registered %s: PPID %x\n", m.Name, ppid)
			return nil
		},
	})
	cmd.Flags().StringVar(&url, "pcs", "", "register at this `address`")
	cmd.Flags().StringVar(&cacert, "cacert", "", cacertHelp)
	filesOf(cmd, "cacert", "pem", "crt", "cer")
	return cmd
}
