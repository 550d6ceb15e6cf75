package pcs

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

// qcnlFull has every key that Intel's client knows.
const qcnlFull = `{
  // *** comment with "quotes" and a brace }
  "pccs_url": "https://pccs.example:8081/sgx/certification/v4/" // behind a value
  /* of several
     lines */
  ,"use_secure_cert": false
  ,"collateral_service": "https://api.trustedservices.intel.com/sgx/certification/v4/"
  ,"tcb_update_type": "early"
  ,"pccs_api_version": "3.1"
  ,"retry_times": 6
  ,"retry_delay": 10
  ,"local_pck_url": "http://169.254.169.254/metadata/THIM/sgx/certification/v4/"
  ,"pck_cache_expire_hours": 168
  ,"verify_collateral_cache_expire_hours": 24
  ,"local_cache_only": true
  ,"custom_request_options": {"get_cert": {"headers": {"metadata": "true"}, "params": {"api-version": "2021-07-22-preview"}, "timeout": 15}}
  ,"local_collateral_url": ""
}
`

func TestQCNL(t *testing.T) {
	q, err := ParseQCNL([]byte(qcnlFull))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"custom_request_options.get_cert.timeout", "local_collateral_url"}; !reflect.DeepEqual(q.Unknown, want) {
		t.Errorf("unknown %q", q.Unknown)
	}
	want := Config{
		URL:         "https://api.trustedservices.intel.com/sgx/certification/v4/",
		PCKURLs:     []string{"http://169.254.169.254/metadata/THIM/sgx/certification/v4/", "https://pccs.example:8081/sgx/certification/v4/"},
		Update:      Early,
		InsecureTLS: true,
		Attempts:    7, FirstDelay: 10 * time.Second, MaxDelay: 10 * time.Second,
		MaxAge: 24 * time.Hour, PCKMaxAge: 168 * time.Hour, Offline: true,
		PCKHeader: http.Header{"Metadata": {"true"}}, PCKParams: url.Values{"api-version": {"2021-07-22-preview"}},
	}
	if got := q.Config(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	cfg := q.Config()
	cfg.CacheDir = t.TempDir()
	if _, err := New(cfg); err != nil {
		t.Error(err)
	}

	for name, text := range map[string]string{
		"JSON":  `{"pccs_url":"https://localhost:8081/sgx/certification/v3/","use_secure_cert":false}`,
		"lines": "\ufeff# PCCS server address\r\nPCCS_URL=https://localhost:8081/sgx/certification/v3/\r\n\r\nUSE_SECURE_CERT = FALSE # own certificate\r\n",
	} {
		q, err := ParseQCNL([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := Config{URL: "https://localhost:8081/sgx/certification/v3/", PCKURLs: []string{"https://localhost:8081/sgx/certification/v3/"}, InsecureTLS: true, Attempts: 1, FirstDelay: time.Second}
		if got := q.Config(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	if q, err := ParseQCNL([]byte("PCCS_URL=https://h/")); err != nil || !q.UseSecureCert {
		t.Error("TLS is not checked unless the file says so", err)
	}
}

func TestQCNLBad(t *testing.T) {
	const url = `"pccs_url":"https://h/sgx/certification/v4/"`
	for text, want := range map[string]string{
		``:                          "neither pccs_url",
		`{}`:                        "neither pccs_url",
		`[]`:                        "line 1 is neither",
		`{` + url:                   "offset",
		`{` + url + `,}`:            "offset",
		`{` + url + `} x`:           "something follows",
		`{` + url + `,` + url + `}`: `"pccs_url" is there twice`,
		`{` + url + ` /* x }`:       "does not end",
		`{"pccs_url":7}`:            `a text is wanted, not 7`,
		`{"pccs_url":"h"}`:          `key "pccs_url": "h" is no URL`,
		`{"pccs_url":"https://h/sgx/certification/v2/"}`:                          "version 2",
		`{` + url + `,"use_secure_cert":"true"}`:                                  `true or false is wanted, not "true"`,
		`{` + url + `,"use_secure_cert":null}`:                                    `not null`,
		`{` + url + `,"retry_times":1.5}`:                                         "a whole number",
		`{` + url + `,"retry_times":-1}`:                                          "-1 is not between",
		`{` + url + `,"retry_times":99999999999999999999}`:                        "a whole number",
		`{` + url + `,"verify_collateral_cache_expire_hours":2161}`:               "between 0 and 2160",
		`{` + url + `,"tcb_update_type":"late"}`:                                  `"late" is neither`,
		`{` + url + `,"custom_request_options":[]}`:                               "no JSON object",
		`{` + url + `,"custom_request_options":{"get_cert":{"headers":{"a":1}}}}`: "an object of texts",
		"PCCS_URL":                                   "line 1 is neither",
		"PCCS_URL=https://h/\nPCCS_URL=":             "line 2: PCCS_URL is there twice",
		"PCCS_URL=https://h/\nUSE_SECURE_CERT=maybe": "TRUE or FALSE is wanted",
		strings.Repeat(" ", MaxQCNLSize+1):           "more than",
	} {
		if _, err := ParseQCNL([]byte(text)); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.80q: %v, want %q", text, err, want)
		}
	}
}

func FuzzQCNL(f *testing.F) {
	f.Add([]byte(qcnlFull))
	f.Add([]byte("# c\nPCCS_URL=https://localhost:8081/sgx/certification/v3/\nUSE_SECURE_CERT=TRUE\n"))
	f.Add([]byte(`{"pccs_url":"https:\u002f/h/" /**/ // x`))
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := ParseQCNL(b)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r\x1b") {
				t.Errorf("not one line: %q", err)
			}
			return
		}
		// What is taken makes a client.
		cfg := q.Config()
		cfg.CacheDir = "never used"
		if _, err := New(cfg); err != nil {
			t.Errorf("%v: %+v", err, q)
		}
	})
}
