package verify_test

import (
	"slices"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
)

// svn returns SVNs of a TDX module's TCB: minor, major, and the same in all
// others.
func svn(minor, major, rest byte) (s [16]byte) {
	for i := range s {
		s[i] = rest
	}
	s[0], s[1] = minor, major
	return s
}

// tdxLevel is a level that asks nothing of SGX components.
func tdxLevel(components [16]byte, s dcap.TCBStatus, advisories ...string) dcap.TCBLevel {
	l := dcap.TCBLevel{Status: s, AdvisoryIDs: advisories, Date: testEpoch.AddDate(0, -int(s), 0)}
	for i := range l.TDX {
		l.TDX[i].SVN = components[i]
	}
	return l
}

var testEpoch = newWorld(tdx4).pki.Now

// tdx puts a TD at SVNs, with the levels of a TCB info.
func tdx(launch, current [16]byte, levels ...dcap.TCBLevel) func(*world) {
	return func(w *world) {
		w.q.TD.TEETCBSVN, w.q.TD.TEETCBSVN2 = launch, current
		w.info().Levels = levels
	}
}

const moduleAdvisory = "INTEL-SA-00009"

// withModule adds the levels of module TDX_01: up to date at 3, out of date at
// 2 with an advisory.
func withModule(f func(*world)) func(*world) {
	return func(w *world) {
		f(w)
		w.info().TDXModuleIdentities[1].Levels = []dcap.TDXModuleLevel{
			{ISVSVN: 3, Status: dcap.UpToDate, Date: w.pki.Now.AddDate(-3, 0, 0)},
			{ISVSVN: 2, Status: dcap.OutOfDate, Date: w.pki.Now.AddDate(-4, 0, 0), AdvisoryIDs: []string{moduleAdvisory}},
		}
	}
}

// evaluations checks statuses and advisories at launch and now.
func evaluations(launch dcap.TCBStatus, advisories []string, current dcap.TCBStatus, currentAdvisories []string) func(*testing.T, *verify.Result) {
	return func(t *testing.T, r *verify.Result) {
		t.Helper()
		l, c := r.Launch, r.Current
		if l.Status != launch || !slices.Equal(l.AdvisoryIDs, advisories) || c.Status != current || !slices.Equal(c.AdvisoryIDs, currentAdvisories) {
			t.Errorf("launch %v %q, now %v %q", l.Status, l.AdvisoryIDs, c.Status, c.AdvisoryIDs)
		}
	}
}

