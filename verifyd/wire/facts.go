package wire

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/isa"
)

// Facts are what a quote and its collateral say. Bytes are hexadecimal digits.
type Facts struct {
	TEE          string `json:"tee,omitempty"` // "SGX" or "TDX"
	QuoteVersion uint16 `json:"quote_version,omitempty"`
	BodyType     string `json:"body_type,omitempty"`

	// The platform, as Intel judges it.
	TCBStatus            string      `json:"tcb_status,omitempty"` // Intel's word, such as "UpToDate"
	TCBDate              *time.Time  `json:"tcb_date,omitempty"`
	AdvisoryIDs          []string    `json:"advisory_ids,omitzero"`
	QEStatus             string      `json:"qe_status,omitempty"`
	QEISVSVN             *uint16     `json:"qe_isvsvn,omitempty"`
	Launch               *Evaluation `json:"launch,omitempty"`
	Current              *Evaluation `json:"current,omitempty"` // only if the quote says what runs now
	FMSPC                string      `json:"fmspc,omitempty"`
	PCEID                string      `json:"pceid,omitempty"`
	CA                   string      `json:"ca,omitempty"`   // "processor" or "platform"
	Root                 string      `json:"root,omitempty"` // "intel", or "sha256:" and the fingerprint of its key
	EvaluationDataNumber *uint32     `json:"evaluation_data_number,omitempty"`
	Expires              *time.Time  `json:"expires,omitempty"` // when the first of all documents does
	Validity             *Validity   `json:"validity,omitempty"`

	// An enclave.
	MREnclave    string  `json:"mrenclave,omitempty"`
	MRSigner     string  `json:"mrsigner,omitempty"`
	ISVProdID    *uint16 `json:"isvprodid,omitempty"`
	ISVSVN       *uint16 `json:"isvsvn,omitempty"`
	Attributes   string  `json:"attributes,omitempty"`
	XFRM         string  `json:"xfrm,omitempty"`
	MiscSelect   string  `json:"misc_select,omitempty"`
	ISVExtProdID string  `json:"isv_ext_prod_id,omitempty"` // this and the rest only if the enclave has KSS
	ISVFamilyID  string  `json:"isv_family_id,omitempty"`
	ConfigID     string  `json:"config_id,omitempty"`
	ConfigSVN    *uint16 `json:"config_svn,omitempty"`

	// A TD.
	MRTD          string   `json:"mrtd,omitempty"`
	RTMR          []string `json:"rtmr,omitempty"`
	MRConfigID    string   `json:"mrconfigid,omitempty"`
	MROwner       string   `json:"mrowner,omitempty"`
	MROwnerConfig string   `json:"mrownerconfig,omitempty"`
	MRServiceTD   string   `json:"mrservicetd,omitempty"`
	MRSEAM        string   `json:"mrseam,omitempty"`
	MRSignerSEAM  string   `json:"mrsignerseam,omitempty"`
	TDAttributes  string   `json:"td_attributes,omitempty"`
	XFAM          string   `json:"xfam,omitempty"`
	TEETCBSVN     string   `json:"tee_tcb_svn,omitempty"`
	TEETCBSVN2    string   `json:"tee_tcb_svn_2,omitempty"`

	Debug      *bool  `json:"debug,omitempty"`
	ReportData string `json:"report_data,omitempty"`
}

// Validity is when the documents began and end to say what they say.
type Validity struct {
	EarliestIssue        *time.Time `json:"earliest_issue,omitempty"`
	LatestIssue          *time.Time `json:"latest_issue,omitempty"`
	EarliestExpiration   *time.Time `json:"earliest_expiration,omitempty"`
	LatestExpiration     *time.Time `json:"latest_expiration,omitempty"`
	TCBInfoNextUpdate    *time.Time `json:"tcb_info_next_update,omitempty"`
	QEIdentityNextUpdate *time.Time `json:"qe_identity_next_update,omitempty"`
	RootCRLNumber        string     `json:"root_crl_number,omitempty"`
	PCKCRLNumber         string     `json:"pck_crl_number,omitempty"`
}

