package testpki

import (
	"fmt"
	"slices"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

// rung is a level of the default TCB info. There is one for each status, and
// each is one SVN below the one before it, so that a platform can be put at any.
type rung struct {
	status     dcap.TCBStatus
	svn        uint8 // of SGX components 1 and 2 and TDX component 3
	pcesvn     uint16
	date       time.Time
	advisories []string
}

var ladder = []rung{
	{dcap.UpToDate, 9, 15, day(2025, 11, 12), nil},
	{dcap.SWHardeningNeeded, 8, 14, day(2025, 5, 14), []string{"INTEL-SA-00615"}},
	{dcap.ConfigurationNeeded, 7, 13, day(2024, 11, 13), []string{"INTEL-SA-00289"}},
	{dcap.ConfigurationAndSWHardeningNeeded, 6, 12, day(2024, 3, 13), []string{"INTEL-SA-00289", "INTEL-SA-00615"}},
	{dcap.OutOfDate, 5, 11, day(2023, 8, 9), []string{"INTEL-SA-00615", "INTEL-SA-00837", "INTEL-SA-00960"}},
	{dcap.OutOfDateConfigurationNeeded, 4, 10, day(2022, 11, 9), []string{"INTEL-SA-00289", "INTEL-SA-00615", "INTEL-SA-00837"}},
	{dcap.Revoked, 3, 5, day(2021, 11, 10), []string{"INTEL-SA-00219", "INTEL-SA-00289", "INTEL-SA-00615"}},
}

// Versions of the TDX module that the default TCB info knows, and the SVN at
// which each is up to date.
const (
	moduleMajor = 1
	moduleSVN   = 6
)

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

// components returns the SGX components of a rung, or the TDX ones.
func (r rung) components(tee dcap.TEEType) [16]dcap.TCBComponent {
	if tee == dcap.TEETDX {
		return [16]dcap.TCBComponent{
			{SVN: 5, Category: "OS/VMM", Type: "TDX Module"},
			{Category: "OS/VMM", Type: "TDX Module"},
			{SVN: r.svn, Category: "OS/VMM", Type: "TDX Late Microcode Update"},
		}
	}
	return [16]dcap.TCBComponent{
		{SVN: r.svn, Category: "BIOS", Type: "Early Microcode Update"},
		{SVN: r.svn, Category: "OS/VMM", Type: "SGX Late Microcode Update"},
		{SVN: 2, Category: "OS/VMM", Type: "TXT SINIT"},
		{SVN: 2, Category: "BIOS"},
		{SVN: 255, Category: "BIOS"},
		{SVN: 1, Category: "BIOS"},
		{},
		{SVN: 5, Category: "OS/VMM", Type: "SEAMLDR ACM"},
	}
}

// DefaultTCBInfo returns a TCB info of version 3 with a level for each status,
// UpToDate first and Revoked last. That of TDX knows two versions of the
// module, TDX_03 and TDX_01; the latter is up to date at SVN 6, out of date at
// 4 and revoked at 2. It was issued 12 days before now.
func DefaultTCBInfo(tee dcap.TEEType, fmspc [6]byte, pceID [2]byte, now time.Time) *dcap.TCBInfo {
	info := &dcap.TCBInfo{
		ID: dcap.TCBInfoSGX, Version: 3,
		IssueDate: now.AddDate(0, 0, -12), NextUpdate: now.AddDate(0, 0, 18),
		FMSPC: fmspc, PCEID: pceID, EvaluationDataNumber: standardNumber,
	}
	for _, r := range ladder {
		level := dcap.TCBLevel{
			SGX: r.components(dcap.TEESGX), PCESVN: r.pcesvn,
			Date: r.date, Status: r.status, AdvisoryIDs: slices.Clone(r.advisories),
		}
		if tee == dcap.TEETDX {
			level.TDX = r.components(dcap.TEETDX)
		}
		info.Levels = append(info.Levels, level)
	}
	if tee == dcap.TEETDX {
		info.ID = dcap.TCBInfoTDX
		module := dcap.TDXModule{AttributesMask: [8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}
		info.TDXModule = &module
		info.TDXModuleIdentities = []dcap.TDXModuleIdentity{
			{ID: "TDX_03", TDXModule: module, Levels: []dcap.TDXModuleLevel{
				{ISVSVN: 3, Date: day(2025, 11, 12), Status: dcap.UpToDate},
			}},
			{ID: fmt.Sprintf("TDX_%02X", moduleMajor), TDXModule: module, Levels: []dcap.TDXModuleLevel{
				{ISVSVN: moduleSVN, Date: day(2025, 11, 12), Status: dcap.UpToDate},
				{ISVSVN: 4, Date: day(2024, 3, 13), Status: dcap.OutOfDate, AdvisoryIDs: []string{"INTEL-SA-01036", "INTEL-SA-01099"}},
				{ISVSVN: 2, Date: day(2023, 8, 9), Status: dcap.Revoked, AdvisoryIDs: []string{"INTEL-SA-00837"}},
			}},
		}
	}
	return info
}

// DefaultQE returns the identity of the quoting enclave of SGX: up to date at
// SVN 8, out of date at 6, revoked at 1.
func DefaultQE(now time.Time) *dcap.EnclaveIdentity {
	return identity(dcap.IdentityQE, signerQE, 1, 8, now)
}

// DefaultQVE returns the identity of the quote verification enclave, which is
// up to date at SVN 5, out of date at 3, revoked at 1.
func DefaultQVE(now time.Time) *dcap.EnclaveIdentity {
	return identity(dcap.IdentityQVE, signerQE, 2, 5, now)
}

// DefaultTDQE returns the identity of the quoting enclave of TDX: up to date at
// SVN 6, out of date at 4, revoked at 1.
func DefaultTDQE(now time.Time) *dcap.EnclaveIdentity {
	return identity(dcap.IdentityTDQE, signerTDQE, 2, 6, now)
}

// MRSIGNER of Intel's quoting enclaves, as their identities say.
var (
	signerQE = [32]byte{
		0x8c, 0x4f, 0x57, 0x75, 0xd7, 0x96, 0x50, 0x3e, 0x96, 0x13, 0x7f, 0x77, 0xc6, 0x8a, 0x82, 0x9a,
		0x00, 0x56, 0xac, 0x8d, 0xed, 0x70, 0x14, 0x0b, 0x08, 0x1b, 0x09, 0x44, 0x90, 0xc5, 0x7b, 0xff,
	}
	signerTDQE = [32]byte{
		0xdc, 0x9e, 0x2a, 0x7c, 0x6f, 0x94, 0x8f, 0x17, 0x47, 0x4e, 0x34, 0xa7, 0xfc, 0x43, 0xed, 0x03,
		0x0f, 0x7c, 0x15, 0x63, 0xf1, 0xba, 0xbd, 0xdf, 0x63, 0x40, 0xc8, 0x2e, 0x0e, 0x54, 0xa8, 0xc5,
	}
)

func identity(id string, signer [32]byte, prodID, svn uint16, now time.Time) *dcap.EnclaveIdentity {
	return &dcap.EnclaveIdentity{
		ID: id, Version: 2,
		IssueDate: now.AddDate(0, 0, -12), NextUpdate: now.AddDate(0, 0, 18),
		EvaluationDataNumber: standardNumber,
		MiscSelectMask:       0xffffffff,
		Attributes:           [16]byte{0x11}, // INIT and PROVISION_KEY; the mask lets MODE64BIT and XFRM go
		AttributesMask:       [16]byte{0xfb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		MRSigner:             signer, ISVProdID: prodID,
		Levels: []dcap.IdentityLevel{
			{ISVSVN: svn, Date: day(2025, 11, 12), Status: dcap.UpToDate},
			{ISVSVN: svn - 2, Date: day(2023, 8, 9), Status: dcap.OutOfDate, AdvisoryIDs: []string{"INTEL-SA-00615"}},
			{ISVSVN: 1, Date: day(2019, 5, 15), Status: dcap.Revoked, AdvisoryIDs: []string{"INTEL-SA-00219", "INTEL-SA-00615"}},
		},
	}
}

// Evaluation is a TCB evaluation data number and what it stands for.
type Evaluation struct {
	Number            uint32
	RecoveryEventDate time.Time // when Intel made the number public
	TCBDate           time.Time
}

// standardNumber is the evaluation data number of all defaults.
const standardNumber = 19

func defaultEvaluations() []Evaluation {
	return []Evaluation{
		{standardNumber + 1, day(2026, 2, 10), day(2026, 2, 11)},
		{standardNumber, day(2025, 11, 11), day(2025, 11, 12)},
		{standardNumber - 1, day(2025, 5, 13), day(2025, 5, 14)},
	}
}