// tdxRows are about TDs: their module, and what runs now.
func tdxRows() []row {
	mismatch := verdict{quote: verify.StatusTDXModuleMismatch}
	backoff := []dcap.TCBLevel{tdxLevel(svn(0xf0, 0xf0, 0xf0), dcap.UpToDate), tdxLevel(svn(0, 0, 0), dcap.OutOfDate, "INTEL-SA-00001")}
	notAll := svn(0x50, 0, 0)
	notAll[15] = 1
	upTo := func(s dcap.TCBStatus, launch dcap.TCBStatus, major byte) func(*world) {
		l, c := svn(2, major, 0), svn(3, major, 0)
		return withModule(tdx(l, c, tdxLevel(c, s), tdxLevel(l, launch, "INTEL-SA-00001")))
	}
	only := []string{"INTEL-SA-00001"}
	return []row{
		{from: "V4/8 IT-QUOTE/18", name: "TDX module of major version 0", kinds: []kind{tdx4, tdx5},
			edit: tdx(svn(0x50, 0, 0), svn(0, 0, 0), tdxLevel(svn(0x50, 0, 0), dcap.UpToDate)),
			check: func(t *testing.T, r *verify.Result) {
				if r.Launch.Module != nil || len(r.AdvisoryIDs()) != 0 {
					t.Errorf("module %v, advisories %q", r.Launch.Module, r.AdvisoryIDs())
				}
			}},
		{from: "V4/9 V5/8 IT-QUOTE/17", name: "TDX module with an identity, and advisories of all parts", kinds: []kind{tdx4, tdx5},
			edit: func(w *world) {
				tdx(svn(0x50, 1, 0), svn(0, 0, 0), tdxLevel(svn(0x50, 1, 0), dcap.UpToDate, "INTEL-SA-00003"))(w)
				w.info().TDXModuleIdentities[1].Levels = []dcap.TDXModuleLevel{{ISVSVN: 0x50, Status: dcap.UpToDate, AdvisoryIDs: []string{moduleAdvisory}, Date: w.pki.Now.AddDate(-3, 0, 0)}}
				w.pki.TDQE.Levels[0].AdvisoryIDs = []string{"INTEL-SA-00002", moduleAdvisory}
			},
			check: func(t *testing.T, r *verify.Result) {
				if want := []string{"INTEL-SA-00002", "INTEL-SA-00003", moduleAdvisory}; !slices.Equal(r.AdvisoryIDs(), want) || !r.TCBDate().Equal(testEpoch.AddDate(-3, 0, 0)) {
					t.Errorf("advisories %q, want %q; date %v", r.AdvisoryIDs(), want, r.TCBDate())
				}
			}},
		{from: "V4/10 V5/15", name: "SEAMATTRIBUTES not zero, without module identity", kinds: tdxKinds, want: mismatch, edit: func(w *world) {
			w.q.TD.TEETCBSVN, w.q.TD.SEAMAttributes = svn(0x50, 0, 9), [8]byte{1}
			w.info().TDXModule.AttributesMask[0] = 0 // does not help
		}},
		{from: "V4/13 V5/18 IT-QUOTE/20", name: "SEAMATTRIBUTES not zero, with module identity", kinds: tdxKinds, want: mismatch,
			edit: func(w *world) { w.q.TD.SEAMAttributes = [8]byte{1, 1, 1, 1, 1, 1, 1, 1} }},
		{from: "V4/12 V5/17 IT-QUOTE/19", name: "MRSIGNERSEAM of another", kinds: tdxKinds, want: mismatch,
			edit: func(w *world) { w.q.TD.MRSignerSEAM[47] = 1 }},
		{from: "V4/11 V5/16", name: "identity of the quoting enclave of SGX", kinds: tdxKinds, want: verdict{quote: verify.StatusQEIdentityMismatch},
			made: func(w *world) { w.c.QEIdentity = w.pki.IdentityJSON(w.pki.QE) }},
		{from: "V4/29 V5/34", name: "the first level asks more of TDX", kinds: []kind{tdx4, tdx5}, want: verdict{quote: verify.StatusTCBOutOfDate},
			edit:  tdx(svn(0x50, 0, 0), svn(0, 0, 0), backoff...),
			check: evaluations(dcap.OutOfDate, only, dcap.OutOfDate, only)},
		{from: "V4/30 V5/35", name: "the first level asks more of one TDX component", kinds: []kind{tdx4, tdx5}, want: verdict{quote: verify.StatusTCBOutOfDate},
			edit: tdx(svn(0x50, 0, 0), svn(0, 0, 0), tdxLevel(notAll, dcap.UpToDate), backoff[1])},
		{from: "V4/31 V5/36", name: "all levels ask more of TDX", kinds: []kind{tdx4, tdx5}, want: verdict{quote: verify.StatusTCBNotSupported},
			edit: tdx(svn(0x50, 0, 0), svn(0, 0, 0), backoff[0], tdxLevel(svn(0x60, 0x60, 0x60), dcap.OutOfDate))},

		{from: "V5/9", name: "TDX 1.5", kinds: []kind{tdx15, tdx15x}, edit: withModule(tdx(svn(3, 1, 0), svn(3, 1, 0), tdxLevel(svn(0x50, 1, 0), dcap.UpToDate))),
			check: evaluations(dcap.UpToDate, nil, dcap.UpToDate, nil)},
		{from: "V5/10", name: "TDX 1.5 with a module of major version 0", kinds: []kind{tdx15, tdx15x},
			edit: tdx(svn(0x50, 0, 0), svn(0x52, 0, 0), tdxLevel(svn(0x50, 0, 0), dcap.UpToDate))},
		{from: "V5/11", name: "relaunch advised, module of major version 0", kinds: []kind{tdx15, tdx15x}, want: verdict{quote: verify.StatusTCBTDRelaunchAdvised},
			edit: upTo(dcap.UpToDate, dcap.OutOfDate, 0), check: evaluations(dcap.OutOfDate, only, dcap.UpToDate, nil)},
		// The levels differ in the module's SVNs only, which do not count from
		// major version 1 on: the first level is met by both.
		{from: "V5/12", name: "relaunch advised, module of major version 1", kinds: []kind{tdx15, tdx15x}, want: verdict{quote: verify.StatusTCBTDRelaunchAdvised},
			edit: upTo(dcap.UpToDate, dcap.OutOfDate, 1), check: evaluations(dcap.OutOfDate, []string{moduleAdvisory}, dcap.UpToDate, nil)},
		{from: "V5/13", name: "relaunch advised and configuration needed, module of major version 0", kinds: []kind{tdx15, tdx15x},
			want: verdict{quote: verify.StatusTCBTDRelaunchAdvisedConfigurationNeeded},
			edit: upTo(dcap.UpToDate, dcap.OutOfDateConfigurationNeeded, 0), check: evaluations(dcap.OutOfDateConfigurationNeeded, only, dcap.UpToDate, nil)},
		{from: "V5/14", name: "relaunch advised and configuration needed, module of major version 1", kinds: []kind{tdx15, tdx15x},
			want: verdict{quote: verify.StatusTCBTDRelaunchAdvisedConfigurationNeeded},
			edit: upTo(dcap.ConfigurationNeeded, dcap.OutOfDate, 1), check: evaluations(dcap.OutOfDateConfigurationNeeded, []string{moduleAdvisory}, dcap.ConfigurationNeeded, nil)},
	}
}