func newFacts(r *verify.Result) *Facts {
	f := &Facts{
		TCBDate: date(r.TCBDate()), QEStatus: tcbStatus(r.QEStatus()),
		Launch: evaluation(r.Launch), CA: string(r.CA), Root: rootName(&r.Root), Expires: date(r.Validity.EarliestExpiration), Validity: validity(&r.Validity),
	}
	if r.Authentic() { // else Intel says nothing of it
		f.TCBStatus = r.TCBStatus.String() // "Unknown" if no level is met
		f.AdvisoryIDs = list(r.AdvisoryIDs())
	}
	if r.TCBInfo != nil && r.QEIdentity != nil {
		f.EvaluationDataNumber = &r.Validity.EvaluationDataNumber
	}
	if r.PCK != nil && r.PCK.SGX != nil {
		f.FMSPC, f.PCEID = fmt.Sprintf("%X", r.PCK.SGX.FMSPC), hex.EncodeToString(r.PCK.SGX.PCEID[:])
	}
	if r.Quote != nil {
		f.quote(r.Quote)
		if r.Quote.TDReport15() != nil {
			f.Current = evaluation(r.Current)
		}
	}
	return f
}

func (f *Facts) quote(q *dcap.Quote) {
	f.TEE, f.QuoteVersion, f.BodyType = q.Header.TEEType.String(), q.Header.Version, q.Body.Type().String()
	f.QEISVSVN = &q.QEReport.ISVSVN
	debug := underDebug(q)
	f.Debug = &debug
	data := q.ReportData()
	f.ReportData = hex.EncodeToString(data[:])
	if e := q.EnclaveReport(); e != nil {
		f.enclave(&e.ReportBody)
		return
	}
	t := q.TDReport()
	f.MRTD, f.MRConfigID, f.MROwner, f.MROwnerConfig = hex.EncodeToString(t.MRTD[:]), hex.EncodeToString(t.MRConfigID[:]), hex.EncodeToString(t.MROwner[:]), hex.EncodeToString(t.MROwnerConfig[:])
	for i := range t.RTMR {
		f.RTMR = append(f.RTMR, hex.EncodeToString(t.RTMR[i][:]))
	}
	f.MRSEAM, f.MRSignerSEAM, f.TEETCBSVN = hex.EncodeToString(t.MRSEAM[:]), hex.EncodeToString(t.MRSignerSEAM[:]), hex.EncodeToString(t.TEETCBSVN[:])
	f.TDAttributes, f.XFAM = fmt.Sprintf("%#x", uint64(t.TDAttributes)), fmt.Sprintf("%#x", t.XFAM)
	if t := q.TDReport15(); t != nil {
		f.MRServiceTD, f.TEETCBSVN2 = hex.EncodeToString(t.MRServiceTD[:]), hex.EncodeToString(t.TEETCBSVN2[:])
	}
}

func (f *Facts) enclave(r *isa.ReportBody) {
	f.MREnclave, f.MRSigner = hex.EncodeToString(r.MREnclave[:]), hex.EncodeToString(r.MRSigner[:])
	f.ISVProdID, f.ISVSVN = &r.ISVProdID, &r.ISVSVN
	f.Attributes, f.XFRM, f.MiscSelect = fmt.Sprintf("%#x", uint64(r.Attributes.Flags)), fmt.Sprintf("%#x", uint64(r.Attributes.XFRM)), fmt.Sprintf("%#x", uint32(r.MiscSelect))
	if r.Attributes.Flags&isa.AttrKSS != 0 {
		f.ISVExtProdID, f.ISVFamilyID = hex.EncodeToString(r.ISVExtProdID[:]), hex.EncodeToString(r.ISVFamilyID[:])
		f.ConfigID, f.ConfigSVN = hex.EncodeToString(r.ConfigID[:]), &r.ConfigSVN
	}
}

func underDebug(q *dcap.Quote) bool {
	if t := q.TDReport(); t != nil {
		return t.TDAttributes&dcap.TDDebug != 0
	}
	return q.EnclaveReport().Attributes.Flags&isa.AttrDebug != 0
}

func tcbStatus(s dcap.TCBStatus) string {
	if s == dcap.TCBUnknown {
		return ""
	}
	return s.String()
}

func rootName(r *verify.Root) string {
	switch {
	case r.Key == [64]byte{}:
		return ""
	case r.Intel:
		return "intel"
	}
	sum := r.Fingerprint()
	return "sha256:" + hex.EncodeToString(sum[:])
}

func validity(v *verify.Validity) *Validity {
	out := Validity{
		EarliestIssue: date(v.EarliestIssue), LatestIssue: date(v.LatestIssue), EarliestExpiration: date(v.EarliestExpiration), LatestExpiration: date(v.LatestExpiration),
		TCBInfoNextUpdate: date(v.TCBInfoNextUpdate), QEIdentityNextUpdate: date(v.QEIdentityNextUpdate),
		RootCRLNumber: hex.EncodeToString(v.RootCRLNumber), PCKCRLNumber: hex.EncodeToString(v.PCKCRLNumber),
	}
	if out == (Validity{}) {
		return nil
	}
	return &out
}
