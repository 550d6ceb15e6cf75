package dcap_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
)

// benchmarkInput is a file of a real set, or what make makes.
func benchmarkInput(b *testing.B, name string, make func() []byte) []byte {
	for file, content := range optionalVectors(name) {
		if strings.HasPrefix(file, "02-") {
			return content
		}
	}
	return make()
}

func BenchmarkParseCertificate(b *testing.B) {
	text := benchmarkInput(b, "pck.pem", func() []byte { text, _ := newChain(b); return text })
	der := decodeAll(text)[0]
	b.Run("feidi", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := dcap.ParseCertificate(der); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("x509", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := x509.ParseCertificate(der); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkParseCRL(b *testing.B) {
	der := benchmarkInput(b, "pckcrl.der", func() []byte { return newCRL(b, 44) })
	b.Run("feidi", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := dcap.ParseCRL(der); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("x509", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := x509.ParseRevocationList(der); err != nil {
				b.Fatal(err)
			}
		}
	})
	c, err := dcap.ParseCRL(der)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("contains", func(b *testing.B) {
		serial := bytes.Repeat([]byte{0x7F}, 20)
		for b.Loop() {
			if c.Contains(serial) {
				b.Fatal("found")
			}
		}
	})
	b.Logf("%d entries", c.Len())
}

func BenchmarkParseChain(b *testing.B) {
	text := benchmarkInput(b, "pck_chain.pem", func() []byte { text, _ := newChain(b); return text })
	b.Run("feidi", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := dcap.ParseChain(text); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("split", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := dcap.SplitChain(text); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("x509", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
				if _, err := x509.ParseCertificate(block.Bytes); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
