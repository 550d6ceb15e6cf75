package pccs

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"github.com/feidi-dev/feidi/pccs/store"
)

// Sizes of what names a platform and its TCB, in hexadecimal digits.
const (
	maxQEID      = 260 // as Intel's service has it; the QE IDs of today have 32
	pceIDDigits  = 4
	cpuSVNDigits = 32
	pceSVNDigits = 4
	ppidDigits   = 768 // encrypted by RSA-3072
	fmspcDigits  = 12
	maxManifest  = 2 * store.MaxManifest
)

// PCKQuery names a PCK certificate: digits as a client sends them, any case.
type PCKQuery struct {
	QEID, PCEID, CPUSVN, PCESVN string
	EncryptedPPID               string // may be empty or zeros
	API                         int    // not looked at: the certificates of both versions are the same
}

// asked is a platform that is asked for.
type asked struct {
	id   store.PlatformID
	raw  store.RawTCB // without TCBm; empty if it is not asked for
	ppid []byte       // 384 bytes; nil if it was not given
}

// digits returns hexadecimal digits in upper case.
func digits(name, s string, least, most int) (string, *Error) {
	switch {
	case s == "":
		return "", badRequest("%s is missing", name)
	case len(s) < least || len(s) > most:
		if least == most {
			return "", badRequest("%s has %d characters, not %d", name, len(s), most)
		}
		return "", badRequest("%s has %d characters, and may have %d to %d", name, len(s), least, most)
	}
	for i := range len(s) {
		if c := s[i] | 0x20; (s[i] < '0' || s[i] > '9') && (c < 'a' || c > 'f') {
			return "", badRequest("%s has something else than hexadecimal digits at position %d", name, i+1)
		}
	}
	return strings.ToUpper(s), nil
}

// qeID reads a QE ID, or the name that the owner of a platform gave to it in the place
// of one: Intel's service takes any text.
func qeID(s string) (string, *Error) {
	switch {
	case s == "":
		return "", badRequest("qeid is missing")
	case len(s) > maxQEID:
		return "", badRequest("qeid has %d characters, and may have 1 to %d", len(s), maxQEID)
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return "", badRequest("qeid has something else than letters, digits and signs of ASCII at position %d", i+1)
		}
	}
	return strings.ToUpper(s), nil
}

// platform reads who is asked for.
func (q *PCKQuery) platform() (a asked, e *Error) {
	if a.id.QEID, e = qeID(q.QEID); e != nil {
		return a, e
	}
	if a.id.PCEID, e = digits("pceid", q.PCEID, pceIDDigits, pceIDDigits); e != nil {
		return a, e
	}
	if q.EncryptedPPID != "" {
		text, e := digits("encrypted_ppid", q.EncryptedPPID, ppidDigits, ppidDigits)
		if e != nil {
			return a, e
		}
		a.ppid, _ = hex.DecodeString(text)
	}
	return a, nil
}

// read reads the TCB, too.
func (q *PCKQuery) read() (a asked, e *Error) {
	if a, e = q.platform(); e != nil {
		return a, e
	}
	if a.raw.CPUSVN, e = digits("cpusvn", q.CPUSVN, cpuSVNDigits, cpuSVNDigits); e != nil {
		return a, e
	}
	a.raw.PCESVN, e = digits("pcesvn", q.PCESVN, pceSVNDigits, pceSVNDigits)
	return a, e
}

// known reports whether an encrypted PPID is one: clients send zeros if they
// have none.
func known(ppid []byte) bool {
	for _, b := range ppid {
		if b != 0 {
			return true
		}
	}
	return false
}

// nameOf is under which name it is kept how getting a platform's certificates
// went.
func nameOf(id store.PlatformID) string { return platformPrefix + id.QEID + "/" + id.PCEID }

const platformPrefix = "platform/"

// nameBy is the same with an encrypted PPID of which nobody knows whether it is
// that platform's: who asks with a wrong one keeps nobody from asking with the
// right one.
func nameBy(id store.PlatformID, ppid []byte) string {
	sum := sha256.Sum256(ppid)
	return nameOf(id) + "/" + hex.EncodeToString(sum[:8])
}

// svnOf reads the SVNs of a raw TCB, whose digits were looked at.
func svnOf(t store.RawTCB) (cpuSVN [16]byte, pceSVN uint16) {
	cpu, _ := hex.DecodeString(t.CPUSVN)
	pce, _ := hex.DecodeString(t.PCESVN)
	copy(cpuSVN[:], cpu)
	if len(pce) == 2 {
		pceSVN = binary.LittleEndian.Uint16(pce)
	}
	return cpuSVN, pceSVN
}
