//go:build !js

package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/testpki"
)

var update = flag.Bool("update", false, "write the sample anew")

// sampleFiles are quotes of TDs on two made-up platforms, and what verifies
// both as of 2026-06-02.
func sampleFiles(t *testing.T) map[string][]byte {
	pki := testpki.New(testpki.Seed("a sample for the documentation"))
	q := pki.Platform().TDXQuote()
	c := *q.Collateral()
	c.PCKChain = nil // the quotes have theirs
	collateral, err := c.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	old := pki.Platform(testpki.Status(dcap.OutOfDate)).TDXQuote()
	return map[string][]byte{"quote.bin": q.Bytes(), "outdated.bin": old.Bytes(), "collateral.json": append(collateral, '\n'), "root.pem": pki.RootPEM()}
}

// TestSample: the sample is what package testpki makes.
func TestSample(t *testing.T) {
	for name, want := range sampleFiles(t) {
		file := filepath.Join("sample", name)
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is out of date: run go test ./examples/browser -run TestSample -update (%v)", file, err)
		}
	}
}
