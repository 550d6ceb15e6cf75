package verify_test

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
)

// The tables of TCB statuses, in full: every status of the platform, with every
// one of quoting enclave and TDX module, at launch and now. The expected values
// come from an oracle that knows a status as a set of properties, which is
// another way to say the rules than that of the package.

// properties are what a status says.
type properties struct{ revoked, outOfDate, configuration, hardening, relaunch bool }

var statusProperties = map[dcap.TCBStatus]properties{
	dcap.UpToDate:                          {},
	dcap.SWHardeningNeeded:                 {hardening: true},
	dcap.ConfigurationNeeded:               {configuration: true},
	dcap.ConfigurationAndSWHardeningNeeded: {configuration: true, hardening: true},
	dcap.OutOfDate:                         {outOfDate: true},
	dcap.OutOfDateConfigurationNeeded:      {outOfDate: true, configuration: true},
	dcap.Revoked:                           {revoked: true},
}

// name is the result code of a set of properties.
func (p properties) name() string {
	name := "STATUS_TCB"
	switch {
	case p.revoked:
		return name + "_REVOKED"
	case p.relaunch:
		name += "_TD_RELAUNCH_ADVISED"
	case p.outOfDate:
		name += "_OUT_OF_DATE"
	}
	switch {
	case p.configuration && p.hardening:
		name += "_CONFIGURATION_AND_SW_HARDENING_NEEDED"
	case p.configuration:
		name += "_CONFIGURATION_NEEDED"
	case p.hardening:
		name += "_SW_HARDENING_NEEDED"
	}
	if name == "STATUS_TCB" {
		return "STATUS_OK"
	}
	return name
}

// point is a choice: the status of the platform, and those of the components.
// The zero status is that no level is met.
type point struct {
	platform, qe dcap.TCBStatus
	module       dcap.TCBStatus
	noModule     bool // a module of major version 0, or SGX: there is none to judge
}

// supported reports whether all are at some level.
func (p point) supported() bool {
	return p.platform != 0 && p.qe != 0 && (p.noModule || p.module != 0)
}

// together is what the components make of the platform: what is out of date or
// revoked of them is so of the whole; what was out of date already stays, and
// hardening is no more to be told of.
func (p point) together() properties {
	s := statusProperties[p.platform]
	components := []properties{statusProperties[p.qe]}
	if !p.noModule {
		components = append(components, statusProperties[p.module])
	}
	for _, c := range components {
		if c.revoked {
			s = properties{revoked: true}
		}
		if c.outOfDate && !s.revoked {
			s.outOfDate, s.hardening = true, false
		}
	}
	return s
}

// oracle is the result of a launch and of what runs now, which is nil but for
// TDX 1.5.
func oracle(launch point, current *point) string {
	if !launch.supported() || current != nil && !current.supported() {
		return "STATUS_TCB_NOT_SUPPORTED"
	}
	l := launch.together()
	if current != nil {
		if c := current.together(); l.outOfDate && !c.outOfDate && !c.revoked {
			l = properties{relaunch: true, configuration: l.configuration || c.configuration}
		}
	}
	return l.name()
}

// SVNs that choose a status in the worlds of this file.
var (
	platformSVN = map[dcap.TCBStatus]uint8{
		dcap.UpToDate: 9, dcap.SWHardeningNeeded: 8, dcap.ConfigurationNeeded: 7, dcap.ConfigurationAndSWHardeningNeeded: 6,
		dcap.OutOfDate: 5, dcap.OutOfDateConfigurationNeeded: 4, dcap.Revoked: 3, 0: 2,
	}
	componentSVN = map[dcap.TCBStatus]uint8{dcap.UpToDate: 6, dcap.OutOfDate: 4, dcap.Revoked: 2, 0: 1}
)

// tableDate and tableAdvisory are different for each level.
func tableDate(what string, s dcap.TCBStatus) time.Time {
	return time.Date(2020+len(what), time.Month(12-int(s)), 1+3*int(s), 0, 0, 0, 0, time.UTC)
}

func tableAdvisory(what string, s dcap.TCBStatus) string {
	return fmt.Sprintf("INTEL-SA-%s-%d", what, s)
}

