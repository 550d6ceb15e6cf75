package platform

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/arch/qe"
	qeedl "github.com/feidi-dev/feidi/arch/qe/edl"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/platform/internal/supervisor"
)

// KeyID returns the ID of the attestation key: that of the QE's signer.
func (p *Platform) KeyID() aesm.AttKeyID { return p.keyIDs[0] }

// AttKeyIDs implements [aesm.QuoteService]. Besides KeyID there is that of Intel's
// QE, for clients that know no other. Both stand for the same key.
func (p *Platform) AttKeyIDs() []aesm.AttKeyID { return p.keyIDs }

// checkKey refuses keys of others.
func (p *Platform) checkKey(key *aesm.AttKeyID) error {
	for i := range p.keyIDs {
		if p.keyIDs[i].Same(key) {
			return nil
		}
	}
	return &Error{Doing: "choosing the attestation key", Code: aesm.ErrUnsupportedAttKeyID, Err: fmt.Errorf("there is none of %v", key)}
}

// InitQuote implements [aesm.QuoteService]: it makes the attestation key ready, if
// it is not, for which the provisioning service may be asked.
func (p *Platform) InitQuote(ctx context.Context, key *aesm.AttKeyID) (target *isa.TargetInfo, pubKeyID []byte, err error) {
	if err := p.checkKey(key); err != nil {
		return nil, nil, err
	}
	k, err := p.initialised(ctx)
	if err != nil {
		return nil, nil, err
	}
	t := k.target
	return &t, append([]byte(nil), k.id[:]...), nil
}

// QuoteSize implements [aesm.QuoteService]. Before InitQuote it is an error of
// aesm.ErrAttKeyNotInitialized.
func (p *Platform) QuoteSize(_ context.Context, key *aesm.AttKeyID) (uint32, error) {
	if err := p.checkKey(key); err != nil {
		return 0, err
	}
	k := p.usable()
	if k == nil {
		return 0, notReady("the attestation key is not ready")
	}
	return uint32(k.size(dcap.QuoteV3)), nil
}

// size is the size of a quote in bytes.
func (k *key) size(version uint16) int {
	n := qe.MaxQuote - qe.MaxCertData + k.certSize
	if version < dcap.QuoteV5 {
		n -= 6 // body descriptor
	}
	if version < dcap.QuoteV4 {
		n -= 6 // type and size of the outer certification data
	}
	return n
}

// Quote implements [aesm.QuoteService]: a quote of version 3.
func (p *Platform) Quote(ctx context.Context, key *aesm.AttKeyID, report *isa.Report, info *aesm.QEReportInfo) ([]byte, error) {
	if err := p.checkKey(key); err != nil {
		return nil, err
	}
	return p.QuoteVersion(ctx, dcap.QuoteV3, report, info)
}

// QuoteVersion returns a quote of version 3, 4 or 5 of the enclave that has made
// the report. If info is not nil, its QEReport is set to the QE's report on the
// quote, for the enclave that info names. Before InitQuote it is an error of
// aesm.ErrAttKeyNotInitialized.
func (p *Platform) QuoteVersion(ctx context.Context, version uint16, report *isa.Report, info *aesm.QEReportInfo) ([]byte, error) {
	const doing = "making a quote"
	if version < dcap.QuoteV3 || version > dcap.QuoteV5 {
		return nil, &Error{Doing: doing, Code: aesm.ErrParameter, Err: fmt.Errorf("there are quotes of versions 3, 4 and 5, not %d", version)}
	}
	k := p.usable()
	if k == nil {
		return nil, notReady("the attestation key is not ready")
	}
	var nonce *qeedl.SgxQuoteNonceT
	var target *isa.TargetInfo
	if info != nil {
		nonce, target = (*qeedl.SgxQuoteNonceT)(&info.Nonce), &info.Target
	}
	b := p.blobs.Get().(*blob) // the call writes it back
	defer p.blobs.Put(b)
	*b = k.blob
	quote := make([]byte, k.size(version))
	var ret uint32
	var qeReport isa.Report
	err := p.qe.Do(ctx, func(ctx context.Context, r *supervisor.Running[*qeedl.Qe3]) (err error) {
		if version == dcap.QuoteV3 {
			ret, qeReport, err = r.Calls.GenQuote(ctx, b[:], report, nonce, target, quote, k.pceSVN, k.certData)
		} else {
			ret, qeReport, err = r.Calls.GenQuoteVersion(ctx, version, b[:], report, nonce, target, quote, k.pceSVN, k.certData)
		}
		return qeError(doing, ret, err)
	})
	if ret == qe.ErrorBlob || ret == qe.ErrorWrongState {
		p.key.CompareAndSwap(k, nil)
		return nil, notReady("the QE does not take the attestation key any more")
	}
	if err != nil {
		return nil, err
	}
	if !whole(quote, version) {
		return nil, &Error{Doing: doing, Code: aesm.ErrUnexpected, Err: errors.New("the QE has made one of another size than it should have")}
	}
	if info != nil {
		info.QEReport = qeReport
	}
	return quote, nil
}

// whole reports whether a quote ends where it says.
func whole(quote []byte, version uint16) bool {
	at := dcap.QuoteHeaderSize + isa.ReportBodySize
	if version >= dcap.QuoteV5 {
		at += 6
	}
	return int64(at)+4+int64(binary.LittleEndian.Uint32(quote[at:])) == int64(len(quote))
}
