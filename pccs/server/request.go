package server

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/internal/serve"
	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/collateral"
)

// request is a request for a route.
type request struct {
	*http.Request
	w   http.ResponseWriter
	ctx context.Context // of the work, which may be for several clients
	api int             // of the path: 3 or 4
	tee dcap.TEEType
}

// param returns the first parameter of a name, as Intel's service does where
// there are several. Nothing in a query is an error by itself.
func (r *request) param(name string) (string, bool) {
	for part := range strings.SplitSeq(r.URL.RawQuery, "&") {
		key, value, _ := strings.Cut(part, "=")
		if key == name || strings.ContainsAny(key, "%+") && unescape(key) == name {
			return unescape(value), true
		}
	}
	return "", false
}

// unescape decodes a part of a query. What is not percent-encoded well stays as it is.
func unescape(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			b = append(b, ' ')
		case s[i] == '%' && i+2 < len(s) && digit(s[i+1]) && digit(s[i+2]):
			b, _ = hex.AppendDecode(b, []byte(s[i+1:i+3]))
			i += 2
		default:
			b = append(b, s[i])
		}
	}
	return string(b)
}

func digit(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// hex reads a parameter that must be there: n hexadecimal digits, which it
// returns in upper case.
func (r *request) hex(name string, n int) (string, error) {
	s, ok := r.param(name)
	if !ok {
		return "", bad("parameter " + name + " is missing: it has " + strconv.Itoa(n) + " hexadecimal digits")
	}
	return digits("parameter "+name, s, n)
}

func digits(what, s string, n int) (string, error) {
	good := len(s) == n
	for i := 0; good && i < n; i++ {
		good = digit(s[i])
	}
	if !good {
		return "", bad(fmt.Sprintf("%s is not %d hexadecimal digits", what, n))
	}
	return strings.ToUpper(s), nil
}

// choice reads a parameter that is one of some words, in any case. It is the
// first of them if it is not there.
func (r *request) choice(name string, words ...string) (string, error) {
	s, ok := r.param(name)
	if !ok {
		return words[0], nil
	}
	for _, w := range words {
		if strings.EqualFold(s, w) {
			return w, nil
		}
	}
	return "", bad("parameter " + name + " is not " + strings.Join(words, " or "))
}

// selection reads which of the TCB evaluations of a time is asked for. Version 3
// knows no numbers.
func (r *request) selection(i *collateral.Item) error {
	var err error
	number, ok := r.param("tcbEvaluationDataNumber")
	if !ok || r.api < 4 {
		i.Update, err = r.choice("update", collateral.Standard, collateral.Early)
		return err
	}
	if _, both := r.param("update"); both {
		return bad("parameters update and tcbEvaluationDataNumber exclude each other")
	}
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil || n == 0 {
		return bad("parameter tcbEvaluationDataNumber is not a number from 1 to 4294967295")
	}
	i.Evaluation = uint32(n)
	return nil
}

// Lengths in characters.
const (
	maxQEID = 260
	maxURI  = 2048
)

// qeid reads the parameter that names a platform. It is any text: those who have
// no QE ID send names of their own.
func (r *request) qeid() (string, error) {
	s, _ := r.param("qeid")
	if s == "" || len(s) > maxQEID || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return "", bad("parameter qeid is not 1 to " + strconv.Itoa(maxQEID) + " characters")
	}
	return strings.ToUpper(s), nil
}

// body opens the body of a request, which has to be JSON of limited size.
func (r *request) body(limit int64) (io.Reader, error) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return nil, bad("the body must have the Content-Type application/json")
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return nil, bad("the body must have no Content-Encoding")
	}
	if r.ContentLength > limit {
		return nil, large(limit)
	}
	return http.MaxBytesReader(r.w, r.Body, limit), nil
}

func large(limit int64) *pccs.Error {
	return &pccs.Error{Status: http.StatusRequestEntityTooLarge, Reason: pccs.TooLarge, Message: fmt.Sprintf("the body has more than %d bytes", limit)}
}

// withClient is a context that knows the client.
func withClient(ctx context.Context, remote string) context.Context {
	if client := serve.Client(remote); client != "" {
		return pccs.WithClient(ctx, client)
	}
	return ctx
}

// requestID is the client's ID of a request, or a new one of 32 hexadecimal
// digits.
func requestID(r *http.Request) string {
	if v := r.Header["Request-Id"]; len(v) == 1 && goodID(v[0]) {
		return v[0]
	}
	var b [16]byte
	for i, n := range [2]uint64{rand.Uint64(), rand.Uint64()} { // it has to be unique, and is no secret
		for k := range 8 {
			b[8*i+k] = byte(n >> (8 * k))
		}
	}
	return hex.EncodeToString(b[:])
}

// goodID reports whether an ID may stand in a log and a header: 1 to 64
// characters that need no escaping in an address.
func goodID(s string) bool {
	if len(s) < 1 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-' || c == '.' || c == '_' || c == '~') {
			return false
		}
	}
	return true
}
