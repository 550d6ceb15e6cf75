package cli

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/admin"
)

func (a *app) pccsStatus() *cobra.Command {
	at := &pccsAt{looks: true}
	var check bool
	cmd := a.verb(&cobra.Command{
		Use:   "status",
		Short: "Show what a PCCS has, and what is out of date and why",
		Long: `Status shows the documents that a service keeps and until when each is good, its
platforms by FMSPC, and what could not be refreshed and why. --check exits with 1
if something is expired or cannot be refreshed, for scripts.

` + whichPCCS,
		Example: `  feidi pccs import ` + sampleCollaterals + ` --database /tmp/pccs.db --root ` + sampleRoot + `
  feidi pccs status --database /tmp/pccs.db
  feidi pccs status --database /tmp/pccs.db --json`,
		Args: noOperands,
		RunE: func(cmd *cobra.Command, _ []string) error {
			office, done, err := at.office(a, cmd, false)
			if err != nil {
				return err
			}
			s, err := office.Status(cmd.Context())
			if e := done(); err == nil {
				err = e
			}
			if e, ok := errors.AsType[*admin.Error](err); ok && e.Status == http.StatusNotFound && e.Reason == "" {
				return cannot(fmt.Errorf("%w: Intel's service has no status: `feidi pccs get -s '[]'` lists the platforms of any, `feidi pccs export FMSPC` says whether what it has for verifiers is in its time", err))
			}
			if err != nil {
				return refused(err)
			}
			if a.json {
				err = a.writeJSON(s)
			} else {
				showStatus(a, s)
			}
			if n := ailing(s); check && n > 0 && err == nil {
				return no(fmt.Errorf("%s out of date, or cannot be refreshed", plural(n, "thing")))
			}
			return err
		},
	})
	cmd.Flags().BoolVar(&check, "check", false, "exit with 1 if something is out of date")
	at.add(cmd)
	return cmd
}

// ailing counts what is expired or fails.
func ailing(s *pccs.Status) int {
	bad := map[string]bool{}
	for i := range s.Documents {
		if d := &s.Documents[i]; d.Expired || d.Failures > 0 {
			bad[d.Name] = true
		}
	}
	for i := range s.Failures {
		bad[s.Failures[i].Name] = true
	}
	return len(bad)
}

func showStatus(a *app, s *pccs.Status) {
	if s.Mode != "" {
		a.printf("mode       %s\n", s.Mode)
	}
	a.printf("database   %s\n", s.Database)
	if s.Upstream != "" {
		a.printf("upstream   %s\n", s.Upstream)
	}
	total := 0
	for _, n := range s.Platforms {
		total += n
	}
	a.printf("platforms  %d\n", total)
	for _, fmspc := range slices.Sorted(maps.Keys(s.Platforms)) {
		a.printf("  %s  %d\n", fmspc, s.Platforms[fmspc])
	}
	a.printf("waiting    %s\n", plural(s.Waiting, "registration"))
	a.printf("documents  %d\n", len(s.Documents))
	t := &table{}
	shown := map[string]bool{}
	for i := range s.Documents {
		d := &s.Documents[i]
		shown[d.Name] = true
		state := "good"
		switch {
		case d.Expired:
			state = "EXPIRED"
		case d.Failures > 0:
			state = "failing"
		}
		t.add(d.Name, state, "until "+day(d.NextUpdate), "had "+day(d.Fetched), reason(string(d.Reason), d.Message))
	}
	t.write(a, "  ")
	if len(s.Failures) == 0 {
		return
	}
	a.printf("failures   %d\n", len(s.Failures))
	for i := range s.Failures {
		f := &s.Failures[i]
		a.printf("  %s: %s, last %s, next %s: %s\n", f.Name, plural(f.Failures, "time"), f.Tried.Format(time.RFC3339), f.Due.Format(time.RFC3339), reason(f.Reason, f.Message))
	}
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04")
}

func reason(code, message string) string {
	if code == "" {
		return message
	}
	return code + ": " + message
}
