package cli

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/pcs/server"
	"github.com/feidi-dev/feidi/world"
)

func (a *app) pcs() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pcs",
		Short: "The provisioning certification service of the world",
		Long: `The provisioning certification service (PCS) certifies the machines of the world,
registers those of several packages, and serves TCB info, identities and
revocation lists, as Intel's does for its processors: with the same requests and
replies (API v4, registration v1).`,
		Example: `  feidi pcs serve
  feidi pcs revoke laptop`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Args: cobra.NoArgs,
	}
	cmd.AddCommand(a.pcsServe(), a.pcsRevoke())
	return cmd
}

// servicesOf are the settings of a client of a service, or if there is no
// address of the world's own, which is asked without a server.
func servicesOf(w *world.World, url string) pcs.Config {
	if url != "" {
		return pcs.Config{URL: url}
	}
	return pcs.Config{URL: w.URL(), HTTP: &http.Client{Transport: server.New(w, server.Options{}).Transport()}}
}

func (a *app) pcsServe() *cobra.Command {
	var listen, cert, key string
	var keys []string
	var check bool
	cmd := a.verb(&cobra.Command{
		Use:   "serve",
		Short: "Run the service",
		Long: `Serve answers requests over HTTP, or with --tls-cert over HTTPS. What other verbs
change in the world meanwhile, it serves from then on.

  curl http://127.0.0.1:8081/sgx/certification/v4/qe/identity
  feidi verify quote.bin --root root.pem --collateral http://127.0.0.1:8081

It logs to standard error, one JSON object a line, and stops on SIGTERM or an
interrupt once all requests that are under way are answered.`,
		Example: `  feidi pcs serve
  feidi pcs serve --listen 127.0.0.1:8082 --key secret --check`,
		Args: noOperands,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (cert == "") != (key == "") {
				return usage("--tls-cert and --tls-key go together")
			}
			w, err := openWorld()
			if err != nil {
				return err
			}
			var config *tls.Config
			scheme := "http"
			if cert != "" {
				pair, err := tls.LoadX509KeyPair(cert, key)
				if err != nil {
					return cannot(err)
				}
				config, scheme = &tls.Config{Certificates: []tls.Certificate{pair}}, "https"
			}
			if check {
				return a.showService(scheme+"://"+listen, w)
			}
			log := slog.New(slog.NewJSONHandler(a.err, nil))
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			l, err := net.Listen("tcp", listen)
			if err != nil {
				return cannot(err)
			}
			address := l.Addr()
			if config != nil {
				l = tls.NewListener(l, config)
			}
			if err := a.showService(scheme+"://"+address.String(), w); err != nil {
				return errors.Join(err, l.Close())
			}
			if !loopback(address) {
				log.Warn("listening beyond this machine", "address", address.String())
			}
			if err := server.New(w, server.Options{Keys: keys, Log: log}).Serve(ctx, l); err != nil {
				return cannot(err)
			}
			log.Info("stopped")
			return nil
		},
	})
	f := cmd.Flags()
	f.StringVar(&listen, "listen", "127.0.0.1:8081", "listen on this `address`")
	f.StringVar(&cert, "tls-cert", "", "serve HTTPS with the certificate in this `file`, PEM")
	f.StringVar(&key, "tls-key", "", "and its private key in this `file`, PEM")
	f.StringArrayVar(&keys, "key", nil, "ask for a subscription `key`, as Intel's does, for PCK certificates; may be repeated")
	f.BoolVar(&check, "check", false, "only check flags, world and certificate")
	filesOf(cmd, "tls-cert", "pem", "crt", "cer")
	filesOf(cmd, "tls-key", "pem", "key")
	return cmd
}

// showService tells where a service of a world is.
func (a *app) showService(address string, w *world.World) error {
	if a.json {
		return a.writeJSON(map[string]string{"address": address, "world": w.Name()})
	}
	a.printf("address %s\n", address)
	a.printf("world %s: SOFTWARE - NOT HARDWARE\n", w.Name())
	return nil
}

func (a *app) pcsRevoke() *cobra.Command {
	var ca string
	var reason int
	cmd := a.verb(&cobra.Command{
		Use:   "revoke [MACHINE]",
		Short: "Revoke a machine's certificates, or an authority's",
		Long: `Revoke puts all PCK certificates of a machine on the revocation list of who has
issued them, or with --ca that authority itself on the list of the root. Whoever
verifies quotes refuses them once it gets the new list. Nothing takes it back.`,
		Example: `  feidi pcs revoke laptop
  feidi pcs revoke --ca platform --reason 2`,
		Args: cobra.MaximumNArgs(1), ValidArgsFunction: machines,
		RunE: func(_ *cobra.Command, args []string) error {
			if (ca == "") == (len(args) == 0) {
				return usage("name a machine, or an authority with --ca")
			}
			if ca != "" && ca != "processor" && ca != "platform" {
				return usage("--ca %.40s: it is processor or platform", ca)
			}
			w, err := openWorld()
			if err != nil {
				return err
			}
			what := ca + " CA"
			if ca != "" {
				err = w.RevokeCA(verify.CA(ca), world.Reason(reason))
			} else {
				what = args[0]
				err = w.RevokeMachine(what, world.Reason(reason))
			}
			if err != nil {
				return refusal(err)
			}
			if a.json {
				return a.writeJSON(map[string]string{"revoked": what})
			}
			a.printf("revoked %s\n", what)
			return nil
		},
	})
	f := cmd.Flags()
	f.StringVar(&ca, "ca", "", "revoke this `authority`: processor or platform")
	f.IntVar(&reason, "reason", 1, "the `number` of the reason by RFC 5280: 0 none, 1 key compromise, ...")
	oneOf(cmd, "ca", "processor", "platform")
	return cmd
}
