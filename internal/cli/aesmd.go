package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/rig"
	"github.com/feidi-dev/feidi/internal/state"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/sign"
	"github.com/feidi-dev/feidi/world"
)

// serving are the flags of the verbs that have a machine's system enclaves at work.
type serving struct {
	machine   string
	makes     bool // the machine if there is none
	stranger  bool // the machine need not be registered
	pcs, qcnl string
	cacert    string
	pce       string
}

func (s *serving) add(cmd *cobra.Command) {
	f := cmd.Flags()
	on := "on the machine with this `name`"
	if s.makes {
		on += ", which is made if there is none"
	}
	f.StringVar(&s.machine, "machine", "default", on)
	complete(cmd, "machine", machinesBeginning)
	f.StringVar(&s.pcs, "pcs", "", "get PCK certificates from the PCS or PCCS at this `address` (by default from the world, without a server)")
	f.StringVar(&s.qcnl, "qcnl", "", "get them as the configuration of Intel's client in this `file` says, such as "+pcs.QCNLFile)
	f.StringVar(&s.cacert, "cacert", "", cacertHelp)
	f.StringVar(&s.pce, "pce", "", "use the PCE in this `file`, such as Intel's libsgx_pce.signed.so, in place of the world's own")
	exclude(cmd, "pcs", "qcnl")
	filesOf(cmd, "cacert", "pem", "crt", "cer")
	filesOf(cmd, "qcnl", "conf", "json")
	filesOf(cmd, "pce", "so")
}

// services are what a verb needs to start the services of a machine.
type services struct {
	world   *world.World
	machine *world.Machine
	options rig.Options
	source  string // of PCK certificates
}

// prepare reads everything that the flags name.
func (s *serving) prepare(a *app, log *slog.Logger) (*services, error) {
	if s.cacert != "" && s.pcs == "" && s.qcnl == "" {
		return nil, usage("--cacert belongs to --pcs or --qcnl")
	}
	w, err := openWorld()
	if err != nil {
		return nil, err
	}
	m, err := s.machineOf(a, w)
	if err != nil {
		return nil, err
	}
	cache, err := state.Cache()
	if err != nil {
		return nil, cannot(err)
	}
	cfg := servicesOf(w, s.pcs)
	source := s.pcs
	switch {
	case s.qcnl != "":
		if cfg, err = a.readQCNL(s.qcnl); err != nil {
			return nil, err
		}
		source = s.qcnl
	case s.pcs == "":
		source = "the world"
	}
	if err := trust(&cfg, s.cacert); err != nil {
		return nil, err
	}
	client, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	r := &services{world: w, machine: m, source: source}
	r.options = rig.Options{Enclaves: &rig.Enclaves{World: w, Cache: cache, Log: a.terminal()}, PCK: client, Stderr: os.Stderr, Log: log}
	if m.LockedLaunch {
		key, _, err := state.DevelopmentKey()
		if err != nil {
			return nil, cannot(err)
		}
		r.options.Signers = [][32]byte{sign.KeyMRSigner(&key.PublicKey)}
	}
	if s.pce != "" {
		b, err := readEnclave(s.pce)
		if err != nil {
			return nil, err
		}
		if r.options.PCE, err = image.Parse(b); err != nil {
			return nil, cannot(fmt.Errorf("--pce %s: %w", s.pce, err))
		}
	}
	return r, nil
}

// machineOf is the machine that the flag names.
func (s *serving) machineOf(a *app, w *world.World) (*world.Machine, error) {
	m, err := w.Machine(s.machine)
	if errors.Is(err, world.ErrNoMachine) && s.makes {
		if m, err = w.NewMachine(s.machine, world.MachineOptions{}); err == nil {
			fmt.Fprintf(a.err, "feidi: there was no machine %s in world %s: it is made\n", m.Name, w.Name())
		}
	}
	switch {
	case errors.Is(err, world.ErrName):
		return nil, usage("--machine %w", err)
	case errors.Is(err, world.ErrNoMachine):
		return nil, no(fmt.Errorf("%w: `feidi machine new %s` makes one", err, s.machine))
	case err != nil:
		return nil, refusal(err)
	}
	st, err := w.Standing(m)
	switch {
	case err != nil:
		return nil, refusal(err)
	case !st.Certified && !s.stranger && s.pcs == "" && s.qcnl == "":
		return nil, no(fmt.Errorf("%s has %d packages and is not registered: `feidi machine register %s` does that", m.Name, m.Packages, m.Name))
	}
	return m, nil
}

