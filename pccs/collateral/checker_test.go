package collateral_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/testpki"
)

func TestCheckGood(t *testing.T) {
	s := newService()
	c := s.checker(t)
	for _, i := range append(served(), oldInfo, collateral.Item{Kind: collateral.QEIdentity, API: 3, Update: collateral.Early}) {
		body, chain := document(s.pki, i)
		for _, root := range [][]byte{nil, s.pki.Root.CRL()} {
			d, err := c.Check(i, body, chain, root, s.now)
			if err != nil {
				t.Errorf("%v: %v", i, err)
				continue
			}
			if d.Item != i || !bytes.Equal(d.Body, body) || !bytes.Equal(d.Chain, chain) {
				t.Errorf("%v: another item, body or chain", i)
			}
			issued, next := s.now.AddDate(0, 0, -12), s.now.AddDate(0, 0, 18)
			number := map[string]uint32{collateral.Standard: standard, collateral.Early: early}[i.Update] + i.Evaluation
			switch {
			case i.Kind == collateral.RootCRL || i == rootByURI:
				next = issued.AddDate(1, 0, 14)
			case i.Kind == collateral.FMSPCs:
				issued, next = time.Time{}, time.Time{}
			}
			if !d.Issued.Equal(issued) || !d.NextUpdate.Equal(next) || d.Evaluation != number {
				t.Errorf("%v: issued %v, next %v, number %d", i, d.Issued, d.NextUpdate, d.Evaluation)
			}
		}
	}
}

// lie is a document that is not what it has to be.
type lie struct {
	name string
	item collateral.Item
	want error
	tell func(l *told)
}

// told is what a liar changes.
type told struct {
	*service
	body, chain, root []byte
	at                time.Time
}

// as puts another document in the place of the one that is meant.
func (l *told) as(pki *testpki.PKI, i collateral.Item) { l.body, l.chain = document(pki, i) }

