package aesm

import "fmt"

// Kind says what a message asks for, or answers: its field number in Request
// and Response of AESM's schema.
type Kind uint32

// Kinds of messages. The comment names what the message is called in the
// schema, where that differs.
const (
	KindInitQuote              Kind = 1
	KindGetQuote               Kind = 2
	KindGetLaunchToken         Kind = 3 // getLicToken
	KindReportAttestationError Kind = 4 // reportErr
	KindGetWhiteListSize       Kind = 10
	KindGetWhiteList           Kind = 11
	KindGetExtendedGroupID     Kind = 12 // sgxGetExtendedEpidGroupId
	KindSwitchExtendedGroup    Kind = 13 // sgxSwitchExtendedEpidGroup
	KindRegister               Kind = 14 // sgxRegister
	KindInitQuoteEx            Kind = 15
	KindGetQuoteSizeEx         Kind = 16
	KindGetQuoteEx             Kind = 17
	KindCheckUpdateStatus      Kind = 18
	KindSelectAttKeyID         Kind = 19
	KindUnsupported            Kind = 20 // a response only
	KindGetSupportedAttKeyNum  Kind = 21 // getSupportedAttKeyIDNum
	KindGetSupportedAttKeyIDs  Kind = 22
)

// maxKind is the last kind.
const maxKind = KindGetSupportedAttKeyIDs

// kinds makes empty messages of each kind.
var kinds = [maxKind + 1]struct {
	name     string
	request  func() Request
	response func() Response
}{
	KindInitQuote:              {"InitQuote", func() Request { return new(InitQuoteRequest) }, func() Response { return new(InitQuoteResponse) }},
	KindGetQuote:               {"GetQuote", func() Request { return new(GetQuoteRequest) }, func() Response { return new(GetQuoteResponse) }},
	KindGetLaunchToken:         {"GetLaunchToken", func() Request { return new(GetLaunchTokenRequest) }, func() Response { return new(GetLaunchTokenResponse) }},
	KindReportAttestationError: {"ReportAttestationError", func() Request { return new(ReportAttestationErrorRequest) }, func() Response { return new(ReportAttestationErrorResponse) }},
	KindGetWhiteListSize:       {"GetWhiteListSize", func() Request { return new(GetWhiteListSizeRequest) }, func() Response { return new(GetWhiteListSizeResponse) }},
	KindGetWhiteList:           {"GetWhiteList", func() Request { return new(GetWhiteListRequest) }, func() Response { return new(GetWhiteListResponse) }},
	KindGetExtendedGroupID:     {"GetExtendedGroupID", func() Request { return new(GetExtendedGroupIDRequest) }, func() Response { return new(GetExtendedGroupIDResponse) }},
	KindSwitchExtendedGroup:    {"SwitchExtendedGroup", func() Request { return new(SwitchExtendedGroupRequest) }, func() Response { return new(SwitchExtendedGroupResponse) }},
	KindRegister:               {"Register", func() Request { return new(RegisterRequest) }, func() Response { return new(RegisterResponse) }},
	KindInitQuoteEx:            {"InitQuoteEx", func() Request { return new(InitQuoteExRequest) }, func() Response { return new(InitQuoteExResponse) }},
	KindGetQuoteSizeEx:         {"GetQuoteSizeEx", func() Request { return new(GetQuoteSizeExRequest) }, func() Response { return new(GetQuoteSizeExResponse) }},
	KindGetQuoteEx:             {"GetQuoteEx", func() Request { return new(GetQuoteExRequest) }, func() Response { return new(GetQuoteExResponse) }},
	KindCheckUpdateStatus:      {"CheckUpdateStatus", func() Request { return new(CheckUpdateStatusRequest) }, func() Response { return new(CheckUpdateStatusResponse) }},
	KindSelectAttKeyID:         {"SelectAttKeyID", func() Request { return new(SelectAttKeyIDRequest) }, func() Response { return new(SelectAttKeyIDResponse) }},
	KindUnsupported:            {"Unsupported", nil, func() Response { return new(UnsupportedResponse) }},
	KindGetSupportedAttKeyNum:  {"GetSupportedAttKeyIDNum", func() Request { return new(GetSupportedAttKeyIDNumRequest) }, func() Response { return new(GetSupportedAttKeyIDNumResponse) }},
	KindGetSupportedAttKeyIDs:  {"GetSupportedAttKeyIDs", func() Request { return new(GetSupportedAttKeyIDsRequest) }, func() Response { return new(GetSupportedAttKeyIDsResponse) }},
}

// String returns the name of the kind, or its number.
func (k Kind) String() string {
	if k <= maxKind && kinds[k].name != "" {
		return kinds[k].name
	}
	return fmt.Sprintf("message %d", uint32(k))
}

// newRequest returns an empty request of the kind, if there is one.
func newRequest(k Kind) (Request, bool) {
	if k > maxKind || kinds[k].request == nil {
		return nil, false
	}
	return kinds[k].request(), true
}

// newResponse returns an empty response of the kind, if there is one.
func newResponse(k Kind) (Response, bool) {
	if k > maxKind || kinds[k].response == nil {
		return nil, false
	}
	return kinds[k].response(), true
}

// failure is the response that says no more than that a request failed.
func failure(k Kind, c Code) Response {
	r, ok := newResponse(k)
	if !ok {
		r = new(UnsupportedResponse)
	}
	*r.code() = c
	return r
}
