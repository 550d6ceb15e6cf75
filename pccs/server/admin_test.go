package server

import (
	"fmt"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/pccs"
)

func offlineMode(s *pccs.Options, _ *Options) { s.Mode = pccs.Offline }

// registration is the body of POST /platforms for the platform.
func (f *fixture) registration() string {
	q := f.pckQuery()
	return fmt.Sprintf(`{"qe_id":%q,"pce_id":%q,"cpu_svn":%q,"pce_svn":%q,"enc_ppid":%q,"platform_manifest":""}`,
		q.Get("qeid"), q.Get("pceid"), q.Get("cpusvn"), q.Get("pcesvn"), q.Get("encrypted_ppid"))
}

// Each route takes its token, and no other, and says nothing of what there is to
// who has none.
func TestTokens(t *testing.T) {
	f := newFixture(t, offlineMode)
	closed := newFixture(t, func(_ *pccs.Options, o *Options) { o.UserTokenHash, o.AdminTokenHash = "", "" })
	for _, c := range []struct {
		method, path, header, token string
		without                     int // status with the right token, and an empty body
	}{
		{"GET", sgx4 + "platforms", adminToken, theAdmin, 200},
		{"HEAD", sgx4 + "platforms", adminToken, theAdmin, 200},
		{"POST", sgx4 + "platforms", userToken, theUser, 400},
		{"PUT", sgx3 + "platformcollateral", adminToken, theAdmin, 400},
		{"GET", sgx4 + "platformcollateral", adminToken, theAdmin, 404},
		{"POST", sgx4 + "refresh", adminToken, theAdmin, 503},
		{"GET", sgx4 + "refresh?type=certs", adminToken, theAdmin, 503},
		{"GET", sgx4 + "refresh?type=all", adminToken, theAdmin, 400},
		{"PUT", sgx4 + "appraisalpolicy", adminToken, theAdmin, 400},
		{"GET", sgx4 + "appraisalpolicy", "", "", 400},
	} {
		for token, right := range map[string]bool{c.token: true, "": false, "x": false, c.token + " ": false, hash(c.token): false} {
			header := []string{}
			if token != "" {
				header = []string{c.header, token}
			}
			right = right || c.header == ""
			want := 401
			if right {
				want = c.without
			}
			g := ask(t, f, c.method, c.path, "", header...)
			if g.status != want || want == 401 && c.method != "HEAD" && (g.body != "Authentication failed." || g.first("Error-Code") != "Unauthorized") {
				t.Errorf("%s %s with %q: %d %q, want %d", c.method, c.path, token, g.status, g.body, want)
			}
			if c.header == "" {
				continue
			}
			if g := ask(t, closed, c.method, c.path, "", header...); g.status != 401 {
				t.Errorf("%s %s where no hash is configured: %d", c.method, c.path, g.status)
			}
		}
		other := map[string]string{adminToken: userToken, userToken: adminToken}[c.header]
		if g := ask(t, f, c.method, c.path, "", other, c.token); c.header != "" && g.status != 401 {
			t.Errorf("%s %s with the token in the wrong header: %d", c.method, c.path, g.status)
		}
	}
	for _, bad := range []string{"00", strings.Repeat("g", 128), hash("x") + "00"} {
		if _, err := New(f.service, Options{AdminTokenHash: bad}); err == nil {
			t.Errorf("hash %q is taken", bad)
		}
	}
}

