package policy

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/isa"
)

const (
	otherEnclave  = "it is another enclave, or another build or version of it"
	otherTD       = "it is another TD image, or one that was started in another way"
	debugAdvice   = "the host sees inside: accept debug for tests only"
	buildAdvice   = "build the enclave with other settings, or change the policy"
	tdStartAdvice = "start the TD with other settings, or change the policy"
)

var (
	hex32 = hexOf[[32]byte]()
	hex48 = hexOf[[48]byte]()
	hex64 = hexOf[[64]byte]()
)

// enclaveRules are a section "sgx".
var enclaveRules = []rule[Enclave, isa.ReportBody]{
	one[Enclave, isa.ReportBody]("name", "a name for messages", title, func(e *Enclave) *string { return &e.Name }),
	one[Enclave, isa.ReportBody]("any", "any enclave, in place of `mrenclave` and `mrsigner`", toggles, func(e *Enclave) *bool { return &e.Any }),
	listed("mrenclave", "measurement", hex32, func(e *Enclave) *[][32]byte { return &e.MREnclave }, func(r *isa.ReportBody) [32]byte { return r.MREnclave }, otherEnclave),
	listed("mrsigner", "SHA-256 of the signer's key", hex32, func(e *Enclave) *[][32]byte { return &e.MRSigner }, func(r *isa.ReportBody) [32]byte { return r.MRSigner }, otherEnclave),
	listed("isvprodid", "product ID of the signer", numberUpTo[uint16](0xffff), func(e *Enclave) *[]uint16 { return &e.ISVProdID }, func(r *isa.ReportBody) uint16 { return r.ISVProdID }, otherEnclave),
	atLeast("min_isvsvn", "least security version", func(e *Enclave) *uint16 { return &e.MinISVSVN }, func(r *isa.ReportBody) uint16 { return r.ISVSVN }, "update the enclave"),
	listed("configid", "CONFIGID, which the host chooses (KSS)", hex64, func(e *Enclave) *[][64]byte { return &e.ConfigID }, func(r *isa.ReportBody) [64]byte { return r.ConfigID }, otherEnclave),
	atLeast("min_configsvn", "least CONFIGSVN (KSS)", func(e *Enclave) *uint16 { return &e.MinConfigSVN }, func(r *isa.ReportBody) uint16 { return r.ConfigSVN }, "update the configuration of the enclave"),
	listed("isvextprodid", "extended product ID (KSS)", idCodec, func(e *Enclave) *[][16]byte { return &e.ISVExtProdID }, func(r *isa.ReportBody) [16]byte { return r.ISVExtProdID }, otherEnclave),
	listed("isvfamilyid", "family ID (KSS)", idCodec, func(e *Enclave) *[][16]byte { return &e.ISVFamilyID }, func(r *isa.ReportBody) [16]byte { return r.ISVFamilyID }, otherEnclave),
	required("attributes_required", "flags of ATTRIBUTES that must be set", attributeBits, func(e *Enclave) *isa.AttributeFlags { return &e.AttributesRequired }, attributes, buildAdvice),
	forbidden("attributes_forbidden", "flags that must not be", attributeBits, func(e *Enclave) *isa.AttributeFlags { return &e.AttributesForbidden }, attributes, buildAdvice),
	required("xfrm_required", "components of XFRM that must be enabled", xfrmBits, func(e *Enclave) *isa.XFRM { return &e.XFRMRequired }, xfrm, buildAdvice),
	forbidden("xfrm_forbidden", "components that must not be", xfrmBits, func(e *Enclave) *isa.XFRM { return &e.XFRMForbidden }, xfrm, buildAdvice),
	required("miscselect_required", "bits of MISCSELECT that must be set", miscBits, func(e *Enclave) *isa.MiscSelect { return &e.MiscSelectRequired }, misc, buildAdvice),
	forbidden("miscselect_forbidden", "bits that must not be", miscBits, func(e *Enclave) *isa.MiscSelect { return &e.MiscSelectForbidden }, misc, buildAdvice),
	allow("allow_debug", "accept DEBUG", func(e *Enclave) *bool { return &e.AllowDebug },
		func(r *isa.ReportBody) string { return having(attributes(r)&isa.AttrDebug, attributeBits) }, "an enclave without DEBUG", debugAdvice),
	allow("allow_provision_key", "accept PROVISION_KEY, with which an enclave can tell platforms apart for ever", func(e *Enclave) *bool { return &e.AllowProvisionKey },
		func(r *isa.ReportBody) string { return having(attributes(r)&isa.AttrProvisionKey, attributeBits) }, "an enclave without PROVISION_KEY", buildAdvice),
}

