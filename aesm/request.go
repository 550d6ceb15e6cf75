package aesm

// Request is a request of AESM: a pointer to one of the types below.
//
// Fields of bytes are nil if they are absent, and are checked by who answers.
// Timeout is how long the client waits: milliseconds from Intel's libraries,
// microseconds from others, so that a server should not rely on it; 0 leaves it
// out.
type Request interface {
	message
	request()
}

// InitQuoteRequest asks for the quoting enclave's target info and the group of its EPID key.
type InitQuoteRequest struct {
	Timeout uint32
}

// Kind returns KindInitQuote.
func (*InitQuoteRequest) Kind() Kind { return KindInitQuote }

func (m *InitQuoteRequest) fields(c *coder) {
	c.u32(9, &m.Timeout, optional)
}

// GetQuoteRequest asks for an EPID quote.
type GetQuoteRequest struct {
	Report    []byte // REPORT, 432 bytes
	QuoteType uint32 // 0 unlinkable, 1 linkable
	SPID      []byte // 16 bytes
	Nonce     []byte // 16 bytes, or nil
	SigRL     []byte // signature revocation list, or nil
	BufSize   uint32 // bytes that the caller has for the quote
	QEReport  bool   // a report of the quoting enclave is wanted, too
	Timeout   uint32
}

// Kind returns KindGetQuote.
func (*GetQuoteRequest) Kind() Kind { return KindGetQuote }

func (m *GetQuoteRequest) fields(c *coder) {
	c.bytes(1, &m.Report, required)
	c.u32(2, &m.QuoteType, required)
	c.bytes(3, &m.SPID, required)
	c.bytes(4, &m.Nonce, optional)
	c.bytes(5, &m.SigRL, optional)
	c.u32(6, &m.BufSize, required)
	c.flag(7, &m.QEReport, always)
	c.u32(9, &m.Timeout, optional)
}

// GetLaunchTokenRequest asks for an EINITTOKEN.
type GetLaunchTokenRequest struct {
	MREnclave  []byte // 32 bytes
	MRSigner   []byte // the signer's modulus, 384 bytes, despite the name
	Attributes []byte // 16 bytes
	Timeout    uint32
}

// Kind returns KindGetLaunchToken.
func (*GetLaunchTokenRequest) Kind() Kind { return KindGetLaunchToken }

func (m *GetLaunchTokenRequest) fields(c *coder) {
	c.bytes(1, &m.MREnclave, required)
	c.bytes(2, &m.MRSigner, required)
	c.bytes(3, &m.Attributes, required)
	c.u32(9, &m.Timeout, optional)
}

// ReportAttestationErrorRequest hands on what the attestation service said of the platform.
type ReportAttestationErrorRequest struct {
	PlatformInfo     []byte // 101 bytes
	AttestationError uint32 // 0 if attestation succeeded
	UpdateInfoSize   uint32 // 12
	Timeout          uint32
}

// Kind returns KindReportAttestationError.
func (*ReportAttestationErrorRequest) Kind() Kind { return KindReportAttestationError }

func (m *ReportAttestationErrorRequest) fields(c *coder) {
	c.bytes(1, &m.PlatformInfo, required)
	c.u32(2, &m.AttestationError, required)
	c.u32(3, &m.UpdateInfoSize, required)
	c.u32(9, &m.Timeout, optional)
}

// GetWhiteListSizeRequest asks for the size of the launch enclave's white list.
type GetWhiteListSizeRequest struct {
	Timeout uint32
}

// Kind returns KindGetWhiteListSize.
func (*GetWhiteListSizeRequest) Kind() Kind { return KindGetWhiteListSize }

func (m *GetWhiteListSizeRequest) fields(c *coder) {
	c.u32(9, &m.Timeout, optional)
}

// GetWhiteListRequest asks for the launch enclave's white list.
type GetWhiteListRequest struct {
	Size    uint32 // what GetWhiteListSize gave
	Timeout uint32
}

// Kind returns KindGetWhiteList.
func (*GetWhiteListRequest) Kind() Kind { return KindGetWhiteList }

func (m *GetWhiteListRequest) fields(c *coder) {
	c.u32(1, &m.Size, always)
	c.u32(9, &m.Timeout, optional)
}

// GetExtendedGroupIDRequest asks for the extended EPID group in use.
type GetExtendedGroupIDRequest struct {
	Timeout uint32
}

// Kind returns KindGetExtendedGroupID.
func (*GetExtendedGroupIDRequest) Kind() Kind { return KindGetExtendedGroupID }

func (m *GetExtendedGroupIDRequest) fields(c *coder) {
	c.u32(9, &m.Timeout, optional)
}

// SwitchExtendedGroupRequest changes the extended EPID group in use.
type SwitchExtendedGroupRequest struct {
	GroupID uint32
	Timeout uint32
}

// Kind returns KindSwitchExtendedGroup.
func (*SwitchExtendedGroupRequest) Kind() Kind { return KindSwitchExtendedGroup }

func (m *SwitchExtendedGroupRequest) fields(c *coder) {
	c.u32(1, &m.GroupID, always)
	c.u32(9, &m.Timeout, optional)
}

// RegisterRequest gives AESM a new white list.
type RegisterRequest struct {
	Buf      []byte // certificate chain of the list
	DataType uint32 // RegisterWhiteList
	Timeout  uint32
}

// Kind returns KindRegister.
func (*RegisterRequest) Kind() Kind { return KindRegister }

