package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/store"
)

var everyPage = []string{"", "documents", "documents?page=2", "platforms", "fmspc?fmspc=00906ED50000", "fmspc?fmspc=DEAD00000001", "nowhere",
	"platforms?fmspc=" + url.QueryEscape(hostile), "platforms?qeid=" + url.QueryEscape(hostile[:20]), "platforms?after=" + url.QueryEscape(hostile[:9]) + "&pce=0000", "fmspc?fmspc=" + url.QueryEscape(hostile)}

func TestOnlyWhoIsAuthorised(t *testing.T) {
	h := healthy().handler(t)
	for _, path := range []string{"", "platforms", "status.json", "style.css", "nowhere"} {
		r := httptest.NewRequest("GET", Prefix+path, nil)
		r.SetBasicAuth("admin", "guess")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 401 || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic realm=") {
			t.Errorf("%q without the token: %d, %v", path, w.Code, w.Header())
		}
		if strings.Contains(w.Body.String(), "trustedservices") || strings.Contains(w.Body.String(), "00906ED50000") {
			t.Errorf("%q tells a stranger about the service", path)
		}
	}
}

func TestHeaders(t *testing.T) {
	h := broken().handler(t)
	for path, want := range map[string]struct {
		code        int
		contentType string
	}{
		"":            {200, "text/html; charset=utf-8"},
		"documents":   {200, "text/html; charset=utf-8"},
		"platforms":   {200, "text/html; charset=utf-8"},
		"nowhere":     {404, "text/html; charset=utf-8"},
		"fmspc":       {404, "text/html; charset=utf-8"},
		"style.css":   {200, "text/css; charset=utf-8"},
		"script.js":   {200, "text/javascript; charset=utf-8"},
		"icon.svg":    {200, "image/svg+xml"},
		"status.json": {200, "application/json"},
	} {
		w := get(t, h, Prefix+path)
		if w.Code != want.code || w.Header().Get("Content-Type") != want.contentType {
			t.Errorf("%q: %d %q, want %v", path, w.Code, w.Header().Get("Content-Type"), want)
		}
		csp := w.Header().Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "frame-ancestors 'none'") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%q: %v", path, w.Header())
		}
		r := httptest.NewRequest("HEAD", Prefix+path, nil)
		r.SetBasicAuth("", "token")
		head := httptest.NewRecorder()
		h.ServeHTTP(head, r)
		if head.Code != want.code || head.Body.Len() != 0 || head.Header().Get("Content-Length") != fmt.Sprint(w.Body.Len()) {
			t.Errorf("HEAD %q: %d, %d bytes, length %s of %d", path, head.Code, head.Body.Len(), head.Header().Get("Content-Length"), w.Body.Len())
		}
	}
	r := httptest.NewRequest("POST", Prefix, strings.NewReader("x"))
	r.SetBasicAuth("", "token")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

func TestServiceDown(t *testing.T) {
	f := healthy()
	f.err = errors.New("the database is not available: connection refused")
	for _, path := range []string{"", "documents", "status.json"} {
		if w := get(t, f.handler(t), Prefix+path); w.Code != 503 || !strings.Contains(w.Body.String(), "connection refused") {
			t.Errorf("%q: %d %s", path, w.Code, w.Body)
		}
	}
}

// tag is an element; handlers and styles in it would be refused by the policy,
// or run if it did not hold.
var (
	tag     = regexp.MustCompile(`<[A-Za-z][^>]*>`)
	inTag   = regexp.MustCompile(`(?i)\s(on[a-z]+|style)\s*=`)
	address = regexp.MustCompile(`(?:src|href|action)="([^"]*)"`)
)

// harmless finds what a page should not have.
func harmless(t *testing.T, path, page string) {
	t.Helper()
	if strings.Contains(page, "<SCRIPT") || strings.Contains(page, "<IMG") || strings.ContainsAny(page, "\x00\x1b\u202e") {
		t.Errorf("%q: hostile text is not escaped", path)
	}
	if n := strings.Count(page, "<script"); n != 1 {
		t.Errorf("%q: %d scripts", path, n)
	}
	for _, tag := range tag.FindAllString(page, -1) {
		if inTag.MatchString(tag) && !strings.Contains(tag, "&lt;") {
			t.Errorf("%q: %s", path, tag)
		}
		for _, a := range address.FindAllStringSubmatch(tag, -1) {
			if strings.HasPrefix(tag, "<a ") && strings.HasPrefix(a[1], "https://www.intel.com/") {
				continue // a link is no request
			}
			if strings.Contains(a[1], ":") || strings.HasPrefix(a[1], "//") {
				t.Errorf("%q: not of this server: %s", path, tag)
			}
		}
	}
	if strings.Contains(page, "ZgotmplZ") || strings.Contains(page, "%!") {
		t.Errorf("%q: a template met what it does not know", path)
	}
}

