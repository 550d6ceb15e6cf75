package wire

import "github.com/feidi-dev/feidi/dcap/verify"

// cause is why a quote is not authentic, and whether that is the fault of its
// collateral alone: with the right one it may be authentic. That something is
// out of its time is no cause, because that does not hide what is forged.
func cause(r *verify.Result) (err error, collateral bool) {
	s := &r.Steps
	for _, c := range []struct {
		step  verify.Step
		fault bool // if it fails, that is the collateral's
	}{
		{s.PCKChain, ofCollateral(s.PCKChain.Status)},
		{s.TCBInfo, s.TCBInfo.Status != verify.StatusTrustedRootCAInvalid},
		{s.QEIdentity, s.QEIdentity.Status != verify.StatusTrustedRootCAInvalid},
		{s.Quote, ofCollateral(s.Quote.Status)},
	} {
		switch st := c.step.Status; {
		case st == verify.StatusOK || st.Expired() || st.TCB():
		case !c.fault:
			return c.step.Err, false
		case err == nil:
			err, collateral = c.step.Err, true
		}
	}
	if err == nil {
		err = r.Err()
	}
	return err, collateral
}

// ofCollateral reports whether a status of the steps that look at the quote
// says that revocation lists, TCB info or QE identity are missing, broken, or
// of another platform, TEE or CA.
func ofCollateral(s verify.Status) bool {
	switch s {
	case verify.StatusMissingParameters,
		verify.StatusSGXCRLUnsupportedFormat, verify.StatusSGXCRLUnknownIssuer, verify.StatusSGXCRLInvalid, verify.StatusSGXCRLInvalidExtensions,
		verify.StatusSGXCRLInvalidSignature, verify.StatusUnsupportedPCKRLFormat, verify.StatusInvalidPCKCRL,
		verify.StatusUnsupportedTCBInfoFormat, verify.StatusTCBInfoMismatch,
		verify.StatusUnsupportedQEIdentityFormat, verify.StatusQEIdentityMismatch:
		return true
	}
	return false
}
