package policy

import (
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
)

const refreshAdvice = "get collateral again"

// topRules are the keys in no section.
var topRules = []rule[top, verify.Result]{
	advised(one[top, verify.Result]("report_data", "what the report data must be; zeros follow it, up to 64 bytes",
		hexUpTo(64), func(t *top) *string { return &t.reportData }), "the quote was made for another challenge or key", (*top).checkReportData),
	advised(one[top, verify.Result]("report_data_prefix", "what the report data must begin with; what follows is not looked at",
		hexUpTo(64), func(t *top) *string { return &t.reportDataPrefix }), "the quote was made for another challenge or key", (*top).checkPrefix),
}

func (t *top) checkReportData(r *verify.Result) *Failure {
	var want [64]byte
	copy(want[:], t.reportData)
	if got := r.Quote.ReportData(); t.reportData != "" && got != want {
		return note(hex.EncodeToString(want[:]), hex.EncodeToString(got[:]))
	}
	return nil
}

func (t *top) checkPrefix(r *verify.Result) *Failure {
	n := len(t.reportDataPrefix)
	if got := r.Quote.ReportData(); string(got[:n]) != t.reportDataPrefix {
		return note(hex.EncodeToString([]byte(t.reportDataPrefix))+" and anything", hex.EncodeToString(got[:]))
	}
	return nil
}

// collateralRules are the section "collateral".
var collateralRules = []rule[collateral, verify.Result]{
	advised(one[collateral, verify.Result]("expired_grace", "how long after the first of them expired certificates, revocation lists, TCB info and QE identity are accepted",
		period, func(c *collateral) *time.Duration { return &c.expiredGrace }), refreshAdvice, (*collateral).checkExpired),
	advised(one[collateral, verify.Result]("max_age", "how long ago TCB info and QE identity may have been issued",
		period, func(c *collateral) *time.Duration { return &c.maxAge }), refreshAdvice, (*collateral).checkAge),
	atLeast("min_evaluation_data_number", "the TCB evaluation data number of TCB info and QE identity must not be less",
		func(c *collateral) *uint32 { return &c.minEvaluation }, func(r *verify.Result) uint32 { return r.Validity.EvaluationDataNumber },
		"get collateral of that number, or the `early` one"),
}

// notYetValid fails for collateral that is newer than the time asked about:
// what it says of that time is not known, so that no grace period is for it.
func notYetValid(r *verify.Result) *Failure {
	if v := &r.Validity; r.At.Before(v.LatestIssue) {
		return &Failure{
			Rule: "not_yet_valid", Wanted: "collateral of " + date.write(r.At) + " or before", Found: "some that is not valid before " + date.write(v.LatestIssue),
			Advice: "ask about a later time, or take collateral of that time",
		}
	}
	return nil
}

func (c *collateral) checkExpired(r *verify.Result) *Failure {
	v := &r.Validity
	over := !v.EarliestExpiration.IsZero() && r.At.After(v.EarliestExpiration)
	switch {
	case !over && (!r.Expired() || notYetValid(r) != nil):
		return nil
	case over && !r.At.After(v.EarliestExpiration.Add(c.expiredGrace)):
		return nil
	}
	wanted := "no expired collateral"
	if c.expiredGrace > 0 {
		wanted = "expired for " + period.write(c.expiredGrace) + " at most"
	}
	found := "expired"
	if over {
		found = "expired at " + date.write(v.EarliestExpiration)
	}
	return note(wanted, found)
}

func (c *collateral) checkAge(r *verify.Result) *Failure {
	if c.maxAge == 0 {
		return nil
	}
	for _, d := range []struct {
		name   string
		issued time.Time
	}{{"TCB info", r.TCBInfo.IssueDate}, {"QE identity", r.QEIdentity.IssueDate}} {
		if r.At.After(d.issued.Add(c.maxAge)) {
			return note("issued "+period.write(c.maxAge)+" ago at most", d.name+" of "+date.write(d.issued))
		}
	}
	return nil
}

const otherPlatform = "the quote is from a platform that the policy is not for"

var (
	fmspcCodec = hexOf[[6]byte]()
	idCodec    = hexOf[[16]byte]()
	versions   = codec[uint16]{form{kind: number, what: "3, 4 or 5", words: []string{"3", "4", "5"}},
		func(s string) (uint16, bool) {
			v, ok := numberUpTo[uint16](dcap.QuoteV5).read(s)
			return v, ok && v >= dcap.QuoteV3
		}, numberUpTo[uint16](dcap.QuoteV5).write}
)

