package store

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Keys are equal if their bytes are: no case, no accents, no spaces at the end are
// set aside.
func testKeys(t *testing.T, b backend) {
	s, ctx := b.store(t), t.Context()
	names := []string{"a", "A", "ä", "a ", " a", "a\u0308", "'; DROP TABLE pccs_documents; --", `\`, `\'`, `"`, "%", "_", "?", "$1", "\u2028", "", strings.Repeat("Z", MaxName)}
	for i, name := range names {
		d := document(name)
		d.Body = fmt.Append(nil, i)
		must(t, s.PutDocuments(ctx, d))
		must(t, s.Register(ctx, &Registration{PlatformID: PlatformID{QEID: cut(name, 260)}, At: noon}))
		must(t, s.PutPlatform(ctx, &Platform{PlatformID: PlatformID{QEID: cut(name, 260)}, Updated: noon}))
	}
	for i, name := range names {
		d, err := s.Document(ctx, name)
		must(t, err)
		if string(d.Body) != fmt.Sprint(i) {
			t.Errorf("%q is the document of %s", name, d.Body)
		}
		_, err = s.Platform(ctx, PlatformID{QEID: cut(name, 260)})
		must(t, err)
	}
	if n, err := s.Waiting(ctx, New); err != nil || n != len(names) {
		t.Errorf("%d registrations, %v", n, err)
	}
	// What no key can be is not there.
	for _, name := range []string{"\x00", "a\x00", "\xff", strings.Repeat("x", MaxName+1)} {
		_, err := s.Document(ctx, name)
		isErr(t, err, ErrNotFound)
		_, err = s.Platform(ctx, PlatformID{QEID: name})
		isErr(t, err, ErrNotFound)
		_, err = s.Match(ctx, PlatformID{QEID: "a", PCEID: name}, "", "")
		isErr(t, err, ErrNotFound)
		if list, err := s.Policies(ctx, name); err != nil || list != nil {
			t.Errorf("policies of %.10q: %v, %v", name, list, err)
		}
		must(t, s.DeleteDocument(ctx, name))
	}
}

// The largest of everything goes in and comes out; a byte more is refused.
func testLimits(t *testing.T, b backend) {
	s, ctx := b.store(t), t.Context()
	d := document(strings.Repeat("n", MaxName))
	d.Body, d.Chain, d.Origin = make([]byte, MaxBody), make([]byte, MaxChain), strings.Repeat("o", 32)
	d.Issued, d.NextUpdate = time.Time{}, time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
	must(t, s.PutDocuments(ctx, d))
	got, err := s.Document(ctx, d.Name)
	must(t, err)
	if len(got.Body) != MaxBody || len(got.Chain) != MaxChain || !got.NextUpdate.Equal(d.NextUpdate) || !got.Issued.IsZero() {
		t.Errorf("got %d and %d bytes, %v", len(got.Body), len(got.Chain), got.NextUpdate)
	}
	p := platform(1, MaxCerts)
	p.QEID, p.EncryptedPPID, p.Manifest = strings.Repeat("Q", 260), make([]byte, 1024), make([]byte, MaxManifest)
	p.Certs[0].Cert = strings.Repeat("c", MaxCert)
	must(t, s.PutPlatform(ctx, p))
	back, err := s.Platform(ctx, p.PlatformID)
	must(t, err)
	samePlatform(t, back, p)

	long := func(n int) string { return strings.Repeat("x", n+1) }
	for word, put := range map[string]func() error{
		"name":   func() error { return s.PutDocuments(ctx, &Document{Name: long(MaxName)}) },
		"origin": func() error { return s.PutDocuments(ctx, &Document{Origin: long(32)}) },
		"body":   func() error { return s.PutDocuments(ctx, &Document{Body: make([]byte, MaxBody+1)}) },
		"chain":  func() error { return s.PutDocuments(ctx, &Document{Chain: make([]byte, MaxChain+1)}) },
		"year 10000": func() error {
			return s.PutDocuments(ctx, &Document{NextUpdate: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)})
		},
		"no text":             func() error { return s.PutDocuments(ctx, &Document{Name: "a\x00"}) },
		"not UTF-8":           func() error { return s.PutPolicy(ctx, &Policy{Body: "\xff"}) },
		"name of fetch":       func() error { return s.PutFetch(ctx, &Fetch{Name: long(MaxName)}) },
		"reason":              func() error { return s.PutFetch(ctx, &Fetch{Reason: long(64)}) },
		"name of claim":       func() error { _, err := s.Claim(ctx, long(MaxName), "h", noon, 0); return err },
		"holder":              func() error { _, err := s.Claim(ctx, "n", long(255), noon, 0); return err },
		"QE ID":               func() error { return s.PutPlatform(ctx, &Platform{PlatformID: PlatformID{long(260), ""}}) },
		"PCE ID":              func() error { return s.Register(ctx, &Registration{PlatformID: PlatformID{"", long(4)}}) },
		"FMSPC":               func() error { return s.PutPlatform(ctx, &Platform{FMSPC: long(12)}) },
		"encrypted PPID":      func() error { return s.PutPlatform(ctx, &Platform{EncryptedPPID: make([]byte, 1025)}) },
		"manifest":            func() error { return s.Register(ctx, &Registration{Manifest: make([]byte, MaxManifest+1)}) },
		"issuer chain":        func() error { return s.PutPlatform(ctx, &Platform{Issuers: make([]byte, MaxChain+1)}) },
		"1025 PCK":            func() error { return s.PutPlatform(ctx, &Platform{Certs: make([]PCKCert, 1025)}) },
		"1025 raw":            func() error { return s.PutPlatform(ctx, &Platform{TCBs: make([]RawTCB, 1025)}) },
		"TCBm":                func() error { return s.PutPlatform(ctx, &Platform{Certs: []PCKCert{{TCBm: long(36)}}}) },
		"PCK certificate":     func() error { return s.PutPlatform(ctx, &Platform{Certs: []PCKCert{{Cert: long(MaxCert)}}}) },
		"CPUSVN":              func() error { return s.PutTCB(ctx, p.PlatformID, RawTCB{CPUSVN: long(32)}) },
		"PCESVN":              func() error { return s.Register(ctx, &Registration{PCESVN: long(4)}) },
		"the ID of policy":    func() error { return s.PutPolicy(ctx, &Policy{ID: long(96)}) },
		"the body of policy":  func() error { return s.PutPolicy(ctx, &Policy{Body: long(MaxPolicy)}) },
		"1001 FMSPCs":         func() error { _, err := s.Platforms(ctx, make([]string, 1001), PlatformID{}, 1); return err },
		"a list of platforms": func() error { _, err := s.Platforms(ctx, nil, PlatformID{QEID: "\x00"}, 1); return err },
	} {
		isErr(t, put(), ErrInvalid, word)
	}
}