func attributes(r *isa.ReportBody) isa.AttributeFlags { return r.Attributes.Flags }
func xfrm(r *isa.ReportBody) isa.XFRM                 { return r.Attributes.XFRM }
func misc(r *isa.ReportBody) isa.MiscSelect           { return r.MiscSelect }

// allow makes a key for what is refused without it; has is empty if it is not
// there.
func allow[S, F any](key, about string, p func(*S) *bool, has func(*F) string, wanted, advice string) rule[S, F] {
	return advised(one[S, F](key, about, toggles, p), advice, func(s *S, f *F) *Failure {
		if found := has(f); found != "" && !*p(s) {
			return note(wanted, found)
		}
		return nil
	})
}

// having names bits, none by an empty text.
func having[W ~uint64](v W, names []bitName) string {
	return strings.Join(nameBits(uint64(v), names), ", ")
}

// tdRules are a section "tdx".
var tdRules = []rule[TD, dcap.Quote]{
	one[TD, dcap.Quote]("name", "a name for messages", title, func(t *TD) *string { return &t.Name }),
	one[TD, dcap.Quote]("any", "any TD, in place of `mrtd`", toggles, func(t *TD) *bool { return &t.Any }),
	register("mrtd", "measurement of what the TD starts with", func(t *TD) *[][48]byte { return &t.MRTD }, func(r *dcap.TDReport10) [48]byte { return r.MRTD }),
	register("rtmr0", "RTMR0", func(t *TD) *[][48]byte { return &t.RTMR[0] }, func(r *dcap.TDReport10) [48]byte { return r.RTMR[0] }),
	register("rtmr1", "RTMR1", func(t *TD) *[][48]byte { return &t.RTMR[1] }, func(r *dcap.TDReport10) [48]byte { return r.RTMR[1] }),
	register("rtmr2", "RTMR2", func(t *TD) *[][48]byte { return &t.RTMR[2] }, func(r *dcap.TDReport10) [48]byte { return r.RTMR[2] }),
	register("rtmr3", "RTMR3", func(t *TD) *[][48]byte { return &t.RTMR[3] }, func(r *dcap.TDReport10) [48]byte { return r.RTMR[3] }),
	register("mrseam", "measurement of the TDX module at launch", func(t *TD) *[][48]byte { return &t.MRSEAM }, func(r *dcap.TDReport10) [48]byte { return r.MRSEAM }),
	register("mrsignerseam", "signer of the TDX module; zeros are Intel", func(t *TD) *[][48]byte { return &t.MRSignerSEAM }, func(r *dcap.TDReport10) [48]byte { return r.MRSignerSEAM }),
	register("mrconfigid", "MRCONFIGID, which the host chooses", func(t *TD) *[][48]byte { return &t.MRConfigID }, func(r *dcap.TDReport10) [48]byte { return r.MRConfigID }),
	register("mrowner", "MROWNER, which the host chooses", func(t *TD) *[][48]byte { return &t.MROwner }, func(r *dcap.TDReport10) [48]byte { return r.MROwner }),
	register("mrownerconfig", "MROWNERCONFIG, which the host chooses", func(t *TD) *[][48]byte { return &t.MROwnerConfig }, func(r *dcap.TDReport10) [48]byte { return r.MROwnerConfig }),
	advised(many[TD, dcap.Quote]("mrservicetd", "the service TDs that are bound to it (TDX 1.5); zeros are none", hex48, func(t *TD) *[][48]byte { return &t.MRServiceTD }), otherTD, (*TD).checkServiceTD),
	required("attributes_required", "bits of ATTRIBUTES that must be set", tdAttributeBits, func(t *TD) *dcap.TDAttributes { return &t.AttributesRequired }, tdAttributes, tdStartAdvice),
	forbidden("attributes_forbidden", "bits that must not be", tdAttributeBits, func(t *TD) *dcap.TDAttributes { return &t.AttributesForbidden }, tdAttributes, tdStartAdvice),
	required("xfam_required", "components of XFAM that must be enabled", xfamBits, func(t *TD) *uint64 { return &t.XFAMRequired }, xfam, tdStartAdvice),
	forbidden("xfam_forbidden", "components that must not be", xfamBits, func(t *TD) *uint64 { return &t.XFAMForbidden }, xfam, tdStartAdvice),
	advised(one[TD, dcap.Quote]("min_tee_tcb_svn", "the least that each byte of TEE_TCB_SVN may be, at launch and now", idCodec, func(t *TD) *[16]byte { return &t.MinTEETCBSVN }), "update the TDX module", (*TD).checkSVN),
	allow("allow_debug", "accept any of TUD, the lowest byte of ATTRIBUTES: debug and profiling", func(t *TD) *bool { return &t.AllowDebug },
		func(q *dcap.Quote) string {
			return having(tdAttributes(q)&dcap.TDUntrustedDebug, tdAttributeBits)
		}, "a TD without any attribute of TUD", debugAdvice),
	advised(one[TD, dcap.Quote]("allow_migratable", "accept MIGRATABLE without `mrservicetd`: the host chooses who may take the TD elsewhere", toggles, func(t *TD) *bool { return &t.AllowMigratable }),
		"name the service TDs (mrservicetd), or start the TD without MIGRATABLE", (*TD).checkMigratable),
}

