package aesm

import (
	"context"

	"github.com/feidi-dev/feidi/isa"
)

// InitQuote returns the target info of EPID's quoting enclave, and the group of
// its key, 4 bytes in the order of the wire, little endian.
func (c *Client) InitQuote(ctx context.Context) (target *isa.TargetInfo, gid [4]byte, err error) {
	resp, err := ask[*InitQuoteResponse](ctx, c, &InitQuoteRequest{Timeout: c.millis()})
	if err != nil {
		return nil, gid, err
	}
	target = new(isa.TargetInfo)
	if err := target.UnmarshalBinary(resp.TargetInfo); err != nil {
		return nil, gid, badAnswer(KindInitQuote, err)
	}
	if err := wantSize("EPID group ID", resp.GID, len(gid)); err != nil {
		return nil, gid, badAnswer(KindInitQuote, err)
	}
	copy(gid[:], resp.GID)
	return target, gid, nil
}

// GetQuote returns an EPID quote of at most size bytes, see EPIDQuoteSize, and
// the quoting enclave's report if it is wanted.
func (c *Client) GetQuote(ctx context.Context, q *EPIDQuote, size uint32) (quote []byte, qeReport *isa.Report, err error) {
	r := &GetQuoteRequest{SPID: q.SPID[:], SigRL: q.SigRL, BufSize: size, QEReport: q.WantQEReport, Timeout: c.millis()}
	r.Report, _ = q.Report.AppendBinary(nil) // has no errors
	if q.Linkable {
		r.QuoteType = 1
	}
	if q.Nonce != nil {
		r.Nonce = q.Nonce[:]
	}
	resp, err := ask[*GetQuoteResponse](ctx, c, r)
	if err != nil {
		return nil, nil, err
	}
	if q.WantQEReport {
		qeReport = new(isa.Report)
		if err := qeReport.UnmarshalBinary(resp.QEReport); err != nil {
			return nil, nil, badAnswer(KindGetQuote, err)
		}
	}
	return resp.Quote, qeReport, nil
}

// ReportAttestationError tells the service what the attestation service said of
// the platform. It returns what should be updated, or nil if nothing should.
func (c *Client) ReportAttestationError(ctx context.Context, info *PlatformInfo, attestationError uint32) (*UpdateInfo, error) {
	r := &ReportAttestationErrorRequest{PlatformInfo: info[:], AttestationError: attestationError, UpdateInfoSize: UpdateInfoSize, Timeout: c.millis()}
	resp, err := ask[*ReportAttestationErrorResponse](ctx, c, r, ErrUpdateAvailable)
	if err != nil {
		return nil, err
	}
	return update(r.Kind(), resp.ErrorCode, resp.UpdateInfo)
}

// CheckUpdateStatus asks whether the platform should be updated; info may be
// nil. It returns the status of what was asked for in config, and what should be
// updated, or nil if nothing should.
func (c *Client) CheckUpdateStatus(ctx context.Context, info *PlatformInfo, config uint32) (status uint32, updates *UpdateInfo, err error) {
	r := &CheckUpdateStatusRequest{UpdateInfoSize: UpdateInfoSize, Config: config, Timeout: c.millis()}
	if info != nil {
		r.PlatformInfo = info[:]
	}
	resp, err := ask[*CheckUpdateStatusResponse](ctx, c, r, ErrUpdateAvailable)
	if err != nil {
		return 0, nil, err
	}
	updates, err = update(r.Kind(), resp.ErrorCode, resp.UpdateInfo)
	return resp.Status, updates, err
}

// update reads update info if there is an update.
func update(k Kind, code Code, b []byte) (*UpdateInfo, error) {
	if code != ErrUpdateAvailable {
		return nil, nil
	}
	u := new(UpdateInfo)
	if err := u.UnmarshalBinary(b); err != nil {
		return nil, badAnswer(k, err)
	}
	return u, nil
}

// GetExtendedGroupID returns the extended EPID group in use; 0 is Intel's.
func (c *Client) GetExtendedGroupID(ctx context.Context) (uint32, error) {
	resp, err := ask[*GetExtendedGroupIDResponse](ctx, c, &GetExtendedGroupIDRequest{Timeout: c.millis()})
	if err != nil {
		return 0, err
	}
	return resp.GroupID, nil
}

// SwitchExtendedGroup changes the extended EPID group in use.
func (c *Client) SwitchExtendedGroup(ctx context.Context, group uint32) error {
	_, err := ask[*SwitchExtendedGroupResponse](ctx, c, &SwitchExtendedGroupRequest{GroupID: group, Timeout: c.millis()})
	return err
}
