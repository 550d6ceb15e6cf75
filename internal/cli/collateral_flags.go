package cli

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pcs"
)

// asking are the flags that say which service is asked, and how.
type asking struct {
	pccs, pccsCA, qcnl, api, update string
	number                          uint32
	insecure                        bool
	cache                           string
	noCache, refresh, offline, old  bool
}

// askingFlags are their names.
var askingFlags = []string{"pccs", "pccs-ca", "insecure", "qcnl", "api", "update", "number", "cache", "no-cache", "refresh", "offline", "stale"}

func (s *asking) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.pccs, "pccs", "", "ask the PCCS at this `address` in place of Intel, such as https://localhost:8081")
	f.StringVar(&s.pccsCA, "pccs-ca", "", "trust the certificates in this `file`, PEM, for TLS, such as a PCCS's own")
	f.BoolVar(&s.insecure, "insecure", false, "take any certificate for TLS; others may read along, but cannot change what Intel signed")
	f.StringVar(&s.qcnl, "qcnl", "", "the settings of Intel's client from this `file`, such as "+pcs.QCNLFile)
	f.StringVar(&s.api, "api", "", "the `version` of the interface: v4 or v3; Intel ended v3 in May 2026")
	f.StringVar(&s.update, "update", "", "`when` after a TCB recovery: standard (the default, a year later) or early")
	f.Uint32Var(&s.number, "number", 0, "of this TCB evaluation data `number`, in place of --update")
	f.StringVar(&s.cache, "cache", "", "keep copies in this `folder` (by default that of the user's cache)")
	f.BoolVar(&s.noCache, "no-cache", false, "neither use copies nor keep any")
	f.BoolVar(&s.refresh, "refresh", false, "ask even if there is a good copy")
	f.BoolVar(&s.offline, "offline", false, "use only copies, up to the next update that they name")
	f.BoolVar(&s.old, "stale", false, "where no service answers, use such copies, too")
	for _, pair := range [][2]string{{"cache", "no-cache"}, {"offline", "no-cache"}, {"offline", "refresh"}, {"update", "number"}, {"insecure", "pccs-ca"}} {
		exclude(cmd, pair[0], pair[1])
	}
	filesOf(cmd, "pccs-ca", "pem", "crt", "cer")
	filesOf(cmd, "qcnl", "conf", "json")
	oneOf(cmd, "api", "v4", "v3")
	oneOf(cmd, "update", "standard", "early")
}

// notAsking is an error if one of askingFlags was given although saved, a flag
// with a folder or file, says that no service is asked.
func notAsking(cmd *cobra.Command, saved string) error {
	for _, name := range askingFlags {
		if cmd.Flags().Changed(name) {
			return usage("--%s says how to ask a service, and with what is saved (%s) none is asked", name, saved)
		}
	}
	return nil
}

// readQCNL reads a configuration of Intel's client, and tells what of it is not
// known.
func (a *app) readQCNL(file string) (cfg pcs.Config, err error) {
	b, err := readFile(file, pcs.MaxQCNLSize, nil)
	if err != nil {
		return cfg, cannot(err)
	}
	q, err := pcs.ParseQCNL(b)
	if err != nil {
		return cfg, cannot(fmt.Errorf("%s: %w", file, err))
	}
	if len(q.Unknown) > 0 {
		fmt.Fprintf(a.err, "feidi: %s\n", printable(file+": not known and not obeyed: "+strings.Join(q.Unknown, ", ")))
	}
	return q.Config(), nil
}

// newClient returns a client of a service. That it cannot be is the flags' fault.
func newClient(cfg pcs.Config) (*pcs.Client, error) {
	c, err := pcs.New(cfg)
	if err != nil {
		return nil, usage("%s", strings.TrimPrefix(err.Error(), "pcs: "))
	}
	return c, nil
}

// client is a client of the service.
func (s *asking) client(a *app) (*pcs.Client, error) {
	cfg, err := s.config(a)
	if err != nil {
		return nil, err
	}
	return newClient(cfg)
}

func (s *asking) config(a *app) (cfg pcs.Config, err error) {
	if s.qcnl != "" {
		if cfg, err = a.readQCNL(s.qcnl); err != nil {
			return cfg, err
		}
	}
	if s.pccs != "" {
		cfg.URL, cfg.PCKURLs = s.pccs, nil
	}
	cfg.InsecureTLS = cfg.InsecureTLS || s.insecure
	if err := trust(&cfg, s.pccsCA); err != nil {
		return cfg, err
	}
	switch strings.TrimPrefix(s.api, "v") {
	case "":
	case "3":
		cfg.APIVersion = 3
	case "4":
		cfg.APIVersion = 4
	default:
		return cfg, usage("--api %.20s: it is v4 or v3", s.api)
	}
	if s.update != "" || s.number != 0 {
		cfg.Update, cfg.EvaluationDataNumber = pcs.Update(s.update), s.number
	}
	cfg.Refresh, cfg.Stale = s.refresh, s.old
	cfg.Offline = cfg.Offline || s.offline
	switch {
	case s.noCache:
		cfg.Refresh, cfg.Offline = false, false
	case s.cache != "":
		cfg.CacheDir = s.cache
	default:
		dir, err := os.UserCacheDir()
		if err == nil {
			cfg.CacheDir = filepath.Join(dir, "feidi", "collateral")
		}
	}
	return cfg, nil
}

// request is what --fmspc, --ca and --tee ask for.
func (f *saving) request() (r pcs.Request, err error) {
	b, err := hex.DecodeString(f.fmspc)
	if err != nil || len(b) != len(r.FMSPC) {
		return r, usage("--fmspc %.40s: it has 12 hexadecimal digits", f.fmspc)
	}
	copy(r.FMSPC[:], b)
	switch r.CA = pcs.CA(strings.ToLower(f.ca)); r.CA {
	case pcs.Processor, pcs.Platform:
	default:
		return r, usage("--ca %.40s: it is processor or platform", f.ca)
	}
	switch strings.ToLower(f.tee) {
	case "sgx":
		r.TEE = dcap.TEESGX
	case "tdx":
		r.TEE = dcap.TEETDX
	default:
		return r, usage("--tee %.40s: it is sgx or tdx", f.tee)
	}
	return r, nil
}
