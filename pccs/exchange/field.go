package exchange

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/internal/strictjson"
	"github.com/feidi-dev/feidi/pccs/store"
)

// Sizes of fields, in characters.
const (
	maxQEID      = 260
	digitsPCEID  = 4
	digitsCPUSVN = 32
	digitsPCESVN = 4
	digitsPPID   = 768
	digitsTCBm   = 36
	digitsFMSPC  = 12
)

// text reads a string, or null as an empty one.
func text(r *strictjson.Reader) string {
	if r.Null() {
		return ""
	}
	return r.String()
}

// digits reads n hexadecimal digits, or nothing if that is allowed, and returns
// them in upper case.
func digits(r *strictjson.Reader, n int, orNone bool) string {
	at := r.Start()
	s := text(r)
	switch {
	case r.Err() != nil, s == "" && orNone:
		return ""
	case len(s) != n || !isHex(s):
		r.Fail(ErrFormat, at, fmt.Sprintf("it is to be %d hexadecimal digits", n))
		return ""
	}
	return strings.Clone(strings.ToUpper(s)) // s is a part of the document
}

// octets reads at most so many bytes in hexadecimal, or nothing.
func octets(r *strictjson.Reader, most int) []byte {
	at := r.Start()
	s := text(r)
	if r.Err() != nil || s == "" {
		return nil
	}
	if len(s) > 2*most {
		r.Fail(ErrTooLarge, at, fmt.Sprintf("it has more than %d bytes", most))
		return nil
	}
	b, err := hex.DecodeString(s)
	if err != nil {
		r.Fail(ErrFormat, at, "it is not hexadecimal")
	}
	return b
}

// qeID reads a QE ID, or the platform ID of one's own that takes its place.
func qeID(r *strictjson.Reader) string {
	at := r.Start()
	s := r.String()
	if r.Err() == nil && !validQEID(s) {
		r.Fail(ErrFormat, at, fmt.Sprintf("it is to be 1 to %d printable characters", maxQEID))
	}
	return strings.Clone(strings.ToUpper(s))
}

func validQEID(s string) bool {
	visible := func(c rune) bool { return c > ' ' && c < 0x7F }
	return s != "" && len(s) <= maxQEID && strings.IndexFunc(s, func(c rune) bool { return !visible(c) }) < 0
}

func isHex(s string) bool {
	return strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// row is an entry of a list of platforms.
type row struct {
	store.PlatformID
	cpuSVN, pceSVN string
	ppid, manifest []byte
}

// rowKeys are the keys of an entry that cannot be left out.
const (
	hasQEID = 1 << iota
	hasPCEID
	hasPPID
	hasCerts
)

// member reads the value of a key of an entry, if it is one of those that all
// lists have, and notes which were there.
func (p *row) member(r *strictjson.Reader, has *int) bool {
	switch r.Key() {
	case "qe_id":
		p.QEID = qeID(r)
		*has |= hasQEID
	case "pce_id":
		p.PCEID = digits(r, digitsPCEID, false)
		*has |= hasPCEID
	case "cpu_svn":
		p.cpuSVN = digits(r, digitsCPUSVN, true)
	case "pce_svn":
		p.pceSVN = digits(r, digitsPCESVN, true)
	case "enc_ppid":
		p.ppid, _ = hex.DecodeString(digits(r, digitsPPID, true))
		if len(p.ppid) == 0 {
			p.ppid = nil
		}
		*has |= hasPPID
	case "platform_manifest":
		p.manifest = octets(r, MaxManifest)
	default:
		return false
	}
	return true
}

// readRow reads an entry of a list of platforms.
func readRow(r *strictjson.Reader) (p row) {
	at, has := r.Start(), 0
	for r.Object(); r.NextKey(); {
		if !p.member(r, &has) {
			r.Skip()
		}
	}
	demand(r, at, has, hasQEID|hasPCEID)
	return p
}

// demand fails if keys are missing.
func demand(r *strictjson.Reader, at, has, want int) {
	names := []string{"qe_id", "pce_id", "enc_ppid", "certs"}
	for i, name := range names {
		if want&^has&(1<<i) != 0 {
			r.Fail(ErrFormat, at, "it has no "+name)
		}
	}
}

func (p *row) registration() store.Registration {
	return store.Registration{PlatformID: p.PlatformID, CPUSVN: p.cpuSVN, PCESVN: p.pceSVN, EncryptedPPID: p.ppid, Manifest: p.manifest}
}
