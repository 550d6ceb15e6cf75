package testpki

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/big"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/isa"
)

func verifyRaw(key *ecdsa.PublicKey, message, sig []byte) bool {
	sum := sha256.Sum256(message)
	return len(sig) == 64 && ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
}

// cursor reads a quote from the left, independently of what wrote it.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.b) {
		c.bad = true
		return make([]byte, max(n, 0)%(1<<20))
	}
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}
func (c *cursor) u16() int { return int(binary.LittleEndian.Uint16(c.take(2))) }
func (c *cursor) u32() int { return int(binary.LittleEndian.Uint32(c.take(4))) }

// check says what is wrong with a quote, or returns its certification data.
func check(raw []byte, pck *ecdsa.PublicKey, bodySize int) (kind int, data []byte, err error) {
	c := &cursor{b: raw}
	header := c.take(48)
	version := int(binary.LittleEndian.Uint16(header))
	signed := 48 + bodySize
	if version >= 5 {
		signed += 6
		if c.u16(); c.u32() != bodySize {
			return 0, nil, fmt.Errorf("size of the body")
		}
	}
	c.take(bodySize)
	if c.u32() != len(c.b) {
		return 0, nil, fmt.Errorf("size of the signature data")
	}
	sig, point := c.take(64), c.take(64)
	if version > 3 {
		if c.u16() != 6 || c.u32() != len(c.b) {
			return 0, nil, fmt.Errorf("outer certification data")
		}
	}
	report, reportSig := c.take(384), c.take(64)
	auth := c.take(c.u16())
	kind = c.u16()
	data = c.take(c.u32())
	if c.bad || len(c.b) > 0 {
		return 0, nil, fmt.Errorf("sizes do not match")
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append([]byte{4}, point...))
	if err != nil {
		return 0, nil, err
	}
	if !verifyRaw(key, raw[:signed], sig) {
		return kind, data, fmt.Errorf("quote signature")
	}
	if !verifyRaw(pck, report, reportSig) {
		return kind, data, fmt.Errorf("QE report signature")
	}
	bound := sha256.Sum256(append(bytes.Clone(point), auth...))
	if !bytes.Equal(report[320:], append(bound[:], make([]byte, 32)...)) {
		return kind, data, fmt.Errorf("binding")
	}
	return kind, data, nil
}

func TestQuotes(t *testing.T) {
	m := New(Seed("quotes")).Platform()
	pck := m.PCK.X509().PublicKey.(*ecdsa.PublicKey)
	sizes := map[dcap.BodyType]int{1: 384, 2: 584, 3: 648, 4: 885}
	certSizes := map[int]int{1: 34, 2: 274, 3: 404, 4: len(m.PCK.PEM()), 5: len(m.ChainPEM()) + 1, 7: 512}
	for version := uint16(3); version <= 5; version++ {
		for body, size := range sizes {
			if version == 3 && body != dcap.BodySGX || version == 4 && body > dcap.BodyTD10 {
				continue
			}
			for cert, certSize := range certSizes {
				name := fmt.Sprintf("version %d, body %d, certification data %d", version, body, cert)
				make := m.TDXQuote
				if body == dcap.BodySGX {
					make = m.SGXQuote
				}
				q := make(func(q *Quote) {
					q.Header.Version, q.BodyType, q.CertType = version, body, dcap.CertificationType(cert)
				})
				raw := q.Bytes()
				kind, data, err := check(raw, pck, size)
				if err != nil || kind != cert || len(data) != certSize {
					t.Errorf("%s: type %d, %d bytes, %v", name, kind, len(data), err)
				}
				if !bytes.Equal(raw, q.Bytes()) {
					t.Errorf("%s: not the same when made again", name)
				}
				if tee := binary.LittleEndian.Uint32(raw[4:]); (tee == 0x81) != (body != dcap.BodySGX) {
					t.Errorf("%s: TEE type %#x", name, tee)
				}
			}
		}
	}
}