func lies() []lie {
	other := testpki.New(testpki.Seed("another world"))
	other.Platform()
	forged, untrusted, expired := collateral.ErrForged, collateral.ErrUntrusted, collateral.ErrExpired
	otherFMSPC := sgxInfo
	otherFMSPC.FMSPC = "010203000000"
	late := func(days int) func(*told) { return func(l *told) { l.at = l.now.AddDate(0, 0, days).Add(time.Second) } }
	future := func(l *told) { l.at = l.now.AddDate(0, 0, -12).Add(-time.Second) }
	list := []lie{
		{"another FMSPC", sgxInfo, forged, func(l *told) { l.as(l.pki, otherFMSPC) }},
		{"TDX for SGX", sgxInfo, forged, func(l *told) { l.as(l.pki, tdxInfo) }},
		{"SGX for TDX", tdxInfo, forged, func(l *told) { l.as(l.pki, sgxInfo) }},
		{"version 2", sgxInfo, forged, func(l *told) { l.as(l.pki, oldInfo) }},
		{"version 3 for API 3", oldInfo, forged, func(l *told) { l.as(l.pki, sgxInfo) }},
		{"another number", numbered(sgxInfo, 17), forged, func(l *told) { l.as(l.pki, sgxInfo) }},
		{"another number of the identity", numbered(qe, early), forged, func(l *told) { l.as(l.pki, qe) }},
		{"an identity", sgxInfo, forged, func(l *told) { l.as(l.pki, qe) }},
		{"a TCB info", qe, forged, func(l *told) { l.as(l.pki, sgxInfo) }},
		{"TD_QE for QE", qe, forged, func(l *told) { l.as(l.pki, tdqe) }},
		{"QE for TD_QE", tdqe, forged, func(l *told) { l.as(l.pki, qe) }},
		{"QE for QVE", qve, forged, func(l *told) { l.as(l.pki, qe) }},
		{"QVE for QE", qe, forged, func(l *told) { l.as(l.pki, qve) }},
		{"TDX for SGX numbers", numbers, forged, func(l *told) { l.as(l.pki, tdxNumber) }},
		{"the Processor CA's list", platform, forged, func(l *told) { l.as(l.pki, processor) }},
		{"the Platform CA's list", processor, forged, func(l *told) { l.as(l.pki, platform) }},
		{"another CA's list by address", byURI, forged, func(l *told) { l.as(l.pki, processor) }},
		{"the list of one CA with the chain of the other", platform, forged, func(l *told) { l.body, _ = document(l.pki, processor) }},
		{"the root's list for a CA's", platform, forged, func(l *told) { l.body = l.pki.Root.CRL() }},
		{"a CA's list for the root's", rootCRL, untrusted, func(l *told) { l.as(l.pki, platform) }},
		{"a list of another CA of the root", platform, forged, func(l *told) {
			ca := l.pki.PlatformCA.Reissue(func(t *testpki.Template) { t.Subject.CommonName = "Some CA" })
			l.body, l.chain = ca.CRL(), slices.Concat(ca.PEM(), l.pki.RootPEM())
		}},
		{"an older list that another has signed", platform, forged, func(l *told) {
			l.body = l.pki.PlatformCA.CRL(func(t *testpki.CRLTemplate) {
				t.ThisUpdate, t.Signer = t.ThisUpdate.AddDate(0, 0, -1), l.pki.ProcessorCA.Key()
			})
		}},
		{"signer revoked", sgxInfo, forged, func(l *told) { l.pki.Root.Revoke(l.pki.TCBSigning); l.root = l.pki.Root.CRL() }},
		{"signer revoked by an expired list", sgxInfo, forged, func(l *told) {
			l.pki.Root.Revoke(l.pki.TCBSigning)
			l.root = l.pki.Root.CRL(func(t *testpki.CRLTemplate) { t.NextUpdate = l.now.Add(-time.Hour) })
		}},
		{"CA revoked", platform, forged, func(l *told) { l.pki.Root.Revoke(l.pki.PlatformCA); l.root = l.pki.Root.CRL() }},
		{"root CRL of another root", sgxInfo, forged, func(l *told) { l.root = other.Root.CRL() }},
		{"no chain", sgxInfo, forged, func(l *told) { l.chain = nil }},
		{"a chain of PCK certificates", sgxInfo, forged, func(l *told) { l.chain = l.m.ChainPEM() }},
		{"text of a list of FMSPCs", fmspcs, forged, func(l *told) { l.body = []byte(`[{"fmspc":"00"}]`) }},
		{"signer expired", qe, expired, func(l *told) { l.at = l.now.AddDate(7, 0, 0) }},
		{"signer not yet valid", qe, expired, func(l *told) { l.at = l.now.AddDate(-2, 0, 0) }},
		{"identity expired and root CRL too", tdqe, expired, func(l *told) { l.at = l.now.AddDate(2, 0, 0) }},
		{"root CRL expired", rootCRL, expired, late(368)},
		{"root CRL of the future", rootCRL, expired, future},
	}
	for _, i := range []collateral.Item{sgxInfo, tdxInfo, oldInfo, qe, tdqe, qve, numbers, tdxNumber, platform, processor, byURI} {
		ofOther := untrusted // the chain is looked at first
		if i.Kind == collateral.PCKCRL || i.Kind == collateral.CRL {
			ofOther = forged
		}
		list = append(list,
			lie{"expired", i, expired, late(18)},
			lie{"of the future", i, expired, future},
			lie{"no time", i, forged, func(l *told) { l.at = time.Time{} }},
			lie{"no chain", i, forged, func(l *told) { l.chain = nil }},
			lie{"chain of another root", i, ofOther, func(l *told) { _, l.chain = document(other, i) }},
		)
	}
	for _, i := range []collateral.Item{rootCRL, platform, sgxInfo, qe, fmspcs, numbers} {
		list = append(list, lie{"nine megabytes", i, forged, func(l *told) { l.body = append(l.body, bytes.Repeat([]byte(" "), 9<<20)...) }})
	}
	for _, i := range append(served(), oldInfo) {
		list = append(list,
			lie{"nothing", i, forged, func(l *told) { l.body = nil }},
			lie{"cut off", i, forged, func(l *told) { l.body = l.body[:len(l.body)*3/4] }},
			lie{"more", i, forged, func(l *told) { l.body = append(l.body, ']') }},
			lie{"a page", i, forged, func(l *told) { l.body = []byte("<!DOCTYPE html><title>Sign in</title>") }},
			lie{"null", i, forged, func(l *told) { l.body = []byte(`{}`) }},
		)
		if i.Kind != collateral.FMSPCs {
			list = append(list,
				lie{"another root", i, untrusted, func(l *told) { l.as(other, i) }},
				lie{"signature", i, forged, func(l *told) { l.body = flip(i, l.body) }},
			)
		}
	}
	return list
}

