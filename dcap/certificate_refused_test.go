package dcap_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
)

const (
	ski   = "\x55\x1D\x0E"
	usage = "\x55\x1D\x0F"
	basic = "\x55\x1D\x13"
	cdp   = "\x55\x1D\x1F"
	aki   = "\x55\x1D\x23"
	sgx   = "\x2A\x86\x48\x86\xF8\x4D\x01\x0D\x01"
)

// TestRefusedCertificates changes one thing of a certificate of the Platform
// CA, or of that CA, and wants the kind and place of the error.
func TestRefusedCertificates(t *testing.T) {
	p := newPKI(t)
	// in changes the tree in an extension's value.
	in := func(oid string, change func(v *node)) func(*node) {
		return func(n *node) {
			v, put := n.value(oid)
			change(v)
			put()
		}
	}
	for _, c := range []struct {
		name   string
		change func(n *node)
		kind   error
		path   string
		reason string // a part of it
	}{
		{"version 1", func(n *node) { n.at(0).remove(0) }, dcap.ErrVersion, "version", "version 1"},
		{"version 2", func(n *node) { n.at(0, 0, 0).content = []byte{1} }, dcap.ErrVersion, "version", ""},
		{"version 4", func(n *node) { n.at(0, 0, 0).content = []byte{3} }, dcap.ErrVersion, "version", ""},
		{"serial 0", func(n *node) { n.at(0, 1).content = []byte{0} }, dcap.ErrFormat, "serialNumber", ""},
		{"negative serial", func(n *node) { n.at(0, 1).content = []byte{0x80, 1} }, dcap.ErrFormat, "serialNumber", "negative"},
		{"serial of 21 bytes", func(n *node) { n.at(0, 1).content = bytes.Repeat([]byte{1}, 21) }, dcap.ErrFormat, "serialNumber", ""},
		{"inner algorithm SHA-384", func(n *node) { n.at(0, 2, 0).content = []byte("\x2A\x86\x48\xCE\x3D\x04\x03\x03") }, dcap.ErrKind, "signature", "ecdsa-with-SHA384"},
		{"outer algorithm SHA-384", func(n *node) { n.at(1, 0).content = []byte("\x2A\x86\x48\xCE\x3D\x04\x03\x03") }, dcap.ErrKind, "signatureAlgorithm", "ecdsa-with-SHA384"},
		{"algorithm with NULL", func(n *node) { n.at(1).insert(1, &node{tag: 5}) }, dcap.ErrKind, "signatureAlgorithm", "no parameters"},
		{"BMPString", func(n *node) { n.at(0, 3, 0, 0, 1).tag = 0x1E }, dcap.ErrFormat, "issuer", "string"},
		{"bad PrintableString", func(n *node) { n.at(0, 3, 0, 0, 1).content = []byte("U*") }, dcap.ErrFormat, "issuer", "string"},
		{"Teletex beyond ASCII", func(n *node) { s := n.at(0, 5, 0, 0, 1); s.tag, s.content = 0x14, []byte("\xC9") }, dcap.ErrFormat, "subject", "string"},
		{"UTF-8 that is none", func(n *node) { s := n.at(0, 5, 0, 0, 1); s.tag, s.content = 0x0C, []byte("\xC9") }, dcap.ErrFormat, "subject", "string"},
		{"empty RDN", func(n *node) { n.at(0, 5, 0).children = nil }, dcap.ErrFormat, "subject", ""},
		{"29 February 2025", func(n *node) { n.at(0, 4, 0).content = []byte("250229000000Z") }, dcap.ErrFormat, "validity", "does not exist"},
		{"time with a zone", func(n *node) { n.at(0, 4, 1).content = []byte("2502280000+01") }, dcap.ErrFormat, "validity", "form"},
		{"three times", func(n *node) { n.at(0, 4).insert(0, n.at(0, 4, 0)) }, dcap.ErrTrailing, "validity", ""},
		{"RSA", func(n *node) { n.at(0, 6, 0, 0).content = []byte("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01") }, dcap.ErrKind, "subjectPublicKeyInfo", "rsaEncryption"},
		{"P-384", func(n *node) { n.at(0, 6, 0, 1).content = []byte("\x2B\x81\x04\x00\x22") }, dcap.ErrKind, "subjectPublicKeyInfo", "secp384r1"},
		{"secp256k1", func(n *node) { n.at(0, 6, 0, 1).content = []byte("\x2B\x81\x04\x00\x0A") }, dcap.ErrKind, "subjectPublicKeyInfo", "secp256k1"},
		{"explicit curve", func(n *node) { n.at(0, 6, 0).children[1] = &node{tag: 0x30} }, dcap.ErrKind, "subjectPublicKeyInfo", "not named"},
		{"compressed point", func(n *node) { k := n.at(0, 6, 1); k.content = append([]byte{0, 2}, k.content[2:34]...) }, dcap.ErrKind, "subjectPublicKeyInfo", "uncompressed"},
		{"hybrid point", func(n *node) { n.at(0, 6, 1).content[1] = 6 }, dcap.ErrKind, "subjectPublicKeyInfo", "uncompressed"},
		{"point of 66 bytes", func(n *node) { k := n.at(0, 6, 1); k.content = append(k.content, 0) }, dcap.ErrKind, "subjectPublicKeyInfo", ""},
		{"issuer unique ID", func(n *node) { n.at(0).insert(7, &node{tag: 0x81, content: []byte{0, 1}}) }, dcap.ErrInvalid, "uniqueID", ""},
		{"subject unique ID", func(n *node) { n.at(0).insert(7, &node{tag: 0x82, content: []byte{0, 1}}) }, dcap.ErrInvalid, "uniqueID", ""},
		{"no extensions", func(n *node) { n.at(0).remove(7) }, dcap.ErrInvalid, "extensions", "without"},
		{"extension with critical FALSE", func(n *node) { n.extension(ski).insert(1, &node{tag: 1, content: []byte{0}}) }, dcap.ErrFormat, "extensions", "default"},
		{"33 extensions", func(n *node) {
			for i := range 33 {
				n.list().insert(0, &node{tag: 0x30, children: []*node{{tag: 6, content: []byte{0x2A, byte(i)}}, {tag: 4}}})
			}
		}, dcap.ErrTooLarge, "extensions", "32"},
		{"unknown critical", func(n *node) {
			n.list().insert(0, &node{tag: 0x30, children: []*node{{tag: 6, content: []byte{0x2A, 3}}, {tag: 1, content: []byte{255}}, {tag: 4}}})
		}, dcap.ErrInvalid, "extensions", "1.2.3"},
		{"unknown twice", func(n *node) {
			for range 2 {
				n.list().insert(0, &node{tag: 0x30, children: []*node{{tag: 6, content: []byte{0x2A, 3}}, {tag: 4}}})
			}
		}, dcap.ErrDuplicate, "extensions", "1.2.3"},
		{"AKI twice", func(n *node) { n.list().insert(0, n.extension(aki)) }, dcap.ErrDuplicate, "extensions", "2.5.29.35"},
		{"SGX twice", func(n *node) { n.list().insert(0, n.extension(sgx)) }, dcap.ErrDuplicate, "extensions", "1.2.840.113741.1.13.1"},
		{"AKI critical", func(n *node) { n.extension(aki).insert(1, &node{tag: 1, content: []byte{255}}) }, dcap.ErrInvalid, "extensions.authorityKeyIdentifier", "critical"},
		{"SKI critical", func(n *node) { n.extension(ski).insert(1, &node{tag: 1, content: []byte{255}}) }, dcap.ErrInvalid, "extensions.subjectKeyIdentifier", "critical"},
		{"AKI without key ID", in(aki, func(v *node) { v.children = nil }), dcap.ErrInvalid, "extensions.authorityKeyIdentifier", ""},
		{"AKI of no bytes", in(aki, func(v *node) { v.at(0).content = nil }), dcap.ErrInvalid, "extensions.authorityKeyIdentifier", "no bytes"},
		{"SKI of no bytes", in(ski, func(v *node) { v.content = nil }), dcap.ErrInvalid, "extensions.subjectKeyIdentifier", "no bytes"},
		{"key usage with stray bits", in(usage, func(v *node) { v.content = []byte{6, 0xE0} }), dcap.ErrInvalid, "extensions.keyUsage", ""},
		{"key usage as INTEGER", in(usage, func(v *node) { v.tag = 2 }), dcap.ErrInvalid, "extensions.keyUsage", "BIT STRING"},
		{"cA FALSE", in(basic, func(v *node) { v.insert(0, &node{tag: 1, content: []byte{0}}) }), dcap.ErrInvalid, "extensions.basicConstraints", "default"},
		{"path without CA", in(basic, func(v *node) { v.insert(0, &node{tag: 2, content: []byte{0}}) }), dcap.ErrInvalid, "extensions.basicConstraints", "path"},
		{"trailing basic constraints", in(basic, func(v *node) {
			v.children = []*node{{tag: 1, content: []byte{255}}, {tag: 2, content: []byte{0}}, {tag: 5}}
		}), dcap.ErrInvalid, "extensions.basicConstraints", ""},
		{"no URI", in(cdp, func(v *node) { v.children = nil }), dcap.ErrInvalid, "extensions.cRLDistributionPoints", "no URI"},
		{"DNS name only", in(cdp, func(v *node) {
			for _, name := range v.at(0, 0, 0).children {
				name.tag = 0x82
			}
			v.children = v.children[:1]
		}), dcap.ErrInvalid, "extensions.cRLDistributionPoints", "no URI"},
		{"point with reasons", in(cdp, func(v *node) { v.at(0).insert(1, &node{tag: 0x81, content: []byte{1, 2}}) }), dcap.ErrInvalid, "extensions.cRLDistributionPoints", ""},
		{"point relative to the issuer", in(cdp, func(v *node) { v.at(0, 0, 0).tag = 0xA1 }), dcap.ErrInvalid, "extensions.cRLDistributionPoints", ""},
		{"empty URI", in(cdp, func(v *node) { v.at(0, 0, 0, 0).content = nil }), dcap.ErrInvalid, "extensions.cRLDistributionPoints", "empty"},
		{"URI with a space", in(cdp, func(v *node) { v.at(0, 0, 0, 0).content = []byte("http://a b") }), dcap.ErrInvalid, "extensions.cRLDistributionPoints", "ASCII"},
		{"SGX that is no sequence", in(sgx, func(v *node) { v.tag = 0x31 }), dcap.ErrInvalid, "extensions.sgx", ""},
		{"SGX with 6 elements", in(sgx, func(v *node) { v.remove(5) }), dcap.ErrInvalid, "extensions.sgx", "[1 2 3 4 5 7]"},
		{"SGX with 4 elements", in(sgx, func(v *node) { v.children = v.children[:4] }), dcap.ErrInvalid, "extensions.sgx", "[1 2 3 4]"},
		{"SGX without PPID", in(sgx, func(v *node) { v.remove(0) }), dcap.ErrInvalid, "extensions.sgx", "[2 3 4 5 6 7]"},
		{"SGX with PPID twice", in(sgx, func(v *node) { v.insert(0, v.at(0)) }), dcap.ErrDuplicate, "extensions.sgx", "1.2.840.113741.1.13.1.1"},
		{"SGX with an unknown element", in(sgx, func(v *node) { v.at(0, 0).content[9] = 8 }), dcap.ErrInvalid, "extensions.sgx", "1.2.840.113741.1.13.1.8"},
		{"SGX with element 0", in(sgx, func(v *node) { v.at(0, 0).content[9] = 0 }), dcap.ErrInvalid, "extensions.sgx", "1.2.840.113741.1.13.1.0"},
		{"SGX with three in a pair", in(sgx, func(v *node) { v.at(0).insert(2, &node{tag: 5}) }), dcap.ErrInvalid, "extensions.sgx", ""},
		{"PPID of 15 bytes", in(sgx, func(v *node) { v.at(0, 1).content = v.at(0, 1).content[:15] }), dcap.ErrInvalid, "extensions.sgx.ppid", "15 bytes, not 16"},
		{"FMSPC of 7 bytes", in(sgx, func(v *node) { v.at(3, 1).content = make([]byte, 7) }), dcap.ErrInvalid, "extensions.sgx.fmspc", "7 bytes, not 6"},
		{"PCEID as INTEGER", in(sgx, func(v *node) { v.at(2, 1).tag = 2 }), dcap.ErrInvalid, "extensions.sgx.pceid", ""},
		{"SGX type 256", in(sgx, func(v *node) { v.at(4, 1).content = []byte{1, 0} }), dcap.ErrInvalid, "extensions.sgx.sgxType", ""},
		{"SGX type as INTEGER", in(sgx, func(v *node) { v.at(4, 1).tag = 2 }), dcap.ErrInvalid, "extensions.sgx.sgxType", ""},
		{"instance of 17 bytes", in(sgx, func(v *node) { v.at(5, 1).content = make([]byte, 17) }), dcap.ErrInvalid, "extensions.sgx.platformInstanceID", ""},
		{"configuration with 01", in(sgx, func(v *node) { v.at(6, 1, 0, 1).content = []byte{1} }), dcap.ErrInvalid, "extensions.sgx.configuration", ""},
		{"configuration twice the same", in(sgx, func(v *node) { v.at(6, 1).insert(0, v.at(6, 1, 0)) }), dcap.ErrDuplicate, "extensions.sgx.configuration", ""},
		{"configuration with a fourth", in(sgx, func(v *node) { v.at(6, 1, 0, 0).content[10] = 4 }), dcap.ErrInvalid, "extensions.sgx.configuration", ""},
		{"TCB of 17 elements", in(sgx, func(v *node) { v.at(1, 1).remove(2) }), dcap.ErrInvalid, "extensions.sgx.tcb", "[3] are missing"},
		{"TCB with component 1 twice", in(sgx, func(v *node) { v.at(1, 1).insert(0, v.at(1, 1, 0)) }), dcap.ErrDuplicate, "extensions.sgx.tcb", ""},
		{"component of 256", in(sgx, func(v *node) { v.at(1, 1, 4, 1).content = []byte{1, 0} }), dcap.ErrInvalid, "extensions.sgx.tcb[5]", "255"},
		{"component as OCTET STRING", in(sgx, func(v *node) { v.at(1, 1, 4, 1).tag = 4 }), dcap.ErrInvalid, "extensions.sgx.tcb[5]", "INTEGER"},
		{"PCESVN of 65536", in(sgx, func(v *node) { v.at(1, 1, 16, 1).content = []byte{1, 0, 0} }), dcap.ErrInvalid, "extensions.sgx.tcb[17]", "65535"},
		{"CPUSVN of 15 bytes", in(sgx, func(v *node) { v.at(1, 1, 17, 1).content = make([]byte, 15) }), dcap.ErrInvalid, "extensions.sgx.tcb[18]", ""},
		{"signature with unused bits", func(n *node) { n.at(2).content[0] = 1 }, dcap.ErrFormat, "signature", ""},
		{"signature that is no DER", func(n *node) { n.at(2).content = []byte{0, 0x30, 0x80} }, dcap.ErrFormat, "signature", "indefinite"},
		{"signature with r = 0", func(n *node) { n.at(2).content = []byte("\x00\x30\x06\x02\x01\x00\x02\x01\x01") }, dcap.ErrFormat, "signature", ""},
		{"signature with s = 0", func(n *node) { n.at(2).content = []byte("\x00\x30\x06\x02\x01\x01\x02\x01\x00") }, dcap.ErrFormat, "signature", ""},
		{"signature with s < 0", func(n *node) { n.at(2).content = []byte("\x00\x30\x06\x02\x01\x01\x02\x01\x80") }, dcap.ErrFormat, "signature", "negative"},
		{"signature with a zero before", func(n *node) { n.at(2).content = []byte("\x00\x30\x07\x02\x02\x00\x01\x02\x01\x01") }, dcap.ErrFormat, "signature", "shortest"},
		{"signature with three numbers", func(n *node) { n.at(2).content = []byte("\x00\x30\x09\x02\x01\x01\x02\x01\x01\x02\x01\x01") }, dcap.ErrFormat, "signature", ""},
		{"signature and more", func(n *node) { n.at(2).content = []byte("\x00\x30\x06\x02\x01\x01\x02\x01\x01\x00") }, dcap.ErrFormat, "signature", ""},
		{"signature of 257 bits", func(n *node) {
			n.at(2).content = append([]byte("\x00\x30\x26\x02\x21\x01"), append(make([]byte, 32), 2, 1, 1)...)
		}, dcap.ErrFormat, "signature", "256 bits"},
		{"four elements", func(n *node) { n.insert(3, &node{tag: 5}) }, dcap.ErrTrailing, "", ""},
		{"more in the TBS", func(n *node) { n.at(0).insert(8, &node{tag: 5}) }, dcap.ErrTrailing, "tbsCertificate", ""},
		{"over the bound", func(n *node) {
			n.list().insert(0, &node{tag: 0x30, children: []*node{{tag: 6, content: []byte{0x2A, 3}}, {tag: 4, content: make([]byte, dcap.MaxCertificateSize)}}})
		}, dcap.ErrTooLarge, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := parseTree(p.platform)
			c.change(n)
			b := n.bytes()
			_, err := dcap.ParseCertificate(b)
			if err == nil {
				t.Fatal("accepted")
			}
			e := wantParseError(t, err, len(b))
			if !errors.Is(err, c.kind) || e.Path != c.path || !strings.Contains(e.Reason, c.reason) {
				t.Errorf("%v\nwant %v at %q because of %q", err, c.kind, c.path, c.reason)
			}
		})
	}
	for name, oid := range map[string]string{"authorityKeyIdentifier": aki, "cRLDistributionPoints": cdp, "subjectKeyIdentifier": ski, "keyUsage": usage, "basicConstraints": basic} {
		n := parseTree(p.platform)
		for i, e := range n.list().children {
			if string(e.children[0].content) == oid {
				n.list().remove(i)
				break
			}
		}
		_, err := dcap.ParseCertificate(n.bytes())
		if err == nil || !errors.Is(err, dcap.ErrInvalid) || wantParseError(t, err, 1<<20).Path != "extensions."+name {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

// TestTaken changes what may be so or otherwise.
func TestTaken(t *testing.T) {
	p := newPKI(t)
	read := func(change func(n *node)) *dcap.Certificate {
		t.Helper()
		n := parseTree(p.platform)
		change(n)
		c, err := dcap.ParseCertificate(n.bytes())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := read(func(n *node) { n.at(0, 1).content = append([]byte{0, 0xFF}, make([]byte, 19)...) }); len(c.SerialNumber) != 20 || c.SerialNumber[0] != 0xFF {
		t.Errorf("serial number %x", c.SerialNumber)
	}
	// The first of two common names, in sets of their own or in one.
	second := &node{tag: 0x30, children: []*node{{tag: 6, content: []byte("\x55\x04\x03")}, {tag: 0x0C, content: []byte("Zweiter")}}}
	if c := read(func(n *node) { n.at(0, 5).insert(0, &node{tag: 0x31, children: []*node{second}}) }); c.Subject.CommonName != "Zweiter" {
		t.Errorf("common name %q", c.Subject.CommonName)
	}
	if c := read(func(n *node) {
		names := n.at(0, 5)
		names.insert(len(names.children), &node{tag: 0x31, children: []*node{second}})
	}); c.Subject.CommonName != "Intel SGX PCK Certificate" {
		t.Errorf("common name %q", c.Subject.CommonName)
	}
	// An attribute of another kind, a string of each kind, and an empty one.
	for tag, text := range map[byte]string{0x0C: "Zoë 飛", 0x13: "Z 'o' (+,-./:=?)", 0x14: "Zoe*", 0x16: "z@o.e", 0x0D: ""} {
		if tag == 0x0D {
			tag = 0x0C
		}
		c := read(func(n *node) {
			n.at(0, 5).children = []*node{{tag: 0x31, children: []*node{{tag: 0x30, children: []*node{{tag: 6, content: []byte("\x55\x04\x05")}, {tag: 0x13, content: []byte("other")}}}, {tag: 0x30, children: []*node{{tag: 6, content: []byte("\x55\x04\x03")}, {tag: tag, content: []byte(text)}}}}}}
		})
		if c.Subject != (dcap.Name{CommonName: text}) {
			t.Errorf("%+v, want %q", c.Subject, text)
		}
	}
	if c := read(func(n *node) { n.at(0, 5).children = nil }); c.Subject != (dcap.Name{}) {
		t.Errorf("%+v of no attributes", c.Subject)
	}
	// The elements of the SGX extension in another order.
	want := read(func(*node) {}).SGX
	got := read(func(n *node) {
		v, put := n.value(sgx)
		v.children[0], v.children[6] = v.children[6], v.children[0]
		put()
	}).SGX
	if *got != *want {
		t.Errorf("%+v in another order, want %+v", got, want)
	}
	// The first URI may be in the second point, after names of other kinds.
	c := read(func(n *node) {
		v, put := n.value(cdp)
		other := &node{tag: 0x30, children: []*node{{tag: 0xA0, children: []*node{{tag: 0xA0, children: []*node{{tag: 0x82, content: []byte("dns")}}}}}}}
		v.insert(0, other)
		v.at(1, 0, 0).insert(0, &node{tag: 0x82, content: []byte("dns")})
		put()
	})
	if c.CRLDistributionPoint != "https://certificates.example/Intel-SGX-PCK-Certificate.der" {
		t.Errorf("CRL at %q", c.CRLDistributionPoint)
	}
	// An authority key identifier with issuer and serial number.
	c = read(func(n *node) {
		v, put := n.value(aki)
		v.insert(1, &node{tag: 0xA1})
		v.insert(2, &node{tag: 0x82, content: []byte{1}})
		put()
	})
	if len(c.AuthorityKeyID) != 20 {
		t.Errorf("authority key identifier %x", c.AuthorityKeyID)
	}
}
