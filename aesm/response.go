package aesm

// Response is a response of AESM: a pointer to one of the types below.
//
// Fields of bytes are nil if they are absent, as they are if ErrorCode is not
// Success, but for the update info of ErrUpdateAvailable.
type Response interface {
	message
	code() *Code
}

// CodeOf returns the error code that a response carries.
func CodeOf(r Response) Code { return *r.code() }

// InitQuoteResponse answers InitQuoteRequest.
type InitQuoteResponse struct {
	ErrorCode  Code
	TargetInfo []byte // 512 bytes
	GID        []byte // 4 bytes, little endian
}

// Kind returns KindInitQuote.
func (*InitQuoteResponse) Kind() Kind { return KindInitQuote }

func (m *InitQuoteResponse) fields(c *coder) {
	c.u32(1, (*uint32)(&m.ErrorCode), required)
	c.bytes(2, &m.TargetInfo, optional)
	c.bytes(3, &m.GID, optional)
}

// GetQuoteResponse answers GetQuoteRequest.
type GetQuoteResponse struct {
	ErrorCode Code
	Quote     []byte
	QEReport  []byte // REPORT, 432 bytes
}

// Kind returns KindGetQuote.
func (*GetQuoteResponse) Kind() Kind { return KindGetQuote }

func (m *GetQuoteResponse) fields(c *coder) {
	c.u32(1, (*uint32)(&m.ErrorCode), required)
	c.bytes(2, &m.Quote, optional)
	c.bytes(3, &m.QEReport, optional)
}

// GetLaunchTokenResponse answers GetLaunchTokenRequest.
type GetLaunchTokenResponse struct {
	ErrorCode Code
	Token     []byte // EINITTOKEN, 304 bytes
}

// Kind returns KindGetLaunchToken.
func (*GetLaunchTokenResponse) Kind() Kind { return KindGetLaunchToken }

func (m *GetLaunchTokenResponse) fields(c *coder) {
	c.u32(1, (*uint32)(&m.ErrorCode), required)
	c.bytes(2, &m.Token, optional)
}

// ReportAttestationErrorResponse answers ReportAttestationErrorRequest.
type ReportAttestationErrorResponse struct {
	ErrorCode  Code
	UpdateInfo []byte // 12 bytes
}

// Kind returns KindReportAttestationError.
func (*ReportAttestationErrorResponse) Kind() Kind { return KindReportAttestationError }

func (m *ReportAttestationErrorResponse) fields(c *coder) {
	c.u32(1, (*uint32)(&m.ErrorCode), required)
	c.bytes(2, &m.UpdateInfo, optional)
}

// GetWhiteListSizeResponse answers GetWhiteListSizeRequest.
type GetWhiteListSizeResponse struct {
	ErrorCode Code
	Size      uint32 // bytes
}

// Kind returns KindGetWhiteListSize.
func (*GetWhiteListSizeResponse) Kind() Kind { return KindGetWhiteListSize }

func (m *GetWhiteListSizeResponse) fields(c *coder) {
	c.u32(1, (*uint32)(&m.ErrorCode), required)
	c.u32(2, &m.Size, always)
}

// GetWhiteListResponse answers GetWhiteListRequest.
type GetWhiteListResponse struct {
	ErrorCode Code
	List      []byte
}

// Kind returns KindGetWhiteList.
func (*GetWhiteListResponse) Kind() Kind { return KindGetWhiteList }

func (m *GetWhiteListResponse) fields(c *coder) {
	c.u32(1, (*uint32)(&m.ErrorCode), required)
	c.bytes(2, &m.List, optional)
}

// GetExtendedGroupIDResponse answers GetExtendedGroupIDRequest.
type GetExtendedGroupIDResponse struct {
	ErrorCode Code
	GroupID   uint32
}

// Kind returns KindGetExtendedGroupID.
func (*GetExtendedGroupIDResponse) Kind() Kind { return KindGetExtendedGroupID }

func (m *GetExtendedGroupIDResponse) fields(c *coder) {
	c.u32(1, (*uint32)(&m.ErrorCode), required)
	c.u32(2, &m.GroupID, always)
}

// SwitchExtendedGroupResponse answers SwitchExtendedGroupRequest.
type SwitchExtendedGroupResponse struct {
	ErrorCode Code
}

// Kind returns KindSwitchExtendedGroup.
func (*SwitchExtendedGroupResponse) Kind() Kind { return KindSwitchExtendedGroup }

func (m *SwitchExtendedGroupResponse) fields(c *coder) {
	c.u32(1, (*uint32)(&m.ErrorCode), required)
}

// RegisterResponse answers RegisterRequest.
type RegisterResponse struct {
	ErrorCode Code
}

// Kind returns KindRegister.
func (*RegisterResponse) Kind() Kind { return KindRegister }

func (m *RegisterResponse) fields(c *coder) {
	c.u32(1, (*uint32)(&m.ErrorCode), required)
}

// InitQuoteExResponse answers InitQuoteExRequest.
type InitQuoteExResponse struct {
	ErrorCode    Code
	TargetInfo   []byte // 512 bytes
	PubKeyIDSize uint64 // bytes
	PubKeyID     []byte // SHA-256 of the key for ECDSA
}

// Kind returns KindInitQuoteEx.
func (*InitQuoteExResponse) Kind() Kind { return KindInitQuoteEx }

func (m *InitQuoteExResponse) fields(c *coder) {
	c.u32(1, (*uint32)(&m.ErrorCode), required)
	c.bytes(2, &m.TargetInfo, optional)
	c.u64(3, &m.PubKeyIDSize, always)
	c.bytes(4, &m.PubKeyID, optional)
}

