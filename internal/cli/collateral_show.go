package cli

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pcs"
)

func (a *app) collateralShow() *cobra.Command {
	return a.verb(&cobra.Command{
		Use:     "show PLACE",
		Aliases: []string{"load"},
		Short:   "Show what is in saved collateral, without verifying it",
		Long: `Show loads collateral from a folder or a file of JSON, and shows for which
platforms it is, which TCB levels Intel gives them, and how long it is good.
It verifies nothing: ` + "`feidi verify`" + ` does that, each time.

It exits with 0 if every document could be read, whether it has expired or not,
and with 3 if one could not.`,
		Example: `  feidi collateral show ` + sampleSet + `/collateral.json
  feidi collateral show ` + sampleSet + `/collateral.json --json`,
		Args: operands("the folder or file"),
		RunE: func(_ *cobra.Command, args []string) error {
			b, err := loadBundle(args[0])
			if err != nil {
				return cannot(err)
			}
			s := showCollateral(args[0], b, time.Now())
			if a.json {
				err = a.writeJSON(s)
			} else {
				s.show(a)
			}
			if err != nil {
				return err
			}
			if len(s.Errors) > 0 {
				return cannot(errors.New(args[0] + ": " + s.Errors[0]))
			}
			return nil
		},
	})
}

// shownCollateral is the JSON object of collateral show. What could not be
// read is absent, and stands in Errors.
type shownCollateral struct {
	Place    string     `json:"place,omitempty"`
	Verified bool       `json:"verified"`          // false: nothing is, here
	Expires  *time.Time `json:"expires,omitempty"` // when the first of the documents is to be replaced
	Expired  bool       `json:"expired"`
	VerifyAt *time.Time `json:"verify_at,omitempty"`

	TCBInfo    *shownTCBInfo            `json:"tcb_info,omitempty"`
	QEIdentity *shownIdentity           `json:"qe_identity,omitempty"`
	PCKCRL     *shownCRL                `json:"pck_crl,omitempty"`
	RootCRL    *shownCRL                `json:"root_crl,omitempty"`
	Chains     map[string][]shownIssuer `json:"chains"`
	Errors     []string                 `json:"errors,omitempty"`
}

// validity is from when to when a document is good.
type validity struct {
	IssueDate  time.Time `json:"issue_date"`
	NextUpdate time.Time `json:"next_update"`
}

type shownTCBInfo struct {
	TEE     string `json:"tee"`
	Version uint32 `json:"version"`
	FMSPC   string `json:"fmspc"`
	PCEID   string `json:"pce_id"`
	Number  uint32 `json:"tcb_evaluation_data_number"`
	validity
	Levels  []shownLevel  `json:"levels"`
	Modules []shownModule `json:"tdx_module_identities,omitempty"`
}

type shownModule struct {
	ID     string       `json:"id"`
	Levels []shownLevel `json:"levels"`
}

type shownIdentity struct {
	ID      string `json:"id"`
	Version uint32 `json:"version"`
	Number  uint32 `json:"tcb_evaluation_data_number"`
	validity
	Levels []shownLevel `json:"levels"`
}

// shownLevel is a level of a TCB: SVNs of components and PCE, or of an enclave
// or module.
type shownLevel struct {
	SGX         string    `json:"sgx_components,omitempty"` // 16 bytes
	TDX         string    `json:"tdx_components,omitempty"`
	PCESVN      *uint16   `json:"pcesvn,omitempty"`
	ISVSVN      *uint16   `json:"isvsvn,omitempty"`
	Date        time.Time `json:"tcb_date"`
	Status      string    `json:"status"`
	AdvisoryIDs []string  `json:"advisory_ids,omitempty"`
}

type shownCRL struct {
	Issuer  string `json:"issuer"`
	Number  string `json:"number,omitempty"`
	Revoked int    `json:"revoked"`
	validity
}

// shownIssuer is a certificate of a chain.
type shownIssuer struct {
	Subject  string    `json:"subject"`
	NotAfter time.Time `json:"not_after"`
}

