package pcs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/internal/atomicfile"
)

// Bundle is collateral that was saved: a folder with a file for each document,
// or one file of JSON.
//
//	tcbinfo.json  tcb_chain.pem      TCB info as served, its issuers
//	qeid.json     qeid_chain.pem     QE identity as served, its issuers
//	pckcrl.der    pckcrl_chain.pem   PCK CRL, its issuers; the latter may be missing
//	rootcrl.der                      root CRL
//	pck_chain.pem                    PCK certificate chain; may be missing
//	root.pem                         root certificate to trust; may be missing
//	verify_at.txt                    RFC 3339; may be missing
//
// A CRL may also be there as pckcrl.hex or rootcrl.hex. The file of JSON is
// what dcap.ParseCollateral reads, with two more keys: root_certificate and
// verify_at.
type Bundle struct {
	dcap.Collateral
	Root []byte    // PEM: a root that is not Intel's, such as of a test
	At   time.Time // when to verify; zero if it does not say
}

// bundleFile is a file of a folder.
type bundleFile struct {
	name     string
	part     func(*Bundle) *[]byte
	chain    bool
	optional bool
	most     int
}

var bundleFiles = []bundleFile{
	{name: "tcbinfo.json", part: func(b *Bundle) *[]byte { return &b.TCBInfo }, most: dcap.MaxJSONSize},
	{name: "tcb_chain.pem", part: func(b *Bundle) *[]byte { return &b.TCBInfoChain }, chain: true},
	{name: "qeid.json", part: func(b *Bundle) *[]byte { return &b.QEIdentity }, most: dcap.MaxJSONSize},
	{name: "qeid_chain.pem", part: func(b *Bundle) *[]byte { return &b.QEIdentityChain }, chain: true},
	{name: "pckcrl.der", part: func(b *Bundle) *[]byte { return &b.PCKCRL }, most: dcap.MaxCRLSize},
	{name: "pckcrl_chain.pem", part: func(b *Bundle) *[]byte { return &b.PCKCRLChain }, chain: true, optional: true},
	{name: "rootcrl.der", part: func(b *Bundle) *[]byte { return &b.RootCRL }, most: dcap.MaxCRLSize},
	{name: "pck_chain.pem", part: func(b *Bundle) *[]byte { return &b.PCKChain }, chain: true, optional: true},
	{name: "root.pem", part: func(b *Bundle) *[]byte { return &b.Root }, chain: true, optional: true},
}

const (
	bundleTime = "verify_at.txt"
	keyRoot    = "root_certificate"
	keyTime    = "verify_at"
)

// LoadBundle reads a folder or a file. The documents are not looked into,
// except that chains are put into the one form that dcap.ParseChain takes.
func LoadBundle(path string) (*Bundle, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return loadFolder(path)
	}
	text, err := atomicfile.Read(path, dcap.MaxCollateralSize)
	if err != nil {
		return nil, err
	}
	b, err := parseBundle(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

func loadFolder(dir string) (*Bundle, error) {
	b := &Bundle{}
	var missing []string
	for _, f := range bundleFiles {
		content, err := f.load(dir)
		switch {
		case errors.Is(err, os.ErrNotExist):
			if !f.optional {
				missing = append(missing, f.name)
			}
			continue
		case err != nil:
			return nil, err
		}
		*f.part(b) = content
	}
	if missing != nil {
		return nil, fmt.Errorf("%s: %s missing: a bundle of collateral has %s", dir, strings.Join(missing, ", "), "tcbinfo.json, qeid.json, their chains, pckcrl.der and rootcrl.der")
	}
	text, err := atomicfile.Read(filepath.Join(dir, bundleTime), 64)
	if errors.Is(err, os.ErrNotExist) {
		return b, nil
	}
	if err == nil {
		b.At, err = parseTime(string(text))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, bundleTime), err)
	}
	return b, nil
}

func (f *bundleFile) load(dir string) ([]byte, error) {
	path := filepath.Join(dir, f.name)
	if f.chain {
		text, err := atomicfile.Read(path, dcap.MaxChainSize)
		if err == nil {
			if text, err = canonicalChain(text); err != nil {
				err = fmt.Errorf("%s: %w", path, err)
			}
		}
		return text, err
	}
	content, err := atomicfile.Read(path, f.most)
	if stem, ok := strings.CutSuffix(path, ".der"); ok && errors.Is(err, os.ErrNotExist) {
		if content, err = atomicfile.Read(stem+".hex", maxCRLReply); err == nil {
			if content, err = decodeCRL(content); err != nil {
				err = fmt.Errorf("%s.hex: %w", stem, err)
			}
		}
	}
	return content, err
}

func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, strings.TrimSpace(s))
	if err != nil {
		return t, fmt.Errorf("%.60q is no time such as 2026-01-31T12:00:00Z", s)
	}
	return t.UTC(), nil
}

// bundleExtras are the keys that a bundle has besides those of collateral.
type bundleExtras struct {
	Root string `json:"root_certificate,omitempty"`
	Time string `json:"verify_at,omitempty"`
}

func parseBundle(text []byte) (*Bundle, error) {
	c, err := dcap.ParseCollateral(text)
	if err != nil {
		return nil, err
	}
	var extras bundleExtras
	if err := json.Unmarshal(text, &extras); err != nil {
		return nil, errors.New("keys " + keyRoot + " and " + keyTime + " have texts")
	}
	b := &Bundle{Collateral: *c, Root: []byte(extras.Root)}
	for _, f := range bundleFiles {
		p := f.part(b)
		if !f.chain || f.optional && len(*p) == 0 {
			continue
		}
		if *p, err = canonicalChain(*p); err != nil {
			return nil, fmt.Errorf("%s: %w", strings.TrimSuffix(f.name, ".pem"), err)
		}
	}
	if extras.Time != "" {
		if b.At, err = parseTime(extras.Time); err != nil {
			return nil, fmt.Errorf("key %s: %w", keyTime, err)
		}
	}
	return b, nil
}

// appendBundle appends the one file of JSON.
func appendBundle(out []byte, b *Bundle) ([]byte, error) {
	out, err := b.Collateral.AppendJSON(out)
	if err != nil {
		return nil, err
	}
	extras := bundleExtras{Root: string(b.Root)}
	if !b.At.IsZero() {
		extras.Time = b.At.UTC().Format(time.RFC3339)
	}
	more, err := json.Marshal(extras)
	if err != nil {
		return nil, err
	}
	if len(more) > len("{}") {
		out = append(append(bytes.TrimSuffix(out, []byte("}")), ','), more[1:]...)
	}
	return append(out, '\n'), nil
}
