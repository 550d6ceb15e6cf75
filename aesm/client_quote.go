package aesm

import (
	"context"
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/isa"
)

// maxPubKeyID bounds the ID of a public key: SHA-256 for ECDSA, 4 bytes for EPID.
const maxPubKeyID = 4 << 10

// Quote gets a quote with the key that the service selects. The report is made
// by the enclave in between, for the quoting enclave's target info.
func (c *Client) Quote(ctx context.Context, report func(target *isa.TargetInfo) (*isa.Report, error)) ([]byte, error) {
	key, err := c.SelectAttKeyID(ctx, nil)
	if err != nil {
		return nil, err
	}
	target, _, err := c.InitQuoteEx(ctx, key)
	if err != nil {
		return nil, err
	}
	r, err := report(target)
	if err != nil {
		return nil, err
	}
	size, err := c.GetQuoteSizeEx(ctx, key)
	if err != nil {
		return nil, err
	}
	return c.GetQuoteEx(ctx, key, r, size, nil)
}

// SelectAttKeyID returns which of the given keys the service would use, or of
// all that it has if none are given.
func (c *Client) SelectAttKeyID(ctx context.Context, accepted []AttKeyID) (*AttKeyID, error) {
	r := &SelectAttKeyIDRequest{Timeout: c.millis()}
	if len(accepted) > 0 {
		r.List = AppendAttKeyIDs(nil, accepted)
	}
	resp, err := ask[*SelectAttKeyIDResponse](ctx, c, r)
	if err != nil {
		return nil, err
	}
	key := new(AttKeyID)
	if err := key.UnmarshalBinary(resp.AttKeyID); err != nil {
		return nil, badAnswer(r.Kind(), err)
	}
	return key, nil
}

// GetSupportedAttKeyIDNum returns how many attestation keys the service has.
func (c *Client) GetSupportedAttKeyIDNum(ctx context.Context) (uint32, error) {
	resp, err := ask[*GetSupportedAttKeyIDNumResponse](ctx, c, &GetSupportedAttKeyIDNumRequest{Timeout: c.millis()})
	if err != nil {
		return 0, err
	}
	return resp.Num, nil
}

// GetSupportedAttKeyIDs returns the attestation keys that the service has. It
// asks for their number first.
func (c *Client) GetSupportedAttKeyIDs(ctx context.Context) ([]AttKeyID, error) {
	n, err := c.GetSupportedAttKeyIDNum(ctx)
	if err != nil {
		return nil, err
	}
	r := &GetSupportedAttKeyIDsRequest{BufSize: n * AttKeyIDSize, Timeout: c.millis()}
	if n > MaxFrame/AttKeyIDSize {
		return nil, badAnswer(r.Kind(), fmt.Errorf("%w: %d attestation keys", ErrFormat, n))
	}
	resp, err := ask[*GetSupportedAttKeyIDsResponse](ctx, c, r)
	if err != nil {
		return nil, err
	}
	keys, err := parseKeys(resp.AttKeyIDs)
	if err != nil {
		return nil, badAnswer(r.Kind(), err)
	}
	return keys, nil
}

// InitQuoteEx has an attestation key made ready. It returns the target info for
// which an enclave's report must be made, and the ID of the public key, which is
// its SHA-256 if it is an ECDSA key. These are two requests: the first asks how
// large the ID is.
func (c *Client) InitQuoteEx(ctx context.Context, key *AttKeyID) (*isa.TargetInfo, []byte, error) {
	r := &InitQuoteExRequest{AttKeyID: keyBytes(key), Timeout: c.millis()}
	resp, err := ask[*InitQuoteExResponse](ctx, c, r)
	if err != nil {
		return nil, nil, err
	}
	if resp.PubKeyIDSize > maxPubKeyID {
		return nil, nil, badAnswer(r.Kind(), fmt.Errorf("%w: ID of a public key of %d bytes", ErrFormat, resp.PubKeyIDSize))
	}
	r.WantPubKeyID, r.BufSize = true, resp.PubKeyIDSize
	if resp, err = ask[*InitQuoteExResponse](ctx, c, r); err != nil {
		return nil, nil, err
	}
	target := new(isa.TargetInfo)
	if err := target.UnmarshalBinary(resp.TargetInfo); err != nil {
		return nil, nil, badAnswer(r.Kind(), err)
	}
	return target, resp.PubKeyID, nil
}

// GetQuoteSizeEx returns the size in bytes of quotes with a key. If the service
// says that the key is not ready, InitQuoteEx is tried once.
func (c *Client) GetQuoteSizeEx(ctx context.Context, key *AttKeyID) (uint32, error) {
	var size uint32
	err := c.withKey(ctx, key, func() error {
		resp, err := ask[*GetQuoteSizeExResponse](ctx, c, &GetQuoteSizeExRequest{AttKeyID: keyBytes(key), Timeout: c.millis()})
		if err == nil {
			size = resp.Size
		}
		return err
	})
	return size, err
}

// GetQuoteEx returns a quote of at most size bytes, which is what GetQuoteSizeEx
// gave. If info is not nil, the quoting enclave's report is put into it. If the
// service says that the key is not ready, InitQuoteEx is tried once.
func (c *Client) GetQuoteEx(ctx context.Context, key *AttKeyID, report *isa.Report, size uint32, info *QEReportInfo) ([]byte, error) {
	r := &GetQuoteExRequest{AttKeyID: keyBytes(key), BufSize: size, Timeout: c.millis()}
	r.Report, _ = report.AppendBinary(nil) // has no errors, nor has the other
	if info != nil {
		r.QEReportInfo, _ = info.AppendBinary(nil)
	}
	var resp *GetQuoteExResponse
	err := c.withKey(ctx, key, func() (err error) {
		resp, err = ask[*GetQuoteExResponse](ctx, c, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(resp.Quote) == 0 || uint64(len(resp.Quote)) > uint64(size) {
		return nil, badAnswer(r.Kind(), fmt.Errorf("%w: quote has %d bytes of at most %d", ErrFormat, len(resp.Quote), size))
	}
	if info != nil {
		var answer QEReportInfo
		if err := answer.UnmarshalBinary(resp.QEReportInfo); err != nil {
			return nil, badAnswer(r.Kind(), err)
		}
		info.QEReport = answer.QEReport
	}
	return resp.Quote, nil
}

// withKey does something for which the key must be ready, and makes it ready if
// it is not. It never is after the service, or the machine's state, was changed
// since InitQuoteEx: other clients of AESM do the same.
func (c *Client) withKey(ctx context.Context, key *AttKeyID, do func() error) error {
	err := do()
	if errors.Is(err, ErrAttKeyNotInitialized) {
		if _, _, err := c.InitQuoteEx(ctx, key); err != nil {
			return err
		}
		err = do()
	}
	return err
}

func keyBytes(key *AttKeyID) []byte {
	b, _ := key.AppendBinary(make([]byte, 0, AttKeyIDSize)) // has no errors
	return b
}
