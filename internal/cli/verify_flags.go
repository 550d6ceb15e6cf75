package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/policy"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/verifyd/wire"
)

// verifying are the flags of the verbs that verify: what to trust, what to
// accept and where collateral comes from.
type verifying struct {
	asking
	collateral string
	roots      []string
	policy     string
}

func (v *verifying) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&v.collateral, "collateral", "", "collateral: a `place`, which is a folder or a file as `feidi collateral save` writes, or the address of a PCS or PCCS")
	f.StringArrayVar(&v.roots, "root", nil, "trust the root certificate in this `file`, PEM or DER, in place of Intel's; may be repeated")
	f.StringVar(&v.policy, "policy", "", "judge by the policy in this `file`, TOML or JSON")
	v.asking.add(cmd)
	exclude(cmd, "collateral", "pccs")
	filesOf(cmd, "root", "pem", "crt", "cer", "der")
	filesOf(cmd, "policy", "toml", "json")
}

// saved reports whether the collateral is a folder's or a file's.
func (v *verifying) saved() bool {
	return v.collateral != "" && !strings.HasPrefix(v.collateral, "https://") && !strings.HasPrefix(v.collateral, "http://")
}

// checkFlags finds flags that would do nothing.
func (v *verifying) checkFlags(cmd *cobra.Command) error {
	if v.saved() {
		return notAsking(cmd, "--collateral")
	}
	return nil
}

// load reads roots and policy.
func (v *verifying) load() (*verify.Verifier, *wire.Judge, error) {
	var roots []*dcap.Certificate
	var options []verify.Option
	for _, file := range v.roots {
		certs, err := readRoots(file)
		if err != nil {
			return nil, nil, fmt.Errorf("--root %s: %w", file, err)
		}
		for _, c := range certs {
			roots, options = append(roots, c), append(options, verify.WithRoots(c.Raw))
		}
	}
	verifier, err := verify.New(options...)
	if err != nil {
		return nil, nil, err
	}
	if v.policy == "" {
		judge, err := wire.Default(roots)
		return verifier, judge, err
	}
	p, err := readPolicy(v.policy)
	return verifier, &wire.Judge{Policy: p, Name: v.policy}, err
}

func readPolicy(file string) (*policy.Policy, error) {
	b, err := readFile(file, policy.MaxFile, nil)
	if err != nil {
		return nil, err
	}
	parse := policy.ParseTOML
	if strings.EqualFold(filepath.Ext(file), ".json") {
		parse = policy.ParseJSON
	}
	p, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return p, nil
}

// place is where collateral comes from: a service or what was read.
type place struct {
	name   string
	client *pcs.Client
	bundle *pcs.Bundle
	intel  bool // nobody named a place
	copies bool // what get returned last was not all asked for anew
}

// place opens the place of the flags, or Intel's service.
func (v *verifying) place(a *app) (*place, error) {
	if v.saved() {
		b, err := loadBundle(v.collateral)
		if err != nil {
			return nil, err
		}
		return &place{name: v.collateral, bundle: b}, nil
	}
	ask := v.asking
	if v.collateral != "" {
		ask.pccs = v.collateral
	}
	cfg, err := ask.config(a)
	if err != nil {
		return nil, err
	}
	client, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	p := &place{name: pcs.IntelURL, client: client, intel: true}
	if u, err := url.Parse(cfg.URL); err == nil && cfg.URL != "" {
		p.name, p.intel = u.Redacted(), false // it may have a password
	}
	return p, nil
}

// get gets the collateral of a quote.
func (p *place) get(ctx context.Context, q *dcap.Quote) (*dcap.Collateral, error) {
	if p.bundle != nil {
		return &p.bundle.Collateral, nil
	}
	r, err := pcs.RequestFor(q)
	if err != nil {
		return nil, err
	}
	c, report, err := p.client.Collateral(ctx, r)
	p.copies = slices.ContainsFunc(report, func(s pcs.Source) bool { return s.Cached })
	return c, err
}

// exitUnsure is the exit code of verify where other verbs have exitCannot: 1
// means rejected, and all that is no verdict is 2.
const exitUnsure = exitUsage

// unsure is the error of verify without a verdict.
func unsure(err error) error {
	var e *exitError
	if errors.As(err, &e) {
		if e.code == exitUsage {
			return err
		}
		err = e.err
	}
	return &exitError{code: exitUnsure, err: err, detail: "Cannot tell: the quote was not judged."}
}
