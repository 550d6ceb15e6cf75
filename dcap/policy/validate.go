package policy

import (
	"fmt"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/isa"
)

// validate returns what is wrong with a policy: values that no file could
// have, and what contradicts itself.
func (p *Policy) validate() Errors {
	c := checker{}
	writable(&c, "", topRules, &p.top)
	writable(&c, "tcb", tcbRules, &p.tcb)
	writable(&c, "collateral", collateralRules, &p.collateral)
	writable(&c, "platform", platformRules, &p.platform)
	if p.top.reportData != "" && p.top.reportDataPrefix != "" {
		c.report("report_data_prefix", "it is given beside report_data: leave one out")
	}
	t := &p.tcb
	for _, s := range []dcap.TCBStatus{dcap.OutOfDate, dcap.OutOfDateConfigurationNeeded} {
		if t.grace != 0 && t.accepts(s) {
			c.report("tcb.out_of_date_grace", fmt.Sprintf("it has no effect, for tcb.accept accepts %v without end: leave one out", s))
		}
	}
	if t.grace == 0 && t.graceFrom != FromTCBDate {
		c.report("tcb.out_of_date_grace_from", "it needs out_of_date_grace: give both, or leave it out")
	}
	c.identities(p)
	return c.errs
}

// identities checks who is accepted.
func (c *checker) identities(p *Policy) {
	if len(p.enclaves)+len(p.tds) == 0 {
		c.errs.Add(Error{Kind: ErrNoIdentity, Reason: "it names no enclave and no TD: write [[sgx]] with an mrenclave or mrsigner, or [[tdx]] with an mrtd, or `any = true` in one"})
	}
	for i := range p.enclaves {
		e, path := &p.enclaves[i], fmt.Sprintf("sgx[%d]", i)
		writable(c, path, enclaveRules, e)
		c.named(path, len(e.MREnclave)+len(e.MRSigner) > 0, e.Any, "mrenclave or an mrsigner")
		c.possible(path, "attributes", uint64(e.AttributesRequired), uint64(e.AttributesForbidden), attributeBits)
		c.possible(path, "xfrm", uint64(e.XFRMRequired), uint64(e.XFRMForbidden), xfrmBits)
		c.possible(path, "miscselect", uint64(e.MiscSelectRequired), uint64(e.MiscSelectForbidden), miscBits)
		c.unlocked(path, "allow_debug", uint64(e.AttributesRequired&isa.AttrDebug), e.AllowDebug, attributeBits)
		c.unlocked(path, "allow_provision_key", uint64(e.AttributesRequired&isa.AttrProvisionKey), e.AllowProvisionKey, attributeBits)
	}
	for i := range p.tds {
		t, path := &p.tds[i], fmt.Sprintf("tdx[%d]", i)
		writable(c, path, tdRules, t)
		c.named(path, len(t.MRTD) > 0, t.Any, "mrtd")
		c.possible(path, "attributes", uint64(t.AttributesRequired), uint64(t.AttributesForbidden), tdAttributeBits)
		c.possible(path, "xfam", t.XFAMRequired, t.XFAMForbidden, xfamBits)
		c.unlocked(path, "allow_debug", uint64(t.AttributesRequired&dcap.TDUntrustedDebug), t.AllowDebug, tdAttributeBits)
		c.unlocked(path, "allow_migratable", uint64(t.AttributesRequired&dcap.TDMigratable), t.migratable(), tdAttributeBits)
	}
}

// checker collects what is wrong.
type checker struct{ errs Errors }

func (c *checker) report(key, reason string) {
	c.errs.Add(Error{Key: key, Kind: ErrInvalid, Reason: reason})
}

func (c *checker) named(path string, named, all bool, how string) {
	switch {
	case named && all:
		c.report(path+".any", "it is given beside an "+how+": leave one out")
	case !named && !all:
		c.errs.Add(Error{Key: path, Kind: ErrNoIdentity, Reason: "it names no identity: give an " + how + ", or `any = true` to accept all that match the rest"})
	}
}

func (c *checker) possible(path, key string, required, forbidden uint64, names []bitName) {
	if both := required & forbidden; both != 0 {
		c.report(path+"."+key+"_forbidden", showBits(both, names)+" is required, too: leave one out")
	}
}

func (c *checker) unlocked(path, key string, required uint64, allowed bool, names []bitName) {
	if required != 0 && !allowed {
		c.report(path+".attributes_required", showBits(required, names)+" is refused without "+key+": give it, too")
	}
}

// writable reports values of a section that could not be read back from a file.
func writable[S, F any](c *checker, section string, rules []rule[S, F], s *S) {
	var again S
	for i := range rules {
		r := &rules[i]
		if n := r.write(s); n != nil {
			r.read(&again, n, func(_ *node, reason string) { c.report(join(section, r.key), reason) })
		}
	}
}

// join is the path of a key.
func join(section, key string) string {
	if section == "" {
		return key
	}
	return section + "." + key
}
