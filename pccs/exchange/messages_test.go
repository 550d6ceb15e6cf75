package exchange_test

import (
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/exchange"
	"github.com/feidi-dev/feidi/pccs/store"
)

func TestParseRegistration(t *testing.T) {
	ppid := strings.Repeat("aB", 384)
	cpusvn := strings.Repeat("0f", 16)
	for _, c := range []struct {
		body string
		want pccs.Registration
		err  string
	}{
		{body: `{"qe_id":"ab12","pce_id":"00aa","cpu_svn":"` + cpusvn + `","pce_svn":"0b00","enc_ppid":"` + ppid + `"}`,
			want: pccs.Registration{QEID: "AB12", PCEID: "00AA", CPUSVN: strings.ToUpper(cpusvn), PCESVN: "0B00", EncryptedPPID: strings.ToUpper(ppid)}},
		{body: `{"qe_id":"ab12","pce_id":"0000","cpu_svn":"` + cpusvn + `","pce_svn":"0b00","enc_ppid":"` + ppid + `","platform_manifest":null,"more":{}}`,
			want: pccs.Registration{QEID: "AB12", PCEID: "0000", CPUSVN: strings.ToUpper(cpusvn), PCESVN: "0B00", EncryptedPPID: strings.ToUpper(ppid)}},
		{body: `{"qe_id":"rack-7","pce_id":"0000","platform_manifest":"0a0b","cpu_svn":"","enc_ppid":""}`,
			want: pccs.Registration{QEID: "RACK-7", PCEID: "0000", Manifest: "0A0B"}},
		{body: `{"qe_id":"ab12","pce_id":"0000"}`, err: "it has neither a platform_manifest, nor all of"},
		{body: `{"pce_id":"0000","platform_manifest":"00"}`, err: "it has no qe_id"},
		{body: `{"qe_id":"ab","platform_manifest":"00"}`, err: "it has no pce_id"},
		{body: `{"qe_id":"` + strings.Repeat("a", 261) + `","pce_id":"0000","platform_manifest":"00"}`, err: "qe_id: it is to be 1 to 260 printable characters"},
		{body: `{"qe_id":"a b","pce_id":"0000","platform_manifest":"00"}`, err: "qe_id: it is to be 1 to 260"},
		{body: `{"qe_id":"ab","pce_id":"000g","platform_manifest":"00"}`, err: "pce_id: it is to be 4 hexadecimal digits"},
		{body: `{"qe_id":"ab","pce_id":"0000","platform_manifest":"0"}`, err: "platform_manifest: it is not hexadecimal"},
		{body: `{"qe_id":"ab","pce_id":"0000","platform_manifest":"` + strings.Repeat("0", 2*exchange.MaxManifest+2) + `"}`, err: "platform_manifest: it has more than"},
		{body: `{"qe_id":7,"pce_id":"0000"}`, err: "qe_id: value of another type"},
		{body: `{"qe_id":"ab","qe_id":"ab","pce_id":"0000"}`, err: "duplicate key"},
		{body: `[]`, err: "an object"},
		{body: ``, err: "ends too early"},
	} {
		got, err := exchange.ParseRegistration([]byte(c.body))
		if c.err == "" && (err != nil || got != c.want) {
			t.Errorf("%.80s: %+v, %v", c.body, got, err)
		}
		var e *exchange.Error
		if c.err != "" && (err == nil || !errors.As(err, &e) || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%.80s: %v, want: %s", c.body, err, c.err)
		}
	}
}

// jwt is an unsigned JWT with policies of these classes.
func jwt(classes ...string) string {
	var policies []string
	for _, c := range classes {
		policies = append(policies, fmt.Sprintf(`{"environment":{"class_id":%q,"description":"x"},"reference":{}}`, c))
	}
	payload, _ := json.Marshal(map[string]string{"policy_payload": `{"policy_array":[` + strings.Join(policies, ",") + `]}`})
	return "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString(payload) + "."
}

const (
	classSGX   = "3123ec35-8d38-4ea5-87a5-d6c48b567570"
	classTDX10 = "9eec018b-7481-4b1c-8e1a-9f7c0c8c777f"
	classTDX15 = "f708b97f-0fb2-4e6b-8b03-8a5bcd1221d3"
	classTDQE  = "3769258c-75e6-4bc7-8d72-d2b0e224cad2"
)

