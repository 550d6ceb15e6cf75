package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/admin"
	"github.com/feidi-dev/feidi/pccs/store"
)

// request is what a service was asked.
type request struct{ method, uri, token, password, contentType, body string }

// service answers with a status and a body, and notes what it was asked.
func service(t *testing.T, status int, body string, header ...string) (url string, got *request) {
	got = &request{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, password, _ := r.BasicAuth()
		*got = request{r.Method, r.RequestURI, r.Header.Get("admin-token"), password, r.Header.Get("Content-Type"), string(b)}
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

func client(t *testing.T, url string) *admin.Client {
	t.Helper()
	c, err := admin.New(admin.Config{URL: url, Token: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRequests(t *testing.T) {
	for _, c := range []struct {
		name, path, reply string
		ask               func(context.Context, *admin.Client) (string, error)
		want              request
		result            string
	}{
		{"platforms", "", `[{"qe_id":"aa","pce_id":"0000"}]`, func(ctx context.Context, c *admin.Client) (string, error) {
			list, err := c.Platforms(ctx, "reg")
			return list[0].QEID, err
		}, request{"GET", "/sgx/certification/v4/platforms?source=reg", "secret", "secret", "", ""}, "AA"},
		{"cached, as pccsadmin's address", "/sgx/certification/v3/platforms", "[]", func(ctx context.Context, c *admin.Client) (string, error) {
			_, err := c.Platforms(ctx, "[]")
			return "", err
		}, request{"GET", "/sgx/certification/v3/platforms?source=%5B%5D", "secret", "secret", "", ""}, ""},
		{"collateral, below a path", "/pccs/", "Operation successful.", func(ctx context.Context, c *admin.Client) (string, error) {
			return "", c.PutCollateral(ctx, &pccs.Collateral{})
		}, request{"PUT", "/pccs/sgx/certification/v4/platformcollateral", "secret", "secret", "application/json",
			`{"platforms":[],"collaterals":{"version":4,"pck_certs":[],"tcbinfos":[],"pckcacrl":{},"qeidentity":"","qveidentity":"","tdqeidentity":"",` +
				`"certificates":{"SGX-PCK-Certificate-Issuer-Chain":{},"TCB-Info-Issuer-Chain":"","SGX-Enclave-Identity-Issuer-Chain":""},"rootcacrl":""}}` + "\n"}, ""},
		{"policy", "/sgx/certification/v4/", "abc", func(ctx context.Context, c *admin.Client) (string, error) {
			return c.PutPolicy(ctx, store.Policy{FMSPC: "00906ED50000", Body: "a.b", Default: true})
		}, request{"PUT", "/sgx/certification/v4/appraisalpolicy", "secret", "secret", "application/json", `{"is_default":true,"fmspc":"00906ED50000","policy":"a.b"}`}, "abc"},
		{"refresh", "", "", func(ctx context.Context, c *admin.Client) (string, error) { return "", c.Refresh(ctx, false, nil) },
			request{"POST", "/sgx/certification/v4/refresh", "secret", "secret", "", ""}, ""},
		{"refresh all certificates", "", "", func(ctx context.Context, c *admin.Client) (string, error) { return "", c.Refresh(ctx, true, nil) },
			request{"POST", "/sgx/certification/v4/refresh?fmspc=&type=certs", "secret", "secret", "", ""}, ""},
		{"refresh some", "", "", func(ctx context.Context, c *admin.Client) (string, error) {
			return "", c.Refresh(ctx, true, []string{"00906ED50000", "00906ED50001"})
		}, request{"POST", "/sgx/certification/v4/refresh?fmspc=%5B00906ED50000%2C00906ED50001%5D&type=certs", "secret", "secret", "", ""}, ""},
	} {
		url, got := service(t, 200, c.reply)
		result, err := c.ask(t.Context(), client(t, url+c.path))
		if err != nil || *got != c.want || result != c.result {
			t.Errorf("%s: %v, %q\n%+v\nwant\n%+v", c.name, err, result, *got, c.want)
		}
	}
}

func TestStatus(t *testing.T) {
	want := pccs.Status{Mode: pccs.Req, Database: "mysql", At: time.Unix(7, 0).UTC(), Platforms: map[string]int{"00906ED50000": 3}, Failures: []store.Fetch{{Name: "x", Failures: 2}}, Waiting: 4}
	body, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	url, got := service(t, 200, string(body))
	s, err := client(t, url).Status(t.Context())
	if err != nil || got.uri != "/status/status.json" || got.password != "secret" || s.Platforms["00906ED50000"] != 3 || s.Waiting != 4 || s.Failures[0].Failures != 2 || !s.At.Equal(want.At) {
		t.Errorf("%+v, %v, asked %+v", s, err, got)
	}
	url, _ = service(t, 200, "<html>")
	if _, err := client(t, url).Status(t.Context()); err == nil {
		t.Error("a page is a status")
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		body   string
		header []string
		want   string
	}{
		{"Intel's", 401, "Authentication failed.", nil, "status 401: Authentication failed: the administrator's token is another, or the service has none"},
		{"ours", 503, "Server is currently unable to process the request.", []string{"Error-Code", "NotInThisMode", "Error-Message", "not in OFFLINE mode", "Request-ID", "abc"},
			"status 503: NotInThisMode: not in OFFLINE mode (request abc)"},
		{"a page", 404, "<html>Cannot GET", []string{"Content-Type", "text/html"}, "status 404: Not Found: the service has no such interface"},
		{"a terminal's", 500, "\x1b[2Jboo\nbar\x00", nil, "boo bar"},
		{"endless", 500, strings.Repeat("x ", 1<<20), nil, "x x ..."},
		{"elsewhere", 302, "", []string{"Location", "http://127.0.0.1:1/"}, "status 302: Found: it sends to another address"},
	} {
		url, _ := service(t, c.status, c.body, c.header...)
		err := client(t, url).Refresh(t.Context(), false, nil)
		var e *admin.Error
		if !errors.As(err, &e) || e.Status != c.status || !strings.Contains(err.Error(), c.want) || strings.ContainsAny(err.Error(), "\x1b\n") || len(err.Error()) > 2000 {
			t.Errorf("%s: %.300v", c.name, err)
		}
	}
}

func TestUnreachable(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	err := client(t, s.URL).Refresh(t.Context(), true, nil)
	if err == nil || !strings.Contains(err.Error(), "cannot be reached: ") || !strings.Contains(err.Error(), "trust its certificate") {
		t.Errorf("TLS: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := client(t, s.URL).Refresh(ctx, true, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestNew(t *testing.T) {
	for _, url := range []string{"localhost:8081", "ftp://localhost", "https://", "https://user@localhost", "https://localhost/?x=1", "https://localhost/sgx/certification/v2/", "://"} {
		if _, err := admin.New(admin.Config{URL: url}); err == nil {
			t.Errorf("%s is no error", url)
		}
	}
	if _, err := admin.New(admin.Config{}); err != nil {
		t.Error(err)
	}
}
