package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/enclave"
)

func (a *app) demo() *cobra.Command {
	return a.verb(&cobra.Command{
		Use:   "demo",
		Short: "Build an enclave, run it, and show what it can do",
		Long: `Demo assembles two small enclaves, signs them with a fresh key and loads them on
a software machine. They compute, call the host, check each other's REPORT,
derive sealing keys, fault, recover and are stopped. Each step is checked; one
that does not come out as on hardware ends the demo with exit code 1.`,
		Example: "  feidi demo",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
			defer stop()
			fmt.Fprintln(a.err, banner)
			d := &demo{}
			if !a.json {
				d.told = func(s step) { a.printf("%-11s %s\n", s.Name, s.Text) }
			}
			start := time.Now()
			err := d.run(ctx)
			d.MS = time.Since(start).Milliseconds()
			d.OK = err == nil
			if a.json {
				if jerr := a.writeJSON(d); jerr != nil {
					return jerr
				}
			} else if d.OK {
				a.printf("%-11s in %d ms. Nothing here was protected from this machine.\n", "done", d.MS)
			}
			if errors.Is(err, enclave.ErrNoEngine) {
				return cannot(err)
			}
			if err != nil {
				return no(err)
			}
			return nil
		},
	})
}

// demo is the JSON object of demo.
type demo struct {
	OK    bool   `json:"ok"`
	MS    int64  `json:"ms"`
	Steps []step `json:"steps"`

	told       func(step)
	machine    *enclave.Machine
	alice, bob *enclave.Enclave
}

// step is a step that came out as it should.
type step struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

func (d *demo) say(name, format string, args ...any) {
	s := step{name, fmt.Sprintf(format, args...)}
	d.Steps = append(d.Steps, s)
	if d.told != nil {
		d.told(s)
	}
}

// run makes all steps, and takes down what was built.
func (d *demo) run(ctx context.Context) (err error) {
	defer func() {
		for _, e := range []*enclave.Enclave{d.alice, d.bob} {
			if e != nil {
				err = errors.Join(err, e.Destroy())
			}
		}
		if d.machine != nil {
			err = errors.Join(err, d.machine.Close())
		}
	}()
	for _, s := range []struct {
		name string
		make func(context.Context) error
	}{
		{"machine", d.powerOn}, {"load", d.load}, {"ecall", d.ecall}, {"ocall", d.ocall},
		{"report", d.report}, {"seal", d.seal}, {"fault", d.fault}, {"outside", d.outside}, {"stop", d.stop}, {"crash", d.crash},
	} {
		if err := s.make(ctx); err != nil {
			return fmt.Errorf("demo: %s: %w", s.name, err)
		}
	}
	return nil
}