// levelsOf makes a level for each SVN that has a status.
func levelsOf[L any](svns map[dcap.TCBStatus]uint8, what string, level func(svn uint8, date time.Time, s dcap.TCBStatus, advisories []string) L) []L {
	var list []L
	for s, svn := range svns {
		if s != 0 {
			list = append(list, level(svn, tableDate(what, s), s, []string{tableAdvisory(what, s), "INTEL-SA-ALL"}))
		}
	}
	return list
}

// tableWorld has levels that a single SVN of each part chooses from: for SGX
// that of component 1 in the PCK certificate, for TDX component 3 in the quote.
func tableWorld(k kind) *world {
	w := newWorld(k)
	info, id := w.info(), w.identity()
	info.Levels = levelsOf(platformSVN, "PLATFORM", func(svn uint8, date time.Time, s dcap.TCBStatus, a []string) dcap.TCBLevel {
		l := dcap.TCBLevel{PCESVN: 5, Date: date, Status: s, AdvisoryIDs: a}
		if k.tee() == dcap.TEETDX {
			l.TDX[2].SVN = svn
		} else {
			l.SGX[0].SVN = svn
		}
		return l
	})
	if k.tee() == dcap.TEETDX {
		info.TDXModuleIdentities[1].Levels = levelsOf(componentSVN, "MODULE", func(svn uint8, date time.Time, s dcap.TCBStatus, a []string) dcap.TDXModuleLevel {
			return dcap.TDXModuleLevel{ISVSVN: uint16(svn), Date: date, Status: s, AdvisoryIDs: a}
		})
	}
	id.Levels = levelsOf(componentSVN, "QE", func(svn uint8, date time.Time, s dcap.TCBStatus, a []string) dcap.IdentityLevel {
		return dcap.IdentityLevel{ISVSVN: uint16(svn), Date: date, Status: s, AdvisoryIDs: a}
	})
	w.m.SGX.TCB, w.m.SGX.PCESVN = [16]uint8{}, 5
	w.reissue()
	return w
}

// svns are the SVNs of a TD's TCB for a point.
func (p point) svns() (svn [16]byte) {
	svn[2] = platformSVN[p.platform]
	if !p.noModule {
		svn[0], svn[1] = componentSVN[p.module], 1
	}
	return svn
}

// points lists all choices that a kind of quote has.
func points(tee dcap.TEEType) (list []point) {
	platforms := slices.Sorted(maps.Keys(platformSVN))
	components := slices.Sorted(maps.Keys(componentSVN))
	for _, platform := range platforms {
		for _, qe := range components {
			list = append(list, point{platform: platform, qe: qe, noModule: true})
			if tee == dcap.TEESGX {
				continue
			}
			for _, module := range components {
				list = append(list, point{platform: platform, qe: qe, module: module})
			}
		}
	}
	return list
}

// checkPoint compares a result with the oracle.
func checkPoint(t *testing.T, r *verify.Result, err error, launch point, current *point) {
	t.Helper()
	want := oracle(launch, current)
	if got := r.Steps.Quote.Status.String(); got != want || !r.Authentic() {
		t.Errorf("launch %+v, now %+v: %s, want %s (authentic %v)\n%v", launch, current, got, want, r.Authentic(), err)
		return
	}
	if want == "STATUS_TCB_NOT_SUPPORTED" {
		if r.TCBStatus != dcap.TCBUnknown {
			t.Errorf("launch %+v, now %+v: not supported, and %v", launch, current, r.TCBStatus)
		}
		return
	}
	checkEvaluation(t, r.Launch, launch)
	if current == nil {
		current = &launch
	}
	checkEvaluation(t, r.Current, *current)
	if !r.TCBDate().Equal(r.Launch.Date) || r.QEStatus() != launch.qe {
		t.Errorf("TCB date %v and QE status %v are not those of the launch", r.TCBDate(), r.QEStatus())
	}
}

