package web

import (
	"slices"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
)

// verdict is what a TCB info says of a PCK certificate.
type verdict struct {
	Status dcap.TCBStatus // TCBUnknown if no level is met
	Level  *dcap.TCBLevel // that is met, or nil
	Index  int            // of Level in the TCB info
	Steps  []step         // to better levels: the nearest, and the best if that is of another status
	Why    string         // why there is no verdict, else ""
	TEE    string         // of the TCB info
	All    *dcap.TCBInfo  // the TCB info
}

// step is what it takes to get to a better level.
type step struct {
	Level  *dcap.TCBLevel
	Lacks  []verify.Shortfall
	Clears []string // advisories that concern the platform now, and would not any more
}

// judge finds the level of a TCB info that a certificate's TCB meets. The TDX
// module, which a certificate does not tell, is not looked at.
func judge(info *dcap.TCBInfo, pck *dcap.Certificate) verdict {
	v := verdict{All: info, TEE: info.ID, Index: slices.IndexFunc(info.Levels, func(l dcap.TCBLevel) bool { return meets(pck.SGX, &l) })}
	met := &verify.Evaluation{Index: max(v.Index, 0)}
	if v.Index >= 0 {
		v.Level = &info.Levels[v.Index]
		v.Status = v.Level.Status
		met.Platform = v.Level
	}
	// The explanations are those of a verification whose quote says nothing.
	r := &verify.Result{PCK: pck, Quote: &dcap.Quote{}, TCBInfo: info, Launch: met}
	better := r.Better()
	if len(better) == 0 {
		return v
	}
	next := better[0]
	for _, l := range better[1:] {
		if slices.Equal(r.Shortfalls(l), r.Shortfalls(next)) {
			next = l // the same update gets there, too
		}
	}
	v.Steps = append(v.Steps, v.step(r, next))
	if best := better[len(better)-1]; best.Status != next.Status {
		v.Steps = append(v.Steps, v.step(r, best))
	}
	return v
}

func meets(pck *dcap.PCKExtension, l *dcap.TCBLevel) bool {
	for i, have := range pck.TCB {
		if have < l.SGX[i].SVN {
			return false
		}
	}
	return pck.PCESVN >= l.PCESVN
}

func (v *verdict) step(r *verify.Result, l *dcap.TCBLevel) step {
	s := step{Level: l, Lacks: r.Shortfalls(l)}
	if v.Level != nil {
		s.Clears = slices.DeleteFunc(slices.Clone(v.Level.AdvisoryIDs), func(a string) bool { return slices.Contains(l.AdvisoryIDs, a) })
	}
	return s
}

// meanings say what a status asks of whom, in a few words.
var meanings = map[dcap.TCBStatus]string{
	dcap.UpToDate:                          "All of Intel's fixes are in.",
	dcap.SWHardeningNeeded:                 "The platform is current; enclaves have to be built with mitigations. No update changes this.",
	dcap.ConfigurationNeeded:               "The platform is current; a setting in the BIOS, such as hyper-threading, leaves it open.",
	dcap.ConfigurationAndSWHardeningNeeded: "The platform is current; a setting leaves it open, and enclaves need mitigations.",
	dcap.OutOfDate:                         "Fixes exist that the platform lacks: update BIOS and microcode.",
	dcap.OutOfDateConfigurationNeeded:      "Fixes exist that the platform lacks, and a setting leaves it open.",
	dcap.Revoked:                           "Intel has withdrawn its trust: keys of this level may be known.",
	dcap.TCBUnknown:                        "No level of the TCB info is met, or there is none.",
}

// tone is the class of a status.
func tone(s dcap.TCBStatus) string {
	switch s {
	case dcap.UpToDate:
		return "good"
	case dcap.SWHardeningNeeded, dcap.ConfigurationNeeded, dcap.ConfigurationAndSWHardeningNeeded:
		return "fair"
	case dcap.OutOfDate, dcap.OutOfDateConfigurationNeeded:
		return "poor"
	case dcap.Revoked:
		return "bad"
	}
	return "none"
}
