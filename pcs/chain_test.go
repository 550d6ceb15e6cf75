package pcs

import (
	"bytes"
	"encoding/pem"
	"net/url"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
)

func TestIssuerChain(t *testing.T) {
	cert, _ := newPKI(t)
	text := string(cert)
	two := text + text
	// As JavaScript's encodeURIComponent has it, which a PCCS uses.
	component := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	for name, header := range map[string]string{
		"encodeURIComponent":     component(two),
		"path":                   url.PathEscape(two),
		"query":                  url.QueryEscape(two),
		"only lines":             strings.ReplaceAll(two, "\n", "%0A"),
		"CR LF":                  component(strings.ReplaceAll(two, "\n", "\r\n")),
		"without its last line":  component(strings.TrimSuffix(two, "\n")),
		"a line between":         component(text + "\n" + text + "\n"),
		"a zero byte at the end": component(two + "\x00"),
		"no line between":        component(strings.TrimSuffix(text, "\n") + text),
	} {
		got, err := parseIssuerChain(header)
		if err != nil || string(got) != two {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
	}
	block, _ := pem.Decode(cert)
	for name, s := range map[string]string{
		"nothing":      "",
		"space":        "%20%0A",
		"junk before":  component("x" + text),
		"junk between": component(text + "x\n" + text),
		"junk after":   component(text + "x"),
		"headers":      component(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Headers: map[string]string{"A": "b"}, Bytes: block.Bytes}))),
		"a key":        component(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: block.Bytes}))),
		"empty":        component("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
		"base64":       component(strings.Replace(text, "M", "*", 1)),
		"no end":       component(strings.Replace(text, "-----END", "-----end", 1)),
		"bad escape":   "%",
		"nine":         component(strings.Repeat(text, dcap.MaxChainLength+1)),
		"large":        component(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: make([]byte, dcap.MaxCertificateSize+1)}))),
		"a large text": strings.Repeat("%0A", dcap.MaxChainSize+1),
		"huge":         strings.Repeat("x", 3*dcap.MaxChainSize+1),
	} {
		if got, err := parseIssuerChain(s); err == nil {
			t.Errorf("%s: taken as\n%s", name, got)
		}
	}
}

func FuzzIssuerChainHeader(f *testing.F) {
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: bytes.Repeat([]byte("0\x82"), 100)})
	f.Add(url.PathEscape(string(cert)))
	f.Add(url.QueryEscape(string(cert) + string(cert)))
	f.Add("-----BEGIN%20CERTIFICATE-----%0AMAA%3D%0A-----END%20CERTIFICATE-----%0A")
	f.Fuzz(func(t *testing.T, header string) {
		chain, err := parseIssuerChain(header)
		if err != nil {
			return
		}
		// What is taken is in the one form, which dcap splits, and which
		// stays as it is.
		blocks, err := dcap.SplitChain(chain)
		if err != nil || len(blocks) == 0 {
			t.Fatalf("dcap: %v\n%s", err, chain)
		}
		again, err := canonicalChain(chain)
		if err != nil || !bytes.Equal(again, chain) {
			t.Fatalf("%v\n%s\nbecame\n%s", err, chain, again)
		}
		rest := chain
		for _, der := range blocks {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil || !bytes.Equal(block.Bytes, der) {
				t.Fatal("encoding/pem reads another chain")
			}
		}
		ofSandbox(chain)
	})
}