// tcbRows are the table of TCB statuses. There are two levels: the latest asks
// 0xf0 of all components and PCESVN 10, the earliest 0 and 5. Module TDX_F0 is
// that of the latest SVNs; the earliest have none. QE SVN 5 is up to date, 2
// revoked, 1 out of date. Where Intel's row has no identity, here is one that is
// up to date, which changes nothing: one is needed here.
func tcbRows() []row {
	const (
		utd, rkd, ood = dcap.UpToDate, dcap.Revoked, dcap.OutOfDate
		shn, cn       = dcap.SWHardeningNeeded, dcap.ConfigurationNeeded
		cnshn, oodcn  = dcap.ConfigurationAndSWHardeningNeeded, dcap.OutOfDateConfigurationNeeded
	)
	const outOfDate, relaunch, relaunchCN = verify.StatusTCBOutOfDate, verify.StatusTCBTDRelaunchAdvised, verify.StatusTCBTDRelaunchAdvisedConfigurationNeeded
	list := []struct {
		latest, earliest, module dcap.TCBStatus
		oldPCK, oldLaunch, oldQ2 bool // the earliest SVNs in the PCK certificate, and in the quote
		qe                       uint16
		want                     verify.Status
	}{
		{utd, ood, utd, false, false, false, 5, verify.StatusOK},
		{utd, ood, utd, false, false, false, 5, verify.StatusOK},
		{utd, rkd, utd, false, false, false, 5, verify.StatusOK},
		{utd, rkd, utd, false, false, false, 5, verify.StatusOK},

		{rkd, ood, utd, false, false, false, 5, verify.StatusTCBRevoked},
		{utd, ood, rkd, false, false, false, 5, verify.StatusTCBRevoked},
		{rkd, ood, utd, false, false, false, 5, verify.StatusTCBRevoked},
		{utd, ood, rkd, false, false, false, 5, verify.StatusTCBRevoked},
		{utd, ood, utd, false, false, false, 2, verify.StatusTCBRevoked},

		{utd, ood, utd, true, true, true, 5, outOfDate},
		{utd, ood, utd, true, false, false, 5, outOfDate},
		{rkd, ood, ood, false, true, false, 5, outOfDate},
		{ood, ood, utd, false, false, false, 5, outOfDate},
		{utd, ood, utd, false, false, false, 1, outOfDate},
		{utd, ood, ood, false, true, false, 5, outOfDate},
		{utd, ood, ood, false, true, false, 5, outOfDate},

		{shn, ood, utd, false, false, false, 5, verify.StatusTCBSWHardeningNeeded},
		{utd, shn, utd, true, false, false, 5, verify.StatusTCBSWHardeningNeeded},

		{cnshn, ood, utd, false, false, false, 5, verify.StatusTCBConfigurationAndSWHardeningNeeded},
		{utd, cnshn, utd, true, false, false, 5, verify.StatusTCBConfigurationAndSWHardeningNeeded},

		{utd, ood, utd, false, true, false, 5, relaunch},
		{utd, ood, utd, false, true, false, 5, relaunch},

		{utd, oodcn, utd, false, true, false, 5, relaunchCN},
		{cn, ood, utd, false, true, false, 5, relaunchCN},
	}
	latest, earliest := svn(0xf0, 0xf0, 0xf0), svn(0, 0, 0)
	choose := func(old bool) [16]byte {
		if old {
			return earliest
		}
		return latest
	}
	var rows []row
	for i, c := range list {
		rows = append(rows, row{from: "TCB/" + decimal(i+1), name: c.want.String(), kinds: []kind{tdx15, tdx15x}, want: verdict{quote: c.want},
			edit: func(w *world) {
				first, second := tdxLevel(latest, c.latest), tdxLevel(earliest, c.earliest)
				first.PCESVN, second.PCESVN = 10, 5
				for i := range first.SGX {
					first.SGX[i].SVN = latest[i]
				}
				tdx(choose(c.oldLaunch), choose(c.oldQ2), first, second)(w)
				w.m.SGX.TCB, w.m.SGX.PCESVN = choose(c.oldPCK), 10
				if c.oldPCK {
					w.m.SGX.PCESVN = 5
				}
				w.reissue()
				modules := w.info().TDXModuleIdentities
				modules[0].ID, modules[0].Levels = "TDX_f0", []dcap.TDXModuleLevel{{Status: c.module, Date: w.pki.Now}}
				modules[1].ID, modules[1].Levels = "TDX_00", []dcap.TDXModuleLevel{{Status: ood, Date: w.pki.Now}}
				w.pki.TDQE.Levels = []dcap.IdentityLevel{{ISVSVN: 5, Status: utd, Date: w.pki.Now}, {ISVSVN: 2, Status: rkd, Date: w.pki.Now}, {ISVSVN: 1, Status: ood, Date: w.pki.Now}}
				w.q.QEReport.ISVSVN = c.qe
			}})
	}
	return rows
}
