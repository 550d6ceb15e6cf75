package pcs

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

// Sizes of what the registration service is sent, in bytes: what Intel's own
// agent can send, and all that the service takes.
const (
	maxManifest       = 56 << 10
	maxPosted         = 2*maxManifest + 1<<10 // in hexadecimal, and JSON around it
	maxMembership     = 30 << 10              // of the answer, all certificates
	membershipEntries = 8                     // how many certificates it has room for
)

// RegisterPlatform registers a platform of several packages by its manifest,
// which its firmware made, and returns the platform's PPID. Its PCK certificates
// can be had from then on. The same manifest may be registered again.
//
// The request is sent once: an error that is ErrBusy or ErrUnreachable may be
// tried again. Why a manifest is refused stands in the Reason, and begins with
// the service's code, such as PackageNotFound.
func (c *Client) RegisterPlatform(ctx context.Context, manifest []byte) (ppid [16]byte, err error) {
	const what = "registration of a platform"
	r := &request{what: what, url: c.service.prefix + "/sgx/registration/v1/platform", most: 64}
	got, failed := c.post(ctx, r, http.StatusCreated, mediaBinary, manifest)
	if failed != nil {
		return ppid, failed
	}
	b, err := hex.DecodeString(strings.TrimSpace(string(got.body)))
	if err != nil || len(b) != len(ppid) {
		return ppid, bad(r, http.StatusCreated, got, "no PPID of 32 hexadecimal digits")
	}
	return [16]byte(b), nil
}

// AddPackage adds packages to a registered platform by the request that its
// firmware made, and returns a platform membership certificate for each, which
// the firmware wants. It takes a subscription key.
func (c *Client) AddPackage(ctx context.Context, add []byte) (certificates [][]byte, err error) {
	const what = "adding a package"
	r := &request{what: what, url: c.service.prefix + "/sgx/registration/v1/package", header: c.pckHeader(c.service), most: maxMembership}
	got, failed := c.post(ctx, r, http.StatusOK, mediaBinary, add)
	if failed != nil {
		return nil, failed
	}
	n, err := strconv.ParseUint(got.header.Get("Certificate-Count"), 10, 8)
	size := len(got.body) / membershipEntries
	if err != nil || n > membershipEntries || len(got.body)%membershipEntries != 0 || size == 0 {
		return nil, bad(r, http.StatusOK, got, "no array of 8 certificates with a header Certificate-Count")
	}
	for i := range int(n) {
		certificates = append(certificates, got.body[i*size:][:size:size])
	}
	return certificates, nil
}

// PCKCertsRequest names a platform: by its encrypted PPID, or by the manifest of
// one that has several packages and need not be registered.
type PCKCertsRequest struct {
	EncryptedPPID []byte // 384 bytes, RSA-3072
	Manifest      []byte // in its place
	PCEID         [2]byte
}

// PCKCerts are the PCK certificates of a platform for all its TCB levels.
type PCKCerts struct {
	FMSPC   [6]byte
	CA      CA
	Issuers []byte // PEM: the CA and the root
	Levels  []PCKLevel
	Source  Source
}

// PCKLevel is a TCB level and its PCK certificate.
type PCKLevel struct {
	TCB    [16]uint8 // SGX TCB components 1 to 16
	CPUSVN [16]byte  // with PCESVN, TCBm: what the certificate is for
	PCESVN uint16
	Cert   []byte // PEM, the certificate alone; nil if Intel has none
}

