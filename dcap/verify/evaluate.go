package verify

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

// evaluateQuote evaluates the TCB of a quote whose signatures are good
// (TcbLevelCheck.cpp of Intel's library).
func (s *session) evaluateQuote(q *dcap.Quote) *Error {
	r := &s.result
	sgx, tcb, id := s.pck.pck.SGX, &s.tcb.TCBInfo, &s.identity.EnclaveIdentity
	var svn, svn2 *[16]byte // of the TDX module
	if td := q.TDReport(); td != nil {
		svn = &td.TEETCBSVN
	}
	if td := q.TDReport15(); td != nil {
		svn2 = &td.TEETCBSVN2
	}
	var err error
	r.Launch, err = evaluate(sgx, svn, q.QEReport.ISVSVN, tcb, id)
	r.Current = r.Launch
	if err == nil && svn2 != nil {
		if r.Current, err = evaluate(sgx, svn2, q.QEReport.ISVSVN, tcb, id); err != nil {
			err = fmt.Errorf("for the TDX module that runs now: %w", err)
		}
	}
	if err != nil {
		return &Error{Status: StatusTCBNotSupported, Err: err}
	}
	r.TCBStatus = r.Launch.Status
	if svn2 != nil {
		r.TCBStatus = relaunch(r.Launch.Status, r.Current.Status)
	}
	if r.TCBStatus == dcap.UpToDate {
		return nil
	}
	return &Error{Status: tcbStatus(r.TCBStatus), Err: shortOf{r, r.TCBStatus}}
}

// evaluate finds what Intel says of a set of SVNs; svn is that of the TDX
// module, nil for SGX. An error says that no level is met, and comes with what
// was found so far.
func evaluate(sgx *dcap.PCKExtension, svn *[16]byte, qeSVN uint16, tcb *dcap.TCBInfo, id *dcap.EnclaveIdentity) (*Evaluation, error) {
	e := &Evaluation{}
	for i := range tcb.Levels {
		if meets(sgx, svn, &tcb.Levels[i]) {
			e.Platform, e.Index = &tcb.Levels[i], i
			break
		}
	}
	if svn != nil && svn[1] > 0 {
		if e.Module = findModule(tcb, svn[1]); e.Module != nil {
			e.ModuleLevel = first(e.Module.Levels, func(l *dcap.TDXModuleLevel) bool { return uint16(svn[0]) >= l.ISVSVN })
		}
	}
	e.QE = first(id.Levels, func(l *dcap.IdentityLevel) bool { return qeSVN >= l.ISVSVN })
	switch {
	case e.Platform == nil:
		return e, errors.New("the platform meets none of the levels of the TCB info")
	case svn != nil && svn[1] > 0 && e.ModuleLevel == nil:
		return e, fmt.Errorf("the TDX module %s meets none of the levels of the TCB info", moduleID(svn[1]))
	case e.QE == nil:
		return e, fmt.Errorf("the quoting enclave has SVN %d and meets none of the levels of its identity", qeSVN)
	}
	e.Status, e.Date = converge(e.Platform.Status, e.QE.Status), earliest(e.Platform.Date, e.QE.Date)
	e.AdvisoryIDs = append(slices.Clone(e.Platform.AdvisoryIDs), e.QE.AdvisoryIDs...)
	if l := e.ModuleLevel; l != nil {
		e.Status, e.Date = converge(e.Platform.Status, e.QE.Status, l.Status), earliest(e.Date, l.Date)
		e.AdvisoryIDs = append(e.AdvisoryIDs, l.AdvisoryIDs...)
	}
	slices.Sort(e.AdvisoryIDs)
	e.AdvisoryIDs = slices.Compact(e.AdvisoryIDs)
	return e, nil
}

// meets reports whether a platform has at least the SVNs of a level.
func meets(sgx *dcap.PCKExtension, svn *[16]byte, l *dcap.TCBLevel) bool {
	for i := range l.SGX {
		if sgx.TCB[i] < l.SGX[i].SVN {
			return false
		}
	}
	if sgx.PCESVN < l.PCESVN {
		return false
	}
	if svn == nil {
		return true
	}
	for i := firstTDX(svn); i < len(svn); i++ {
		if svn[i] < l.TDX[i].SVN {
			return false
		}
	}
	return true
}

// firstTDX is the first TDX component that counts: the module's own two are
// judged by its identity from major version 1 on.
func firstTDX(svn *[16]byte) int {
	if svn[1] > 0 {
		return 2
	}
	return 0
}

func first[T any](list []T, ok func(*T) bool) *T {
	for i := range list {
		if ok(&list[i]) {
			return &list[i]
		}
	}
	return nil
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func moduleID(version uint8) string {
	const digits = "0123456789ABCDEF"
	return string([]byte{'T', 'D', 'X', '_', digits[version>>4], digits[version&15]})
}

func findModule(tcb *dcap.TCBInfo, version uint8) *dcap.TDXModuleIdentity {
	id := moduleID(version)
	return first(tcb.TDXModuleIdentities, func(m *dcap.TDXModuleIdentity) bool { return strings.EqualFold(m.ID, id) })
}

// converge is the status of a platform with those of quoting enclave and TDX
// module, which are up to date, out of date or revoked.
func converge(platform dcap.TCBStatus, components ...dcap.TCBStatus) dcap.TCBStatus {
	switch {
	case slices.Contains(components, dcap.Revoked):
		return dcap.Revoked
	case !slices.Contains(components, dcap.OutOfDate):
		return platform
	}
	switch platform {
	case dcap.UpToDate, dcap.SWHardeningNeeded:
		return dcap.OutOfDate
	case dcap.ConfigurationNeeded, dcap.ConfigurationAndSWHardeningNeeded:
		return dcap.OutOfDateConfigurationNeeded
	}
	return platform
}

// relaunch is the status of a TD whose module was updated since its launch
// (TDRelaunchCheck.cpp): if only the older module is out of date, to launch
// the TD again mends it.
func relaunch(launch, current dcap.TCBStatus) dcap.TCBStatus {
	if launch != dcap.OutOfDate && launch != dcap.OutOfDateConfigurationNeeded {
		return launch
	}
	switch current {
	case dcap.UpToDate, dcap.SWHardeningNeeded:
		if launch == dcap.OutOfDate {
			return dcap.RelaunchAdvised
		}
		return dcap.RelaunchAdvisedConfigurationNeeded
	case dcap.ConfigurationNeeded, dcap.ConfigurationAndSWHardeningNeeded:
		return dcap.RelaunchAdvisedConfigurationNeeded
	}
	return launch
}

// tcbStatus is the code for a status.
func tcbStatus(s dcap.TCBStatus) Status {
	switch s {
	case dcap.UpToDate:
		return StatusOK
	case dcap.SWHardeningNeeded:
		return StatusTCBSWHardeningNeeded
	case dcap.ConfigurationNeeded:
		return StatusTCBConfigurationNeeded
	case dcap.ConfigurationAndSWHardeningNeeded:
		return StatusTCBConfigurationAndSWHardeningNeeded
	case dcap.OutOfDate:
		return StatusTCBOutOfDate
	case dcap.OutOfDateConfigurationNeeded:
		return StatusTCBOutOfDateConfigurationNeeded
	case dcap.Revoked:
		return StatusTCBRevoked
	case dcap.RelaunchAdvised:
		return StatusTCBTDRelaunchAdvised
	case dcap.RelaunchAdvisedConfigurationNeeded:
		return StatusTCBTDRelaunchAdvisedConfigurationNeeded
	}
	return StatusTCBUnrecognizedStatus
}