func TestParsePolicy(t *testing.T) {
	for _, c := range []struct {
		name, jwt, err string
		kind           int
	}{
		{"SGX", jwt(classSGX), "", 0},
		{"TDX 1.0", jwt(strings.ToUpper(classTDX10)), "", 1},
		{"TDX 1.5 behind its quoting enclave", jwt(classTDQE, classTDX15), "", 2},
		{"quoting enclave alone", jwt(classTDQE), "it has no policy of a platform", 0},
		{"unknown", jwt(classTDQE, "7"), `policy_array[1]: no class ID of a policy is "7"`, 0},
		{"none", jwt(), "it has no policy of a platform", 0},
		{"no JWT", "abc", "it is no JWT", 0},
		{"no base64", "a.%.c", "not base64url", 0},
		{"no JSON", "a." + base64.RawURLEncoding.EncodeToString([]byte("{")) + ".", "payload of the JWT: JSON is cut off", 0},
		{"no payload", "a." + base64.RawURLEncoding.EncodeToString([]byte("{}")) + ".", "it has no policy_payload", 0},
	} {
		put := store.Policy{FMSPC: "00906ED50000", Body: c.jwt, Default: true}
		got, err := exchange.ParsePolicy(exchange.AppendPolicy(nil, &put))
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want: %s", c.name, err, c.err)
			}
			continue
		}
		id := sha512.Sum384([]byte(c.jwt))
		put.ID, put.Kind = hex.EncodeToString(id[:]), c.kind
		if err != nil || got != put {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
	for body, want := range map[string]string{
		`{"fmspc":"00906ED50000","policy":"a.b"}`:                      "it has no is_default",
		`{"is_default":1,"fmspc":"00906ED50000","policy":"a.b"}`:       "is_default: value of another type",
		`{"is_default":true,"policy":"a.b"}`:                           "it has no fmspc",
		`{"is_default":true,"fmspc":"00906ED5000","policy":"a.b"}`:     "fmspc: it is to be 12",
		`{"is_default":true,"fmspc":"00906ED50000"}`:                   "it has no policy",
		`{"is_default":true,"fmspc":"00906ED50000","policy":null}`:     "policy: value of another type",
		`{"is_default":true,"fmspc":"00906ED50000","policy":"a.b"} {}`: "trailing",
		`{"is_default":true,"is_default":true,"fmspc":"00906ED50000"}`: "duplicate key",
		"\xff": "not UTF-8",
		strings.Repeat(" ", exchange.MaxPolicy+1): "it has more than",
	} {
		if _, err := exchange.ParsePolicy([]byte(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want: %s", body, err, want)
		}
	}
}

func TestPlatforms(t *testing.T) {
	list := []store.Registration{
		{PlatformID: store.PlatformID{QEID: "AB", PCEID: "0000"}, CPUSVN: strings.Repeat("0F", 16), PCESVN: "0B00", EncryptedPPID: bytes.Repeat([]byte{0xCD}, 384)},
		{PlatformID: store.PlatformID{QEID: `RACK"7`, PCEID: "00AA"}, Manifest: []byte{1, 2}},
	}
	b := exchange.AppendPlatforms(nil, list)
	// As encoding/json reads it.
	var rows []map[string]string
	if err := json.Unmarshal(b, &rows); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"enc_ppid": "", "platform_manifest": "0102", "qe_id": `RACK"7`, "pce_id": "00AA", "cpu_svn": "", "pce_svn": ""}
	if len(rows) != 2 || !reflect.DeepEqual(rows[1], want) || rows[0]["enc_ppid"] != strings.Repeat("cd", 384) {
		t.Errorf("written: %s", b)
	}
	got, err := exchange.ParsePlatforms(bytes.NewReader(b))
	if err != nil || !reflect.DeepEqual(got, list) {
		t.Errorf("read back: %+v, %v", got, err)
	}
	if b := exchange.AppendPlatforms(nil, nil); string(b) != "[]" {
		t.Errorf("none: %s", b)
	}
	// As `pccsadmin collect` writes it.
	got, err = exchange.ParsePlatforms(strings.NewReader(`[{"enc_ppid": "", "pce_id": "0000", "cpu_svn": "", "pce_svn": "", "qe_id": "aa", "platform_manifest": null, "pckid_filename": "host1"}]`))
	if err != nil || len(got) != 1 || got[0].QEID != "AA" || got[0].Manifest != nil {
		t.Errorf("of pccsadmin: %+v, %v", got, err)
	}
	_, err = exchange.ParsePlatforms(strings.NewReader(`[{"qe_id":"aa","pce_id":"0000"},{"qe_id":"aa"}]`))
	if err == nil || !strings.Contains(err.Error(), "platform list: [1]: it has no pce_id") {
		t.Errorf("no PCE ID: %v", err)
	}
}

func TestParseCSV(t *testing.T) {
	ppid, cpusvn := strings.Repeat("0a", 384), strings.Repeat("0b", 16)
	full := ppid + ",0000," + cpusvn + ",0d00,cc"
	for _, c := range []struct {
		name, file, err string
		want            []store.Registration
	}{
		{"one", full, "", []store.Registration{{PlatformID: store.PlatformID{QEID: "CC", PCEID: "0000"}, CPUSVN: strings.ToUpper(cpusvn), PCESVN: "0D00", EncryptedPPID: bytes.Repeat([]byte{0xA}, 384)}}},
		{"with a manifest, Windows", "\ufeff" + full + ",0102\r\n\r\n", "", []store.Registration{{PlatformID: store.PlatformID{QEID: "CC", PCEID: "0000"}, CPUSVN: strings.ToUpper(cpusvn), PCESVN: "0D00", EncryptedPPID: bytes.Repeat([]byte{0xA}, 384), Manifest: []byte{1, 2}}}},
		{"without an enclave", ",0000,,,6d79686f7374,0102\n", "", []store.Registration{{PlatformID: store.PlatformID{QEID: "6D79686F7374", PCEID: "0000"}, Manifest: []byte{1, 2}}}},
		{"neither", ",0000,,,aa\n", "line 1: it has neither", nil},
		{"second line", full + "\n" + full + ",zz\n", "line 2: the platform manifest is not hexadecimal", nil},
		{"PPID", "00," + full[769:], "line 1: encrypted PPID is to be 768", nil},
		{"PCE ID", ppid + ",," + cpusvn + ",0d00,cc", "line 1: PCE ID is to be 4", nil},
		{"QE ID", ppid + ",0000," + cpusvn + ",0d00,", "line 1: the QE ID", nil},
		{"four values", "a,b,c,d", "line 1: it has 4 values", nil},
		{"quotes", `"`, "it is not CSV", nil},
		{"empty", "\n\n", "it has no platform", nil},
		{"large", strings.Repeat("\n", exchange.MaxCSV+1), "more than", nil},
	} {
		got, err := exchange.ParseCSV([]byte(c.file))
		if c.err == "" && (err != nil || !reflect.DeepEqual(got, c.want)) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
		if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: %v, want: %s", c.name, err, c.err)
		}
	}
}
