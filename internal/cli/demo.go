package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/internal/demo"
	"github.com/feidi-dev/feidi/internal/state"
)

// shownDemo is the JSON object of demo.
type shownDemo struct {
	OK    bool        `json:"ok"`
	MS    int64       `json:"ms"`
	Steps []demo.Step `json:"steps"`
	Error string      `json:"error,omitempty"`
}

func (a *app) demo() *cobra.Command {
	cmd := a.verb(&cobra.Command{
		Use:   "demo",
		Short: "Play remote attestation, from the fuses to a secret",
		Long: `Demo plays all of remote attestation on this machine. A factory burns machines; a
service certifies them; their system enclaves and AESM run; an enclave, a Go
program, attests to another and to a relying party, which gives it a secret; the
secret is sealed, the machine gets new microcode and boots, and the secret is
unsealed. What must be refused is: an enclave that was changed, one of another
signer, another machine, one that is out of date, and one that is revoked.

All formats and protocols are the real ones. Each step is checked; one that does
not come out as on hardware ends the demo with exit code 1. Nothing of it is kept.

The enclaves are built when they are needed for the first time, which takes a
minute or two. ` + "`feidi demo enclave`" + ` needs no Go, and shows what one enclave can do.`,
		Example: `  feidi demo`,
		Args:    noOperands,
		RunE: func(*cobra.Command, []string) error {
			ctx, stop := interruptible()
			defer stop()
			cache, err := state.Cache()
			if err != nil {
				return cannot(err)
			}
			fmt.Fprintln(a.err, banner)
			shown := &shownDemo{Steps: []demo.Step{}}
			start := time.Now()
			err = demo.Run(ctx, demo.Options{Cache: cache, Log: a.terminal(), Say: func(s demo.Step) {
				shown.Steps = append(shown.Steps, s)
				if !a.json {
					a.printf("%-9s %s\n", s.Name, s.Text)
				}
			}})
			if ctx.Err() != nil {
				err = errors.New("interrupted")
			}
			shown.MS = time.Since(start).Milliseconds()
			if shown.OK = err == nil; !shown.OK {
				shown.Error = err.Error()
			}
			if a.json {
				if jerr := a.writeJSON(shown); jerr != nil {
					return jerr
				}
			} else if shown.OK {
				a.printf("%-9s in %.1f s. Nothing here was protected from this machine.\n", "done", time.Since(start).Seconds())
			}
			switch {
			case err == nil:
				return nil
			case errors.Is(err, demo.ErrUnexpected):
				return no(fmt.Errorf("demo: %w", err))
			}
			return cannot(fmt.Errorf("demo: %w", err))
		},
	})
	cmd.AddCommand(a.demoEnclave())
	return cmd
}