// PCKCerts gets the PCK certificates of a platform for all TCB levels. Only
// Intel's service has them.
func (c *Client) PCKCerts(ctx context.Context, r PCKCertsRequest) (*PCKCerts, error) {
	const what = "PCK certificates"
	if len(r.Manifest) == 0 && len(r.EncryptedPPID) != 384 {
		return nil, &Error{Document: what, Kind: ErrBadRequest, Reason: fmt.Sprintf("an encrypted PPID has 384 bytes, not %d", len(r.EncryptedPPID))}
	}
	var query url.Values // none with a manifest, which is in the body
	if len(r.Manifest) == 0 {
		query = url.Values{"encrypted_ppid": {hex.EncodeToString(r.EncryptedPPID)}, "pceid": {hex.EncodeToString(r.PCEID[:])}}
	}
	req := &request{
		what: what, service: c.service, url: c.service.url(dcap.TEESGX, "pckcerts", query), header: c.pckHeader(c.service),
		chain: chainPCK, keep: []string{headerFMSPC, headerCA}, most: dcap.MaxJSONSize, maxAge: c.cfg.PCKMaxAge,
		read: func(body []byte) ([]byte, time.Time, error) {
			_, err := readLevels(body)
			return body, time.Time{}, err
		},
	}
	var d *Document
	var err error
	if len(r.Manifest) == 0 {
		d, err = c.get(ctx, req)
	} else {
		d, err = c.postManifest(ctx, req, &r)
	}
	if err != nil {
		return nil, err
	}
	list := &PCKCerts{Issuers: d.Chain, Source: d.Source}
	if list.FMSPC, list.CA, err = platformOf(d); err == nil {
		list.Levels, err = readLevels(d.Body)
	}
	if err != nil {
		return nil, &Error{Document: what, URL: d.Source.URL, Status: 200, RequestID: d.Source.RequestID, Kind: ErrBadReply, Reason: err.Error()}
	}
	return list, nil
}

// postManifest asks for certificates by a manifest. No copy is kept of what
// comes.
func (c *Client) postManifest(ctx context.Context, req *request, r *PCKCertsRequest) (*Document, error) {
	body := fmt.Appendf(nil, `{"platformManifest":"%x","pceid":"%x"}`, r.Manifest, r.PCEID)
	got, failed := c.post(ctx, req, http.StatusOK, "application/json", body)
	if failed != nil {
		return nil, failed
	}
	d, _, failed := c.accept(req, got, req.url)
	if failed != nil {
		return nil, failed
	}
	return d, nil
}

// readLevels reads a list of certificates.
func readLevels(body []byte) ([]PCKLevel, error) {
	if isPage(body) {
		return nil, errPage
	}
	var rows []struct {
		TCB        map[string]uint16
		TCBm, Cert string
	}
	if err := json.Unmarshal(body, &rows); err != nil {
		return nil, fmt.Errorf("no JSON array of PCK certificates: %s", line(err.Error()))
	}
	list := make([]PCKLevel, len(rows))
	for i, row := range rows {
		l := &list[i]
		for n := range l.TCB {
			svn, ok := row.TCB[fmt.Sprintf("sgxtcbcomp%02dsvn", n+1)]
			if !ok || svn > 255 {
				return nil, fmt.Errorf("level %d has no SVN of component %d", i, n+1)
			}
			l.TCB[n] = uint8(svn)
		}
		var err error
		if l.CPUSVN, l.PCESVN, err = parseTCBm(row.TCBm); err != nil {
			return nil, fmt.Errorf("level %d: tcbm %w", i, err)
		}
		if row.Cert == "Not available" {
			continue
		}
		if l.Cert, err = parseIssuerChain(row.Cert); err != nil {
			return nil, fmt.Errorf("level %d: certificate: %w", i, err)
		}
	}
	return list, nil
}

const mediaBinary = "application/octet-stream"

// bad is the error of a reply that is not what was asked for.
func bad(r *request, status int, got *reply, reason string) *Error {
	return &Error{
		Document: r.what, URL: r.url, Status: status, RequestID: line(got.header.Get(headerRequestID)),
		Kind: ErrBadReply, Reason: reason, Advice: "is this the address of a PCS?",
	}
}

// post sends a body once, to what only Intel's service has.
func (c *Client) post(ctx context.Context, r *request, want int, media string, body []byte) (*reply, *Error) {
	e := &Error{Document: r.what, URL: r.url, Attempts: 1}
	r.service = c.service
	r.service.intel = true // as to what statuses mean
	switch {
	case c.cfg.Offline:
		e.Kind, e.Advice = ErrNotCached, "this takes a network"
		return nil, e
	case len(body) == 0 || int64(len(body)) > maxPosted:
		e.Kind, e.Reason = ErrBadRequest, fmt.Sprintf("it has %d bytes", len(body))
		return nil, e
	}
	return c.exchange(ctx, r, want, media, body)
}