// A platform registers, an administrator takes it out of the queue, which HEAD
// does not do.
func TestQueue(t *testing.T) {
	f := newFixture(t, offlineMode)
	g := ask(t, f, "POST", sgx4+"platforms?update=ALL", f.registration(), userToken, theUser)
	if g.status != 200 || g.body != "Operation successful." || g.first("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%d %q %v", g.status, g.body, g.header)
	}
	if g := ask(t, f, "POST", sgx4+"platforms?update=none", f.registration(), userToken, theUser); g.status != 400 {
		t.Errorf("update=none: %d", g.status)
	}
	if g := ask(t, f, "HEAD", sgx4+"platforms", "", adminToken, theAdmin); g.status != 200 || g.first("platform-count") != "1" {
		t.Errorf("HEAD: %d %v", g.status, g.header)
	}
	g = ask(t, f, "GET", sgx4+"platforms?source=reg", "", adminToken, theAdmin)
	if g.status != 200 || g.first("platform-count") != "1" || g.first("Content-Type") != "application/json; charset=utf-8" ||
		!strings.Contains(strings.ToUpper(g.body), fmt.Sprintf(`"QE_ID":"%X"`, f.platform.QEID)) {
		t.Errorf("%d %q %v", g.status, g.body, g.header)
	}
	if g := ask(t, f, "GET", sgx4+"platforms", "", adminToken, theAdmin); g.body != "[]" || g.first("platform-count") != "0" {
		t.Errorf("it is there twice: %q", g.body)
	}
	for source, status := range map[string]int{"reg_na": 200, "[]": 200, "[ " + f.fmspc() + ",00906ed50000 ]": 200, "[00]": 400, "[" + f.fmspc(): 400, "all": 400, "[,]": 400} {
		if g := ask(t, f, "GET", sgx4+"platforms?source="+strings.ReplaceAll(source, " ", "%20"), "", adminToken, theAdmin); g.status != status {
			t.Errorf("source=%s: %d, want %d", source, g.status, status)
		}
	}
}

// In LAZY mode a registered platform is there at once, and on the list of those in
// the cache; and what is there is refreshed when an administrator says so.
func TestRegisterLazy(t *testing.T) {
	f := newFixture(t)
	if g := ask(t, f, "POST", sgx4+"platforms", f.registration(), userToken, theUser); g.status != 200 {
		t.Fatalf("%d %v", g.status, g.header)
	}
	g := ask(t, f, "GET", sgx4+"platforms?source=[]", "", adminToken, theAdmin)
	if g.first("platform-count") != "1" {
		t.Errorf("in the cache: %q", g.body)
	}
	before := f.asked.Load()
	for _, path := range []string{"refresh", "refresh?type=certs", "refresh?type=certs&fmspc=[" + f.fmspc() + "]", "refresh?type=certs&fmspc=" + f.fmspc()} {
		if g := ask(t, f, "POST", sgx4+path, "", adminToken, theAdmin); g.status != 200 || g.body != "Operation successful." {
			t.Errorf("%s: %d %v", path, g.status, g.header)
		}
		if now := f.asked.Load(); now == before {
			t.Errorf("%s asks nobody", path)
		} else {
			before = now
		}
	}
}

func TestBodies(t *testing.T) {
	f := newFixture(t, offlineMode, func(_ *pccs.Options, o *Options) { o.MaxBody = 10_000 })
	large := `{"platforms":[` + strings.Repeat(" ", 20_000) + `]}`
	for _, c := range []struct {
		method, path, body, media string
		status                    int
	}{
		{"PUT", "platformcollateral", "{", "application/json", 400},
		{"PUT", "platformcollateral", "[]", "application/json; charset=utf-8", 400},
		{"PUT", "platformcollateral", large, "application/json", 413},
		{"PUT", "appraisalpolicy", large, "application/json", 413},
		{"PUT", "appraisalpolicy", "{}", "application/json", 400},
		{"POST", "platforms", large, "application/json", 413},
		{"POST", "platforms", f.registration(), "text/plain", 400},
		{"POST", "platforms", f.registration(), "", 400},
		{"POST", "platforms", `{"qe_id":"00","pce_id":"0000"}`, "application/json", 400}, // 500 in Intel's of old
		{"POST", "platforms", f.registration(), "application/json", 200},
	} {
		g := ask(t, f, c.method, sgx4+c.path, c.body, adminToken, theAdmin, userToken, theUser, "Content-Type", c.media)
		if g.status != c.status || c.status == 413 && (g.body != "Content too large." || g.first("Error-Code") != "TooLarge") {
			t.Errorf("%s %s %.30q: %d %s %q", c.method, c.path, c.body, g.status, g.first("Error-Code"), g.first("Error-Message"))
		}
	}
	if g := ask(t, f, "POST", sgx4+"platforms", f.registration(), userToken, theUser, "Content-Encoding", "gzip"); g.status != 400 {
		t.Errorf("Content-Encoding: %d", g.status)
	}
}
