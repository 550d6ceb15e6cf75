package crosscheck

// Difference is a reason for which a peer answers otherwise than we do. What
// it says of the peer was read in the peer's source.
type Difference struct {
	Peer, Why string
	Cases     []Case
}

// Case is a set with different answers.
type Case struct {
	Set    string
	Theirs string // how it begins
	Ours   string // the code of the first step that is not OK
}

// explanation returns why the peer differs on the set, and how, or nil.
func explanation(set, peer string) (*Difference, *Case) {
	for i := range differences {
		d := &differences[i]
		for j := range d.Cases {
			if d.Peer == peer && d.Cases[j].Set == set {
				return d, &d.Cases[j]
			}
		}
	}
	return nil, nil
}

// differences is the table.
var differences = []Difference{
	{"go-tdx-guest", "it compares the FMSPC of the certificate, in lower case, with the text of the TCB info, where some of Intel's have upper case", []Case{
		{"made/letters-in-fmspc", "rejected FMSPC from PCK Certificate", "STATUS_OK"},
		{"02-tdx-v4-B0C06F000000", "rejected FMSPC from PCK Certificate", "STATUS_OK"},
	}},
	{"go-tdx-guest", "it takes no certificate of the Processor CA", []Case{
		{"made/processor-ca", "rejected unable to validate Intermediate CA certificate", "STATUS_OK"},
	}},
	{"go-tdx-guest", "it looks at the end of validity of lists and documents, not at the beginning", []Case{
		{"made/pck-crl-of-tomorrow", "accepted", "STATUS_SGX_CRL_EXPIRED"},
		{"made/tcb-info-of-tomorrow", "accepted", "STATUS_SGX_TCB_INFO_EXPIRED"},
	}},
	{"go-tdx-guest", "it takes the first level that is met in the document's order; Intel's library and we sort them", []Case{
		{"made/levels-from-the-lowest-up", "rejected TDX TCB info reported by Intel PCS failed TCB status check", "STATUS_OK"},
	}},

	{"dcap-qvl-js", "it refuses enclaves and TDs under debug; with us that is for a policy to do", []Case{
		{"made/debug-enclave", "rejected Debug mode is enabled", "STATUS_OK"},
		{"made/debug-td", "rejected Debug mode is enabled", "STATUS_OK"},
		{"09-tdx-v4-50806F000000-trustee-debugTD", "rejected Debug mode is enabled", "STATUS_OK"},
	}},
	{"dcap-qvl-js", "it looks for serial numbers in revocation lists, and verifies neither their signatures nor their dates", []Case{
		{"made/pck-crl-expired", "accepted UpToDate", "STATUS_SGX_CRL_EXPIRED"},
		{"made/pck-crl-of-tomorrow", "accepted UpToDate", "STATUS_SGX_CRL_EXPIRED"},
		{"made/pck-crl-signed-by-another", "accepted UpToDate", "STATUS_SGX_CRL_INVALID_SIGNATURE"},
		{"made/root-crl-signed-by-another", "accepted UpToDate", "STATUS_SGX_CRL_INVALID_SIGNATURE"},
		{"07-tdx-v4-00A06D080000-trustee", "accepted OutOfDate", "STATUS_SGX_CRL_EXPIRED"},
		{"12-sgx-v3-00606A000000-oasis", "accepted SWHardeningNeeded", "STATUS_SGX_CRL_EXPIRED"},
	}},
	{"dcap-qvl-js", "it does not look at the TDX module: neither its signer nor its identities", []Case{
		{"made/module-unknown", "accepted UpToDate", "STATUS_TDX_MODULE_MISMATCH"},
		{"made/module-of-another-signer", "accepted UpToDate", "STATUS_TDX_MODULE_MISMATCH"},
	}},
	{"dcap-qvl-js", "it compares the SVN of a module of major version 1 and more with component 0 of the levels, which is of modules of version 0, and knows no relaunch", []Case{
		{"made/module-out-of-date", "rejected No matching TCB level found", "STATUS_TCB_OUT_OF_DATE"},
		{"made/relaunch-advised", "rejected No matching TCB level found", "STATUS_TCB_TD_RELAUNCH_ADVISED"},
	}},
	{"dcap-qvl-js", "it takes the first level that is met in the document's order; Intel's library and we sort them", []Case{
		{"made/levels-from-the-lowest-up", "rejected TCB status is invalid: Revoked", "STATUS_OK"},
	}},
	{"dcap-qvl-js", "it reads no TCB info of version 2", []Case{
		{"16-sgx-v3-intel-synthetic", "rejected Failed to decode TcbInfo", "STATUS_OK"},
	}},
	{"dcap-qvl-js", "it reads no SGX quote of version 4, and no body of type 4", []Case{
		{"made/sgx-in-version-4", "rejected SGX TEE quote must have version 3", "STATUS_OK"},
		{"made/td-report-15-ex", "rejected Failed to decode quote: Unsupported body type", "STATUS_OK"},
	}},

	{"qvl", "it does not look at the issue date of TCB info", []Case{
		{"made/tcb-info-of-tomorrow", "STATUS_OK STATUS_OK STATUS_OK STATUS_OK", "STATUS_SGX_TCB_INFO_EXPIRED"},
	}},

	{"oasis-core", "it looks at no revocation list", []Case{
		{"made/pck-revoked", "accepted", "STATUS_SGX_PCK_REVOKED"},
		{"made/platform-ca-revoked", "accepted", "STATUS_SGX_INTERMEDIATE_CA_REVOKED"},
		{"made/tcb-signer-revoked", "accepted", "STATUS_SGX_TCB_SIGNING_CERT_REVOKED"},
		{"made/pck-crl-expired", "accepted", "STATUS_SGX_CRL_EXPIRED"},
		{"made/pck-crl-of-tomorrow", "accepted", "STATUS_SGX_CRL_EXPIRED"},
		{"made/pck-crl-signed-by-another", "accepted", "STATUS_SGX_CRL_INVALID_SIGNATURE"},
		{"made/root-crl-signed-by-another", "accepted", "STATUS_SGX_CRL_INVALID_SIGNATURE"},
		{"12-sgx-v3-00606A000000-oasis", "accepted", "STATUS_SGX_CRL_EXPIRED"},
	}},
	{"oasis-core", "documents end so many days after their issue as its policy says (here 90), not when they say themselves", []Case{
		{"made/tcb-info-expired", "accepted", "STATUS_SGX_TCB_INFO_EXPIRED"},
		{"made/qe-identity-expired", "accepted", "STATUS_SGX_ENCLAVE_IDENTITY_EXPIRED"},
	}},
	{"oasis-core", "it refuses enclaves and TDs under debug; with us that is for a policy to do", []Case{
		{"made/debug-enclave", "rejected pcs/quote: disallowed debug", "STATUS_OK"},
		{"made/debug-td", "rejected pcs/quote: disallowed debug", "STATUS_OK"},
		{"09-tdx-v4-50806F000000-trustee-debugTD", "rejected pcs/quote: disallowed debug", "STATUS_OK"},
	}},
	{"oasis-core", "it wants the PCK chain in the quote, and knows the PPID in clear by another size than Intel's library", []Case{
		{"made/encrypted-ppid", "rejected pcs/quote: no PCK certificate chain in quote", "STATUS_OK"},
		{"16-sgx-v3-intel-synthetic", "rejected pcs/quote: invalid PPID certification data length", "STATUS_OK"},
	}},
	{"oasis-core", "it writes the version in the name of a module's identity in decimal: it looks for TDX_16 where Intel's library looks for TDX_10", []Case{
		{"made/module-16", "rejected pcs/quote: failed to verify TCB bundle: pcs/tcb: failed to verify TCB info: pcs/tcb: failed to validate TCB level: pcs/tcb: failed to get TCB level: pcs/tcb: TDX module not supported", "STATUS_OK"},
	}},
	{"oasis-core", "it takes the first level that is met in the document's order; Intel's library and we sort them", []Case{
		{"made/levels-from-the-lowest-up", "rejected pcs/quote: failed to verify TCB bundle", "STATUS_OK"},
	}},

	{"go-tdx-guest-main", "where a module identity applies, the status of the module takes the place of the platform's: a platform of any status passes, even revoked", []Case{
		{"made/tdx4/SWHardeningNeeded", "accepted", "STATUS_TCB_SW_HARDENING_NEEDED"},
		{"made/tdx5/SWHardeningNeeded", "accepted", "STATUS_TCB_SW_HARDENING_NEEDED"},
		{"made/tdx4/ConfigurationNeeded", "accepted", "STATUS_TCB_CONFIGURATION_NEEDED"},
		{"made/tdx5/ConfigurationNeeded", "accepted", "STATUS_TCB_CONFIGURATION_NEEDED"},
		{"made/tdx4/ConfigurationAndSWHardeningNeeded", "accepted", "STATUS_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED"},
		{"made/tdx5/ConfigurationAndSWHardeningNeeded", "accepted", "STATUS_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED"},
		{"made/tdx4/OutOfDate", "accepted", "STATUS_TCB_OUT_OF_DATE"},
		{"made/tdx5/OutOfDate", "accepted", "STATUS_TCB_OUT_OF_DATE"},
		{"made/tdx4/OutOfDateConfigurationNeeded", "accepted", "STATUS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED"},
		{"made/tdx5/OutOfDateConfigurationNeeded", "accepted", "STATUS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED"},
		{"made/tdx4/Revoked", "accepted", "STATUS_TCB_REVOKED"},
		{"made/tdx5/Revoked", "accepted", "STATUS_TCB_REVOKED"},
		{"07-tdx-v4-00A06D080000-trustee", "accepted", "STATUS_SGX_CRL_EXPIRED"}, // of a future date, too
	}},
	{"go-tdx-guest-main", "it takes no certificate of the Processor CA", []Case{
		{"made/processor-ca", "rejected unable to validate Intermediate CA certificate", "STATUS_OK"},
	}},
	{"go-tdx-guest-main", "it looks at the end of validity of lists and documents, not at the beginning", []Case{
		{"made/pck-crl-of-tomorrow", "accepted", "STATUS_SGX_CRL_EXPIRED"},
		{"made/tcb-info-of-tomorrow", "accepted", "STATUS_SGX_TCB_INFO_EXPIRED"},
	}},
	{"go-tdx-guest-main", "it reads no body of type 4", []Case{
		{"made/td-report-15-ex", "rejected could not convert raw bytes to Quote", "STATUS_OK"},
	}},
}
