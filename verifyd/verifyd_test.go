package verifyd_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/testpki"
	"github.com/feidi-dev/feidi/verifyd"
	"github.com/feidi-dev/feidi/verifyd/wire"
)

var pki = testpki.New(testpki.Seed("verifyd"))

// config is that of a service that trusts pki and stands at its time.
func config(t *testing.T) verifyd.Config {
	root, err := dcap.ParseCertificate(pki.Root.DER)
	if err != nil {
		t.Fatal(err)
	}
	v, err := verify.New(verify.WithRoots(root.Raw))
	if err != nil {
		t.Fatal(err)
	}
	j, err := wire.Default([]*dcap.Certificate{root})
	if err != nil {
		t.Fatal(err)
	}
	return verifyd.Config{Verifier: v, Judge: j, Now: func() time.Time { return pki.Now }}
}

// post asks a handler, and returns the status and the answer.
func post(t *testing.T, h http.Handler, path, kind string, body []byte) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequest("POST", path, bytes.NewReader(body))
	r.Header.Set("Content-Type", kind)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var m map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
		t.Fatalf("%d: %v: %s", w.Code, err, w.Body)
	}
	if w.Header().Get("Content-Type") != "application/json" || w.Header().Get("X-Request-ID") == "" {
		t.Errorf("header %v", w.Header())
	}
	return w.Code, m
}

func get(t *testing.T, h http.Handler, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w.Code, w.Body.String()
}

