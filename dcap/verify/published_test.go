package verify_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Intel's library has tables of its own verdicts in its unit and integration
// tests (release of 2026-07). The published_*_test.go files make each of their
// situations anew, with certificates, documents and quotes that are signed,
// where Intel's use mocks; so the verdict is that of all four steps.
//
// A row names the ones that it stands for as GROUP/NUMBER: the number is that
// of the test in Intel's file, from 1, and of the parameter after a dot. Where
// Intel's test replaces a part by a mock that answers something that this part
// never answers, the row has what the real part answers, and a comment.

// published are the groups and how many rows each has.
var published = []struct {
	group, about string
	rows         int
	parameters   map[int]int // number of a test that has parameters: how many
}{
	{"TCB", "statuses of TCB levels, TDX modules and quoting enclaves", 24, nil},
	{"V3", "verification of quotes of version 3", 24, map[int]int{9: 4, 24: 12}},
	{"V4", "of version 4", 31, map[int]int{28: 12}},
	{"V5", "of version 5", 36, map[int]int{33: 12}},
	{"PCK", "PCK certificate chains", 20, nil},
	{"CRL", "revocation lists", 23, nil},
	{"ID", "enclave identities", 7, nil},
	{"REPORT", "reports of quoting enclaves", 13, nil},
	{"INFO", "TCB info", 7, nil},
	{"SIGNER", "TCB signing chains", 10, nil},
	{"P3", "format of quotes of version 3", 24, nil},
	{"P4", "of version 4", 30, nil},
	{"P5", "of version 5", 39, nil},
	{"IT-PCK", "PCK certificate API", 14, nil},
	{"IT-CRL", "revocation list API", 8, nil},
	{"IT-INFO", "TCB info API", 8, nil},
	{"IT-ID", "enclave identity API", 7, nil},
	{"IT-REPORT", "enclave report API", 5, nil},
	{"IT-QUOTE", "quote API", 24, nil},
}

// absent are the rows that cannot be made here, and why.
var absent = map[string]string{
	"V3/24.2 V4/28.2 V5/33.2":             "a mock says that the QE report is malformed; any 384 bytes are a report, and in 2026 Intel's library never says so",
	"V3/9.3 V3/9.4":                       "certification data of types 4 and 5 that are a PPID, with the PCK certificate given aside: here the certificate is taken from the quote",
	"CRL/10 CRL/19":                       "a chain without any certificate at its end does not exist: one issued none of the others",
	"CRL/22 CRL/23":                       "an unexported function that asks whether the name of an issuer contains CA; rows CRL/12 and CRL/13 ask it on the way",
	"P3/3 P4/3 P5/3":                      "a header alone is not read: it is a part of a quote",
	"P3/13 P4/17 P5/26":                   "an iterator that has not moved does not exist",
	"IT-PCK/14":                           "a null pointer in place of the trusted root: without one, Intel's is trusted",
	"IT-ID/1 IT-ID/5":                     "null pointers in place of the trusted root, or of everything",
	"IT-REPORT/1 IT-REPORT/2":             "null pointers in place of a report: here it is a part of the quote",
	"IT-QUOTE/24":                         "the size of a buffer of the caller; results are values here",
	"IT-PCK/4 IT-CRL/8 IT-INFO/6":         "a trusted root that is no certificate: New refuses it, see TestBadRoots",
	"IT-CRL/5":                            "null pointers in a function that Intel deprecated; for missing lists see IT-PCK/11 to 13",
	"IT-REPORT/3":                         "a null pointer in place of an identity in a function that has no other argument; for a missing one see IT-ID/2",
	"IT-INFO/1":                           "null pointers in place of all arguments together; for each missing one see the rows of IT-PCK, IT-ID and IT-QUOTE",
	"P3/10 P4/13 P4/14 P5/21 P5/22 P5/23": "reports alone, field by field: dcap.TestBodyLayout has them",
}

// allRows are the rows of all files.
func allRows() []row {
	return slices.Concat(tcbRows(), quoteRows(), levelRows(), tdxRows(), pckRows(), crlRows(), identityRows(), reportRows(), infoRows(), signerRows(), formatRows(), apiRows())
}

func TestPublished(t *testing.T) {
	for _, r := range allRows() {
		if r.from == "" {
			t.Errorf("%s: stands for no row", r.name)
		}
		t.Run(strings.ReplaceAll(r.from, "/", "."), r.run)
	}
}

// TestPublishedComplete counts: each row of Intel's tables is made, or listed
// as absent, and none is both.
func TestPublishedComplete(t *testing.T) {
	made, missing := map[string]bool{}, map[string]bool{}
	for _, r := range allRows() {
		for _, f := range strings.Fields(r.from) {
			made[f] = true
		}
	}
	for list, why := range absent {
		for _, f := range strings.Fields(list) {
			if missing[f] || made[f] || why == "" {
				t.Errorf("%s is absent twice, or there, or without a reason", f)
			}
			missing[f] = true
		}
	}
	known, all, allMade := map[string]bool{}, 0, 0
	for _, p := range published {
		n, m := 0, 0
		for i := range p.rows {
			number := fmt.Sprintf("%s/%d", p.group, i+1)
			names := []string{number}
			if parameters, ok := p.parameters[i+1]; ok {
				names = nil
				for j := range parameters {
					names = append(names, number+"."+strconv.Itoa(j+1))
				}
			}
			for _, f := range names {
				known[f] = true
				n++
				if made[f] {
					m++
				}
				if !made[f] && !missing[f] {
					t.Errorf("%s is not made and not listed as absent", f)
				}
			}
		}
		all, allMade = all+n, allMade+m
		t.Logf("%-9s %3d of %3d rows made: %s", p.group, m, n, p.about)
	}
	for _, set := range []map[string]bool{made, missing} {
		for f := range set {
			if !known[f] {
				t.Errorf("no such row: %s", f)
			}
		}
	}
	t.Logf("%d of %d rows made", allMade, all)
}
