package server

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/feidi-dev/feidi/internal/text"
	"github.com/feidi-dev/feidi/world"
)

// Media types.
const (
	typeJSON   = "application/json"
	typeBinary = "application/octet-stream"
	typePEM    = "application/x-pem-file"
	typeCRL    = "application/pkix-crl"
	typeText   = "text/plain"
)

// answer is what a client gets.
type answer struct {
	status int
	media  string
	header []field
	body   []byte
}

// field is a line of the header.
type field struct{ name, value string }

func ok(media string, body []byte) *answer {
	return &answer{status: http.StatusOK, media: media, body: body}
}

func (a *answer) set(name, value string) { a.header = append(a.header, field{name, value}) }

// chain sets a header to certificates in PEM, percent-encoded as Intel's.
func (a *answer) chain(name string, pem []byte) { a.set(name, escape(pem)) }

// escape is what JavaScript's encodeURIComponent does, to PEM.
func escape(pem []byte) string {
	return strings.ReplaceAll(url.QueryEscape(string(pem)), "+", "%20")
}

// write writes an answer. Names of headers stand on the wire as Intel writes
// them, not in Go's form: Intel's registration agent compares letters.
func (a *answer) write(w http.ResponseWriter, body bool) {
	h := w.Header()
	for _, f := range a.header {
		h[f.name] = []string{f.value}
	}
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	if a.media != "" {
		h.Set("Content-Type", a.media)
	}
	w.WriteHeader(a.status)
	if body {
		_, _ = w.Write(a.body) // the client may be gone
	}
}

// refusal is an error that the client is told.
type refusal struct {
	status  int
	code    string // of Intel's, where it has one
	message string // one line
	header  []field
}

func (f *refusal) Error() string { return f.code + ": " + f.message }

func (f *refusal) set(name, value string) { f.header = append(f.header, field{name, value}) }

func (f *refusal) answer() *answer {
	a := &answer{status: f.status, header: f.header}
	a.set("Error-Code", f.code)
	a.set("Error-Message", f.message)
	return a
}

// syntax is the refusal of what is not a request.
func syntax(message string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: "InvalidRequestSyntax", message: message}
}

func notFound(message string) *refusal {
	return &refusal{status: http.StatusNotFound, code: "NotFound", message: message}
}

// refuse is the refusal that an error is. What the world says is told in the
// words of its kind alone: the rest may name platforms or files. A PPID that
// cannot be decrypted is as good as an unknown one: who could tell them apart
// could decrypt with the service's help (Manger's attack on OAEP).
func refuse(err error) *refusal {
	var f *refusal
	if errors.As(err, &f) {
		return f
	}
	if errors.Is(err, world.ErrPPID) {
		err = world.ErrUnknownPlatform
	}
	for _, kind := range []error{
		world.ErrUnknownPlatform, world.ErrNoCertificate, world.ErrUnknownFMSPC, world.ErrUnknownIdentity, world.ErrNotPublished,
	} {
		if errors.Is(err, kind) {
			return notFound(kind.Error())
		}
	}
	if errors.Is(err, world.ErrWithdrawn) {
		return &refusal{status: http.StatusGone, code: "Gone", message: world.ErrWithdrawn.Error()}
	}
	if errors.Is(err, world.ErrBusy) {
		return &refusal{status: http.StatusServiceUnavailable, code: "ServiceUnavailable", message: world.ErrBusy.Error()}
	}
	return &refusal{status: http.StatusInternalServerError, code: "InternalServerError", message: "the service's log has the reason"}
}

// line is a message as the value of a header.
func line(s string) string {
	const most = 200
	s = strings.ReplaceAll(text.Printable(strings.ToValidUTF8(s[:min(len(s), most)], "")), "\n", " ")
	return strings.Map(func(r rune) rune {
		if r > '~' {
			return '?'
		}
		return r
	}, s)
}
