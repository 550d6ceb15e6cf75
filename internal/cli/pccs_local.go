package cli

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/store"
)

// localPCCS is a database, and the service on it that serves nobody.
type localPCCS struct {
	*pccs.Service
	store  *store.Store
	behind string // who would be asked, for people
}

// Platforms is that of an admin.Client.
func (l *localPCCS) Platforms(ctx context.Context, source string) ([]store.Registration, error) {
	switch source {
	case "", "reg":
		return l.Registrations(ctx, store.New, false)
	case "reg_na":
		return l.Registrations(ctx, store.NotAvailable, false)
	}
	fmspcs, err := fmspcList(source)
	if err != nil {
		return nil, err
	}
	return l.Service.Platforms(ctx, fmspcs)
}

// Status is that of an admin.Client. The mode is that of whoever serves.
func (l *localPCCS) Status(ctx context.Context) (*pccs.Status, error) {
	s, err := l.Service.Status(ctx)
	if s != nil {
		s.Mode, s.Upstream = "", l.behind
	}
	return s, err
}

func (t *pccsAt) openLocal(a *app, cmd *cobra.Command, asking bool) (*localPCCS, func() error, error) {
	p, s, err := t.openStore(cmd)
	if err != nil {
		return nil, nil, err
	}
	mode := pccs.Offline
	if asking {
		mode = p.config.Mode
	}
	log := slog.New(slog.NewJSONHandler(a.err, &slog.HandlerOptions{Level: slog.LevelError}))
	service, err := pccs.New(pccs.Options{Store: s, Upstream: p.upstream, Checker: p.checker, Mode: mode, Unbound: t.looks, Tool: true, Log: log})
	if err != nil {
		return nil, nil, cannot(errors.Join(err, s.Close()))
	}
	done := func() error {
		service.Close()
		if err := s.Close(); err != nil {
			return cannot(err)
		}
		return nil
	}
	return &localPCCS{service, s, p.behind}, done, nil
}

// openStore opens the database that the flags and settings name.
func (t *pccsAt) openStore(cmd *cobra.Command) (*pccsParts, *store.Store, error) {
	c, err := t.local.settings(cmd)
	if err != nil {
		return nil, nil, err
	}
	p, err := newPCCSParts(c, t.local.world)
	if err == nil {
		err = p.checkDatabase(t.imports)
	}
	if err == nil && !t.makes {
		err = p.databaseExists()
	}
	if err == nil && c.Database == "" {
		err = os.MkdirAll(p.dir, 0o700)
	}
	if err != nil {
		return nil, nil, coded(err)
	}
	s, err := store.Open(cmd.Context(), p.database())
	if err != nil {
		return nil, nil, cannot(err)
	}
	return p, s, nil
}
