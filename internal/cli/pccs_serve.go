package cli

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/internal/serve"
	"github.com/feidi-dev/feidi/internal/systemd"
	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/config"
	"github.com/feidi-dev/feidi/pccs/server"
	"github.com/feidi-dev/feidi/pccs/store"
)

// pccsFlags are the flags of pccs serve, which go before the file.
type pccsFlags struct {
	config string
	http   bool
	world  bool
	check  bool

	listen, roots                        []string
	database, mode, uri, tlsCert, tlsKey string
}

func (a *app) pccsServe() *cobra.Command {
	f := &pccsFlags{}
	cmd := a.verb(&cobra.Command{
		Use:   "serve",
		Short: "Run the service",
		Long: `Serve answers requests over HTTPS as Intel's service does. Without a file and
without flags it works at once: it asks Intel for what it has not, and keeps it in the
state directory ($STATE_DIRECTORY of systemd, or below $XDG_STATE_HOME/feidi);
its certificate it makes and signs itself.

The file is Intel's default.json as it stands, or one in TOML:

  mode = "LAZY"                   LAZY, REQ or OFFLINE
  listen = ["0.0.0.0:8081"]
  [tls]
  cert = "tls.crt"                read again when they change, and on SIGHUP
  key = "tls.key"
  [database]
  address = "postgres://feidi@db/feidi"
  password_file = "password"
  [upstream]
  api_key_file = "api-key"        Intel's subscription key, for PCK certificates
  [tokens]
  admin_sha512 = "..."            of ` + "`feidi pccs token`" + `

Secrets that it does not name are taken from $CREDENTIALS_DIRECTORY, where
systemd puts them. --check shows what holds.

With --world it stands before the software world, and needs no ` + "`pcs serve`" + `.

A database of Intel's service is not written into: ` + "`feidi pccs import`" + ` brings
what is in it.

It logs to standard error, one JSON object a line, takes sockets of systemd, and
stops on SIGTERM or an interrupt once all requests that are under way are
answered.`,
		Example: `  feidi pccs serve --world
  feidi pccs serve --check --mode OFFLINE --database /tmp/pccs.db`,
		Args: noOperands,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runPCCS(cmd, f) },
	})
	flags := cmd.Flags()
	flags.StringVarP(&f.config, "config", "c", "", "settings in this `file`: Intel's default.json, or TOML")
	flags.StringArrayVar(&f.listen, "listen", nil, "listen on this `address` (by default 127.0.0.1:8081); may be repeated")
	flags.StringVar(&f.database, "database", "", "keep all at this `address`: a file, postgres://... or mysql://...")
	flags.StringVar(&f.mode, "mode", "", "when the service behind is asked: LAZY (the default), REQ or OFFLINE (a `word`)")
	flags.StringVar(&f.uri, "uri", "", "the `address` of the service behind (by default Intel's)")
	flags.StringArrayVar(&f.roots, "root", nil, "trust the root certificates in this `file` in place of Intel's; may be repeated")
	flags.StringVar(&f.tlsCert, "tls-cert", "", "serve with the certificate in this `file`, PEM")
	flags.StringVar(&f.tlsKey, "tls-key", "", "and its private key in this `file`, PEM")
	flags.BoolVar(&f.http, "http", false, "serve HTTP without TLS, behind a proxy that has it")
	flags.BoolVar(&f.world, "world", false, "stand before the software world in place of Intel")
	flags.BoolVar(&f.check, "check", false, "only check the settings, and show them")
	for _, pair := range [][2]string{{"world", "uri"}, {"world", "root"}, {"http", "tls-cert"}, {"http", "tls-key"}} {
		exclude(cmd, pair[0], pair[1])
	}
	filesOf(cmd, "config", "json", "toml")
	filesOf(cmd, "root", "pem", "crt", "cer", "der")
	filesOf(cmd, "tls-cert", "pem", "crt", "cer")
	filesOf(cmd, "tls-key", "pem", "key")
	oneOf(cmd, "mode", string(pccs.Lazy), string(pccs.Req), string(pccs.Offline))
	return cmd
}

