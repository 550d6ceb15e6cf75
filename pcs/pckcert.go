package pcs

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

// PCKRequest names the PCK certificate of a platform at a TCB.
type PCKRequest struct {
	QEID          []byte // as a PCCS knows the platform: 1 to 130 bytes; Intel is not told
	EncryptedPPID []byte // 384 bytes, RSA-3072; Intel needs it, a PCCS does not
	CPUSVN        [16]byte
	PCESVN        uint16
	PCEID         [2]byte // as it stands in the certificate and on the wire
}

// PCKCert is a PCK certificate and what comes with it.
type PCKCert struct {
	Chain  []byte // PEM: the certificate, its CA and the root
	FMSPC  [6]byte
	CA     CA
	CPUSVN [16]byte // the TCB that the certificate is for (TCBm), at most that of the platform
	PCESVN uint16
	Source Source
}

// PCKCert gets the PCK certificate for the highest TCB that is at most that of
// the request. Several services are asked one after the other; the error is
// that of the last.
func (c *Client) PCKCert(ctx context.Context, r PCKRequest) (*PCKCert, error) {
	const what = "PCK certificate"
	if n := len(r.EncryptedPPID); n != 0 && n != 384 {
		return nil, &Error{Document: what, Kind: ErrBadRequest, Reason: fmt.Sprintf("an encrypted PPID has 384 bytes, not %d", n)}
	}
	if len(r.QEID) > 130 {
		return nil, &Error{Document: what, Kind: ErrBadRequest, Reason: fmt.Sprintf("a QE ID has at most 130 bytes, not %d", len(r.QEID))}
	}
	var err error
	for _, s := range c.pck {
		var cert *PCKCert
		if cert, err = c.pckCert(ctx, s, r, what); err == nil {
			return cert, nil
		}
	}
	return nil, err
}

func (c *Client) pckCert(ctx context.Context, s service, r PCKRequest, what string) (*PCKCert, error) {
	query := url.Values{}
	maps.Copy(query, c.cfg.PCKParams)
	query.Set("cpusvn", hex.EncodeToString(r.CPUSVN[:]))
	query.Set("pcesvn", hex.EncodeToString(binary.LittleEndian.AppendUint16(nil, r.PCESVN)))
	query.Set("pceid", hex.EncodeToString(r.PCEID[:]))
	if len(r.EncryptedPPID) > 0 {
		query.Set("encrypted_ppid", hex.EncodeToString(r.EncryptedPPID))
	}
	switch {
	case !s.intel:
		query.Set("qeid", hex.EncodeToString(r.QEID))
	case len(r.EncryptedPPID) == 0:
		return nil, &Error{Document: what, Kind: ErrBadRequest, Reason: "Intel finds a platform by its encrypted PPID", Advice: "give it, or ask the PCCS that the platform was registered with"}
	}
	d, err := c.get(ctx, &request{
		what: what, service: s, url: s.url(dcap.TEESGX, "pckcert", query), header: c.pckHeader(s),
		chain: chainPCK, keep: []string{headerTCBm, headerFMSPC, headerCA}, most: dcap.MaxChainSize, maxAge: c.cfg.PCKMaxAge, read: readPCK,
	})
	if err != nil {
		return nil, err
	}
	cert, err := newPCKCert(d)
	if err != nil {
		return nil, &Error{Document: what, URL: d.Source.URL, Status: 200, RequestID: d.Source.RequestID, Kind: ErrBadReply, Reason: err.Error()}
	}
	return cert, nil
}

// Headers of the reply and of copies, and that of a key.
const (
	headerTCBm  = "SGX-TCBm"
	headerFMSPC = "SGX-FMSPC"
	headerCA    = "SGX-PCK-Certificate-CA-Type"
	headerKey   = "Ocp-Apim-Subscription-Key" // of requests
)

// pckHeader is what a request for PCK certificates has besides: Intel's key to
// Intel, the caller's own headers to others.
func (c *Client) pckHeader(s service) http.Header {
	h := http.Header{}
	switch {
	case !s.intel:
		for name, values := range c.cfg.PCKHeader {
			h[http.CanonicalHeaderKey(name)] = values
		}
	case c.cfg.SubscriptionKey != "":
		h.Set(headerKey, c.cfg.SubscriptionKey)
	}
	return h
}

func newPCKCert(d *Document) (cert *PCKCert, err error) {
	cert = &PCKCert{Chain: slices.Concat(d.Body, d.Chain), Source: d.Source}
	if cert.CPUSVN, cert.PCESVN, err = parseTCBm(d.header[headerTCBm]); err != nil {
		return nil, fmt.Errorf("header %s %w", headerTCBm, err)
	}
	cert.FMSPC, cert.CA, err = platformOf(d)
	return cert, err
}

// parseTCBm reads the TCB that a certificate is for.
func parseTCBm(s string) (cpuSVN [16]byte, pceSVN uint16, err error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(cpuSVN)+2 {
		return cpuSVN, 0, errors.New("is not 36 hexadecimal digits")
	}
	return [16]byte(b), binary.LittleEndian.Uint16(b[16:]), nil
}

// platformOf reads the headers that say what platform a certificate is of.
func platformOf(d *Document) (fmspc [6]byte, ca CA, err error) {
	b, err := hex.DecodeString(d.header[headerFMSPC])
	if err != nil || len(b) != len(fmspc) {
		return fmspc, "", errors.New("header " + headerFMSPC + " is not 12 hexadecimal digits")
	}
	if ca = CA(strings.ToLower(d.header[headerCA])); ca != Processor && ca != Platform {
		return fmspc, "", fmt.Errorf("header %s: %q is no CA", headerCA, d.header[headerCA])
	}
	return [6]byte(b), ca, nil
}

// readPCK reads a certificate in PEM, which is good until it expires.
func readPCK(body []byte) ([]byte, time.Time, error) {
	if isPage(body) {
		return nil, time.Time{}, errPage
	}
	text, err := canonicalChain(body)
	if err != nil {
		return nil, time.Time{}, err
	}
	chain, err := dcap.ParseChain(text)
	if err != nil {
		return nil, time.Time{}, err
	}
	return text, chain[0].NotAfter, nil
}