// flip changes the last byte of the signature of a document.
func flip(i collateral.Item, body []byte) []byte {
	body = slices.Clone(body)
	if body[0] == '{' {
		at := len(body) - 3
		body[at] = "10"[map[bool]int{true: 1}[body[at] == '1']]
		return body
	}
	body[len(body)-1] ^= 1
	return body
}

func TestCheckLies(t *testing.T) {
	for _, l := range lies() {
		s := newService()
		told := &told{service: s, root: s.pki.Root.CRL(), at: s.now}
		told.body, told.chain = document(s.pki, l.item)
		l.tell(told)
		d, err := s.checker(t).Check(l.item, told.body, told.chain, told.root, told.at)
		if !errors.Is(err, l.want) {
			t.Errorf("%v, %s: %v, want %v", l.item, l.name, err, l.want)
			continue
		}
		for _, not := range []error{collateral.ErrForged, collateral.ErrUntrusted, collateral.ErrExpired} {
			if not != l.want && errors.Is(err, not) {
				t.Errorf("%v, %s: also %v: %v", l.item, l.name, not, err)
			}
		}
		if (d != nil) != (l.want == collateral.ErrExpired) {
			t.Errorf("%v, %s: a document: %v", l.item, l.name, d != nil)
		}
		if d != nil && (d.NextUpdate.IsZero() || !bytes.Equal(d.Body, told.body)) {
			t.Errorf("%v, %s: another body, or no time", l.item, l.name)
		}
		if s := err.Error(); !strings.HasPrefix(s, l.item.String()+": ") || strings.Contains(s, "\n") || len(s) > 900 {
			t.Errorf("%v, %s: not an error of one line: %q", l.item, l.name, s)
		}
	}
}

// TestCheckOldRootCRL: that the root CRL has expired is not the fault of others.
func TestCheckOldRootCRL(t *testing.T) {
	s := newService()
	c := s.checker(t)
	root := s.pki.Root.CRL(func(t *testpki.CRLTemplate) { t.NextUpdate = s.now.Add(-time.Hour) })
	for _, i := range served() {
		if i.Kind == collateral.RootCRL {
			continue
		}
		body, chain := document(s.pki, i)
		if _, err := c.Check(i, body, chain, root, s.now); err != nil {
			t.Errorf("%v: %v", i, err)
		}
	}
}

// TestCheckRoots: software roots never pass for Intel's, nor Intel's beside them.
func TestCheckRoots(t *testing.T) {
	s := newService()
	intel, err := collateral.NewChecker()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range served() {
		body, chain := document(s.pki, i)
		if _, err := intel.Check(i, body, chain, s.pki.Root.CRL(), s.now); i.Kind != collateral.FMSPCs && err == nil {
			t.Errorf("%v: a software root passes for Intel's", i)
		}
	}
	for name, der := range map[string][]byte{
		"nothing": nil, "PEM": s.pki.RootPEM(), "no root": s.pki.PlatformCA.DER,
		"not signed with its own key": s.pki.Root.Reissue(func(t *testpki.Template) { t.Signer = s.pki.PlatformCA.Key() }).DER,
	} {
		if _, err := collateral.NewChecker(s.pki.Root.DER, der); err == nil {
			t.Errorf("%s is trusted", name)
		}
	}
}

func TestCheckNoItem(t *testing.T) {
	s := newService()
	body, chain := document(s.pki, sgxInfo)
	for _, i := range []collateral.Item{{}, {Kind: collateral.TCBInfo, API: 4, FMSPC: "x"}, {Kind: collateral.TCBInfo, API: 3, TEE: dcap.TEETDX, FMSPC: fmspc}, {Kind: collateral.CRL, URI: "https://example.com/"}} {
		if d, err := s.checker(t).Check(i, body, chain, nil, s.now); err == nil || d != nil {
			t.Errorf("%+v: %v", i, d)
		}
	}
}

// TestCheckStatus: what is wrong is still there to see.
func TestCheckStatus(t *testing.T) {
	s := newService()
	body, chain := document(s.pki, sgxInfo)
	_, err := s.checker(t).Check(sgxInfo, bytes.Replace(body, []byte("UpToDate"), []byte("Revoked"), 1), chain, nil, s.now)
	var bad *verify.Error
	if !errors.As(err, &bad) || bad.Status != verify.StatusTCBInfoInvalidSignature {
		t.Error(err)
	}
}