func (m *RegisterRequest) fields(c *coder) {
	c.bytes(1, &m.Buf, required)
	c.u32(2, &m.DataType, required)
	c.u32(9, &m.Timeout, optional)
}

// InitQuoteExRequest has an attestation key made ready, and asks for the quoting enclave's target info and the key's ID.
type InitQuoteExRequest struct {
	AttKeyID     []byte // 256 bytes
	WantPubKeyID bool   // false asks only how large the key's ID is
	BufSize      uint64 // bytes that the caller has for the key's ID
	Timeout      uint32
}

// Kind returns KindInitQuoteEx.
func (*InitQuoteExRequest) Kind() Kind { return KindInitQuoteEx }

func (m *InitQuoteExRequest) fields(c *coder) {
	c.bytes(1, &m.AttKeyID, optional)
	c.flag(3, &m.WantPubKeyID, required)
	c.u64(4, &m.BufSize, optional)
	c.u32(9, &m.Timeout, optional)
}

// GetQuoteSizeExRequest asks how large a quote will be.
type GetQuoteSizeExRequest struct {
	AttKeyID []byte // 256 bytes
	Timeout  uint32
}

// Kind returns KindGetQuoteSizeEx.
func (*GetQuoteSizeExRequest) Kind() Kind { return KindGetQuoteSizeEx }

func (m *GetQuoteSizeExRequest) fields(c *coder) {
	c.bytes(1, &m.AttKeyID, optional)
	c.u32(9, &m.Timeout, optional)
}

// GetQuoteExRequest asks for a quote.
type GetQuoteExRequest struct {
	Report       []byte // REPORT, 432 bytes
	AttKeyID     []byte // 256 bytes
	QEReportInfo []byte // 960 bytes, or nil
	BufSize      uint32 // bytes that the caller has for the quote
	Timeout      uint32
}

// Kind returns KindGetQuoteEx.
func (*GetQuoteExRequest) Kind() Kind { return KindGetQuoteEx }

func (m *GetQuoteExRequest) fields(c *coder) {
	c.bytes(1, &m.Report, required)
	c.bytes(2, &m.AttKeyID, optional)
	c.bytes(3, &m.QEReportInfo, optional)
	c.u32(4, &m.BufSize, required)
	c.u32(9, &m.Timeout, optional)
}

// CheckUpdateStatusRequest asks whether the platform should be updated.
type CheckUpdateStatusRequest struct {
	PlatformInfo   []byte // 101 bytes, or nil
	UpdateInfoSize uint32 // 12, or 0 if the caller does not want it
	Config         uint32 // what to do on the way
	Timeout        uint32
}

// Kind returns KindCheckUpdateStatus.
func (*CheckUpdateStatusRequest) Kind() Kind { return KindCheckUpdateStatus }

func (m *CheckUpdateStatusRequest) fields(c *coder) {
	c.bytes(1, &m.PlatformInfo, optional)
	c.u32(2, &m.UpdateInfoSize, required)
	c.u32(3, &m.Config, required)
	c.u32(9, &m.Timeout, optional)
}

// SelectAttKeyIDRequest asks which attestation key to use.
type SelectAttKeyIDRequest struct {
	List    []byte // keys that the verifier takes, see AppendAttKeyIDs; nil if it takes any
	Timeout uint32
}

// Kind returns KindSelectAttKeyID.
func (*SelectAttKeyIDRequest) Kind() Kind { return KindSelectAttKeyID }

func (m *SelectAttKeyIDRequest) fields(c *coder) {
	c.bytes(1, &m.List, optional)
	c.u32(2, &m.Timeout, optional)
}

// GetSupportedAttKeyIDNumRequest asks how many attestation keys there are.
type GetSupportedAttKeyIDNumRequest struct {
	Timeout uint32
}

// Kind returns KindGetSupportedAttKeyNum.
func (*GetSupportedAttKeyIDNumRequest) Kind() Kind { return KindGetSupportedAttKeyNum }

func (m *GetSupportedAttKeyIDNumRequest) fields(c *coder) {
	c.u32(9, &m.Timeout, optional)
}

// GetSupportedAttKeyIDsRequest asks for all attestation keys.
type GetSupportedAttKeyIDsRequest struct {
	BufSize uint32 // 256 for each of them
	Timeout uint32
}

// Kind returns KindGetSupportedAttKeyIDs.
func (*GetSupportedAttKeyIDsRequest) Kind() Kind { return KindGetSupportedAttKeyIDs }

func (m *GetSupportedAttKeyIDsRequest) fields(c *coder) {
	c.u32(1, &m.BufSize, required)
	c.u32(9, &m.Timeout, optional)
}

func (*InitQuoteRequest) request()               {}
func (*GetQuoteRequest) request()                {}
func (*GetLaunchTokenRequest) request()          {}
func (*ReportAttestationErrorRequest) request()  {}
func (*GetWhiteListSizeRequest) request()        {}
func (*GetWhiteListRequest) request()            {}
func (*GetExtendedGroupIDRequest) request()      {}
func (*SwitchExtendedGroupRequest) request()     {}
func (*RegisterRequest) request()                {}
func (*InitQuoteExRequest) request()             {}
func (*GetQuoteSizeExRequest) request()          {}
func (*GetQuoteExRequest) request()              {}
func (*CheckUpdateStatusRequest) request()       {}
func (*SelectAttKeyIDRequest) request()          {}
func (*GetSupportedAttKeyIDNumRequest) request() {}
func (*GetSupportedAttKeyIDsRequest) request()   {}
