package sdk

import (
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/sign/config"
)

// maxThreads bounds the threads of an enclave. Each takes more than 64 pages,
// so that they would not fit into memory long before.
const maxThreads = 1 << 15

// checkFeatures checks that the enclave's runtime knows what the
// configuration asks for.
func (p *plan) checkFeatures() error {
	for _, f := range [...]struct {
		wanted bool
		since  release
		name   string
	}{
		{p.EnableKSS, sdk2_4, "EnableKSS"},
		{p.ReservedMemMaxSize > 0, sdk2_6, "ReservedMemMaxSize"},
		{p.ReservedMemExecutable, sdk2_8, "ReservedMemExecutable"},
		{p.ELRange != nil, sdk2_14, "ELRangeSize"},
		{p.PKRU != config.FeatureOff, sdk2_16, "PKRU"},
		{p.AMX != config.FeatureOff, sdk2_18, "AMX"},
		{p.UserRegionSize > 0, sdk2_18, "UserRegionSize"},
		{p.EnableAEXNotify, sdk2_20, "EnableAEXNotify"},
		{p.EnableIPPFIPS, sdk2_25, "EnableIPPFIPS"},
		{p.EnableOSSLFIPS, sdk2_26, "EnableOSSLFIPS"},
	} {
		if f.wanted && p.sdk < f.since {
			return layoutErr("%s needs SDK %v, and the enclave was built with %v: build it with a later SDK, or leave the setting out", f.name, f.since, p.sdk)
		}
	}
	if n := max(p.TCSNum, p.TCSMaxNum); n > maxThreads {
		return layoutErr("%d threads; an enclave has %d at most: lower TCSNum and TCSMaxNum", n, maxThreads)
	}
	return nil
}

func (p *plan) policy() image.ThreadPolicy {
	if p.TCSUnbound {
		return image.PolicyUnbind
	}
	return image.PolicyBind
}