func (a *app) aesmd() *cobra.Command {
	var s serving
	var sockets []string
	var check bool
	cmd := a.verb(&cobra.Command{
		Use:   "aesmd",
		Short: "Run a machine's AESM, which makes quotes for its enclaves",
		Long: `Aesmd runs the system enclaves of a machine, and answers at AESM's socket as
Intel's daemon does, for programs that were written for that one: they get ECDSA
quotes. Enclaves of the machine may be in any process of the user: what makes
them the machine's are its fuses. On a machine that was made with --locked they
get launch tokens, too: debug enclaves, and those that the user's development
key has signed.

The machine is certified when the first program asks. PCK certificates come from
the world, or from where --pcs or --qcnl say. Its attestation key and what else
it has to keep is in the world's files.

It listens where Intel's daemon does, or at --socket, which may be repeated, or
at the sockets that systemd hands over. It logs to standard error, one JSON
object a line, and stops on SIGTERM or an interrupt.`,
		Example: `  feidi aesmd --machine laptop --check
  feidi aesmd --machine laptop --socket /tmp/aesm.socket`,
		Args: noOperands,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log := slog.New(slog.NewJSONHandler(a.err, nil))
			r, err := s.prepare(a, log)
			if err != nil {
				return err
			}
			if len(sockets) == 0 {
				sockets = []string{aesm.DefaultPath}
			}
			if check {
				return a.showAESM(r, sockets)
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return a.runAESM(ctx, r, sockets, cmd.Flags().Changed("socket"), log)
		},
	})
	s.add(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&sockets, "socket", nil, "listen at this `path` (by default "+aesm.DefaultPath+"); may be repeated")
	f.BoolVar(&check, "check", false, "only check flags, world and machine")
	return cmd
}

// showAESM tells what an AESM is for.
func (a *app) showAESM(r *services, sockets []string) error {
	if a.json {
		return a.writeJSON(struct {
			Sockets []string `json:"sockets"`
			World   string   `json:"world"`
			Machine string   `json:"machine"`
			PCK     string   `json:"pck_certificates_from"`
		}{sockets, r.world.Name(), r.machine.Name, r.source})
	}
	a.printf("sockets %s\n", strings.Join(sockets, " "))
	a.printf("machine %s of world %s: SOFTWARE - NOT HARDWARE\n", r.machine.Name, r.world.Name())
	a.printf("PCK certificates from %s\n", r.source)
	return nil
}

func (a *app) runAESM(ctx context.Context, r *services, paths []string, chosen bool, log *slog.Logger) (err error) {
	listeners, err := aesm.Activated()
	if err != nil {
		return cannot(err)
	}
	if len(listeners) > 0 && !chosen {
		paths = nil
	}
	for _, path := range paths {
		l, err := aesm.Listen(path)
		if errors.Is(err, os.ErrPermission) && !chosen {
			err = fmt.Errorf("%w: --socket names another place", err)
		}
		if err != nil {
			return cannot(errors.Join(err, closeAll(listeners)))
		}
		listeners = append(listeners, l)
	}
	var addresses []string
	for _, l := range listeners {
		addresses = append(addresses, l.Addr().String())
	}
	up, err := rig.Start(ctx, r.machine, r.options)
	if err != nil {
		return cannot(errors.Join(err, closeAll(listeners)))
	}
	if err := a.showAESM(r, addresses); err != nil {
		return errors.Join(err, closeAll(listeners), up.Close())
	}
	server := &aesm.Server{Services: up.Services, Log: log}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() {
			defer stop() // one that fails ends all
			ended <- server.Serve(ctx, l)
		}()
	}
	var errs []error
	for range listeners {
		errs = append(errs, <-ended)
	}
	if err := errors.Join(append(errs, up.Close())...); err != nil {
		return cannot(err)
	}
	log.Info("stopped")
	return nil
}

func closeAll(listeners []net.Listener) error {
	var errs []error
	for _, l := range listeners {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}
