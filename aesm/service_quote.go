package aesm

import (
	"context"
	"fmt"

	"github.com/feidi-dev/feidi/isa"
)

// offer is an attestation key with who has it.
type offer struct {
	key     AttKeyID
	service QuoteService
}

// offers are all keys, in order.
func (s *Services) offers() []offer {
	var all []offer
	for _, q := range s.Quote {
		for _, k := range q.AttKeyIDs() {
			all = append(all, offer{k, q})
		}
	}
	return all
}

// provider finds who has the key of a request. It takes what comes after an ID
// of full size, as Intel's service does.
func (s *Services) provider(b []byte) (*AttKeyID, QuoteService, error) {
	if len(s.Quote) == 0 {
		return nil, nil, ErrServiceUnavailable
	}
	if len(b) < AttKeyIDSize {
		return nil, nil, refused("attestation key ID is %d bytes, got %d", AttKeyIDSize, len(b))
	}
	key := new(AttKeyID)
	if err := key.UnmarshalBinary(b[:AttKeyIDSize]); err != nil {
		return nil, nil, err
	}
	for _, o := range s.offers() {
		if o.key.Same(key) {
			return key, o.service, nil
		}
	}
	return nil, nil, fmt.Errorf("%w: %v", ErrUnsupportedAttKeyID, key)
}

func (s *Services) initQuoteEx(ctx context.Context, r *InitQuoteExRequest) (Response, error) {
	key, service, err := s.provider(r.AttKeyID)
	if err != nil {
		return nil, err
	}
	target, id, err := service.InitQuote(ctx, key)
	if err != nil {
		return nil, err
	}
	resp := &InitQuoteExResponse{PubKeyIDSize: uint64(len(id))}
	if resp.TargetInfo, err = target.AppendBinary(nil); err != nil {
		return nil, err
	}
	if r.WantPubKeyID {
		if r.BufSize < uint64(len(id)) {
			return nil, refused("ID of the public key is %d bytes, there is room for %d", len(id), r.BufSize)
		}
		resp.PubKeyID = id
	}
	return resp, nil
}

func (s *Services) getQuoteSizeEx(ctx context.Context, r *GetQuoteSizeExRequest) (Response, error) {
	key, service, err := s.provider(r.AttKeyID)
	if err != nil {
		return nil, err
	}
	size, err := service.QuoteSize(ctx, key)
	if err != nil {
		return nil, err
	}
	return &GetQuoteSizeExResponse{Size: size}, nil
}

func (s *Services) getQuoteEx(ctx context.Context, r *GetQuoteExRequest) (Response, error) {
	key, service, err := s.provider(r.AttKeyID)
	if err != nil {
		return nil, err
	}
	report, err := parseReport(r.Report)
	if err != nil {
		return nil, err
	}
	var info *QEReportInfo
	if r.QEReportInfo != nil {
		info = new(QEReportInfo)
		if err := info.UnmarshalBinary(r.QEReportInfo); err != nil {
			return nil, refused("%v", err)
		}
	}
	quote, err := service.Quote(ctx, key, report, info)
	if err != nil {
		return nil, err
	}
	if uint64(len(quote)) > uint64(r.BufSize) {
		return nil, refused("quote is %d bytes, there is room for %d", len(quote), r.BufSize)
	}
	resp := &GetQuoteExResponse{Quote: quote}
	if info != nil {
		if resp.QEReportInfo, err = info.AppendBinary(nil); err != nil {
			return nil, err
		}
	}
	return resp, nil
}

// selectAttKeyID takes the preferred key if the caller does, too; else one of
// the preferred algorithm, else the first of the caller's that is here.
func (s *Services) selectAttKeyID(r *SelectAttKeyIDRequest) (Response, error) {
	all := s.offers()
	if len(all) == 0 {
		return nil, ErrServiceUnavailable
	}
	if r.List == nil {
		return selected(&all[0].key)
	}
	list, err := ParseAttKeyIDs(r.List)
	if err != nil {
		return nil, refused("%v", err)
	}
	var best *AttKeyID
	for i := range list {
		here := false
		for _, o := range all {
			here = here || o.key.Same(&list[i])
		}
		if !here {
			continue
		}
		if list[i].Algorithm == all[0].key.Algorithm {
			return selected(&list[i])
		}
		if best == nil {
			best = &list[i]
		}
	}
	if best == nil {
		return nil, ErrUnsupportedAttKeyID
	}
	return selected(best)
}

func selected(key *AttKeyID) (Response, error) {
	return &SelectAttKeyIDResponse{AttKeyID: keyBytes(key)}, nil
}

func (s *Services) supportedNum() (Response, error) {
	all := s.offers()
	if len(all) == 0 {
		return nil, ErrServiceUnavailable
	}
	return &GetSupportedAttKeyIDNumResponse{Num: uint32(len(all))}, nil
}

func (s *Services) supported(r *GetSupportedAttKeyIDsRequest) (Response, error) {
	all := s.offers()
	if len(all) == 0 {
		return nil, ErrServiceUnavailable
	}
	if uint64(r.BufSize) != uint64(len(all))*AttKeyIDSize {
		return nil, refused("%d attestation key IDs are %d bytes, there is room for %d", len(all), len(all)*AttKeyIDSize, r.BufSize)
	}
	resp := new(GetSupportedAttKeyIDsResponse)
	for i := range all {
		resp.AttKeyIDs = append(resp.AttKeyIDs, keyBytes(&all[i].key)...)
	}
	return resp, nil
}

// parseReport reads the report of a request.
func parseReport(b []byte) (*isa.Report, error) {
	r := new(isa.Report)
	if err := wantField("report", b, isa.ReportSize); err != nil {
		return nil, err
	}
	return r, r.UnmarshalBinary(b)
}
