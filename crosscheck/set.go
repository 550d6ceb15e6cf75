package crosscheck

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

// Set is a quote and all that it takes to verify it.
type Set struct {
	Name       string
	Quote      []byte
	PCK        []byte          // PEM: the PCK certificate, which most quotes have in them, too
	Collateral dcap.Collateral // with a PCKChain of PCK certificate, its CA and the root, in any order
	Root       []byte          // PEM: the only root to trust
	At         time.Time
}

// Load reads a set from a folder of the package comment's form.
func Load(dir string) (*Set, error) {
	s := &Set{Name: filepath.Base(dir)}
	var at []byte
	for name, to := range s.files(&at) {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		*to = b
	}
	var err error
	s.At, err = time.Parse(time.RFC3339, strings.TrimSpace(string(at)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, "verify_at.txt"), err)
	}
	return s, nil
}

// Write writes the set into a folder, which must exist.
func (s *Set) Write(dir string) error {
	at := []byte(s.At.UTC().Format(time.RFC3339) + "\n")
	for name, from := range s.files(&at) {
		if err := os.WriteFile(filepath.Join(dir, name), *from, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// files is where the content of each file of a folder belongs.
func (s *Set) files(at *[]byte) map[string]*[]byte {
	c := &s.Collateral
	return map[string]*[]byte{
		"quote.bin": &s.Quote, "pck.pem": &s.PCK, "pck_chain.pem": &c.PCKChain, "root.pem": &s.Root, "verify_at.txt": at,
		"pckcrl.der": &c.PCKCRL, "pckcrl_chain.pem": &c.PCKCRLChain, "rootcrl.der": &c.RootCRL,
		"tcbinfo.json": &c.TCBInfo, "tcb_chain.pem": &c.TCBInfoChain,
		"qeid.json": &c.QEIdentity, "qeid_chain.pem": &c.QEIdentityChain,
	}
}

// Version is the version of the quote, and TEE what it is of.
func (s *Set) Version() uint16   { return binary.LittleEndian.Uint16(s.Quote) }
func (s *Set) TEE() dcap.TEEType { return dcap.TEEType(binary.LittleEndian.Uint32(s.Quote[4:])) }
