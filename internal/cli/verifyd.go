package cli

import (
	"errors"
	"log/slog"
	"net"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/verifyd"
)

// verifydFlags are the flags of verifyd.
type verifydFlags struct {
	verifying
	listen      string
	maxBody     int64
	maxRequests int
	timeout     time.Duration
	drain       time.Duration
	keep        time.Duration
	check       bool
}

func (a *app) verifyd() *cobra.Command {
	f := &verifydFlags{}
	cmd := a.verb(&cobra.Command{
		Use:   "verifyd",
		Short: "Verify quotes as a service over HTTP",
		Long: `Verifyd verifies quotes for programs in any language:

  POST /v1/verify   the quote as application/octet-stream, or a JSON object with
                    the keys quote (base64 or hex), and if they are wanted collateral,
                    at and report_data; the answer is what ` + "`feidi verify --json`" + `
                    writes, also with ?explain
  GET  /healthz     200 while it takes requests
  GET  /metrics     for Prometheus

A verdict, also a rejection, has the status 200 and the key "accepted". 400 is a
request that is none, 413 one that is too large, 415 one of another type, 502
collateral that could not be had, 503 that too much is under way.

Collateral comes from Intel's service and is kept for a while; from another
place with --collateral or --pccs; or with each request.

It asks nobody who they are: leave it on a loopback address, or put it behind a
proxy that does. It logs to standard error, one JSON object a line, and stops
on SIGTERM or an interrupt once all requests that are under way are answered.`,
		Example: `  feidi verifyd --check --collateral ` + sampleSet + `/collateral.json --root ` + sampleSet + `/root.pem
  curl --data-binary @quote.bin -H 'Content-Type: application/octet-stream' http://127.0.0.1:8085/v1/verify`,
		Args: noOperands,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runVerifyd(cmd, f) },
	})
	f.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8085", "listen on this `address`")
	flags.Int64Var(&f.maxBody, "max-body", 4<<20, "the most `bytes` of a request")
	flags.IntVar(&f.maxRequests, "max-requests", 64, "the most requests that are under way at a time")
	flags.DurationVar(&f.timeout, "timeout", 30*time.Second, "the longest that a request may take")
	flags.DurationVar(&f.drain, "drain", 30*time.Second, "the longest that requests may still take when it is to stop")
	flags.DurationVar(&f.keep, "keep", time.Hour, "use collateral of a service for so long before asking again")
	flags.BoolVar(&f.check, "check", false, "only check flags, roots, policy and collateral")
	return cmd
}

// service is the JSON object of verifyd: what it does.
type service struct {
	Listen     string `json:"listen"`
	Policy     string `json:"policy"`
	Collateral string `json:"collateral"`
}

func (a *app) runVerifyd(cmd *cobra.Command, f *verifydFlags) error {
	if f.maxBody <= 0 || f.maxRequests <= 0 || f.timeout <= 0 || f.drain <= 0 || f.keep < 0 {
		return usage("a bound is not positive")
	}
	if err := f.checkFlags(cmd); err != nil {
		return err
	}
	v, judge, err := f.load()
	if err != nil {
		return coded(err)
	}
	from, err := f.place(a)
	if err != nil {
		return coded(err)
	}
	log := slog.New(slog.NewJSONHandler(a.err, nil))
	cfg := verifyd.Config{
		Verifier: v, Judge: judge, Log: log, MaxBody: f.maxBody, MaxRequests: f.maxRequests, Timeout: f.timeout,
	}
	if from.bundle != nil {
		cfg.Source = verifyd.Fixed(&from.bundle.Collateral)
	} else {
		cfg.Cache = verifyd.NewCache(from.client, f.keep)
		cfg.Source = cfg.Cache.Collateral
	}
	s := service{Listen: f.listen, Policy: judge.Name, Collateral: from.name}
	if f.check {
		return s.show(a)
	}
	l, err := net.Listen("tcp", f.listen)
	if err != nil {
		return cannot(err)
	}
	s.Listen = l.Addr().String()
	if err := s.show(a); err != nil {
		return errors.Join(err, l.Close())
	}
	if !loopback(l.Addr()) {
		log.Warn("listening beyond this machine, and anybody may ask", "address", s.Listen)
	}
	if judge.AnyIdentity {
		log.Warn("without --policy any enclave or TD is accepted, whosever it is")
	}
	log.Info("listening", "address", s.Listen, "policy", s.Policy, "collateral", s.Collateral)
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err = (&verifyd.Server{Handler: verifyd.NewHandler(cfg), Drain: f.drain}).Serve(ctx, l)
	if err != nil {
		return cannot(err)
	}
	log.Info("stopped")
	return nil
}

// coded is err with the exit code that it has, or that of a verb that has no
// answer.
func coded(err error) error {
	var e *exitError
	if errors.As(err, &e) {
		return err
	}
	return cannot(err)
}

func (s *service) show(a *app) error {
	if a.json {
		return a.writeJSON(s)
	}
	a.printf("address http://%s\n", s.Listen)
	a.printf("policy %s, collateral from %s\n", s.Policy, s.Collateral)
	return nil
}

func loopback(a net.Addr) bool {
	t, ok := a.(*net.TCPAddr)
	return ok && t.IP.IsLoopback()
}