// asJSON is a request in JSON.
func asJSON(t *testing.T, q *testpki.Quote, more map[string]any) []byte {
	t.Helper()
	m := map[string]any{"quote": base64.StdEncoding.EncodeToString(q.Bytes()), "collateral": q.Collateral()}
	for k, v := range more {
		m[k] = v
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	jsonType = "application/json; charset=utf-8"
	rawType  = "application/octet-stream"
)

func TestVerdicts(t *testing.T) {
	q := pki.Platform().TDXQuote()
	cfg := config(t)
	cfg.Source = verifyd.Fixed(q.Collateral())
	h := verifyd.NewHandler(cfg)
	forged := pki.Platform().TDXQuote(func(q *testpki.Quote) { q.Signer = pki.Key("another") })
	old := pki.Platform(testpki.Status(dcap.OutOfDate)).TDXQuote()
	for name, c := range map[string]struct {
		path, kind string
		body       []byte
		accepted   bool
		status     string
	}{
		"JSON":                {"", jsonType, asJSON(t, q, nil), true, "STATUS_OK"},
		"raw":                 {"", rawType, q.Bytes(), true, "STATUS_OK"},
		"raw, in base64":      {"", rawType, []byte(base64.StdEncoding.EncodeToString(q.Bytes())), true, "STATUS_OK"},
		"at another time":     {"", jsonType, asJSON(t, q, map[string]any{"at": "2027-01-01"}), false, "STATUS_SGX_CRL_EXPIRED"},
		"raw, too":            {"?at=2027-01-01", rawType, q.Bytes(), false, "STATUS_SGX_CRL_EXPIRED"},
		"report data":         {"", jsonType, asJSON(t, q, map[string]any{"report_data": "00"}), true, "STATUS_OK"},
		"other report data":   {"", jsonType, asJSON(t, q, map[string]any{"report_data": "01"}), false, "STATUS_OK"},
		"raw, other":          {"?report_data=01", rawType, q.Bytes(), false, "STATUS_OK"},
		"forged":              {"", rawType, forged.Bytes(), false, "STATUS_INVALID_QUOTE_SIGNATURE"},
		"out of date":         {"?explain", rawType, old.Bytes(), false, "STATUS_TCB_OUT_OF_DATE"},
		"another TEE's quote": {"", rawType, pki.Platform().SGXQuote().Bytes(), false, "STATUS_TCB_INFO_MISMATCH"},
	} {
		code, m := post(t, h, "/v1/verify"+c.path, c.kind, c.body)
		if code != 200 || m["accepted"] != c.accepted || m["status"] != c.status {
			t.Errorf("%s: %d, %v, %v: %v", name, code, m["accepted"], m["status"], m["reason"])
		}
		if _, explained := m["explanation"]; explained != (c.path == "?explain") {
			t.Errorf("%s: explained: %v", name, explained)
		}
	}
}

func TestNoVerdict(t *testing.T) {
	q := pki.Platform().SGXQuote()
	cfg := config(t)
	cfg.MaxBody = 64 << 10
	h := verifyd.NewHandler(cfg)
	cfg.Source = func(context.Context, *dcap.Quote) (*dcap.Collateral, error) {
		return nil, errors.New("the line is dead")
	}
	cut := verifyd.NewHandler(cfg)
	for name, c := range map[string]struct {
		h          http.Handler
		path, kind string
		body       []byte
		code       int
		want       string
	}{
		"no type":            {h, "", "", q.Bytes(), 415, "content type"},
		"a form":             {h, "", "application/x-www-form-urlencoded", q.Bytes(), 415, "content type"},
		"large":              {h, "", jsonType, bytes.Repeat([]byte(" "), 64<<10+1), 413, "larger"},
		"large raw":          {h, "", rawType, make([]byte, 64<<10+1), 413, "larger"},
		"no JSON":            {h, "", jsonType, []byte("hello"), 400, "bad request"},
		"unknown key":        {h, "", jsonType, []byte(`{"quote": "0300", "policy": "any"}`), 400, "no such key"},
		"no quote":           {h, "", rawType, []byte("hello!"), 400, "no quote"},
		"JSON, as a quote":   {h, "", rawType, []byte(`{"quote": "0300"}`), 400, "application/json"},
		"without its zeros":  {h, "", rawType, bytes.ReplaceAll(q.Bytes(), []byte{0}, nil), 400, "--data-binary"},
		"a cut quote":        {h, "", rawType, q.Bytes()[:100], 400, "cut off"},
		"no collateral":      {h, "", rawType, q.Bytes(), 400, "the request is to bring it"},
		"unknown parameter":  {h, "?root=x", rawType, q.Bytes(), 400, "no parameter"},
		"parameter twice":    {h, "?at=2026-01-01&at=2027-01-01", rawType, q.Bytes(), 400, "twice"},
		"no time":            {h, "?at=now", rawType, q.Bytes(), 400, "is no time"},
		"no source":          {cut, "", rawType, q.Bytes(), 502, "the line is dead"},
		"no platform":        {cached(t, time.Hour), "", rawType, pki.Platform().SGXQuote(func(q *testpki.Quote) { q.CertType, q.CertData = 7, []byte{1} }).Bytes(), 400, "PCK certificate"},
		"service in trouble": {cached(t, time.Hour), "", rawType, unknown().Bytes(), 502, "collateral"},
	} {
		code, m := post(t, c.h, "/v1/verify"+c.path, c.kind, c.body)
		text, _ := m["error"].(string)
		if code != c.code || !strings.Contains(text, c.want) || m["request_id"] == "" || m["accepted"] != nil {
			t.Errorf("%s: %d, %v; want %d, %q", name, code, m, c.code, c.want)
		}
	}
	// So are other paths and methods.
	for path, code := range map[string]int{"/": 404, "/v1/verify/": 404, "/healthz": 405, "/metrics": 405} {
		got, m := post(t, h, path, "", nil)
		if text, _ := m["error"].(string); got != code || !strings.Contains(text, "/healthz") && code == 404 || m["request_id"] == "" {
			t.Errorf("POST %s: %d, %v", path, got, m)
		}
	}
	if code, text := get(t, h, "/v1/verify"); code != 405 || !strings.Contains(text, `"error": "/v1/verify takes POST, not \"GET\""`) {
		t.Errorf("GET: %d, %s", code, text)
	}
}

// unknown is a quote of a platform that the service has nothing of.
func unknown() *testpki.Quote {
	return testpki.New(testpki.Seed("others")).Platform(testpki.FMSPC([6]byte{9, 9, 9, 9, 9, 9}), testpki.SinglePackage).SGXQuote()
}

// cached is a handler that gets collateral from pki's service.
func cached(t *testing.T, ttl time.Duration) http.Handler {
	cfg := config(t)
	cfg.Cache = cache(t, pki.PCS(), ttl)
	verifyd.SetClock(cfg.Cache, cfg.Now)
	cfg.Source = cfg.Cache.Collateral
	return verifyd.NewHandler(cfg)
}

func cache(t *testing.T, service http.Handler, ttl time.Duration) *verifyd.Cache {
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	client, err := pcs.New(pcs.Config{URL: server.URL, Attempts: 1, Now: func() time.Time { return pki.Now }})
	if err != nil {
		t.Fatal(err)
	}
	return verifyd.NewCache(client, ttl)
}

func TestFromService(t *testing.T) {
	h := cached(t, time.Hour)
	for name, q := range map[string]*testpki.Quote{
		"TDX": pki.Platform().TDXQuote(), "SGX": pki.Platform().SGXQuote(), "one package": pki.Platform(testpki.SinglePackage).SGXQuote(),
		"PPID only": pki.Platform().SGXQuote(func(q *testpki.Quote) { q.CertType = dcap.CertPPIDRSA3072 }),
	} {
		if code, m := post(t, h, "/v1/verify", rawType, q.Bytes()); code != 200 || m["accepted"] != true {
			t.Errorf("%s: %d, %v", name, code, m)
		}
	}
}

// TestBusy: no more requests are taken than may be, and those that are given up
// leave their place.
func TestBusy(t *testing.T) {
	q := pki.Platform().SGXQuote()
	cfg := config(t)
	cfg.MaxRequests, cfg.Timeout = 1, 100*time.Millisecond
	began := make(chan struct{}, 1)
	cfg.Source = func(ctx context.Context, _ *dcap.Quote) (*dcap.Collateral, error) {
		began <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	h := verifyd.NewHandler(cfg)
	first := make(chan int)
	go func() {
		code, _ := post(t, h, "/v1/verify", rawType, q.Bytes())
		first <- code
	}()
	<-began
	if code, m := post(t, h, "/v1/verify", rawType, q.Bytes()); code != 503 {
		t.Errorf("a second: %d, %v", code, m)
	}
	if code := <-first; code != 502 {
		t.Errorf("the first: %d", code)
	}
	if code, _ := post(t, h, "/v1/verify", jsonType, asJSON(t, q, nil)); code != 200 {
		t.Errorf("a third: %d", code)
	}
}

func TestMetrics(t *testing.T) {
	q := pki.Platform().SGXQuote()
	h := cached(t, time.Hour)
	for range 3 {
		post(t, h, "/v1/verify", rawType, q.Bytes())
	}
	post(t, h, "/v1/verify?report_data=01", rawType, q.Bytes())
	post(t, h, "/v1/verify", rawType, []byte("nonsense"))
	code, text := get(t, h, "/metrics")
	if code != 200 {
		t.Fatalf("%d", code)
	}
	for _, want := range []string{
		`feidi_requests_total{outcome="accepted"} 3`, `feidi_requests_total{outcome="rejected"} 1`, `feidi_requests_total{outcome="malformed"} 1`,
		`feidi_requests_total{outcome="busy"} 0`, `feidi_verifications_total{status="STATUS_OK"} 4`, `feidi_requests_in_flight 0`,
		`feidi_request_duration_seconds_count 5`, `feidi_verification_duration_seconds_bucket{le="+Inf"} 4`,
		`feidi_collateral_total{from="memory"} 3`, `feidi_collateral_total{from="service"} 1`, `feidi_collateral_failures_total 0`,
	} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	checkExposition(t, text)
}

// checkExposition checks the form of the text, and that buckets add up.
func checkExposition(t *testing.T, text string) {
	last := map[string]float64{}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "# HELP ") || strings.HasPrefix(line, "# TYPE ") {
			continue
		}
		name, value, ok := strings.Cut(line, " ")
		var v float64
		if _, err := fmt.Sscan(value, &v); !ok || err != nil || v < 0 {
			t.Errorf("%q: %v", line, err)
		}
		base, _, _ := strings.Cut(name, "{")
		if stem, isBucket := strings.CutSuffix(base, "_bucket"); isBucket {
			if v < last[stem] {
				t.Errorf("%q is less than the bucket before it", line)
			}
			last[stem] = v
		}
		if stem, isCount := strings.CutSuffix(base, "_count"); isCount && v != last[stem] {
			t.Errorf("%q: the last bucket has %v", line, last[stem])
		}
	}
}