// What is wrong is wrong in just the way that was asked for.
func TestWrongQuotes(t *testing.T) {
	p := New(Seed("wrong"))
	m := p.Platform()
	pck := m.PCK.X509().PublicKey.(*ecdsa.PublicKey)
	for _, c := range []struct {
		want string
		edit func(*Quote)
	}{
		{"", func(q *Quote) {}},
		{"", func(q *Quote) { q.AttestationKey = p.Key("own") }},
		{"", func(q *Quote) { q.AuthData = nil }},
		{"", func(q *Quote) { q.AuthData = make([]byte, 1000) }},
		{"quote signature", func(q *Quote) { q.Signer = p.Key("other") }},
		{"quote signature", func(q *Quote) { q.EditSigned = func(p *Parts) { p.Body[0]++ } }},
		{"quote signature", func(q *Quote) { q.EditSigned = func(p *Parts) { p.Signature = make([]byte, 64) } }},
		{"quote signature", func(q *Quote) {
			q.EditBytes = func(b []byte) []byte { b[100]++; return b }
		}},
		{"QE report signature", func(q *Quote) { q.QEReportSigner = p.Key("other") }},
		{"QE report signature", func(q *Quote) { q.EditSigned = func(p *Parts) { p.QEReport[383]++ } }},
		{"binding", func(q *Quote) { q.EditUnsigned = func(p *Parts) { p.QEReport[320]++ } }},
		{"binding", func(q *Quote) { q.EditUnsigned = func(p *Parts) { p.AuthData = []byte("other") } }},
		{"outer certification data", func(q *Quote) { q.EditUnsigned = func(p *Parts) { p.OuterType = 5 } }},
		{"size of the signature data", func(q *Quote) { q.EditBytes = func(b []byte) []byte { return append(b, 0) } }},
	} {
		_, _, err := check(m.TDXQuote(c.edit).Bytes(), pck, 584)
		if got := fmt.Sprint(err); got != c.want && (c.want != "" || err != nil) {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// The layouts are those of the structs of package dcap and isa as the standard
// library writes them, which go by the order of fields and not by offsets.
func TestLayouts(t *testing.T) {
	q := New(Seed("layout")).Platform().TDXQuote()
	var v struct {
		Header  dcap.QuoteHeader
		TD      dcap.TDReport15Ex
		Enclave isa.ReportBody
	}
	raw := make([]byte, binary.Size(&v))
	for i := range raw {
		raw[i] = byte(i*7 + i/251)
	}
	if _, err := binary.Decode(raw, binary.LittleEndian, &v); err != nil {
		t.Fatal(err)
	}
	q.Header, q.TD, q.Enclave = v.Header, v.TD, v.Enclave
	for _, c := range []struct {
		name      string
		got, want []byte
		size      int
	}{
		{"header", encodeHeader(&q.Header), must(binary.Append(nil, binary.LittleEndian, &v.Header)), 48},
		{"TD report", encodeTDReport(&q.TD), must(binary.Append(nil, binary.LittleEndian, &v.TD)), 885},
		{"enclave report", encodeEnclaveReport(&q.Enclave), must(binary.Append(nil, binary.LittleEndian, &v.Enclave)), 384},
	} {
		if len(c.got) != c.size || !bytes.Equal(c.got, c.want) {
			t.Errorf("%s: %d bytes\n%x\n%x", c.name, len(c.got), c.got, c.want)
		}
	}
}

func BenchmarkQuote(b *testing.B) {
	q := New(Seed("bench")).Platform().TDXQuote()
	for b.Loop() {
		q.Bytes()
	}
}

func BenchmarkCollateral(b *testing.B) {
	m := New(Seed("bench")).Platform()
	for b.Loop() {
		m.Collateral(dcap.TEETDX)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		New(Seed("bench"))
	}
}

func BenchmarkPlatform(b *testing.B) {
	p := New(Seed("bench"))
	for b.Loop() {
		p.Platform()
	}
}
