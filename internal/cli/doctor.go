package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/internal/host"
)

// diagnosis is the JSON object of doctor.
type diagnosis struct {
	Platform     string      `json:"platform"`
	CanRun       bool        `json:"can_run"`
	Engines      []string    `json:"engines"`
	Blockers     []string    `json:"blockers"` // IDs of facts
	Facts        []host.Fact `json:"facts"`
	Emulated     []string    `json:"emulated"`
	NotProtected string      `json:"not_protected"`
}

func (a *app) doctor() *cobra.Command {
	return a.verb(&cobra.Command{
		Use:   "doctor",
		Short: "Tell what this machine can do",
		Long: `Doctor tells what the processor, the kernel and the memory of this machine
offer, whether enclaves can run on it, what is emulated and what is not
protected. It exits with 1 if enclaves cannot run here.`,
		Example: `  feidi doctor
  feidi doctor --json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			d := diagnose(host.Look(), engines())
			if a.json {
				if err := a.writeJSON(d); err != nil {
					return err
				}
			} else {
				d.show(a)
			}
			if !d.CanRun {
				return no(fmt.Errorf("enclaves cannot run on this machine (%s)", d.why()))
			}
			return nil
		},
	})
}

func diagnose(s *host.Survey, engines []string) *diagnosis {
	d := &diagnosis{
		Platform: s.Platform, Facts: s.Facts, Engines: engines, Blockers: []string{},
		Emulated: emulated, NotProtected: strings.ReplaceAll(notProtected, "\n", " "),
	}
	for _, f := range s.Blockers() {
		d.Blockers = append(d.Blockers, f.ID)
	}
	d.CanRun = len(engines) > 0 && len(d.Blockers) == 0
	return d
}

// why is the reason for which enclaves cannot run.
func (d *diagnosis) why() string {
	var reasons []string
	for _, f := range d.Facts {
		if f.Verdict == host.Missing {
			reasons = append(reasons, f.Label+": "+f.Value)
		}
	}
	if len(d.Engines) == 0 {
		reasons = append(reasons, "no engine for "+d.Platform)
	}
	return strings.Join(reasons, ", ")
}

func (d *diagnosis) show(a *app) {
	titles := map[string]string{
		"cpu": "Processor", "sgx": "SGX hardware", "os": "Operating system", "kernel": "Kernel", "memory": "Memory",
	}
	var order []string
	groups := map[string]*table{}
	for _, f := range d.Facts {
		g, _, _ := strings.Cut(f.ID, ".")
		if groups[g] == nil {
			groups[g] = &table{}
			order = append(order, g)
		}
		note := f.Note
		if f.Verdict == host.Missing || f.Verdict == host.Warn {
			note = strings.ToUpper(string(f.Verdict)) + ": " + note
		}
		groups[g].add(f.Label, f.Value, note)
	}
	for _, g := range order {
		a.printf("%s\n", titles[g])
		groups[g].write(a, "  ")
	}
	a.printf("Engines\n  %s\n", orNone(d.Engines))
	a.printf("Emulated in software\n")
	for _, e := range d.Emulated {
		a.printf("  %s\n", e)
	}
	a.printf("Not protected\n  %s\n", strings.ReplaceAll(notProtected, "\n", "\n  "))
	if d.CanRun {
		a.printf("Verdict\n  Enclaves run on this machine.\n")
	} else {
		a.printf("Verdict\n  Enclaves cannot run on this machine: %s.\n", d.why())
	}
}

func orNone(v []string) string {
	if len(v) == 0 {
		return "none"
	}
	return strings.Join(v, " ")
}
