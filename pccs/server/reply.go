package server

import (
	"context"
	"crypto/sha1" // as Express: it marks a version, and protects nothing
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/pccs"
)

// Media types. Intel's service gives a character set to all that is text to it.
const (
	typeHTML    = "text/html; charset=utf-8"
	typeJSON    = "application/json; charset=utf-8"
	typePEM     = "application/x-pem-file"
	typeHexPEM  = "application/x-pem-file; charset=utf-8" // hexadecimal, not PEM
	typeCRL     = "application/pkix-crl"
	typeHexCRL  = "application/pkix-crl; charset=utf-8"
	typeText    = "text/plain; charset=utf-8"
	typeMetrics = "text/plain; version=0.0.4; charset=utf-8"
)

// answer is what clients get. It is not changed once it is made: several may
// get the same.
type answer struct {
	status  int
	header  []field // names as they stand on the wire: Intel's spelling
	body    []byte
	etag    string
	fetched time.Time   // when what is in it was had; zero if it is new
	refusal *pccs.Error // why it is not what was asked for
}

// field is a name in the header, and its lines.
type field struct {
	name   string
	lines  []string
	shared bool // other answers have the same text in memory
}

// reply is an answer with a status and a body.
func reply(status int, media string, body []byte) *answer {
	a := &answer{status: status, body: body, etag: etag(body)}
	a.add("Content-Type", media)
	a.add("Content-Length", strconv.Itoa(len(body)))
	a.add("ETag", a.etag)
	return a
}

func ok(media string, body []byte) *answer { return reply(http.StatusOK, media, body) }

// done is the answer to what was to be done.
func done() *answer { return ok(typeHTML, []byte("Operation successful.")) }

// add adds a line. There may be several of a name.
func (a *answer) add(name, value string) {
	for i := range a.header {
		if a.header[i].name == name {
			a.header[i].lines = append(a.header[i].lines, value)
			return
		}
	}
	a.header = append(a.header, field{name: name, lines: []string{value}})
}

// escape is what JavaScript's encodeURIComponent does, to PEM.
func escape(pem []byte) string {
	return strings.ReplaceAll(url.QueryEscape(string(pem)), "+", "%20")
}

// warning is a line of the header Warning (RFC 7234, section 5.5): 110 is
// "response is stale", 299 any other that lasts.
func warning(code int, message string) string {
	return strconv.Itoa(code) + ` - "` + unquoted.Replace(line(message)) + `"`
}

// unquoted is a text that ends nothing that is quoted.
var unquoted = strings.NewReplacer(`"`, "'", `\`, "/")

var retired = warning(299, "version 3 of the API is retired: what is had by it is not renewed; use version 4")

// unkept is an answer to somebody with a token: no cache between may keep it, and
// give it to others.
func (a *answer) unkept() *answer {
	a.add("Cache-Control", "no-store")
	return a
}

// aged says when what is in it was had.
func (a *answer) aged(fetched time.Time) {
	if fetched.IsZero() {
		return
	}
	a.fetched = fetched
	a.add("Last-Modified", fetched.UTC().Format(http.TimeFormat))
}

// size is how many bytes of memory it takes, about.
func (a *answer) size() int {
	n := 256 + len(a.body) + len(a.etag)
	for _, f := range a.header {
		for _, l := range f.lines {
			if n += 64; !f.shared {
				n += len(l)
			}
		}
	}
	return n
}

// etag is the weak entity tag that Express gives to a body.
func etag(body []byte) string {
	sum := sha1.Sum(body)
	b := append(make([]byte, 0, 48), `W/"`...)
	b = append(strconv.AppendInt(b, int64(len(body)), 16), '-')
	b = base64.StdEncoding.AppendEncode(b, sum[:])
	return string(append(b[:len(b)-1], '"')) // without the padding
}