// showCollateral reads what is in a bundle.
func showCollateral(place string, b *pcs.Bundle, now time.Time) *shownCollateral {
	s := &shownCollateral{Place: place, Chains: map[string][]shownIssuer{}}
	if !b.At.IsZero() {
		s.VerifyAt = &b.At
	}
	s.tcbInfo(b.TCBInfo)
	s.identity(b.QEIdentity)
	s.PCKCRL = s.crl("pckcrl", b.PCKCRL)
	s.RootCRL = s.crl("rootcrl", b.RootCRL)
	for _, c := range []struct {
		name string
		text []byte
	}{
		{"tcb_info", b.TCBInfoChain}, {"qe_identity", b.QEIdentityChain}, {"pck_crl", b.PCKCRLChain}, {"pck", b.PCKChain}, {"root", b.Root},
	} {
		if len(c.text) == 0 {
			continue
		}
		chain, err := dcap.ParseChain(c.text)
		s.failed("chain "+c.name, err)
		for _, cert := range chain {
			s.Chains[c.name] = append(s.Chains[c.name], shownIssuer{cert.Subject.CommonName, cert.NotAfter})
			if c.name != "root" { // it is no part of what is to be replaced
				s.until(cert.NotAfter)
			}
		}
	}
	s.Expired = s.Expires != nil && !now.Before(*s.Expires)
	return s
}

func (s *shownCollateral) failed(what string, err error) bool {
	if err != nil {
		s.Errors = append(s.Errors, what+": "+err.Error())
	}
	return err != nil
}

// until notes when something ends.
func (s *shownCollateral) until(t time.Time) {
	if s.Expires == nil || t.Before(*s.Expires) {
		s.Expires = &t
	}
}

func (s *shownCollateral) tcbInfo(doc []byte) {
	t, err := dcap.ParseTCBInfo(doc)
	if s.failed("tcbinfo", err) {
		return
	}
	s.until(t.NextUpdate)
	shown := &shownTCBInfo{
		TEE: t.ID, Version: t.Version, FMSPC: upperHex(t.FMSPC[:]), PCEID: upperHex(t.PCEID[:]), Number: t.EvaluationDataNumber,
		validity: validity{t.IssueDate, t.NextUpdate},
	}
	svns := func(components [16]dcap.TCBComponent) string {
		var b [16]byte
		for i, c := range components {
			b[i] = c.SVN
		}
		return hex.EncodeToString(b[:])
	}
	for _, l := range t.Levels {
		level := shownLevel{SGX: svns(l.SGX), PCESVN: &l.PCESVN, Date: l.Date, Status: l.Status.String(), AdvisoryIDs: l.AdvisoryIDs}
		if t.ID == dcap.TCBInfoTDX {
			level.TDX = svns(l.TDX)
		}
		shown.Levels = append(shown.Levels, level)
	}
	for _, m := range t.TDXModuleIdentities {
		module := shownModule{ID: m.ID}
		for _, l := range m.Levels {
			module.Levels = append(module.Levels, shownLevel{ISVSVN: &l.ISVSVN, Date: l.Date, Status: l.Status.String(), AdvisoryIDs: l.AdvisoryIDs})
		}
		shown.Modules = append(shown.Modules, module)
	}
	s.TCBInfo = shown
}

func (s *shownCollateral) identity(doc []byte) {
	e, err := dcap.ParseEnclaveIdentity(doc)
	if s.failed("qeid", err) {
		return
	}
	s.until(e.NextUpdate)
	s.QEIdentity = &shownIdentity{ID: e.ID, Version: e.Version, Number: e.EvaluationDataNumber, validity: validity{e.IssueDate, e.NextUpdate}}
	for _, l := range e.Levels {
		s.QEIdentity.Levels = append(s.QEIdentity.Levels, shownLevel{ISVSVN: &l.ISVSVN, Date: l.Date, Status: l.Status.String(), AdvisoryIDs: l.AdvisoryIDs})
	}
}

