package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/feidi-dev/feidi/pccs"
)

// TestScreenshots takes pictures of the pages in several states, for people.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("FEIDI_PICTURES")
	if dir == "" {
		t.Skip("set FEIDI_PICTURES to a folder to have the pages pictured there")
	}
	for name, c := range map[string]struct {
		f    *fixture
		path string
	}{
		"overview":  {healthy(), ""},
		"broken":    {broken(), ""},
		"empty":     {empty(pccs.Lazy), ""},
		"documents": {broken(), "documents"},
		"platforms": {broken(), "platforms"},
		"fmspc":     {broken(), "fmspc?fmspc=00906ED50000"},
		"problem":   {&fixture{err: fmt.Errorf("the database is not available: dial unix: connection refused")}, ""},
	} {
		s := serve(t, c.f.handler(t))
		for look, flags := range map[string][]string{
			"desktop": {"--window-size=1280,1500"},
			"dark":    {"--window-size=1280,1500", "--force-dark-mode", "--blink-settings=preferredColorScheme=0"},
			"phone":   {"--window-size=500,2600"},
		} {
			browse(t, append(flags, "--hide-scrollbars", "--screenshot="+filepath.Join(dir, name+"-"+look+".png"), s.URL+Prefix+c.path)...)
		}
	}
}

// In a real browser the pages say the same with and without the script, which
// has its say in a button of each column, and nothing is amiss: no refused
// style, no script error, no request that is not answered with 200, and none to
// another host, which would fail and be told on the console.
func TestInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short: a browser takes seconds to start")
	}
	h := broken().handler(t)
	var mu sync.Mutex
	asked := map[string]int{}
	var scriptless atomic.Bool
	s := serve(t, h)
	inner := s.Config.Handler
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked[r.Method+" "+r.URL.Path]++
		mu.Unlock()
		if scriptless.Load() {
			inner.ServeHTTP(withoutScripts{w}, r)
			return
		}
		inner.ServeHTTP(w, r)
	})
	for _, scripts := range []bool{true, false} {
		scriptless.Store(!scripts)
		dom, log := browse(t, "--dump-dom", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", s.URL+Prefix)
		console := strings.Count(log, "CONSOLE")
		if !scripts {
			console -= strings.Count(log, "script-src 'none'") // as it should
		}
		if console != 0 {
			t.Errorf("scripts %v: the console says\n%s", scripts, log)
		}
		for _, want := range []string{"6 documents expired", "DEAD00000001", "UpstreamUnreachable", `class="timeline"`, "&lt;SCRIPT&gt;alert(1)"} {
			if !strings.Contains(dom, want) {
				t.Errorf("scripts %v: %s is not on the page", scripts, want)
			}
		}
		if strings.Contains(dom, `class="sort"`) != scripts || strings.Contains(dom, `class="live"`) != scripts {
			t.Errorf("scripts %v: sorting %v", scripts, !scripts)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for path, n := range asked {
		if n == 0 || !slices.Contains([]string{"GET /status/", "GET /status/style.css", "GET /status/script.js", "GET /status/icon.svg"}, path) {
			t.Errorf("the browser asked for %s", path)
		}
	}
	if asked["GET /status/style.css"] == 0 || asked["GET /status/script.js"] == 0 {
		t.Errorf("the browser asked for %v only", asked)
	}
}

// withoutScripts has a browser load no script. Chromium's own switch for that
// would have it print no DOM either.
type withoutScripts struct{ http.ResponseWriter }

func (w withoutScripts) WriteHeader(code int) {
	w.Header().Set("Content-Security-Policy", strings.Replace(policy, "script-src 'self'", "script-src 'none'", 1))
	w.ResponseWriter.WriteHeader(code)
}

// serve serves pages to a browser, which gives no password.
func serve(t *testing.T, h *Handler) *httptest.Server {
	h.authorised = func(*http.Request) bool { return true }
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// browse runs a browser and returns what it prints.
func browse(t *testing.T, flags ...string) (stdout, stderr string) {
	t.Helper()
	var browser string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		t.Skip("no Chromium here")
	}
	// Chromium's sandbox does not work for root, nor in most containers. It
	// loads nothing here but the page under test.
	cmd := exec.Command(browser, append([]string{"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir=" + t.TempDir(), "--enable-logging=stderr", "--v=0"}, flags...)...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", browser, err, &errs)
	}
	return out.String(), errs.String()
}