func TestHostileText(t *testing.T) {
	for name, f := range map[string]*fixture{"broken": broken(), "healthy": healthy(), "empty": empty(pccs.Offline)} {
		h := f.handler(t)
		for _, path := range everyPage {
			w := get(t, h, Prefix+path)
			if w.Code >= 500 {
				t.Errorf("%s, %q: %d", name, path, w.Code)
			}
			harmless(t, name+" "+path, w.Body.String())
		}
	}
	if page := said(get(t, broken().handler(t), Prefix+"platforms").Body.String()); !strings.Contains(page, "<SCRIPT>alert(1)") {
		t.Error("the hostile platform is not listed")
	}
}

func FuzzPages(f *testing.F) {
	f.Add("platforms", "fmspc=00&qeid=AB")
	f.Add("documents", "page=-1")
	f.Add("fmspc", "fmspc=00906ed50000")
	f.Add("platforms", "after=%FF%00&pce=%22")
	h := broken().handler(f)
	f.Fuzz(func(t *testing.T, path, query string) {
		r := httptest.NewRequest("GET", Prefix, nil)
		r.URL.Path, r.URL.RawQuery = Prefix+path, query
		r.SetBasicAuth("", "token")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Fatalf("%d: %s", w.Code, w.Body)
		}
		if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") && w.Code != http.StatusTemporaryRedirect && w.Code != http.StatusMovedPermanently {
			harmless(t, path+"?"+query, w.Body.String())
		}
	})
}

// said is what a page says, without its tags.
func said(page string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, ""))), " ")
}

func TestOverviewSays(t *testing.T) {
	for _, c := range []struct {
		name  string
		f     *fixture
		wants []string // in this order
		not   []string
	}{
		{"empty", empty(pccs.Lazy), []string{"LAZY", "sqlite", "the cache is empty", "pccs_url"}, []string{"Expiries", "Platforms by FMSPC"}},
		{"offline", empty(pccs.Offline), []string{"OFFLINE", "none", "feidi pccs put"}, nil},
		{"healthy", healthy(), []string{"LAZY", "postgres", "17", "24",
			"2 platforms of FMSPC 50806F000000: OutOfDate", "SGX component 1 (BIOS, Early Microcode Update): SVN 5, needs 9",
			"00906ED50000", "3 UpToDate", "3 SWHardeningNeeded", "2 ConfigurationAndSWHardeningNeeded", "evaluation 19 of 29 May 2026",
			"SGX quoting enclave", "in 2 days", "None."}, []string{"expired", "fail:"}},
		{"broken", broken(), []string{"REQ", "6 documents expired", "Quote verification enclave, early, 4 days ago", "1 more", "connection refused",
			"1 platform of FMSPC 00906ED50000: Revoked", "12 fetches fail: UpstreamUnreachable", "1 fetch fails: KeyRejected", "put it into api_key_file",
			"FMSPC DEAD00000001 has 4 platforms and no TCB info", "1,234 registrations", "Fetch errors", "Request-ID 5f0c6d2e9a314b8fb8a1c3d2e4f60718"}, []string{"Nothing."}},
	} {
		page := said(get(t, c.f.handler(t), Prefix).Body.String())
		rest := page
		for _, want := range c.wants {
			_, after, ok := strings.Cut(rest, want)
			if !ok {
				t.Errorf("%s: %q is not said there, in\n%s", c.name, want, rest)
				break
			}
			rest = after
		}
		for _, not := range c.not {
			if strings.Contains(page, not) {
				t.Errorf("%s: it says %q", c.name, not)
			}
		}
	}
}