func checkEvaluation(t *testing.T, e *verify.Evaluation, p point) {
	t.Helper()
	date := tableDate("QE", p.qe)
	advisories := []string{"INTEL-SA-ALL", tableAdvisory("QE", p.qe), tableAdvisory("PLATFORM", p.platform)}
	dates := []time.Time{tableDate("PLATFORM", p.platform)}
	if !p.noModule {
		advisories = append(advisories, tableAdvisory("MODULE", p.module))
		dates = append(dates, tableDate("MODULE", p.module))
	}
	for _, d := range dates {
		if d.Before(date) {
			date = d
		}
	}
	slices.Sort(advisories)
	if !e.Date.Equal(date) || !slices.Equal(e.AdvisoryIDs, advisories) {
		t.Errorf("%+v: date %v, want %v; advisories %q, want %q", p, e.Date, date, e.AdvisoryIDs, advisories)
	}
	if got := e.Status; statusProperties[got] != p.together() {
		t.Errorf("%+v: evaluates to %v", p, got)
	}
	if e.Platform.Status != p.platform || e.QE.Status != p.qe || (e.ModuleLevel == nil) != p.noModule || e.ModuleLevel != nil && e.ModuleLevel.Status != p.module {
		t.Errorf("%+v: levels %v, %v, %v", p, e.Platform, e.QE, e.ModuleLevel)
	}
}

// TestTableSGX has a new PCK certificate for each status of the platform.
func TestTableSGX(t *testing.T) {
	for _, k := range sgxKinds {
		w := tableWorld(k)
		w.make()
		v := w.verifier(t)
		list := points(k.tee())
		for _, p := range list {
			w.m.SGX.TCB[0] = platformSVN[p.platform]
			w.reissue()
			w.q.QEReport.ISVSVN = uint16(componentSVN[p.qe])
			r, err := v.Verify(w.q.Bytes(), w.c, w.at)
			checkPoint(t, r, err, p, nil)
		}
		t.Logf("%s: %d rows", k.name, len(list))
	}
}

// TestTableTDX10 is for TDs that do not say what runs now.
func TestTableTDX10(t *testing.T) {
	for _, k := range []kind{tdx4, tdx5} {
		w := tableWorld(k)
		w.make()
		v := w.verifier(t)
		list := points(k.tee())
		for _, p := range list {
			w.q.TD.TEETCBSVN = p.svns()
			w.q.QEReport.ISVSVN = uint16(componentSVN[p.qe])
			r, err := v.Verify(w.q.Bytes(), w.c, w.at)
			checkPoint(t, r, err, p, nil)
		}
		t.Logf("%s: %d rows", k.name, len(list))
	}
}

// TestTableTDX15 has all pairs of a launch and what runs now. They have one
// quoting enclave and the same PCK certificate. Every eleventh is made with the
// extended body, too.
func TestTableTDX15(t *testing.T) {
	w := tableWorld(tdx15)
	w.make()
	v := w.verifier(t)
	type pair struct{ launch, current point }
	var pairs []pair
	for _, launch := range points(dcap.TEETDX) {
		for _, current := range points(dcap.TEETDX) {
			if launch.qe == current.qe {
				pairs = append(pairs, pair{launch, current})
			}
		}
	}
	var next, rows atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(pairs); i = int(next.Add(1)) - 1 {
				p := pairs[i]
				q := *w.q
				q.TD.TEETCBSVN, q.TD.TEETCBSVN2 = p.launch.svns(), p.current.svns()
				q.QEReport.ISVSVN = uint16(componentSVN[p.launch.qe])
				bodies := []dcap.BodyType{dcap.BodyTD15, dcap.BodyTD15Ex}
				if i%11 != 0 {
					bodies = bodies[:1]
				}
				for _, q.BodyType = range bodies {
					r, err := v.Verify(q.Bytes(), w.c, w.at)
					checkPoint(t, r, err, p.launch, &p.current)
					rows.Add(1)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d rows", rows.Load())
	seen := map[string]bool{}
	for _, p := range pairs {
		seen[oracle(p.launch, &p.current)] = true
	}
	if len(seen) != 10 { // all but STATUS_TCB_UNRECOGNIZED_STATUS
		t.Errorf("%d results: %v", len(seen), seen)
	}
}

// The number of the table is not that of an old algorithm: these pairs have
// another result since 2026, in which the module counts that runs now.
func TestTableChanged(t *testing.T) {
	old := point{platform: dcap.UpToDate, qe: dcap.UpToDate, module: dcap.OutOfDate}
	if got := oracle(old, &old); got != "STATUS_TCB_OUT_OF_DATE" {
		t.Error(got)
	}
	w := tableWorld(tdx15)
	w.q.TD.TEETCBSVN, w.q.TD.TEETCBSVN2 = old.svns(), old.svns()
	w.q.QEReport.ISVSVN = 6
	w.check(t, verdict{quote: verify.StatusTCBOutOfDate})
}
