package exchange

import (
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/internal/strictjson"
)

// Kinds of error.
var (
	// ErrFormat: it is not what such a file or body is to be.
	ErrFormat = errors.New("wrong format")
	// ErrTooLarge: it has more than is read.
	ErrTooLarge = errors.New("too large")
	// ErrMisfit: what is to be written does not fit into the format.
	ErrMisfit = errors.New("the format has no place for it")
)

// Limits.
const (
	MaxCollateral = 256 << 20 // bytes of a platform_collaterals.json; Intel's service takes 200 MB at most
	MaxPlatforms  = 1 << 20   // platforms of a list
	MaxManifest   = 64 << 10  // bytes of a platform manifest
	MaxPolicy     = 1 << 20   // bytes of a body with an appraisal policy
	MaxCSV        = 1 << 20   // bytes of a CSV file
	MaxLocalCache = 8 << 20   // bytes of a cache file of the QCNL
)

// Error says what is wrong with a file or body, and where.
type Error struct {
	What   string // "platform collateral", ...
	Where  string // "collaterals.pck_certs[3].certs[0].tcbm", "line 2", ...; may be empty
	Reason string
	Err    error // one of the kinds above
}

// Error returns one line.
func (e *Error) Error() string {
	where := ""
	if e.Where != "" {
		where = e.Where + ": "
	}
	return fmt.Sprintf("%s: %s%s", e.What, where, e.Reason)
}

// Unwrap returns the kind.
func (e *Error) Unwrap() error { return e.Err }

// jsonError is the error of a reader of a part of a document.
func jsonError(what, part string, err error) error {
	var e *strictjson.Error
	if !errors.As(err, &e) {
		return err
	}
	where := part
	switch {
	case part == "":
		where = e.Path
	case e.Path != "" && e.Path[0] != '[':
		where += "." + e.Path
	default:
		where += e.Path
	}
	reason := e.Reason
	if e.Kind != ErrFormat && e.Kind != ErrTooLarge {
		reason = e.Kind.Error() + ": " + reason
	}
	kind := ErrFormat
	if errors.Is(e.Kind, ErrTooLarge) {
		kind = ErrTooLarge
	}
	return &Error{What: what, Where: where, Reason: fmt.Sprintf("%s (at byte %d of it)", reason, e.Offset), Err: kind}
}