func (s *shownCollateral) crl(what string, der []byte) *shownCRL {
	c, err := dcap.ParseCRL(der)
	if s.failed(what, err) {
		return nil
	}
	s.until(c.NextUpdate)
	return &shownCRL{Issuer: c.Issuer.CommonName, Number: upperHex(c.Number), Revoked: c.Len(), validity: validity{c.ThisUpdate, c.NextUpdate}}
}

func upperHex(b []byte) string { return fmt.Sprintf("%X", b) }

// show shows it for people.
func (s *shownCollateral) show(a *app) {
	day := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	var t table
	if i := s.TCBInfo; i != nil {
		t.add("TCB info", fmt.Sprintf("%s, FMSPC %s, PCE ID %s, version %d, evaluation data number %d", i.TEE, i.FMSPC, i.PCEID, i.Version, i.Number))
		t.add("", "issued "+day(i.IssueDate)+", next update "+day(i.NextUpdate))
		for _, l := range i.Levels {
			l.row(&t)
		}
		for _, m := range i.Modules {
			t.add("TDX module", m.ID)
			for _, l := range m.Levels {
				l.row(&t)
			}
		}
	}
	if i := s.QEIdentity; i != nil {
		t.add("QE identity", fmt.Sprintf("%s, version %d, evaluation data number %d", i.ID, i.Version, i.Number))
		t.add("", "issued "+day(i.IssueDate)+", next update "+day(i.NextUpdate))
		for _, l := range i.Levels {
			l.row(&t)
		}
	}
	for _, c := range []struct {
		name string
		crl  *shownCRL
	}{{"PCK CRL", s.PCKCRL}, {"Root CRL", s.RootCRL}} {
		if c.crl != nil {
			t.add(c.name, fmt.Sprintf("of %s, %s", c.crl.Issuer, count(c.crl.Revoked, "revoked certificate")))
			t.add("", "issued "+day(c.crl.IssueDate)+", next update "+day(c.crl.NextUpdate))
		}
	}
	for _, name := range []string{"tcb_info", "qe_identity", "pck_crl", "pck", "root"} {
		for i, c := range s.Chains[name] {
			title := ""
			if i == 0 {
				title = "Chain " + name
			}
			t.add(title, c.Subject+", until "+day(c.NotAfter))
		}
	}
	if s.VerifyAt != nil {
		t.add("Verify at", day(*s.VerifyAt)+" (not obeyed unless you say so with --at)")
	}
	if s.Expires != nil {
		word := "expires"
		if s.Expired {
			word = "EXPIRED"
		}
		t.add("The whole", word+" "+day(*s.Expires))
	}
	t.write(a, "")
	for _, e := range s.Errors {
		a.printf("CANNOT READ %s\n", e)
	}
}

// summary is what is most worth knowing, in one line.
func (s *shownCollateral) summary() string {
	var parts []string
	if i := s.TCBInfo; i != nil {
		parts = append(parts, fmt.Sprintf("%s, FMSPC %s, evaluation data number %d", i.TEE, i.FMSPC, i.Number))
	}
	if s.Expires != nil {
		word := "expires"
		if s.Expired {
			word = "EXPIRED"
		}
		parts = append(parts, word+" "+s.Expires.UTC().Format(time.RFC3339))
	}
	for _, e := range s.Errors {
		parts = append(parts, "CANNOT READ "+e)
	}
	return strings.Join(parts, ", ")
}

// row shows a level.
func (l *shownLevel) row(t *table) {
	var svn string
	switch {
	case l.ISVSVN != nil:
		svn = fmt.Sprintf("SVN %d", *l.ISVSVN)
	case l.TDX != "":
		svn = fmt.Sprintf("%s tdx %s pce %d", l.SGX, l.TDX, *l.PCESVN)
	default:
		svn = fmt.Sprintf("%s pce %d", l.SGX, *l.PCESVN)
	}
	parts := []string{l.Date.Format(time.DateOnly), l.Status, svn}
	if len(l.AdvisoryIDs) > 0 {
		parts = append(parts, strings.Join(l.AdvisoryIDs, " "))
	}
	t.add("", "  "+strings.Join(parts, "  "))
}
