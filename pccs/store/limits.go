package store

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// What may be put, in bytes but for counts.
const (
	MaxName     = 2560     // of a document, fetch or claim
	MaxBody     = 8 << 20  // of a document
	MaxChain    = 64 << 10 // of issuers
	MaxManifest = 1 << 20
	MaxCert     = 16 << 10 // of a PCK certificate
	MaxPolicy   = 1 << 20

	MaxCerts = 1024 // PCK certificates of a platform
	MaxTCBs  = 1024 // raw TCBs of a platform
	MaxPage  = 1000 // platforms that one call of Platforms returns

	maxPPID    = 1024
	maxQEID    = 260
	maxPCEID   = 4
	maxFMSPC   = 12
	maxCA      = 16
	maxCPUSVN  = 32
	maxPCESVN  = 4
	maxTCBm    = 36
	maxOrigin  = 32
	maxHolder  = 255
	maxPolicy  = 96 // its ID
	maxReason  = 64
	maxMessage = 1024
	maxRequest = 128
)

// limits collects the first thing that is wrong with what is to be put.
type limits struct {
	of  string
	err error
}

// text is for what databases compare and print: UTF-8 without NUL, which
// PostgreSQL has no way to keep.
func (l *limits) text(what, s string, most int) {
	switch {
	case l.err != nil:
	case len(s) > most:
		l.tooLong(what, len(s), most)
	case !isText(s):
		l.err = fmt.Errorf("%w: the %s of %s is no text: it has a NUL, or is not UTF-8", ErrInvalid, what, l.of)
	}
}

func (l *limits) bytes(what string, b []byte, most int) {
	if l.err == nil && len(b) > most {
		l.tooLong(what, len(b), most)
	}
}

func (l *limits) count(what string, n, most int) {
	if l.err == nil && n > most {
		l.err = fmt.Errorf("%w: %s has %d %s, and may have %d", ErrInvalid, l.of, n, what, most)
	}
}

func (l *limits) tooLong(what string, n, most int) {
	l.err = fmt.Errorf("%w: the %s of %s has %d bytes, and may have %d", ErrInvalid, what, l.of, n, most)
}

// time is for years that other programs can read.
func (l *limits) time(what string, t time.Time) {
	if y := t.UTC().Year(); l.err == nil && (y < 1 || y > 9999) {
		l.err = fmt.Errorf("%w: the %s of %s is in the year %d", ErrInvalid, what, l.of, y)
	}
}

func (l *limits) platform(id PlatformID) {
	l.text("QE ID", id.QEID, maxQEID)
	l.text("PCE ID", id.PCEID, maxPCEID)
}

func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// isKey reports whether there can be a row of that key. The drivers are not
// asked: they have errors of their own for what is no text.
func isKey(s string, most int) bool { return len(s) <= most && isText(s) }

// cut makes a text of what others said, in one line of at most so many bytes.
// It is for diagnostics, which must not fail because they are long.
func cut(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") // without the half of a letter
	}
	return s
}

// micros and moment are how times are kept. The zero time is one of them.
func micros(t time.Time) int64 { return t.UnixMicro() }

func moment(us int64) time.Time { return time.UnixMicro(us).UTC() }