// write writes an answer, and returns its status: 304 to who has it already.
func (a *answer) write(w http.ResponseWriter, r *http.Request, at *route, id string, now time.Time) int {
	h := w.Header()
	for i := range a.header {
		h[a.header[i].name] = a.header[i].lines
	}
	if at.api == 3 {
		h["Warning"] = append([]string{retired}, h["Warning"]...)
	}
	mine := &[2]string{id} // one allocation for both
	h["Request-ID"] = mine[:1:1]
	if !a.fetched.IsZero() {
		mine[1] = strconv.FormatInt(int64(max(0, now.Sub(a.fetched)/time.Second)), 10)
		h["Age"] = mine[1:]
	}
	if a.status == http.StatusOK && a.known(r) {
		delete(h, "Content-Type")
		delete(h, "Content-Length")
		w.WriteHeader(http.StatusNotModified)
		return http.StatusNotModified
	}
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.body) // the client may be gone
	}
	return a.status
}

// known reports whether a client has this already (RFC 9110, section 13.2.2),
// and does not want it nevertheless.
func (a *answer) known(r *http.Request) bool {
	match, since := r.Header["If-None-Match"], r.Header["If-Modified-Since"]
	if match == nil && since == nil || r.Method != http.MethodGet && r.Method != http.MethodHead ||
		strings.Contains(strings.ToLower(r.Header.Get("Cache-Control")), "no-cache") {
		return false
	}
	if match != nil {
		strong := strings.TrimPrefix(a.etag, "W/")
		for tag := range strings.SplitSeq(strings.Join(match, ","), ",") {
			if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == strong {
				return true
			}
		}
		return false
	}
	t, err := http.ParseTime(since[0])
	return err == nil && !a.fetched.IsZero() && !a.fetched.Truncate(time.Second).After(t)
}

// bodies are what Intel's service says to a status.
var bodies = map[int]string{
	400: "Invalid request parameters.",
	401: "Authentication failed.",
	404: "No cache data for this platform.",
	410: "The Intel PCS API version 3 reached planned EOL. Accordingly, collateral from this API version cannot be retrieved any longer.",
	413: "Content too large.",
	460: "The integrity of the data can't be verified.",
	461: "The platform was not found in the cache.",
	462: "Certificates are not available for certain TCBs.",
	500: "Internal server error occurred.",
	502: "Unable to retrieve the collateral from the Intel SGX PCS.",
	503: "Server is currently unable to process the request.",
}

// refuse is the answer that an error is.
func refuse(err error) *answer {
	e, ok := errors.AsType[*pccs.Error](err)
	switch {
	case ok:
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled):
		e = &pccs.Error{Status: 503, Reason: pccs.Busy, Message: "it took too long: try again", Err: err}
	default:
		e = &pccs.Error{Status: 500, Reason: pccs.Internal, Message: "the service's log has the reason, by the Request-ID", Err: err}
	}
	body, known := bodies[e.Status]
	if !known { // which is no service's, but a mistake
		e = &pccs.Error{Status: 500, Reason: pccs.Internal, Message: e.Message, RequestID: e.RequestID, Err: err}
		body = bodies[e.Status]
	}
	a := reply(e.Status, typeHTML, []byte(body))
	a.refusal = e
	a.add("Error-Code", string(e.Reason))
	a.add("Error-Message", line(e.Message))
	if e.Status == http.StatusServiceUnavailable {
		a.add("Retry-After", "1")
	}
	return a
}

// bad is the refusal of a request that is none.
func bad(message string) *pccs.Error {
	return &pccs.Error{Status: http.StatusBadRequest, Reason: pccs.BadRequest, Message: message}
}

// notCached is the refusal of what is not there.
func notCached(message string) *pccs.Error {
	return &pccs.Error{Status: http.StatusNotFound, Reason: pccs.NotCached, Message: message}
}

// line is a message as the value of a header.
func line(s string) string {
	const most = 500
	s = s[:min(len(s), most)]
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < ' ' || r > '~':
			return '?'
		}
		return r
	}, s)
}
