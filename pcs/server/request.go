package server

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/internal/strictjson"
	"github.com/feidi-dev/feidi/world"
)

// Sizes in bytes. Intel's manifests have 8431 to 56442 bytes, and twice as many
// digits; those of a world are smaller.
const (
	maxQuery  = 8 << 10
	maxBinary = 112884 / 2
	maxJSON   = 112884 + 1<<10
)

// request is a request whose form has been looked at.
type request struct {
	tee    dcap.TEEType // of its path
	post   bool
	header http.Header
	params map[string]string // of the query, or of the JSON object in its place
	body   []byte            // that is no JSON
}

// newRequest reads what a request brings.
func newRequest(w http.ResponseWriter, r *http.Request, at *route) (*request, error) {
	req := &request{header: r.Header, post: r.Method == http.MethodPost}
	if strings.HasPrefix(r.URL.Path, tdx) {
		req.tee = dcap.TEETDX
	}
	var err error
	if !req.post {
		req.params, err = readQuery(r.URL.RawQuery)
		return req, err
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != at.media {
		return nil, &refusal{status: http.StatusUnsupportedMediaType, code: "UnsupportedMediaType", message: "the body must be " + at.media}
	}
	large := &refusal{status: http.StatusRequestEntityTooLarge, code: "PayloadTooLarge", message: fmt.Sprintf("more than %d bytes", at.most)}
	if r.ContentLength > at.most {
		return nil, large
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, at.most))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, large
	}
	if err != nil {
		return nil, syntax("the body did not come whole")
	}
	if at.media == typeJSON {
		req.params, err = readJSON(body)
		return req, err
	}
	if len(body) == 0 {
		return nil, syntax("the body is empty")
	}
	req.body = body
	return req, nil
}

// readQuery reads parameters. Those that nobody asks for do not matter: clients
// add some of their own.
func readQuery(raw string) (map[string]string, error) {
	if len(raw) > maxQuery {
		return nil, syntax(fmt.Sprintf("the parameters have more than %d bytes", maxQuery))
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, syntax("the parameters are not percent-encoded")
	}
	params := make(map[string]string, len(values))
	for name, v := range values {
		if len(v) > 1 {
			return nil, syntax(line("parameter " + strconv.Quote(name) + " is there more than once"))
		}
		params[name] = v[0]
	}
	return params, nil
}

// readJSON reads an object of strings.
func readJSON(body []byte) (map[string]string, error) {
	params := map[string]string{}
	var r strictjson.Reader
	r.Init(body)
	for r.Object(); r.NextKey(); {
		switch name := r.Key(); name {
		case "platformManifest", "cpusvn", "pcesvn", "pceid":
			params[name] = r.String()
		default:
			r.Skip()
		}
	}
	r.End()
	if err := r.Err(); err != nil {
		return nil, syntax(line(err.Error()))
	}
	return params, nil
}

// hex reads a parameter that must be there: n bytes in hexadecimal.
func (r *request) hex(name string, n int) ([]byte, error) {
	s, ok := r.params[name]
	b, err := hex.DecodeString(s)
	switch {
	case !ok:
		return nil, syntax("parameter " + name + " is missing")
	case err != nil || len(b) != n:
		return nil, syntax(fmt.Sprintf("parameter %s is not %d hexadecimal digits", name, 2*n))
	}
	return b, nil
}

// number reads a parameter of two bytes, little endian.
func (r *request) number(name string) (uint16, error) {
	b, err := r.hex(name, 2)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint16(b), nil
}

// choice reads a parameter that may be missing, and is otherwise one of some
// words.
func (r *request) choice(name string, words ...string) (string, error) {
	s, ok := r.params[name]
	if !ok {
		return "", nil
	}
	for _, w := range words {
		if s == w {
			return s, nil
		}
	}
	return "", syntax("parameter " + name + " is not " + strings.Join(words, " or "))
}

// selection reads which of several TCB evaluations is asked for.
func (r *request) selection() (world.Selection, error) {
	update, err := r.choice("update", "early", "standard")
	if err != nil {
		return world.Selection{}, err
	}
	number, ok := r.params["tcbEvaluationDataNumber"]
	if !ok {
		return world.Selection{Early: update == "early"}, nil
	}
	if update != "" {
		return world.Selection{}, syntax("parameters update and tcbEvaluationDataNumber exclude each other")
	}
	if number == "" || strings.Trim(number, "0123456789") != "" {
		return world.Selection{}, syntax("parameter tcbEvaluationDataNumber is not decimal digits")
	}
	n, err := strconv.ParseUint(number, 10, 32)
	switch {
	case err != nil: // none will ever be so high
		return world.Selection{}, world.ErrNotPublished
	case n == 0: // which for the world is none at all
		return world.Selection{}, world.ErrWithdrawn
	}
	return world.Selection{Number: uint32(n)}, nil
}