func tdAttributes(q *dcap.Quote) dcap.TDAttributes { return q.TDReport().TDAttributes }
func xfam(q *dcap.Quote) uint64                    { return q.TDReport().XFAM }

func register(key, about string, p func(*TD) *[][48]byte, fact func(*dcap.TDReport10) [48]byte) rule[TD, dcap.Quote] {
	return listed(key, about, hex48, p, func(q *dcap.Quote) [48]byte { return fact(q.TDReport()) }, otherTD)
}

func (t *TD) checkServiceTD(q *dcap.Quote) *Failure {
	r := q.TDReport15()
	switch {
	case len(t.MRServiceTD) == 0 || r != nil && slices.Contains(t.MRServiceTD, r.MRServiceTD):
		return nil
	case r == nil:
		return note(anyOf(t.MRServiceTD, hex48.write), "a quote of TDX 1.0, which does not say")
	}
	return note(anyOf(t.MRServiceTD, hex48.write), hex48.write(r.MRServiceTD))
}

func (t *TD) checkSVN(q *dcap.Quote) *Failure {
	svns := []struct {
		when string
		svn  [16]byte
	}{{"at launch", q.TDReport().TEETCBSVN}}
	if r := q.TDReport15(); r != nil {
		svns = append(svns, svns[0])
		svns[1].when, svns[1].svn = "now", r.TEETCBSVN2
	}
	for _, s := range svns {
		for i, least := range t.MinTEETCBSVN {
			if s.svn[i] < least {
				return note(idCodec.write(t.MinTEETCBSVN)+" or more in each byte", fmt.Sprintf("%s %s", hex.EncodeToString(s.svn[:]), s.when))
			}
		}
	}
	return nil
}

func (t *TD) checkMigratable(q *dcap.Quote) *Failure {
	if tdAttributes(q)&dcap.TDMigratable == 0 || t.migratable() {
		return nil
	}
	return note("a TD that is not MIGRATABLE, or known service TDs", "MIGRATABLE")
}
