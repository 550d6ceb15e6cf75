package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/testpki"
)

// TestShowForms: a quote is the same however it is written.
func TestShowForms(t *testing.T) {
	q, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(sampleSet), "quote.bin"))
	if err != nil {
		t.Fatal(err)
	}
	show := func(stdin string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if code := Main([]string{"quote", "show", "-"}, strings.NewReader(stdin), &out, &errs); code != exitOK {
			t.Fatalf("exit code %d: %s", code, &errs)
		}
		return out.String()
	}
	want := show(string(q))
	for name, text := range map[string]string{
		"hexadecimal": hex.Dump(nil) + hex.EncodeToString(q), "base64": base64.StdEncoding.EncodeToString(q) + "\n", "base64url": base64.RawURLEncoding.EncodeToString(q),
	} {
		if got := show(text); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestShowEverything: each byte of a quote that says something is shown.
func TestShowEverything(t *testing.T) {
	p := testpki.New(testpki.Seed("show")).Platform()
	for name, q := range map[string]*testpki.Quote{
		"SGX": p.SGXQuote(func(q *testpki.Quote) {
			q.Enclave.Attributes.Flags |= isa.AttrKSS | isa.AttrDebug
			q.Enclave.Reserved4[7] = 0xEE
		}),
		"TDX": p.TDXQuote(),
		"TDX 1.5, extended": p.TDXQuote(func(q *testpki.Quote) {
			q.Header.Version, q.BodyType = 5, dcap.BodyTD15Ex
			q.TD.TDID, q.TD.VMID, q.TD.InitTEEFMSPC = [32]byte{0xAB, 0xCD}, 7, [12]byte{0x12, 0x34}
		}),
	} {
		raw := q.Bytes()
		var out, errs bytes.Buffer
		if code := Main([]string{"quote", "show", "-", "--json"}, bytes.NewReader(raw), &out, &errs); code != exitOK {
			t.Fatalf("%s: exit code %d: %s", name, code, &errs)
		}
		shown := out.String()
		// Fields of 16 bytes and more are searched for as they are: the
		// quote is cut at the offsets of the layouts that Intel gives.
		at := map[string][][2]int{
			"SGX": {{12, 16}, {28, 20}, {48, 16}, {48 + 32, 16}, {48 + 64, 32}, {48 + 128, 32}, {48 + 192, 64}, {48 + 304, 16}, {48 + 320, 64}, {436, 64}, {500, 64}},
			"TDX": {{12, 16}, {48, 16}, {64, 48}, {112, 48}, {48 + 136, 48}, {48 + 184, 48}, {48 + 328, 48}, {48 + 376, 48}, {48 + 424, 48}, {48 + 472, 48}, {48 + 520, 64}, {636, 64}, {700, 64}},
			"TDX 1.5, extended": {{12, 16}, {54 + 136, 48}, {54 + 520, 64}, {54 + 584, 16}, {54 + 600, 48}, {54 + 649, 32}, {54 + 681, 48}, {54 + 729, 48}, {54 + 785, 16}, {54 + 801, 16},
				{54 + 817, 12}, {54 + 829, 48}, {54 + 885 + 4, 64}},
		}[name]
		for _, f := range at {
			if want := fmt.Sprintf("%q", hex.EncodeToString(raw[f[0]:f[0]+f[1]])); !strings.Contains(shown, want) {
				t.Errorf("%s: the %d bytes at %d are not shown: %s", name, f[1], f[0], want)
			}
		}
		var s shownQuote
		if err := json.Unmarshal(out.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		if name == "SGX" && (!s.Enclave.Debug || !strings.Contains(s.Enclave.Reserved, "ee")) {
			t.Errorf("SGX: %+v", s.Enclave)
		}
		if c := s.Certification.Certificates; len(c) != 3 || c[0].SGX == nil || c[0].SGX.PPID != hex.EncodeToString(p.SGX.PPID[:]) || c[1].Serial != hex.EncodeToString(p.PKI.PlatformCA.X509().SerialNumber.Bytes()) {
			t.Errorf("%s: certificates %+v", name, c)
		}
		out.Reset()
		if code := Main([]string{"quote", "show", "-"}, bytes.NewReader(raw), &out, &errs); code != exitOK || strings.Contains(out.String(), "UNREADABLE") {
			t.Errorf("%s: exit code %d\n%s", name, code, &out)
		}
	}
}

// TestShowCertification: what is no chain is shown, too.
func TestShowCertification(t *testing.T) {
	p := testpki.New(testpki.Seed("show")).Platform()
	for want, edit := range map[string]func(*testpki.Quote){
		"PCE +id not said":             func(q *testpki.Quote) { q.CertType, q.CertData = dcap.CertPPIDClear, make([]byte, 16+16+2) },
		"PPID encrypted with RSA-3072": func(q *testpki.Quote) { q.CertType = dcap.CertPPIDRSA3072 },
		"UNREADABLE: ":                 func(q *testpki.Quote) { q.CertType, q.CertData = dcap.CertPCKChain, []byte("hello \x1b[31m") },
		"Manifest +c0ffee":             func(q *testpki.Quote) { q.CertType, q.CertData = dcap.CertPlatformManifest, []byte{0xc0, 0xff, 0xee} },
	} {
		var out, errs bytes.Buffer
		code := Main([]string{"quote", "show", "-"}, bytes.NewReader(p.SGXQuote(edit).Bytes()), &out, &errs)
		if text := out.String(); code != exitOK || !strings.Contains(strings.Join(strings.Fields(text), " "), strings.ReplaceAll(want, " +", " ")) && !strings.Contains(text, want) || strings.Contains(text, "\x1b") {
			t.Errorf("%s: exit code %d\n%s%s", want, code, text, &errs)
		}
	}
}
