package platform_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/platform"
	"github.com/feidi-dev/feidi/testpki"
)

// pckJSON is the file of a PCK certificate, written by hand.
func pckJSON(tb testing.TB, chain string) []byte {
	tb.Helper()
	quoted, err := json.Marshal(chain)
	if err != nil {
		tb.Fatal(err)
	}
	id := `"AAECAwQFBgcICQoLDA0ODw=="`
	return []byte(`{"qe_id":` + id + `,"cpu_svn":` + id + `,"pce_svn":16,"pce_id":0,"cert_cpu_svn":` + id +
		`,"cert_pce_svn":11,"fetched":"2026-06-01T12:00:00Z","chain":` + string(quoted) + `}`)
}

// What is no such file, or has a chain that nobody would believe, is refused.
func TestParsePCK(t *testing.T) {
	m := testpki.New(testpki.Seed("platform")).Platform()
	chain := string(m.ChainPEM())
	got, err := platform.ParsePCK(pckJSON(t, chain))
	if err != nil || string(got) != chain {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	good := string(pckJSON(t, chain))
	root := string(m.PKI.RootPEM())
	for what, b := range map[string]string{
		"nothing": "", "no object": "7", "no values": "{}", "no chain": string(pckJSON(t, "")),
		"short ID":           strings.Replace(good, "AAEC", "", 1),
		"no PCK certificate": string(pckJSON(t, root)),
		"other issuer":       string(pckJSON(t, string(m.PCK.PEM())+root)),
		"leaf alone":         string(pckJSON(t, string(m.PCK.PEM()))),
	} {
		if got, err := platform.ParsePCK([]byte(b)); err == nil {
			t.Errorf("%s: %d bytes", what, len(got))
		}
	}
}

// Whatever is in the file: an error, or a chain that a quote has room for.
func FuzzPCKFile(f *testing.F) {
	m := testpki.New(testpki.Seed("platform")).Platform()
	f.Add(pckJSON(f, string(m.ChainPEM())))
	f.Fuzz(func(t *testing.T, b []byte) {
		chain, err := platform.ParsePCK(b)
		if err != nil {
			return
		}
		if certs, err := dcap.ParseChain(chain); err != nil || certs[0].SGX == nil || !bytes.Contains(chain, []byte("CERTIFICATE")) {
			t.Fatalf("%q: %v", chain, err)
		}
	})
}
