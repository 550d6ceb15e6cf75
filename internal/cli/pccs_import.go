package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/internal/prompt"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/config"
	"github.com/feidi-dev/feidi/pccs/exchange"
)

// shownImport is the JSON object of pccs import of a database of Intel's.
type shownImport struct {
	File          string         `json:"file"`
	Database      string         `json:"database"`
	Version       int            `json:"database_version"`
	Documents     int            `json:"documents"`
	Platforms     int            `json:"platforms"`
	Certificates  int            `json:"certificates"`
	TCBs          int            `json:"tcbs"`
	Registrations int            `json:"registrations"`
	Policies      int            `json:"policies"`
	Expired       []string       `json:"expired,omitempty"`
	Refused       []shownRefusal `json:"refused,omitempty"` // 1000 at most
	NRefused      int            `json:"refused_count"`
	NForeign      int            `json:"other_root_count"` // of these, below a root that is not trusted
}

type shownRefusal struct {
	What   string `json:"what"`
	Reason string `json:"reason"`
}

func (a *app) pccsImport() *cobra.Command {
	at := &pccsAt{imports: true, makes: true}
	cmd := a.verb(&cobra.Command{
		Use:   "import FILE",
		Short: "Bring over the database of Intel's PCCS, or collateral",
		Long: `Import brings what Intel's PCCS has in its SQLite file (often pckcache.db, versions
1 to 5) into the database of ` + "`feidi pccs serve`" + `: platforms with certificates and
TCBs, TCB infos, identities, revocation lists, registrations that wait, and
appraisal policies. Stop Intel's service before. The file is not changed, and the
import may be done again.

All is verified. What is out of its time comes in and is told; what is not
genuine is told and left out, and the exit code is 1 then.

FILE may also be a platform_collaterals.json of ` + "`pccsadmin fetch`" + `, of which all
comes in or nothing.

The database is that of --database or --config, or else the one in the state
directory that ` + "`feidi pccs serve`" + ` has without settings.`,
		Example: `  feidi pccs import ` + sampleCollaterals + ` --database /tmp/pccs.db --root ` + sampleRoot,
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.runPCCSImport(cmd, at, args[0]) },
	})
	at.addLocal(cmd)
	return cmd
}

func (a *app) runPCCSImport(cmd *cobra.Command, at *pccsAt, file string) error {
	sqlite, err := isSQLite(file)
	if err != nil {
		return cannot(err)
	}
	if !sqlite {
		return a.importCollaterals(cmd, at, file)
	}
	if err := exchange.CheckIntel(cmd.Context(), file); err != nil { // before a database is made
		return cannot(err)
	}
	p, s, err := at.openStore(cmd)
	if err != nil {
		return err
	}
	var o exchange.ImportOptions
	terminal := prompt.IsTerminal(a.err)
	if terminal {
		o.Progress = func(n int) { fmt.Fprintf(a.err, "\r%d platforms", n) }
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	r, err := exchange.ImportIntel(ctx, file, s, p.checker, o)
	if terminal {
		fmt.Fprint(a.err, "\r\x1b[K")
	}
	if e := s.Close(); err == nil {
		err = e
	}
	if err != nil {
		return cannot(err)
	}
	return showImport(a, file, config.Shown(p.database()), r)
}

// isSQLite reports whether a file is a database.
func isSQLite(file string) (bool, error) {
	f, err := os.Open(file)
	if err != nil {
		return false, err
	}
	defer f.Close()
	head := make([]byte, 16)
	_, err = io.ReadFull(f, head)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return string(head) == "SQLite format 3\x00", err
}

// importCollaterals is what put does, into a database.
func (a *app) importCollaterals(cmd *cobra.Command, at *pccsAt, file string) error {
	c, err := readCollaterals(file)
	if err != nil {
		return err
	}
	local, done, err := at.openLocal(a, cmd, false)
	if err != nil {
		return err
	}
	err = local.PutCollateral(cmd.Context(), c)
	if e := done(); err == nil {
		err = e
	}
	if err != nil {
		return refused(err)
	}
	return (&shownPut{File: file, Platforms: len(c.Platforms), Documents: documentsOf(c)}).show(a)
}

func showImport(a *app, file, database string, r *exchange.Import) error {
	s := &shownImport{
		File: file, Database: database, Version: r.DBVersion, Documents: r.Documents, Platforms: r.Platforms, Certificates: r.Certificates, TCBs: r.TCBs,
		Registrations: r.Registrations, Policies: r.Policies, Expired: r.Expired, NRefused: r.NRefused, NForeign: r.NForeign,
	}
	// Who named no root, or the wrong one, need not be told so of each thing.
	foreign := r.NForeign > 0 && r.Documents+r.Platforms == 0
	var told []exchange.Refusal
	for _, x := range r.Refused {
		s.Refused = append(s.Refused, shownRefusal{x.What, x.Reason()})
		if !foreign || !errors.Is(x.Err, collateral.ErrUntrusted) {
			told = append(told, x)
		}
	}
	if a.json {
		if err := a.writeJSON(s); err != nil {
			return err
		}
	} else {
		a.printf("%s: database of Intel's PCCS, version %d\n", file, s.Version)
		a.printf("brought to %s: %s, %s with %s and %s, %s, %s\n", s.Database, plural(s.Documents, "document"), plural(s.Platforms, "platform"),
			plural(s.Certificates, "certificate"), plural(s.TCBs, "TCB"), plural(s.Registrations, "registration"), several(s.Policies, "policy", "policies"))
		for _, name := range s.Expired {
			a.printf("out of its time: %s\n", name)
		}
		const most = 20
		more := s.NRefused
		if foreign {
			more -= s.NForeign
		}
		for _, x := range told[:min(len(told), most)] {
			a.printf("left out: %v\n", x)
			more--
		}
		if more > 0 {
			a.printf("left out: %d more; --json lists 1000\n", more)
		}
	}
	switch {
	case s.NRefused == 0:
		return nil
	case foreign:
		return no(fmt.Errorf("left out %s: they are below another root than is trusted here, as those of a sandbox or a software world are: name it with --root", plural(s.NForeign, "thing")))
	}
	return no(fmt.Errorf("left out %s", plural(s.NRefused, "thing")))
}
