// Package policy judges the result of a verification: package verify says that
// a quote is genuine and what Intel says of the platform, a Policy says whether
// that is the enclave or TD that was meant, and whether it is good enough.
//
// A Policy is made by New from options, or read by ParseTOML or ParseJSON from a
// file; every option has a key in the file, and a rule that fails is named by
// it. Nothing is accepted by omission: a policy must name the enclaves and TDs
// that it is for, or say that it is for any; debug, statuses other than UpToDate,
// expired collateral and roots other than Intel's are refused unless the policy
// allows them. Some things no policy can allow: a quote that is not authentic, a
// platform that is revoked, and one whose TCB Intel says nothing of.
//
// There is no clock here: everything is measured at the time that the quote was
// verified for (verify.Result.At).
//
// Several rules are those of Intel's quote appraisal (grace periods, minimum
// TCB date and evaluation data number, advisories, platform flags); where their
// meaning differs, the option says so.
package policy
