package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/internal/prompt"
	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/admin"
	"github.com/feidi-dev/feidi/pccs/store"
)

// Environment variables with secrets.
const (
	envToken = "FEIDI_PCCS_TOKEN"
	envKey   = "FEIDI_PCS_KEY"
)

// pccsOffice is what an administrator does with a PCCS, be it a service over
// HTTP or a database.
type pccsOffice interface {
	Platforms(ctx context.Context, source string) ([]store.Registration, error)
	PutCollateral(ctx context.Context, c *pccs.Collateral) error
	PutPolicy(ctx context.Context, p store.Policy) (string, error)
	Refresh(ctx context.Context, certs bool, fmspcs []string) error
	Status(ctx context.Context) (*pccs.Status, error)
}

// pccsAt are the flags that say which PCCS is meant.
type pccsAt struct {
	url, tokenFile, cacert string
	insecure               bool
	looks                  bool // only at what is in a database, of whatever roots
	imports                bool // what Intel's service has
	makes                  bool // a database of SQLite if there is none
	local                  pccsFlags
}

// whichPCCS is a part of the help of verbs that have these flags.
const whichPCCS = `The service is that at -u; addresses may be as pccsadmin has them. It wants the
administrator's token: from --token-file, $` + envToken + `, or whoever sits at the
terminal. With --database, --config or --world no service is asked, but its
database, as the settings of ` + "`feidi pccs serve`" + ` name it; a service that
runs on it notices.`

// add adds the flags for a service, and those for a database.
func (t *pccsAt) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&t.url, "url", "u", "", "the `address` of the service (by default "+admin.DefaultURL+")")
	f.StringVar(&t.tokenFile, "token-file", "", "the administrator's token from this `file`, - for standard input")
	f.StringVar(&t.cacert, "cacert", "", cacertHelp)
	f.BoolVar(&t.insecure, "insecure", false, "take any certificate for TLS: others may read the token along")
	exclude(cmd, "insecure", "cacert")
	filesOf(cmd, "cacert", "pem", "crt", "cer")
	t.addLocal(cmd)
	for _, local := range []string{"database", "config", "world"} {
		for _, remote := range []string{"url", "token-file", "cacert", "insecure"} {
			exclude(cmd, remote, local)
		}
	}
}

// addLocal adds the flags for a database.
func (t *pccsAt) addLocal(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&t.local.database, "database", "", "the database at this `address`: a file, postgres://... or mysql://...")
	f.StringVarP(&t.local.config, "config", "c", "", "the database of the settings in this `file`, as of pccs serve")
	f.StringArrayVar(&t.local.roots, "root", nil, "trust the root certificates in this `file` in place of Intel's; may be repeated")
	f.BoolVar(&t.local.world, "world", false, "trust the root of the software world, and ask that in place of Intel")
	exclude(cmd, "world", "root")
	filesOf(cmd, "config", "json", "toml")
	filesOf(cmd, "root", "pem", "crt", "cer", "der")
}

// isLocal reports whether a database is meant.
func (t *pccsAt) isLocal() bool {
	return t.local.database != "" || t.local.config != "" || t.local.world
}

// office opens what is meant. Only if asking may the database's service ask the
// one behind it.
func (t *pccsAt) office(a *app, cmd *cobra.Command, asking bool) (pccsOffice, func() error, error) {
	if t.isLocal() {
		return t.openLocal(a, cmd, asking)
	}
	if len(t.local.roots) > 0 {
		return nil, nil, usage("--root belongs to --database: a service has its own")
	}
	c, err := t.remote(a)
	return c, func() error { return nil }, err
}

// remote is a client of a service.
func (t *pccsAt) remote(a *app) (*admin.Client, error) {
	h, err := t.http()
	if err != nil {
		return nil, err
	}
	if _, err := admin.New(admin.Config{URL: t.url}); err != nil { // before anybody is asked for a token
		return nil, usage("%s", strings.TrimPrefix(err.Error(), "pccs/admin: "))
	}
	token, err := a.secret(t.tokenFile, envToken, "administrator's token")
	if err != nil {
		return nil, err
	}
	c, err := admin.New(admin.Config{URL: t.url, Token: token, HTTP: h, UserAgent: "feidi/" + version()})
	if err != nil {
		return nil, cannot(err)
	}
	return c, nil
}

// address is that of the service.
func (t *pccsAt) address() string {
	if t.url == "" {
		return admin.DefaultURL
	}
	return t.url
}

// http is the client for the service.
func (t *pccsAt) http() (*http.Client, error) {
	pool, err := rootCAs(t.cacert, t.address())
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: pool, InsecureSkipVerify: t.insecure}
	return &http.Client{Transport: transport}, nil
}

// secret reads a secret: from a file, the environment, or who sits at the
// terminal.
func (a *app) secret(file, env, what string) (string, error) {
	if file != "" {
		return a.readToken(file)
	}
	if s := strings.TrimSpace(os.Getenv(env)); s != "" {
		return s, nil
	}
	s, err := prompt.Secret(a.in, a.err, what+": ")
	switch {
	case errors.Is(err, prompt.ErrNoTerminal):
		return "", usage("the %s is missing: it comes from a file, or $%s", what, env)
	case err != nil:
		return "", cannot(err)
	}
	return strings.TrimSpace(s), nil
}

// refused is the error of a PCCS: its answer may be no.
func refused(err error) error {
	var status int
	var remote *admin.Error
	var local *pccs.Error
	var code *exitError
	switch {
	case errors.As(err, &code):
		return err
	case errors.As(err, &remote):
		status = remote.Status
	case errors.As(err, &local):
		status = local.Status
	}
	if status == http.StatusBadRequest || status == 460 {
		return no(err)
	}
	return cannot(err)
}

// fmspcList reads FMSPCs as pccsadmin takes them: in brackets or without, between
// commas; none for all.
func fmspcList(s string) ([]string, error) {
	inner := strings.TrimSpace(s)
	if strings.HasPrefix(inner, "[") && strings.HasSuffix(inner, "]") {
		inner = strings.TrimSpace(inner[1 : len(inner)-1])
	}
	if inner == "" || inner == "all" {
		return nil, nil
	}
	var list []string
	for f := range strings.SplitSeq(inner, ",") {
		f = strings.ToUpper(strings.Trim(strings.TrimSpace(f), `"'`))
		if len(f) != 12 || strings.Trim(f, "0123456789ABCDEF") != "" {
			return nil, usage("%.40q is no FMSPC: it has 12 hexadecimal digits", f)
		}
		list = append(list, f)
	}
	return list, nil
}

// free reports that a file would be replaced. It is asked before anything is
// done.
func free(path string, force bool) error {
	if force || path == "-" {
		return nil
	}
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return cannot(err)
	}
	return no(errors.New(path + " is there already: --force replaces it"))
}
