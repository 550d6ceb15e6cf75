package aesm

import (
	"context"

	"github.com/feidi-dev/feidi/isa"
)

// launch answers the messages of launch control.
func launch(ctx context.Context, s LaunchService, r Request) (Response, error) {
	switch r := r.(type) {
	case *GetLaunchTokenRequest:
		return launchToken(ctx, s, r)
	case *GetWhiteListSizeRequest:
		list, err := s.WhiteList(ctx)
		if err != nil {
			return nil, err
		}
		return &GetWhiteListSizeResponse{Size: uint32(len(list))}, nil
	case *GetWhiteListRequest:
		list, err := s.WhiteList(ctx)
		if err != nil {
			return nil, err
		}
		if uint64(r.Size) != uint64(len(list)) {
			return nil, refused("white list is %d bytes, not %d", len(list), r.Size)
		}
		return &GetWhiteListResponse{List: list}, nil
	case *RegisterRequest:
		if r.DataType != RegisterWhiteList {
			return nil, refused("data of type %d cannot be registered", r.DataType)
		}
		if err := s.RegisterWhiteList(ctx, r.Buf); err != nil {
			return nil, err
		}
		return new(RegisterResponse), nil
	}
	return nil, ErrServiceUnavailable
}

func launchToken(ctx context.Context, s LaunchService, r *GetLaunchTokenRequest) (Response, error) {
	var mrEnclave [32]byte
	var modulus [isa.RSAKeySize]byte
	var attributes isa.Attributes
	if err := wantField("MRENCLAVE", r.MREnclave, len(mrEnclave)); err != nil {
		return nil, err
	}
	if err := wantField("signer's modulus", r.MRSigner, len(modulus)); err != nil {
		return nil, err
	}
	if err := wantField("ATTRIBUTES", r.Attributes, isa.AttributesSize); err != nil {
		return nil, err
	}
	copy(mrEnclave[:], r.MREnclave)
	copy(modulus[:], r.MRSigner)
	if err := attributes.UnmarshalBinary(r.Attributes); err != nil {
		return nil, err
	}
	token, err := s.LaunchToken(ctx, mrEnclave, &modulus, attributes)
	if err != nil {
		return nil, err
	}
	resp := new(GetLaunchTokenResponse)
	resp.Token, err = token.AppendBinary(nil)
	return resp, err
}

// epid answers the messages of EPID.
func epid(ctx context.Context, s EPIDService, r Request) (Response, error) {
	switch r := r.(type) {
	case *InitQuoteRequest:
		target, gid, err := s.InitQuote(ctx)
		if err != nil {
			return nil, err
		}
		resp := &InitQuoteResponse{GID: gid[:]}
		resp.TargetInfo, err = target.AppendBinary(nil)
		return resp, err
	case *GetQuoteRequest:
		return epidQuote(ctx, s, r)
	case *ReportAttestationErrorRequest:
		return reportError(ctx, s, r)
	case *CheckUpdateStatusRequest:
		return checkUpdate(ctx, s, r)
	case *GetExtendedGroupIDRequest:
		group, err := s.ExtendedGroupID(ctx)
		if err != nil {
			return nil, err
		}
		return &GetExtendedGroupIDResponse{GroupID: group}, nil
	case *SwitchExtendedGroupRequest:
		if err := s.SwitchExtendedGroup(ctx, r.GroupID); err != nil {
			return nil, err
		}
		return new(SwitchExtendedGroupResponse), nil
	}
	return nil, ErrServiceUnavailable
}

func epidQuote(ctx context.Context, s EPIDService, r *GetQuoteRequest) (Response, error) {
	report, err := parseReport(r.Report)
	if err != nil {
		return nil, err
	}
	q := &EPIDQuote{Report: *report, Linkable: r.QuoteType == 1, SigRL: r.SigRL, WantQEReport: r.QEReport}
	if r.QuoteType > 1 {
		return nil, refused("quote type %d is neither 0 nor 1", r.QuoteType)
	}
	if err := wantField("SPID", r.SPID, len(q.SPID)); err != nil {
		return nil, err
	}
	copy(q.SPID[:], r.SPID)
	if r.Nonce != nil {
		q.Nonce = new([16]byte)
		if err := wantField("nonce", r.Nonce, len(q.Nonce)); err != nil {
			return nil, err
		}
		copy(q.Nonce[:], r.Nonce)
	}
	quote, qeReport, err := s.Quote(ctx, q)
	if err != nil {
		return nil, err
	}
	if uint64(len(quote)) > uint64(r.BufSize) {
		return nil, refused("quote is %d bytes, there is room for %d", len(quote), r.BufSize)
	}
	resp := &GetQuoteResponse{Quote: quote}
	if qeReport != nil && r.QEReport {
		resp.QEReport, err = qeReport.AppendBinary(nil)
	}
	return resp, err
}

func reportError(ctx context.Context, s EPIDService, r *ReportAttestationErrorRequest) (Response, error) {
	info, err := platformInfo(r.PlatformInfo)
	if err != nil {
		return nil, err
	}
	if r.UpdateInfoSize != UpdateInfoSize {
		return nil, refused("update info is %d bytes, there is room for %d", UpdateInfoSize, r.UpdateInfoSize)
	}
	updates, err := s.ReportAttestationError(ctx, info, r.AttestationError)
	if err != nil {
		return nil, err
	}
	resp := new(ReportAttestationErrorResponse)
	if updates != nil {
		resp.ErrorCode = ErrUpdateAvailable
		resp.UpdateInfo, err = updates.AppendBinary(nil)
	}
	return resp, err
}

func checkUpdate(ctx context.Context, s EPIDService, r *CheckUpdateStatusRequest) (Response, error) {
	var info *PlatformInfo
	var err error
	if r.PlatformInfo != nil {
		if info, err = platformInfo(r.PlatformInfo); err != nil {
			return nil, err
		}
	}
	if r.UpdateInfoSize != UpdateInfoSize && r.UpdateInfoSize != 0 {
		return nil, refused("update info is %d bytes, there is room for %d", UpdateInfoSize, r.UpdateInfoSize)
	}
	status, updates, err := s.CheckUpdateStatus(ctx, info, r.Config)
	if err != nil {
		return nil, err
	}
	resp := &CheckUpdateStatusResponse{Status: status}
	if updates != nil {
		resp.ErrorCode = ErrUpdateAvailable
		if r.UpdateInfoSize != 0 {
			resp.UpdateInfo, err = updates.AppendBinary(nil)
		}
	}
	return resp, err
}

func platformInfo(b []byte) (*PlatformInfo, error) {
	info := new(PlatformInfo)
	if err := wantField("platform info", b, len(info)); err != nil {
		return nil, err
	}
	copy(info[:], b)
	return info, nil
}
