package policy

import (
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
)

// AnyIdentity accepts whatever runs in any enclave or TD that is not under
// debug: the policy is about the platform only. It is the same as Enclave and
// TD with nothing but Any set.
func AnyIdentity() Option {
	return optionFunc(func(p *Policy) {
		p.enclaves, p.tds = append(p.enclaves, Enclave{Any: true}), append(p.tds, TD{Any: true})
	})
}

// ReportData demands that the report data is b, of 1 to 64 bytes, and zero
// after it.
func ReportData(b []byte) Option {
	return optionFunc(func(p *Policy) { p.top.reportData = given(b) })
}

// ReportDataPrefix demands that the report data begins with b, of 1 to 64
// bytes; what follows is not looked at.
func ReportDataPrefix(b []byte) Option {
	return optionFunc(func(p *Policy) { p.top.reportDataPrefix = given(b) })
}

// given makes something of nothing that is invalid, so that an empty nonce is
// not one that does not matter.
func given(b []byte) string {
	if len(b) == 0 {
		return string(make([]byte, 65))
	}
	return string(b)
}

// AcceptTCB accepts statuses of the TCB besides UpToDate, which always is.
// Revoked and Unknown can never be accepted.
func AcceptTCB(statuses ...dcap.TCBStatus) Option {
	return optionFunc(func(p *Policy) { p.tcb.accept = append(p.tcb.accept, statuses...) })
}

// OutOfDateGrace accepts platforms that are OutOfDate, or of which a TD began on
// a TDX module that is, for so long from that start. If they also need
// configuration or software hardening, AcceptTCB must accept that.
//
// Intel's appraisal ("platform_grace_period") is the same with FromTCBDate,
// but that it has no other settings beside it.
func OutOfDateGrace(d time.Duration, from GraceStart) Option {
	return optionFunc(func(p *Policy) { p.tcb.grace, p.tcb.graceFrom = d, from })
}

// RequireQEUpToDate refuses quotes of a quoting enclave that is not UpToDate,
// whatever else is accepted.
func RequireQEUpToDate() Option { return optionFunc(func(p *Policy) { p.tcb.qeUpToDate = true }) }

// MinTCBDate refuses platforms whose TCB date is before t.
func MinTCBDate(t time.Time) Option {
	return optionFunc(func(p *Policy) { p.tcb.minDate = t.UTC().Round(0) })
}

// DenyAdvisories refuses platforms that any of these advisories concerns, such
// as "INTEL-SA-00615".
func DenyAdvisories(ids ...string) Option {
	return optionFunc(func(p *Policy) { p.tcb.deniedAdvisories = append(p.tcb.deniedAdvisories, upper(ids)...) })
}

// AllowAdvisories refuses platforms that any other advisory concerns than
// these: with AcceptTCB(dcap.SWHardeningNeeded) it accepts that status only if
// the software has what these few demand. With no advisory it refuses all.
func AllowAdvisories(ids ...string) Option {
	return optionFunc(func(p *Policy) {
		if p.tcb.allowedAdvisories == nil {
			p.tcb.allowedAdvisories = []string{}
		}
		p.tcb.allowedAdvisories = append(p.tcb.allowedAdvisories, upper(ids)...)
	})
}

func upper(ids []string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = advisory.write(id)
	}
	return out
}

// ExpiredCollateralGrace accepts certificates, revocation lists and documents
// that have expired for so long after the first of them did.
func ExpiredCollateralGrace(d time.Duration) Option {
	return optionFunc(func(p *Policy) { p.collateral.expiredGrace = d })
}

// MaxCollateralAge refuses TCB info and QE identity that were issued longer ago
// than d, though they have not expired; Intel's are good for 30 days.
func MaxCollateralAge(d time.Duration) Option {
	return optionFunc(func(p *Policy) { p.collateral.maxAge = d })
}

// MinEvaluationDataNumber refuses TCB info and QE identity of an earlier TCB
// recovery than that of this number.
func MinEvaluationDataNumber(n uint32) Option {
	return optionFunc(func(p *Policy) { p.collateral.minEvaluation = n })
}

// Roots accepts quotes whose certificates end in a root that has one of these
// fingerprints (verify.Root.Fingerprint), and no longer in Intel's unless
// IntelRoot is given, too. Only so can a quote of a software platform be
// accepted.
func Roots(fingerprints ...[32]byte) Option {
	return optionFunc(func(p *Policy) {
		for _, f := range fingerprints {
			p.platform.roots = append(p.platform.roots, root{key: f})
		}
	})
}

// IntelRoot accepts Intel's roots beside those of Roots.
func IntelRoot() Option {
	return optionFunc(func(p *Policy) { p.platform.roots = append(p.platform.roots, root{intel: true}) })
}

// QuoteVersions accepts quotes of these versions only: 3, 4, 5.
func QuoteVersions(versions ...uint16) Option {
	return optionFunc(func(p *Policy) { p.platform.versions = append(p.platform.versions, versions...) })
}

// CAs accepts platforms whose PCK certificate is from these authorities only.
func CAs(authorities ...verify.CA) Option {
	return optionFunc(func(p *Policy) { p.platform.authorities = append(p.platform.authorities, authorities...) })
}

// FMSPCs accepts platforms of these families only.
func FMSPCs(fmspcs ...[6]byte) Option {
	return optionFunc(func(p *Policy) { p.platform.fmspcs = append(p.platform.fmspcs, fmspcs...) })
}

// DenyFMSPCs refuses platforms of these families.
func DenyFMSPCs(fmspcs ...[6]byte) Option {
	return optionFunc(func(p *Policy) { p.platform.deniedFMSPCs = append(p.platform.deniedFMSPCs, fmspcs...) })
}

// SGXTypes accepts these kinds of memory protection only.
func SGXTypes(types ...dcap.SGXType) Option {
	return optionFunc(func(p *Policy) { p.platform.sgxTypes = append(p.platform.sgxTypes, types...) })
}

// PlatformInstances accepts these platforms only, by the instance IDs that
// certificates of the Platform CA have.
func PlatformInstances(ids ...[16]byte) Option {
	return optionFunc(func(p *Policy) { p.platform.instances = append(p.platform.instances, ids...) })
}

// PPIDs accepts these processors only, by the PPIDs of their certificates.
func PPIDs(ids ...[16]byte) Option {
	return optionFunc(func(p *Policy) { p.platform.ppids = append(p.platform.ppids, ids...) })
}

// ForbidDynamicPlatform refuses platforms to which a package may be added.
// Certificates of the Processor CA, which are of single packages, do not say
// and are accepted; those of the Platform CA must say no.
func ForbidDynamicPlatform() Option {
	return optionFunc(func(p *Policy) { p.platform.noDynamicPlatform = true })
}

// ForbidCachedKeys refuses platforms whose root keys Intel's registration
// service keeps. Certificates of the Processor CA do not say and are accepted;
// those of the Platform CA must say no.
func ForbidCachedKeys() Option {
	return optionFunc(func(p *Policy) { p.platform.noCachedKeys = true })
}

// ForbidSMT refuses platforms unless their certificate says that simultaneous
// multithreading is off. Those of the Processor CA never say, so that none of
// them is accepted; Intel's appraisal would accept them.
func ForbidSMT() Option { return optionFunc(func(p *Policy) { p.platform.noSMT = true }) }
