package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/feidi-dev/feidi/internal/state"
	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/config"
	"github.com/feidi-dev/feidi/pccs/exchange"
	"github.com/feidi-dev/feidi/pcs"
)

// pccsParts is what a service is made of, but for its database: nothing is
// opened or asked yet.
type pccsParts struct {
	config   *config.Config
	checker  *collateral.Checker
	upstream *collateral.Client // nil in OFFLINE mode
	dir      string             // of what the service keeps, if nothing else is said
	own      string             // the database below it
	behind   string             // who is asked, for people
}

// newPCCSParts makes the parts that settings name, before the user's world if
// world is set.
func newPCCSParts(c *config.Config, world bool) (*pccsParts, error) {
	p := &pccsParts{config: c, behind: config.Shown(c.Upstream)}
	var err error
	if p.dir, err = stateOfPCCS(); err != nil && (c.Database == "" || c.TLSCert == "" && !c.PlainHTTP) {
		return nil, cannot(err)
	}
	service := pcs.Config{URL: c.Upstream, SubscriptionKey: string(c.APIKey), Timeout: c.Timeout, Attempts: c.Attempts}
	var roots [][]byte
	if world {
		w, err := openWorld()
		if err != nil {
			return nil, err
		}
		s := servicesOf(w, "")
		service.URL, service.HTTP = s.URL, s.HTTP
		roots = [][]byte{w.Root()}
		p.behind = "world " + w.Name() + ": SOFTWARE - NOT HARDWARE"
	} else if c.Proxy != "" {
		proxy, err := url.Parse(c.Proxy)
		if err != nil {
			return nil, cannot(errors.New("the proxy's address is no URL"))
		}
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.Proxy, t.MaxResponseHeaderBytes = http.ProxyURL(proxy), 256<<10
		service.HTTP = &http.Client{Transport: t}
	}
	for _, file := range c.Roots {
		certs, err := readRoots(file)
		if err != nil {
			return nil, cannot(fmt.Errorf("%s: %w", file, err))
		}
		for _, cert := range certs {
			roots = append(roots, cert.Raw)
		}
	}
	if p.checker, err = collateral.NewChecker(roots...); err != nil {
		return nil, cannot(err)
	}
	p.own = filepath.Join(p.dir, databaseName(roots))
	if c.Mode == pccs.Offline {
		p.behind = ""
		return p, nil
	}
	client, err := newClient(service)
	if err != nil {
		return nil, err
	}
	p.upstream = collateral.NewClient(client, p.checker)
	return p, nil
}

// stateOfPCCS is the folder of what a service keeps for itself: that which
// systemd made for it, or one in the user's state directory.
func stateOfPCCS() (string, error) {
	if dir, _, _ := strings.Cut(os.Getenv("STATE_DIRECTORY"), ":"); dir != "" {
		return dir, nil
	}
	dir, err := state.Dir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "pccs"), nil
}

// databaseName is the name of a database below the state directory. What is
// genuine below one root is nothing below another: each set has its own.
func databaseName(roots [][]byte) string {
	if len(roots) == 0 {
		return "pccs.db"
	}
	slices.SortFunc(roots, slices.Compare[[]byte])
	h := sha256.New()
	for _, r := range roots {
		h.Write(r)
	}
	return "pccs-" + hex.EncodeToString(h.Sum(nil)[:8]) + ".db"
}

// database is the address of the database.
func (p *pccsParts) database() string {
	if p.config.Database == "" {
		return "sqlite:" + p.own
	}
	return p.config.DatabaseAddress()
}

// checkDatabase refuses a file of Intel's service. A new one beside it is refused,
// too, but where what Intel's has is brought to it: else nobody would know why all
// of that is missing.
func (p *pccsParts) checkDatabase(imports bool) error {
	file, ok := strings.CutPrefix(p.database(), "sqlite:")
	if !ok {
		return nil
	}
	if old := p.config.IntelDatabase; old != "" && !imports {
		_, err := os.Stat(file)
		intels, _ := exchange.IsIntel(old)
		if intels && errors.Is(err, os.ErrNotExist) {
			return cannot(fmt.Errorf("what Intel's service has is not brought over yet: `feidi pccs import %s --config %s` does that, or --database names another database", old, p.config.File))
		}
	}
	intels, err := exchange.IsIntel(file)
	switch {
	case intels:
		return cannot(fmt.Errorf("%s is a database of Intel's service, and nothing is written into that: bring what is in it over with `feidi pccs import %s --database NEW.db`, and serve NEW.db", file, file))
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return cannot(err)
	}
	return nil
}

