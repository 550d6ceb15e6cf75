package exchange

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/internal/strictjson"
	"github.com/feidi-dev/feidi/pccs/store"
)

const whatLocalCache = "QCNL cache file"

// LocalCache is a file that Intel's client, the QCNL, finds the PCK certificates
// of its platform in, when it is told local_cache_only, as `pccsadmin cache`
// makes it. The folder is .dcap-qcnl below AZDCAP_CACHE, XDG_CACHE_HOME, HOME or
// TMPDIR, whichever is set first.
//
//	offset  size  content, little endian
//	0       2     version, 1
//	2       4     type, 4: several certificates
//	6       8     expiry, seconds since 1970
//	14            four times: size (4 bytes), and so many bytes:
//	              CPUSVN as 32 hexadecimal digits; TCB info; the issuers,
//	              percent-encoded PEM; certificates as Intel's PCS serves them
type LocalCache struct {
	store.PlatformID // which the name has, and not the file
	Expiry           time.Time
	CPUSVN           string // of the platform: 32 digits; empty if it is not known
	TCBInfo          []byte // of SGX, as it was signed
	Issuers          []byte // PEM: CA and root
	Certs            []store.PCKCert
}

// anyCPUSVN stands for one that is not known: all certificates are below it.
const anyCPUSVN = "ffffffffffffffffffffffffffffffff"

// The numbers of the header.
const (
	localCacheVersion = 1
	localCacheType    = 1 << 2
	localCacheHeader  = 14
)

// Name is the name of the file. A platform whose CPUSVN is not known has the
// name that the QCNL looks for last, which only one platform of a folder can
// have.
func (c *LocalCache) Name() string {
	if c.CPUSVN == "" {
		return "0000000000000000_0000"
	}
	return strings.ToLower(c.QEID + "_" + c.PCEID)
}

// Append appends the file.
func (c *LocalCache) Append(b []byte) ([]byte, error) {
	certs, err := appendCerts(nil, c.Certs)
	if err != nil {
		return nil, err
	}
	cpuSVN := strings.ToLower(c.CPUSVN)
	if cpuSVN == "" {
		cpuSVN = anyCPUSVN
	}
	b = binary.LittleEndian.AppendUint16(b, localCacheVersion)
	b = binary.LittleEndian.AppendUint32(b, localCacheType)
	b = binary.LittleEndian.AppendUint64(b, uint64(c.Expiry.Unix()))
	for _, part := range []string{cpuSVN, string(c.TCBInfo), escape(c.Issuers), string(certs)} {
		if len(part) > MaxLocalCache {
			return nil, &Error{What: whatLocalCache, Err: ErrTooLarge, Reason: "a part has more bytes than are read"}
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return b, nil
}

// ParseLocalCache reads such a file, of which PlatformID is left empty. TCBm and
// form of the certificates are looked at, and nothing else of them. Errors are
// *Error.
func ParseLocalCache(file []byte) (*LocalCache, error) {
	bad := func(where, reason string) error {
		return &Error{What: whatLocalCache, Where: where, Err: ErrFormat, Reason: reason}
	}
	switch {
	case len(file) > MaxLocalCache:
		return nil, &Error{What: whatLocalCache, Err: ErrTooLarge, Reason: fmt.Sprintf("it has more than %d bytes", MaxLocalCache)}
	case len(file) < localCacheHeader:
		return nil, bad("header", "it ends too early")
	case binary.LittleEndian.Uint16(file) != localCacheVersion:
		return nil, bad("header", fmt.Sprintf("version %d is not read: 1 is", binary.LittleEndian.Uint16(file)))
	case binary.LittleEndian.Uint32(file[2:]) != localCacheType:
		return nil, bad("header", "it has something else than PCK certificates of a platform")
	}
	expiry := binary.LittleEndian.Uint64(file[6:])
	if expiry > math.MaxUint32 {
		return nil, bad("header", "the expiry is after the year 2105")
	}
	rest := file[localCacheHeader:]
	next := func(what string) (part []byte, err error) {
		at := len(file) - len(rest)
		if len(rest) < 4 {
			return nil, bad(what, fmt.Sprintf("it ends too early, at byte %d", at))
		}
		n := binary.LittleEndian.Uint32(rest)
		if rest = rest[4:]; uint64(n) > uint64(len(rest)) {
			return nil, bad(what, fmt.Sprintf("it is to have %d bytes at byte %d, and the file ends before", n, at))
		}
		part, rest = rest[:n], rest[n:]
		return part, nil
	}
	c := &LocalCache{Expiry: time.Unix(int64(expiry), 0).UTC()}
	var parts [4][]byte
	names := [4]string{"CPUSVN", "TCB info", "issuers", "certificates"}
	for i := range parts {
		var err error
		if parts[i], err = next(names[i]); err != nil {
			return nil, err
		}
	}
	if len(rest) > 0 {
		return nil, bad("", fmt.Sprintf("%d bytes follow", len(rest)))
	}
	cpuSVN, err := hex.DecodeString(string(parts[0]))
	if err != nil || len(cpuSVN) != 16 {
		return nil, bad(names[0], "it is not 32 hexadecimal digits")
	}
	if !strings.EqualFold(string(parts[0]), anyCPUSVN) {
		c.CPUSVN = upperHex(cpuSVN)
	}
	if _, err := dcap.ParseTCBInfo(parts[1]); err != nil {
		return nil, bad(names[1], err.Error())
	}
	c.TCBInfo = parts[1]
	if c.Issuers, _, err = unescape(string(parts[2])); err != nil {
		return nil, bad(names[2], err.Error())
	}
	var r strictjson.Reader
	r.Init(parts[3])
	c.Certs = pckCerts(&r, &store.Platform{})
	r.End()
	if err := r.Err(); err != nil {
		return nil, jsonError(whatLocalCache, names[3], err)
	}
	if len(c.Certs) == 0 {
		return nil, bad(names[3], "there are none")
	}
	return c, nil
}

// NewLocalCache makes the cache file of a platform: of all its certificates, with
// the TCB info of its FMSPC. If the platform was seen with several TCBs it is for
// the last.
func NewLocalCache(p *store.Platform, tcbInfo []byte, expiry time.Time) (*LocalCache, error) {
	if len(p.Issuers) == 0 {
		return nil, &Error{What: whatLocalCache, Where: "platform " + p.QEID, Err: ErrFormat, Reason: "the issuers of its certificates are not known"}
	}
	if len(tcbInfo) == 0 {
		return nil, &Error{What: whatLocalCache, Where: "platform " + p.QEID, Err: ErrFormat, Reason: "there is no SGX TCB info for FMSPC " + p.FMSPC}
	}
	c := &LocalCache{PlatformID: p.PlatformID, Expiry: expiry, TCBInfo: tcbInfo, Issuers: p.Issuers, Certs: p.Certs}
	if n := len(p.TCBs); n > 0 {
		c.CPUSVN = p.TCBs[n-1].CPUSVN
	}
	if c.CPUSVN != "" && !isHex(c.QEID) {
		return nil, &Error{What: whatLocalCache, Where: "platform " + p.QEID, Err: ErrMisfit, Reason: errNotQEID.Error()}
	}
	return c, nil
}

var errNotQEID = errors.New("it goes by a name of its own, and the QCNL looks for a QE ID")
