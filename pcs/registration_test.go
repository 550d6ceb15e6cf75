package pcs

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const (
	pathPlatform = "/sgx/registration/v1/platform"
	pathPackage  = "/sgx/registration/v1/package"
	pathPCKCerts = "/sgx/certification/v4/pckcerts"
)

func TestRegisterPlatform(t *testing.T) {
	f := newFake(t)
	c := f.client(t, Config{})
	manifest := []byte{1, 2, 3, 0xff}
	var sent []byte
	answer := func(status int, header http.Header, body string) {
		f.serve(pathPlatform, func(w http.ResponseWriter, r *http.Request) {
			sent, _ = io.ReadAll(r.Body)
			if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/octet-stream" {
				t.Errorf("%s of %s", r.Method, r.Header.Get("Content-Type"))
			}
			for name, v := range header {
				w.Header()[name] = v
			}
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		})
	}
	answer(201, nil, "00112233445566778899AABBCCDDEEFF")
	ppid, err := c.RegisterPlatform(t.Context(), manifest)
	if err != nil || hex.EncodeToString(ppid[:]) != "00112233445566778899aabbccddeeff" || !bytes.Equal(sent, manifest) {
		t.Errorf("%x, %v; sent %x", ppid, err, sent)
	}
	code := http.Header{"Error-Code": {"PackageNotFound"}, "Error-Message": {"who is that?"}, "Request-ID": {"77"}}
	for _, b := range []struct {
		status int
		header http.Header
		body   string
		kind   error
		says   string
	}{
		{400, code, "", ErrBadRequest, "PackageNotFound: who is that? (HTTP 400, from " + f.URL + pathPlatform + ", request 77)"},
		{415, nil, "", ErrServer, "HTTP 415"},
		{404, nil, "", ErrNotFound, "HTTP 404"},
		{503, http.Header{"Retry-After": {"7"}}, "", ErrBusy, "try again in 7s"},
		{200, nil, "00112233445566778899AABBCCDDEEFF", ErrServer, "HTTP 200"},
		{201, nil, "00112233445566778899AABBCCDDEE", ErrBadReply, "no PPID"},
		{201, nil, "00112233445566778899AABBCCDDEEFFFF", ErrBadReply, "no PPID"},
		{201, nil, "<html>", ErrBadReply, "no PPID"},
		{201, nil, strings.Repeat("0", 65), ErrTooLarge, "64 bytes"},
	} {
		answer(b.status, b.header, b.body)
		f.requests()
		_, err := c.RegisterPlatform(t.Context(), manifest)
		if !errors.Is(err, b.kind) || !strings.Contains(err.Error(), b.says) {
			t.Errorf("%d %q: %v", b.status, b.body, err)
		}
		if n := len(f.requests()); n != 1 {
			t.Errorf("%d: sent %d times", b.status, n)
		}
	}
	for _, size := range []int{0, maxPosted + 1} {
		if _, err := c.RegisterPlatform(t.Context(), make([]byte, size)); !errors.Is(err, ErrBadRequest) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	offline := f.client(t, Config{Offline: true, CacheDir: t.TempDir()})
	if _, err := offline.RegisterPlatform(t.Context(), manifest); !errors.Is(err, ErrNotCached) {
		t.Error(err)
	}
	if len(f.requests()) != 0 {
		t.Error("asked nevertheless")
	}
}

func TestAddPackage(t *testing.T) {
	f := newFake(t)
	c := f.client(t, Config{PCKHeader: http.Header{"Ocp-Apim-Subscription-Key": {"secret"}}})
	answer := func(count string, body []byte) {
		f.serve(pathPackage, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Ocp-Apim-Subscription-Key") != "secret" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			w.Header().Set("Certificate-Count", count)
			_, _ = w.Write(body)
		})
	}
	array := bytes.Repeat([]byte{'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'}, 3)
	answer("2", array)
	got, err := c.AddPackage(t.Context(), []byte{1})
	if err != nil || len(got) != 2 || string(got[0]) != "abc" || string(got[1]) != "def" {
		t.Errorf("%q, %v", got, err)
	}
	for count, body := range map[string][]byte{"9": array, "": array, "-1": array, "1": array[1:], "0": {}} {
		answer(count, body)
		if _, err := c.AddPackage(t.Context(), []byte{1}); !errors.Is(err, ErrBadReply) {
			t.Errorf("count %q of %d bytes: %v", count, len(body), err)
		}
	}
	answer("1", make([]byte, maxMembership+8))
	if _, err := c.AddPackage(t.Context(), []byte{1}); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if _, err := f.client(t, Config{SubscriptionKey: "secret"}).AddPackage(t.Context(), []byte{1}); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("Intel's key went to another: %v", err)
	}
	intel := f.client(t, Config{URL: IntelURL, HTTP: f.asIntel(), SubscriptionKey: "secret"})
	answer("1", array)
	if _, err := intel.AddPackage(t.Context(), []byte{1}); err != nil {
		t.Errorf("Intel was not sent its key: %v", err)
	}
}

