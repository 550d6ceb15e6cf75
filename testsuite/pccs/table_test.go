package pccs

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/pccs"
)

// row is a request, and what Intel's service answers.
type row struct {
	name string
	send request
	want answer

	// Where ours answers otherwise.
	ours *answer
	why  string
}

// answer is what is looked at of one.
type answer struct {
	status int
	kind   string   // Content-Type; "" if it is not looked at
	body   string   // to the byte,
	set    bool     // or as a JSON array of objects in any order
	header []string // lines that are there, spelled so; after a * may be anything
	reason pccs.Reason
}

// The errors of Intel's service.
var (
	badRequest   = failure(400, "Invalid request parameters.", pccs.BadRequest)
	unauthorized = failure(401, "Authentication failed.", pccs.Unauthorized)
	noCacheData  = failure(404, "No cache data for this platform.", pccs.NotCached)
	tooLarge     = failure(413, "Content too large.", pccs.TooLarge)
	forged       = failure(460, "The integrity of the data can't be verified.", pccs.UpstreamForged)
	unknown      = failure(461, "The platform was not found in the cache.", pccs.NotRegistered)
	failed       = failure(500, "Internal server error occurred.", pccs.Internal)
	unavailable  = failure(503, "Server is currently unable to process the request.", pccs.NotAllowed)
)

const (
	typeText = "text/html; charset=utf-8"
	typeJSON = "application/json; charset=utf-8"
)

func failure(status int, text string, reason pccs.Reason) answer {
	return answer{status: status, kind: typeText, body: text, reason: reason}
}

func text(body string) answer { return answer{status: 200, kind: typeText, body: body} }

// done is the answer to what was done.
func done() answer { return text("Operation successful.") }

// list is the answer to GET platforms.
func list(items ...string) answer {
	return answer{status: 200, kind: typeJSON, body: "[" + strings.Join(items, ",") + "]", set: true,
		header: []string{fmt.Sprintf("platform-count: %d", len(items))}}
}

// noRoute is what Express says of a path or method that it does not know.
func noRoute(method, path string) answer {
	page := "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n<body>\n" +
		"<pre>Cannot " + method + " " + html.EscapeString(path) + "</pre>\n</body>\n</html>\n"
	return answer{status: 404, kind: typeText, body: page, reason: pccs.NoSuchInterface,
		header: []string{"Content-Security-Policy: default-src 'none'", "X-Content-Type-Options: nosniff"}}
}

// because returns the answer with another reason, for programs.
func (a answer) because(r pccs.Reason) answer { a.reason = r; return a }

// with returns the answer with more lines in its header.
func (a answer) with(lines ...string) answer {
	a.header = append(slices.Clone(a.header), lines...)
	return a
}

// v3 returns the answer as it is below v3: with a warning, whose words are each
// service's own.
func (a answer) v3() answer { return a.with(`Warning: 299 - "*`) }

func get(target string, header ...string) request {
	return request{method: "GET", target: path(target), header: header}
}

func head(target string, header ...string) request {
	return request{method: "HEAD", target: path(target), header: header}
}

// send is a request with a body of JSON.
func send(method, target string, body string, header ...string) request {
	return request{method, path(target), append(header, "Content-Type: application/json"), []byte(body)}
}

// path makes a path of an abbreviation: v3, v4 and tdx are the APIs.
func path(target string) string {
	for short, long := range map[string]string{"v3/": "/sgx/certification/v3/", "v4/": "/sgx/certification/v4/", "tdx/": "/tdx/certification/v4/"} {
		if rest, ok := strings.CutPrefix(target, short); ok {
			return long + rest
		}
	}
	return target
}

// run asks a peer for each row, in their order.
func (p *peer) run(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			want := r.want
			if p.ours && r.ours != nil {
				want = *r.ours
			}
			p.check(t, r.send, want)
		})
	}
}

var requestID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// check asks, and compares.
func (p *peer) check(t *testing.T, send request, want answer) *reply {
	t.Helper()
	got := p.do(t, send)
	if got.status != want.status {
		t.Errorf("status %d, want %d\n%s\n%.300s", got.status, want.status, strings.Join(got.lines, "\n"), got.body)
		return got
	}
	if kind := got.header.Get("Content-Type"); want.kind != "" && kind != want.kind {
		t.Errorf("Content-Type %q, want %q", kind, want.kind)
	}
	for _, line := range want.header {
		if !slices.ContainsFunc(got.lines, func(l string) bool { return matches(l, line) }) {
			t.Errorf("no line\n%.300s\nin\n%s", line, short(got.lines))
		}
	}
	if id := got.header.Get("Request-Id"); !requestID.MatchString(id) && want.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("Request-ID %q, want 32 digits", id)
	}
	switch body := got.body; {
	case send.method == "HEAD" || want.status == http.StatusNotModified:
		if n := got.header.Get("Content-Length"); send.method == "HEAD" && want.status != http.StatusNotModified && n != fmt.Sprint(len(want.body)) {
			t.Errorf("Content-Length %s, want %d", n, len(want.body))
		}
		if len(body) > 0 {
			t.Errorf("a body %.100q", body)
		}
	case want.set:
		if a, b := objects(t, string(body)), objects(t, want.body); !slices.Equal(a, b) {
			t.Errorf("objects\n%s\nwant\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
		}
	case !bytes.Equal(body, []byte(want.body)):
		t.Errorf("body\n%.600q\nwant\n%.600q", body, want.body)
	}
	if code := got.header.Get("Error-Code"); p.ours && code != string(want.reason) {
		t.Errorf("Error-Code %q, want %q: %s", code, want.reason, got.header.Get("Error-Message"))
	}
	return got
}

// matches reports whether a line of a header is the one wanted.
func matches(line, want string) bool {
	if start, ok := strings.CutSuffix(want, "*"); ok {
		return strings.HasPrefix(line, start)
	}
	return line == want
}

// objects returns the objects of an array as text, in a fixed order and in
// lower case: their values are hexadecimal.
func objects(t *testing.T, array string) []string {
	t.Helper()
	var list []map[string]string
	if err := json.Unmarshal([]byte(array), &list); err != nil {
		t.Fatalf("%v: %.200q", err, array)
	}
	var out []string
	for _, o := range list {
		var b strings.Builder
		for _, k := range slices.Sorted(maps.Keys(o)) {
			fmt.Fprintf(&b, "%s=%s ", k, strings.ToLower(o[k]))
		}
		out = append(out, b.String())
	}
	slices.SortFunc(out, cmp.Compare)
	return out
}

// short returns lines cut to what a person looks at.
func short(lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%.160s\n", l)
	}
	return b.String()
}