// databaseExists refuses a file that is not there: whoever looks would see an empty
// database, and make one, where the name is wrong.
func (p *pccsParts) databaseExists() error {
	file, ok := strings.CutPrefix(p.database(), "sqlite:")
	if !ok {
		return nil
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		return nil // whoever opens it says what is wrong with it
	}
	return cannot(fmt.Errorf("there is no such database: %s: `feidi pccs serve`, `put` and `import` make one", file))
}

// shownPCCS is the JSON object of pccs serve.
type shownPCCS struct {
	Address   string   `json:"address"`
	Addresses []string `json:"addresses,omitempty"` // if there are several
	Mode      string   `json:"mode"`
	Upstream  string   `json:"upstream,omitempty"`
	Database  string   `json:"database"`
	TLS       string   `json:"tls_certificate,omitempty"` // its file
	User      bool     `json:"user_token"`
	Admin     bool     `json:"admin_token"`

	// What --check shows besides.
	Config  string   `json:"config,omitempty"`
	Key     string   `json:"api_key,omitempty"`
	Proxy   string   `json:"proxy,omitempty"`
	Roots   []string `json:"roots,omitempty"`
	Notices []string `json:"notices,omitempty"`
}

func (p *pccsParts) shown(addresses []string) *shownPCCS {
	c := p.config
	s := &shownPCCS{
		Mode: string(c.Mode), Upstream: p.behind, Database: config.Shown(p.database()), TLS: c.TLSCert,
		User: c.UserSHA512 != "", Admin: c.AdminSHA512 != "",
	}
	scheme := "https://"
	switch {
	case c.PlainHTTP:
		scheme, s.TLS = "http://", ""
	case s.TLS == "":
		s.TLS = p.selfSignedCert()
	}
	for _, a := range addresses {
		s.Addresses = append(s.Addresses, scheme+a)
	}
	if s.Address = s.Addresses[0]; len(s.Addresses) == 1 {
		s.Addresses = nil
	}
	return s
}

// started tells that the service listens, and what an administrator should know.
func (p *pccsParts) started(a *app, listeners []net.Listener, log *slog.Logger) error {
	var addresses []string
	for _, l := range listeners {
		addresses = append(addresses, l.Addr().String())
		if p.config.PlainHTTP && !loopback(l.Addr()) && l.Addr().Network() == "tcp" {
			log.Warn("listening beyond this machine without TLS", "address", l.Addr().String())
		}
	}
	if p.config.AdminSHA512 == "" {
		log.Warn("no administrator token: whoever administers is refused; `feidi pccs token` makes one")
	}
	if p.config.UserSHA512 == "" {
		log.Warn("no user token: registrations are refused; `feidi pccs token` makes one")
	}
	return p.shown(addresses).show(a)
}

// check shows what holds.
func (p *pccsParts) check(a *app) error {
	c := p.config
	concern, err := p.checkPair()
	if err != nil {
		return cannot(err)
	}
	s := p.shown(c.Listen)
	s.Config, s.Key, s.Proxy, s.Roots, s.Notices = c.File, c.APIKey.String(), config.Shown(c.Proxy), c.Roots, c.Notices
	if concern != nil {
		s.Notices = append(s.Notices, concern.Error())
	}
	return s.show(a)
}

func (s *shownPCCS) show(a *app) error {
	if a.json {
		return a.writeJSON(s)
	}
	have := map[bool]string{true: "yes", false: "none"}
	addresses := s.Addresses
	if addresses == nil {
		addresses = []string{s.Address}
	}
	for _, l := range []struct{ name, value string }{
		{"config", s.Config}, {"address", strings.Join(addresses, " ")}, {"mode", s.Mode}, {"upstream", s.Upstream},
		{"proxy", s.Proxy}, {"api key", s.Key}, {"roots", strings.Join(s.Roots, " ")}, {"database", s.Database},
		{"tls", s.TLS}, {"tokens", "user " + have[s.User] + ", admin " + have[s.Admin]},
	} {
		if l.value != "" {
			a.printf("%-9s %s\n", l.name, l.value)
		}
	}
	for _, n := range s.Notices {
		a.printf("note      %s\n", n)
	}
	return nil
}