// GetQuoteSizeExResponse answers GetQuoteSizeExRequest.
type GetQuoteSizeExResponse struct {
	ErrorCode Code
	Size      uint32 // bytes
}

// Kind returns KindGetQuoteSizeEx.
func (*GetQuoteSizeExResponse) Kind() Kind { return KindGetQuoteSizeEx }

func (m *GetQuoteSizeExResponse) fields(c *coder) {
	c.u32(1, (*uint32)(&m.ErrorCode), required)
	c.u32(2, &m.Size, always)
}

// GetQuoteExResponse answers GetQuoteExRequest.
type GetQuoteExResponse struct {
	ErrorCode    Code
	Quote        []byte
	QEReportInfo []byte // 960 bytes, with the report filled in
}

// Kind returns KindGetQuoteEx.
func (*GetQuoteExResponse) Kind() Kind { return KindGetQuoteEx }

func (m *GetQuoteExResponse) fields(c *coder) {
	c.u32(1, (*uint32)(&m.ErrorCode), required)
	c.bytes(2, &m.Quote, optional)
	c.bytes(3, &m.QEReportInfo, optional)
}

// CheckUpdateStatusResponse answers CheckUpdateStatusRequest.
type CheckUpdateStatusResponse struct {
	ErrorCode  Code
	UpdateInfo []byte // 12 bytes
	Status     uint32
}

// Kind returns KindCheckUpdateStatus.
func (*CheckUpdateStatusResponse) Kind() Kind { return KindCheckUpdateStatus }

func (m *CheckUpdateStatusResponse) fields(c *coder) {
	c.u32(1, (*uint32)(&m.ErrorCode), required)
	c.bytes(2, &m.UpdateInfo, optional)
	c.u32(3, &m.Status, always)
}

// SelectAttKeyIDResponse answers SelectAttKeyIDRequest.
type SelectAttKeyIDResponse struct {
	ErrorCode Code
	AttKeyID  []byte // 256 bytes
}

// Kind returns KindSelectAttKeyID.
func (*SelectAttKeyIDResponse) Kind() Kind { return KindSelectAttKeyID }

func (m *SelectAttKeyIDResponse) fields(c *coder) {
	c.u32(1, (*uint32)(&m.ErrorCode), required)
	c.bytes(2, &m.AttKeyID, optional)
}

// UnsupportedResponse answers a request that the service does not know. Intel's never sends it: it closes the connection.
type UnsupportedResponse struct {
	ErrorCode Code
}

// Kind returns KindUnsupported.
func (*UnsupportedResponse) Kind() Kind { return KindUnsupported }

func (m *UnsupportedResponse) fields(c *coder) {
	c.u32(1, (*uint32)(&m.ErrorCode), required)
}

// GetSupportedAttKeyIDNumResponse answers GetSupportedAttKeyIDNumRequest.
type GetSupportedAttKeyIDNumResponse struct {
	ErrorCode Code
	Num       uint32
}

// Kind returns KindGetSupportedAttKeyNum.
func (*GetSupportedAttKeyIDNumResponse) Kind() Kind { return KindGetSupportedAttKeyNum }

func (m *GetSupportedAttKeyIDNumResponse) fields(c *coder) {
	c.u32(1, (*uint32)(&m.ErrorCode), required)
	c.u32(2, &m.Num, always)
}

// GetSupportedAttKeyIDsResponse answers GetSupportedAttKeyIDsRequest.
type GetSupportedAttKeyIDsResponse struct {
	ErrorCode Code
	AttKeyIDs []byte // 256 bytes each
}

// Kind returns KindGetSupportedAttKeyIDs.
func (*GetSupportedAttKeyIDsResponse) Kind() Kind { return KindGetSupportedAttKeyIDs }

func (m *GetSupportedAttKeyIDsResponse) fields(c *coder) {
	c.u32(1, (*uint32)(&m.ErrorCode), required)
	c.bytes(2, &m.AttKeyIDs, optional)
}

func (m *InitQuoteResponse) code() *Code               { return &m.ErrorCode }
func (m *GetQuoteResponse) code() *Code                { return &m.ErrorCode }
func (m *GetLaunchTokenResponse) code() *Code          { return &m.ErrorCode }
func (m *ReportAttestationErrorResponse) code() *Code  { return &m.ErrorCode }
func (m *GetWhiteListSizeResponse) code() *Code        { return &m.ErrorCode }
func (m *GetWhiteListResponse) code() *Code            { return &m.ErrorCode }
func (m *GetExtendedGroupIDResponse) code() *Code      { return &m.ErrorCode }
func (m *SwitchExtendedGroupResponse) code() *Code     { return &m.ErrorCode }
func (m *RegisterResponse) code() *Code                { return &m.ErrorCode }
func (m *InitQuoteExResponse) code() *Code             { return &m.ErrorCode }
func (m *GetQuoteSizeExResponse) code() *Code          { return &m.ErrorCode }
func (m *GetQuoteExResponse) code() *Code              { return &m.ErrorCode }
func (m *CheckUpdateStatusResponse) code() *Code       { return &m.ErrorCode }
func (m *SelectAttKeyIDResponse) code() *Code          { return &m.ErrorCode }
func (m *UnsupportedResponse) code() *Code             { return &m.ErrorCode }
func (m *GetSupportedAttKeyIDNumResponse) code() *Code { return &m.ErrorCode }
func (m *GetSupportedAttKeyIDsResponse) code() *Code   { return &m.ErrorCode }