func TestJSONIsTheStatus(t *testing.T) {
	f := broken()
	var got pccs.Status
	if err := json.Unmarshal(get(t, f.handler(t), Prefix+"status.json").Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := f.status
	want.Failures = slices.Clone(want.Failures)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

// With a service of its own, the pages say the same of the same documents.
func TestService(t *testing.T) {
	f := healthy()
	db := f.store(t)
	failure := store.Fetch{Name: "sgx/v4/rootcacrl", Tried: now.Add(-time.Minute), Failures: 2, Reason: string(pccs.UpstreamBusy), Message: "the service behind answers 503", RequestID: "abc123", Due: now.Add(time.Minute)}
	if err := db.PutFetch(t.Context(), &failure); err != nil {
		t.Fatal(err)
	}
	check, err := collateral.NewChecker(fakeIntel().Root.DER)
	if err != nil {
		t.Fatal(err)
	}
	s, err := pccs.New(pccs.Options{Store: db, Checker: check, Mode: pccs.Offline, Now: func() time.Time { return now.Add(3 * 24 * time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h := New(s, db, authorised)
	page := said(get(t, h, Prefix).Body.String())
	for _, want := range []string{"OFFLINE", "sqlite", "1 document expired", "SGX quoting enclave, 24 hours ago", "feidi pccs put",
		"1 fetch fails: UpstreamBusy", "the service behind answers 503", "Request-ID abc123", "2 platforms of FMSPC 50806F000000: OutOfDate", "8 UpToDate"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not on the page:\n%s", want, page)
		}
	}
	for path, want := range map[string]string{
		"documents": "sgx/v4/rootcacrl", "platforms": "24", "fmspc?fmspc=50806F000000": "SGX component 1 (BIOS, Early Microcode Update): SVN 5, needs 9", "status.json": `"sgx/v4/rootcacrl"`,
	} {
		w := get(t, h, Prefix+path)
		if w.Code != 200 || !strings.Contains(said(w.Body.String()), want) {
			t.Errorf("%s: %d, without %q", path, w.Code, want)
		}
	}
}

// A platform is on exactly one of the pages that the links lead through.
func TestPaging(t *testing.T) {
	f := empty(pccs.Lazy)
	for i := range 173 {
		fmspc := []string{"00906ED50000", "50806F000000"}[i%2]
		f.platforms = append(f.platforms, store.Platform{PlatformID: store.PlatformID{QEID: fmt.Sprintf("%02X%06X", i%3, i), PCEID: "0000"}, FMSPC: fmspc})
		f.status.Platforms[fmspc]++
	}
	h := f.handler(t)
	row := regexp.MustCompile(`data-label="QE ID"><code class="digits">([0-9A-F]+)<`)
	next := regexp.MustCompile(`href="(platforms\?[^"]*)" rel="next"`)
	for _, c := range []struct{ query, fmspc, qeid string }{
		{"", "", ""}, {"?fmspc=00906ED50000", "00906ED50000", ""}, {"?fmspc=508", "508", ""}, {"?qeid=01", "", "01"}, {"?qeid=02&fmspc=0", "0", "02"}, {"?qeid=7", "", "7"}, {"?fmspc=999", "999", ""},
	} {
		var got, want []string
		for _, p := range f.platforms {
			if strings.HasPrefix(p.FMSPC, c.fmspc) && strings.HasPrefix(p.QEID, c.qeid) {
				want = append(want, p.QEID)
			}
		}
		slices.Sort(want)
		for path := "platforms" + c.query; path != ""; {
			f.reads.Store(0)
			page := get(t, h, Prefix+path).Body.String()
			if n := f.reads.Load(); n > platformsPage+1 {
				t.Errorf("%s reads %d platforms", path, n)
			}
			for _, m := range row.FindAllStringSubmatch(page, -1) {
				got = append(got, m[1])
			}
			path = ""
			if m := next.FindStringSubmatch(page); m != nil {
				path = strings.ReplaceAll(m[1], "&amp;", "&")
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %d platforms, want %d", c.query, len(got), len(want))
		}
	}
}

func TestAgo(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"now": 300 * time.Millisecond, "in 1 second": time.Second, "90 seconds ago": -90 * time.Second, "in 3 minutes": 3*time.Minute + 59*time.Second,
		"26 hours ago": -26 * time.Hour, "in 2 days": 49 * time.Hour, "59 days ago": -59 * 24 * time.Hour, "in 2 months": 61 * 24 * time.Hour, "3 years ago": -3 * 366 * 24 * time.Hour,
	} {
		if got := ago(now.Add(d), now); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	if got := ago(time.Time{}, now); got != "never" {
		t.Errorf("no time: %q", got)
	}
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -12345: "-12,345"} {
		if got := number(n); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}
