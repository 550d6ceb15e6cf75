package cli

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/world"
)

// shownMachine is the JSON object of machine.
type shownMachine struct {
	Name         string    `json:"name"`
	World        string    `json:"world,omitempty"` // absent if no factory knows it
	FMSPC        string    `json:"fmspc"`
	PCEID        uint16    `json:"pce_id"`
	CPUSVN       string    `json:"cpu_svn"`
	Packages     int       `json:"packages"`
	LockedLaunch bool      `json:"locked_launch"`
	Created      time.Time `json:"created"`

	// What the factory says of it; absent if none knows it.
	Certified  *bool    `json:"certified,omitempty"`
	Revoked    *bool    `json:"revoked,omitempty"`
	TCB        string   `json:"tcb_status,omitempty"`
	Advisories []string `json:"advisories,omitempty"`
}

func describe(w *world.World, m *world.Machine) shownMachine {
	s := shownMachine{
		Name: m.Name, World: m.World, FMSPC: fmt.Sprintf("%X", m.FMSPC), PCEID: m.PCEID, CPUSVN: hex.EncodeToString(m.CPUSVN[:]),
		Packages: m.Packages, LockedLaunch: m.LockedLaunch, Created: m.Created,
	}
	if st, err := w.Standing(m); err == nil { // else there is nothing to say
		s.Certified, s.Revoked, s.TCB, s.Advisories = &st.Certified, &st.Revoked, st.TCB.String(), st.Advisories
	}
	return s
}

// state is what the factory says, in a word or two.
func (s *shownMachine) state() string {
	switch {
	case s.Certified == nil:
		return "unknown"
	case *s.Revoked:
		return "revoked"
	case !*s.Certified:
		return "not registered"
	}
	return s.TCB
}

func (s *shownMachine) show(a *app) {
	a.printf("machine   %s, made %s\n", s.Name, s.Created.Format(time.DateOnly))
	if s.World == "" {
		a.printf("world     none: no factory knows it, so it makes no quotes (`feidi machine new --adopt %s`)\n", s.Name)
	} else {
		a.printf("world     %s\n", s.World)
		a.printf("FMSPC     %s, PCE ID %d\n", s.FMSPC, s.PCEID)
	}
	a.printf("CPUSVN    %s\n", s.CPUSVN)
	if s.Certified != nil {
		a.printf("state     %s\n", strings.Join(append([]string{s.state()}, s.Advisories...), " "))
	}
	a.printf("packages  %d\n", s.Packages)
	if s.LockedLaunch {
		a.printf("launch    locked: enclaves need a token of the launch enclave\n")
	} else {
		a.printf("launch    flexible: any signer's enclaves\n")
	}
}

// showMachine shows a machine that a verb has found, made or changed.
func (a *app) showMachine(w *world.World, m *world.Machine, err error) error {
	if err != nil {
		return refusal(err)
	}
	s := describe(w, m)
	if a.json {
		return a.writeJSON(s)
	}
	s.show(a)
	return nil
}

// refusal is an error of a world with its exit code, and what to do.
func refusal(err error) error {
	advice := ""
	switch {
	case errors.Is(err, world.ErrName), errors.Is(err, world.ErrOptions):
		return usage("%w", err)
	case errors.Is(err, world.ErrNoMachine):
		advice = ": `feidi machine list` shows which there are"
	case errors.Is(err, world.ErrNotAdopted):
		advice = " by `feidi machine new --adopt`"
	case errors.Is(err, world.ErrNotRegistered):
		advice = ": `feidi machine register` does that"
	case errors.Is(err, world.ErrDamaged):
		return cannot(fmt.Errorf("%w: put a copy of it back; if it is a machine's and you remove it, the machine is lost", err))
	case errors.Is(err, world.ErrMachineExists):
		advice = " (`feidi machine new --adopt` has the factory know one that it has not made)"
	case errors.Is(err, world.ErrLowerSVN), errors.Is(err, world.ErrOtherWorld):
	default:
		return cannot(err)
	}
	return no(fmt.Errorf("%w%s", err, advice))
}

// machines completes the operand of a verb that is a machine's name.
func machines(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return machinesBeginning(word)
}

// machinesBeginning completes names of machines.
func machinesBeginning(word string) (names []string, _ cobra.ShellCompDirective) {
	if w, err := openWorld(); err == nil {
		list, _ := w.Machines() // none if one is damaged
		for _, m := range list {
			if strings.HasPrefix(m.Name, word) {
				names = append(names, m.Name)
			}
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func (a *app) machineShow() *cobra.Command {
	var manifest string
	cmd := a.verb(&cobra.Command{
		Use:     "show NAME",
		Short:   "Show a machine",
		Example: `  feidi machine show laptop`,
		Args:    operands("the machine's name"), ValidArgsFunction: machines,
		RunE: func(_ *cobra.Command, args []string) error {
			w, err := openWorld()
			if err != nil {
				return err
			}
			m, err := w.Machine(args[0])
			if err == nil && manifest != "" {
				b := m.Manifest()
				if b == nil {
					return no(fmt.Errorf("%s has one package, and needs no platform manifest", m.Name))
				}
				if err := writeBytes(manifest, b); err != nil {
					return cannot(err)
				}
			}
			return a.showMachine(w, m, err)
		},
	})
	cmd.Flags().StringVar(&manifest, "manifest", "", "write the platform manifest to this `file`, too")
	return cmd
}