// settings are those of the file, and of the flags before them.
func (f *pccsFlags) settings(cmd *cobra.Command) (c *config.Config, err error) {
	credentials := os.Getenv("CREDENTIALS_DIRECTORY")
	if f.config == "" {
		c, err = config.LoadDefault(credentials)
	} else {
		c, err = config.Load(f.config, credentials)
	}
	var all config.Errors
	switch {
	case errors.As(err, &all) && len(all) > 1:
		lines := make([]string, len(all))
		for i, e := range all {
			lines[i] = e.Error()
		}
		return nil, &exitError{code: exitCannot, err: err, detail: strings.Join(lines, "\n"), summary: "the configuration has " + strconv.Itoa(len(all)) + " errors"}
	case err != nil:
		return nil, cannot(err)
	}
	if (f.tlsCert == "") != (f.tlsKey == "") {
		return nil, usage("--tls-cert and --tls-key go together")
	}
	for _, s := range []struct {
		flag, key string
		values    []string
	}{
		{"listen", "listen", f.listen}, {"database", "database.address", []string{f.database}}, {"mode", "mode", []string{f.mode}},
		{"uri", "upstream.url", []string{f.uri}}, {"root", "upstream.roots", f.roots},
		{"tls-cert", "tls.cert", []string{f.tlsCert}}, {"tls-key", "tls.key", []string{f.tlsKey}},
	} {
		if !cmd.Flags().Changed(s.flag) {
			continue
		}
		if err := c.Set(s.key, s.values...); err != nil {
			return nil, usage("--%s: %w", s.flag, err)
		}
	}
	if c.IntelDatabase != "" {
		c.Notices = append(c.Notices, c.File+": "+c.IntelDatabase+" is the database of Intel's service: "+config.Shown(c.Database)+" beside it is taken")
	}
	switch {
	case f.tlsCert != "":
		c.PlainHTTP = false
	case f.http:
		c.PlainHTTP = true
	}
	return c, nil
}

func (a *app) runPCCS(cmd *cobra.Command, f *pccsFlags) error {
	c, err := f.settings(cmd)
	if err != nil {
		return err
	}
	p, err := newPCCSParts(c, f.world)
	if err != nil {
		return coded(err)
	}
	if err := p.checkDatabase(false); err != nil {
		return coded(err)
	}
	if f.check {
		return p.check(a)
	}
	log := slog.New(slog.NewJSONHandler(a.err, &slog.HandlerOptions{Level: c.LogLevel}))
	for _, n := range c.Notices {
		log.Info("configuration", "notice", n)
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	cert, err := p.certificate(log)
	if err != nil {
		return coded(err)
	}
	if c.Database == "" {
		if err := os.MkdirAll(p.dir, 0o700); err != nil {
			return cannot(err)
		}
	}
	db, err := store.Open(ctx, p.database())
	if err != nil {
		return cannot(err)
	}
	err = a.servePCCS(ctx, p, db, cert, log)
	if e := db.Close(); err == nil && e != nil {
		err = e
	}
	if err != nil {
		return coded(err)
	}
	log.Info("stopped")
	return nil
}

// servePCCS serves until ctx is done.
func (a *app) servePCCS(ctx context.Context, p *pccsParts, db *store.Store, cert *serve.Certificate, log *slog.Logger) error {
	c := p.config
	service, err := pccs.New(pccs.Options{
		Store: db, Upstream: p.upstream, Checker: p.checker, Mode: c.Mode,
		RefreshAfter: c.RefreshAfter, CertsAfter: c.CertsAfter, RefuseExpired: c.RefuseExpired, MaxExpired: c.MaxExpired, MaxStale: c.MaxStale, Log: log,
	})
	if err != nil {
		return err
	}
	defer service.Close()
	o := server.Options{
		UserTokenHash: c.UserSHA512, AdminTokenHash: c.AdminSHA512, Store: db, MaxBody: c.MaxBody,
		MaxRequests: c.MaxRequests, MaxConnections: c.MaxConnections, Drain: c.Drain, CacheTime: c.CacheTime,
		Timeouts: serve.Timeouts{Header: c.HeaderTimeout, Read: c.RequestTimeout, Write: server.DefaultTimeouts.Write, Idle: c.IdleTimeout},
		Version:  version(), Log: log,
	}
	if o.CacheTime == 0 {
		o.CacheTime = -1 // zero is the default there
	}
	if cert != nil {
		o.TLS = cert.Config()
	}
	s, err := server.New(service, o)
	if err != nil {
		return err
	}
	listeners, err := listenPCCS(c.Listen)
	if err != nil {
		return err
	}
	if err := p.started(a, listeners, log); err != nil {
		for _, l := range listeners {
			_ = l.Close()
		}
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if cert != nil {
		go reloading(ctx, cert)
	}
	ran := make(chan error, 1)
	go func() {
		ran <- service.Run(ctx)
		stop() // what is not refreshed must not be served for long without anybody's notice
	}()
	tell := func(state string) {
		if err := systemd.Notify(state); err != nil {
			log.Warn("systemd", "error", err)
		}
	}
	tell(systemd.Ready)
	context.AfterFunc(ctx, func() { tell(systemd.Stopping) })
	err = s.Serve(ctx, listeners...)
	stop()
	if e := <-ran; err == nil && !errors.Is(e, context.Canceled) {
		err = e
	}
	return err
}

// listenPCCS returns the sockets of systemd, or opens those of addresses.
func listenPCCS(addresses []string) ([]net.Listener, error) {
	listeners, err := systemd.Activated()
	if err != nil || len(listeners) > 0 {
		return listeners, err
	}
	for _, address := range addresses {
		l, err := net.Listen("tcp", address)
		if err != nil {
			for _, l := range listeners {
				_ = l.Close()
			}
			return nil, err
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}