// levelJSON is a level of a list as Intel's documentation shows it.
func levelJSON(first int, tcbm, cert string) string {
	var tcb strings.Builder
	fmt.Fprintf(&tcb, `"sgxtcbcomp01svn":%d`, first)
	for i := 2; i <= 16; i++ {
		fmt.Fprintf(&tcb, `,"sgxtcbcomp%02dsvn":%d`, i, i)
	}
	return fmt.Sprintf(`{"tcb":{%s,"pcesvn":11},"tcbm":%q,"cert":%q}`, &tcb, tcbm, cert)
}

const testTCBm = "000102030405060708090A0B0C0D0E0F0B00"

func TestPCKCerts(t *testing.T) {
	f := newFake(t)
	chain := url.PathEscape(string(f.certPEM) + string(f.certPEM))
	cert := url.PathEscape(string(f.certPEM))
	body := "[" + levelJSON(9, testTCBm, "Not available") + "," + levelJSON(7, testTCBm, cert) + "]"
	var posted []byte
	f.serve(pathPCKCerts, func(w http.ResponseWriter, r *http.Request) {
		posted, _ = io.ReadAll(r.Body)
		w.Header().Set("SGX-PCK-Certificate-Issuer-Chain", chain)
		w.Header().Set("SGX-FMSPC", "00906ED50000")
		w.Header().Set("SGX-PCK-Certificate-CA-Type", "platform")
		fmt.Fprint(w, body)
	})
	c := f.client(t, Config{CacheDir: t.TempDir()})
	byPPID := PCKCertsRequest{EncryptedPPID: bytes.Repeat([]byte{0xab}, 384), PCEID: [2]byte{1, 0}}
	byManifest := PCKCertsRequest{Manifest: []byte{0xca, 0xfe}, PCEID: [2]byte{1, 0}}
	for i, r := range []PCKCertsRequest{byPPID, byPPID, byManifest, byManifest} {
		got, err := c.PCKCerts(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if got.FMSPC != testFMSPC || got.CA != Platform || string(got.Issuers) != string(f.certPEM)+string(f.certPEM) || len(got.Levels) != 2 || got.Source.Cached != (i == 1) {
			t.Fatalf("%d: %+v", i, got)
		}
		top, low := got.Levels[0], got.Levels[1]
		if top.Cert != nil || top.TCB[0] != 9 || top.TCB[15] != 16 || !bytes.Equal(low.Cert, f.certPEM) || low.TCB[0] != 7 || low.PCESVN != 11 || low.CPUSVN[15] != 15 {
			t.Errorf("%d: %+v", i, got.Levels)
		}
	}
	if want := `{"platformManifest":"cafe","pceid":"0100"}`; string(posted) != want {
		t.Errorf("posted %s, want %s", posted, want)
	}
	asked := f.requests()
	if q := asked[0].URL.Query(); len(asked) != 3 || q.Get("pceid") != "0100" || q.Get("encrypted_ppid") != strings.Repeat("ab", 384) || asked[1].URL.RawQuery != "" {
		t.Errorf("asked %v", asked)
	}
	for _, r := range []PCKCertsRequest{{}, {EncryptedPPID: make([]byte, 383)}, {Manifest: []byte{}}} {
		if _, err := c.PCKCerts(t.Context(), r); !errors.Is(err, ErrBadRequest) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	for _, bad := range []string{
		"", "{}", "<html>", "[" + levelJSON(256, testTCBm, cert) + "]", "[" + levelJSON(1, testTCBm[2:], cert) + "]",
		"[" + levelJSON(1, testTCBm, "not available") + "]", "[" + strings.Replace(levelJSON(1, testTCBm, cert), "comp16", "comp17", 1) + "]",
	} {
		body = bad
		if _, err := c.PCKCerts(t.Context(), byManifest); !errors.Is(err, ErrBadReply) {
			t.Errorf("%.60q: %v", bad, err)
		}
	}
}

func FuzzPCKLevels(f *testing.F) {
	cert, _ := newPKI(f)
	f.Add([]byte("[" + levelJSON(9, testTCBm, "Not available") + "," + levelJSON(7, testTCBm, url.PathEscape(string(cert))) + "]"))
	f.Add([]byte("[{}]"))
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := readLevels(body)
		if err != nil && list != nil {
			t.Error("a list, and an error")
		}
		for _, l := range list {
			if l.Cert == nil {
				continue
			}
			if again, err := canonicalChain(l.Cert); err != nil || !bytes.Equal(again, l.Cert) {
				t.Errorf("%q is not in the one form: %v", l.Cert, err)
			}
		}
	})
}