func TestRequestID(t *testing.T) {
	var log bytes.Buffer
	cfg := config(t)
	cfg.Log = slog.New(slog.NewJSONHandler(&log, nil))
	h := verifyd.NewHandler(cfg)
	for given, kept := range map[string]bool{"abc-1.2_3": true, "with space": false, strings.Repeat("x", 65): false, "": false, "a\"b": false} {
		log.Reset()
		r := httptest.NewRequest("POST", "/v1/verify", bytes.NewReader(asJSON(t, pki.Platform().SGXQuote(), nil)))
		r.Header.Set("Content-Type", jsonType)
		r.Header.Set("X-Request-ID", given)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		id := w.Header().Get("X-Request-ID")
		var line map[string]any
		if err := json.Unmarshal(log.Bytes(), &line); err != nil {
			t.Fatalf("%v: %s", err, &log)
		}
		if id == "" || (id == given) != kept || line["request_id"] != id || line["outcome"] != "accepted" || line["status"] != "STATUS_OK" || line["took_ns"] == nil {
			t.Errorf("%q: %q, %s", given, id, &log)
		}
	}
}

func TestHealth(t *testing.T) {
	h := verifyd.NewHandler(config(t))
	if code, body := get(t, h, "/healthz"); code != 200 || body != "ok\n" {
		t.Errorf("%d, %q", code, body)
	}
	h.Drain()
	if code, _ := get(t, h, "/healthz"); code != 503 {
		t.Errorf("once it is to stop: %d", code)
	}
	if code, _ := post(t, h, "/v1/verify", jsonType, asJSON(t, pki.Platform().SGXQuote(), nil)); code != 200 {
		t.Errorf("what comes nevertheless: %d", code)
	}
}
