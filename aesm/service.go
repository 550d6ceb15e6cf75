package aesm

import (
	"context"
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/isa"
)

// Services are the plug-ins behind AESM's socket. What is missing is answered
// with ErrServiceUnavailable.
//
// Requests come at the same time, from as many goroutines as there are
// connections, and each plug-in does its own locking. An error that wraps a Code
// is answered with it; the end of a context with ErrBusy or ErrServiceStopped;
// all others with ErrUnexpected. A plug-in is asked only with values of the
// right sizes.
//
// There is none for the PCE: no message of AESM reaches it. It is for the
// plug-ins that make quotes.
type Services struct {
	// Quote are the makers of quotes. The first key of the first is the one
	// that SelectAttKeyID prefers.
	Quote  []QuoteService
	Launch LaunchService
	EPID   EPIDService
}

// QuoteService makes quotes with one attestation key or several: the messages
// InitQuoteEx, GetQuoteSizeEx and GetQuoteEx.
type QuoteService interface {
	// AttKeyIDs are the keys that it can quote with. They do not change.
	AttKeyIDs() []AttKeyID
	// InitQuote makes a key ready and returns the target info of the quoting
	// enclave and the ID of the public key. Programs call it before each
	// quote, and twice.
	InitQuote(ctx context.Context, key *AttKeyID) (target *isa.TargetInfo, pubKeyID []byte, err error)
	// QuoteSize is the size of quotes with a key in bytes.
	QuoteSize(ctx context.Context, key *AttKeyID) (uint32, error)
	// Quote makes a quote. If info is not nil, it fills in its report.
	Quote(ctx context.Context, key *AttKeyID, report *isa.Report, info *QEReportInfo) ([]byte, error)
}

// LaunchService decides which enclaves may be launched, on machines where the
// processor asks for that: the messages GetLaunchToken, GetWhiteListSize,
// GetWhiteList and Register.
type LaunchService interface {
	LaunchToken(ctx context.Context, mrEnclave [32]byte, modulus *[isa.RSAKeySize]byte, attributes isa.Attributes) (*isa.EinitToken, error)
	WhiteList(ctx context.Context) ([]byte, error)
	RegisterWhiteList(ctx context.Context, list []byte) error
}

// EPIDService makes quotes of the older scheme: the messages InitQuote,
// GetQuote, ReportAttestationError, CheckUpdateStatus, GetExtendedGroupID and
// SwitchExtendedGroup. The methods are as the client's of these names.
type EPIDService interface {
	InitQuote(ctx context.Context) (target *isa.TargetInfo, gid [4]byte, err error)
	// Quote returns a quote, and the quoting enclave's report if it is wanted.
	Quote(ctx context.Context, q *EPIDQuote) (quote []byte, qeReport *isa.Report, err error)
	ReportAttestationError(ctx context.Context, info *PlatformInfo, attestationError uint32) (*UpdateInfo, error)
	CheckUpdateStatus(ctx context.Context, info *PlatformInfo, config uint32) (status uint32, updates *UpdateInfo, err error)
	ExtendedGroupID(ctx context.Context) (uint32, error)
	SwitchExtendedGroup(ctx context.Context, group uint32) error
}

// Answer answers a request, without a socket.
func (s *Services) Answer(ctx context.Context, r Request) Response {
	resp, _ := s.answer(ctx, r)
	return resp
}

// answer answers a request, and says why if it answers with an error.
func (s *Services) answer(ctx context.Context, r Request) (Response, error) {
	resp, err := s.route(ctx, r)
	if err != nil {
		return failure(r.Kind(), codeOf(err)), err
	}
	return resp, nil
}

func (s *Services) route(ctx context.Context, r Request) (Response, error) {
	switch r := r.(type) {
	case *InitQuoteExRequest:
		return s.initQuoteEx(ctx, r)
	case *GetQuoteSizeExRequest:
		return s.getQuoteSizeEx(ctx, r)
	case *GetQuoteExRequest:
		return s.getQuoteEx(ctx, r)
	case *SelectAttKeyIDRequest:
		return s.selectAttKeyID(r)
	case *GetSupportedAttKeyIDNumRequest:
		return s.supportedNum()
	case *GetSupportedAttKeyIDsRequest:
		return s.supported(r)
	case *GetLaunchTokenRequest, *GetWhiteListSizeRequest, *GetWhiteListRequest, *RegisterRequest:
		if s.Launch == nil {
			return nil, ErrServiceUnavailable
		}
		return launch(ctx, s.Launch, r)
	}
	if s.EPID == nil {
		return nil, ErrServiceUnavailable
	}
	return epid(ctx, s.EPID, r)
}

// codeOf is what an error is answered with.
func codeOf(err error) Code {
	var c Code
	switch {
	case errors.As(err, &c) && c != Success:
		return c
	case errors.Is(err, context.DeadlineExceeded):
		return ErrBusy
	case errors.Is(err, context.Canceled):
		return ErrServiceStopped
	}
	return ErrUnexpected
}

// refused says that the request is at fault.
func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrParameter, fmt.Sprintf(format, args...))
}

// wantField refuses a field of the wrong size.
func wantField(what string, b []byte, size int) error {
	if len(b) != size {
		return refused("%s is %d bytes, got %d", what, size, len(b))
	}
	return nil
}