// platformRules are the section "platform".
var platformRules = []rule[platform, verify.Result]{
	advised(many[platform, verify.Result]("roots", "the roots of trust that are accepted: `intel`, which is the default, or the SHA-256 of a root's public key",
		roots, func(p *platform) *[]root { return &p.roots }), "name the root's fingerprint only if it is a root that you trust: no hardware is behind those of software platforms", (*platform).checkRoot),
	listed("quote_versions", "versions of quotes that are accepted",
		versions, func(p *platform) *[]uint16 { return &p.versions }, func(r *verify.Result) uint16 { return r.Quote.Header.Version }, otherPlatform),
	listed("ca", "authorities that issued the PCK certificate",
		authorities, func(p *platform) *[]verify.CA { return &p.authorities }, func(r *verify.Result) verify.CA { return r.CA }, otherPlatform),
	listed("fmspc", "families of platforms that are accepted",
		fmspcCodec, func(p *platform) *[][6]byte { return &p.fmspcs }, fmspc, otherPlatform),
	advised(many[platform, verify.Result]("denied_fmspc", "families of platforms that are not",
		fmspcCodec, func(p *platform) *[][6]byte { return &p.deniedFMSPCs }), otherPlatform, (*platform).checkDeniedFMSPC),
	listed("sgx_types", "kinds of memory protection that are accepted",
		sgxTypes, func(p *platform) *[]dcap.SGXType { return &p.sgxTypes }, func(r *verify.Result) dcap.SGXType { return r.PCK.SGX.SGXType }, otherPlatform),
	advised(many[platform, verify.Result]("platform_instances", "platforms that are accepted, by the instance IDs that the Platform CA gives",
		idCodec, func(p *platform) *[][16]byte { return &p.instances }), otherPlatform, (*platform).checkInstance),
	listed("ppids", "processors that are accepted, by the PPIDs of their certificates",
		idCodec, func(p *platform) *[][16]byte { return &p.ppids }, func(r *verify.Result) [16]byte { return r.PCK.SGX.PPID }, otherPlatform),
	platformFlag("forbid_dynamic_platform", "no platforms to which a package may be added", func(p *platform) *bool { return &p.noDynamicPlatform },
		func(e *dcap.PCKExtension) (dcap.Tristate, bool) {
			return e.Configuration.DynamicPlatform, e.HasPlatform
		}),
	platformFlag("forbid_cached_keys", "no platforms whose root keys Intel's registration service keeps", func(p *platform) *bool { return &p.noCachedKeys },
		func(e *dcap.PCKExtension) (dcap.Tristate, bool) { return e.Configuration.CachedKeys, e.HasPlatform }),
	platformFlag("forbid_smt", "no platforms but those whose certificate says that multithreading is off", func(p *platform) *bool { return &p.noSMT },
		func(e *dcap.PCKExtension) (dcap.Tristate, bool) { return e.Configuration.SMTEnabled, true }),
}

func fmspc(r *verify.Result) [6]byte { return r.PCK.SGX.FMSPC }

func (p *platform) checkRoot(r *verify.Result) *Failure {
	want := p.roots
	if len(want) == 0 {
		want = []root{{intel: true}}
	}
	found := root{key: r.Root.Fingerprint()}
	if slices.Contains(want, found) || r.Root.Intel && slices.Contains(want, root{intel: true}) {
		return nil
	}
	name := roots.write(found)
	if r.Root.Intel {
		name = "intel"
	}
	return note(anyOf(want, roots.write), fmt.Sprintf("%s (%s)", name, quote(r.Root.Subject.CommonName)))
}

func (p *platform) checkDeniedFMSPC(r *verify.Result) *Failure {
	if f := fmspc(r); slices.Contains(p.deniedFMSPCs, f) {
		return note("none of "+anyOf(p.deniedFMSPCs, fmspcCodec.write), fmspcCodec.write(f))
	}
	return nil
}

func (p *platform) checkInstance(r *verify.Result) *Failure {
	e := r.PCK.SGX
	switch {
	case len(p.instances) == 0 || e.HasPlatform && slices.Contains(p.instances, e.PlatformInstanceID):
		return nil
	case !e.HasPlatform:
		return note(anyOf(p.instances, idCodec.write), "a certificate that has none")
	}
	return note(anyOf(p.instances, idCodec.write), idCodec.write(e.PlatformInstanceID))
}

// platformFlag makes a rule that forbids what a PCK certificate tells of a platform,
// if it is a certificate that tells.
func platformFlag(key, about string, p func(*platform) *bool, fact func(*dcap.PCKExtension) (t dcap.Tristate, tells bool)) rule[platform, verify.Result] {
	r := one[platform, verify.Result](key, about, toggles, p)
	r.advice = otherPlatform
	r.check = func(s *platform, v *verify.Result) *Failure {
		t, tells := fact(v.PCK.SGX)
		if !*p(s) || t == dcap.False || !tells && t == dcap.Undefined {
			return nil
		}
		if t == dcap.Undefined {
			return note("false", "not said by the certificate")
		}
		return note("false", t.String())
	}
	return r
}
