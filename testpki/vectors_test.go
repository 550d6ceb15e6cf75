package testpki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	realquotes "github.com/feidi-dev/feidi/testsuite/vectors"
)

// The formats are Intel's if Intel's documents come out when their values go
// in, byte by byte. The values are read with Go's library.

// vectors returns the folders of quote sets, or skips.
func vectors(t *testing.T) []string {
	sets, _ := filepath.Glob(filepath.Join(realquotes.Dir(), "*", "quote.bin"))
	if len(sets) == 0 {
		t.Skip("no real quotes here: FEIDI_VECTORS can name a folder of them")
	}
	for i := range sets {
		sets[i] = filepath.Dir(sets[i])
	}
	return sets
}

func readFile(t *testing.T, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// public is a key of which only the public half is known.
type public struct{ key crypto.PublicKey }

func (p public) Public() crypto.PublicKey { return p.key }

func (p public) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return []byte("not a signature"), nil
}

func TestIntelCertificates(t *testing.T) {
	for _, dir := range vectors(t) {
		for _, file := range []string{"pck_chain.pem", "tcb_chain.pem"} {
			chain := parseChain(t, readFile(t, dir, file))
			for i, c := range chain {
				issuer := chain[min(i+1, len(chain)-1)]
				tmpl := &Template{
					Version: c.Version, Serial: c.SerialNumber, NotBefore: c.NotBefore, NotAfter: c.NotAfter,
					Subject: intelName(c.Subject.CommonName), Issuer: intelName(c.Issuer.CommonName),
					Key: public{c.PublicKey}, Signer: public{issuer.PublicKey},
				}
				tmpl.Set(AuthorityKeyID(c.AuthorityKeyId))
				tmpl.Set(CRLDistributionPoint(c.CRLDistributionPoints[0]))
				tmpl.Set(SubjectKeyID(c.SubjectKeyId))
				tmpl.Set(KeyUsage(dcap.KeyUsage(c.KeyUsage))) // crypto/x509 counts the bits in the same way
				pathLen := -1
				if c.IsCA {
					pathLen = c.MaxPathLen
				}
				tmpl.Set(BasicConstraints(c.IsCA, pathLen))
				for _, e := range c.Extensions {
					if e.Id.Equal(OIDSGX) {
						tmpl.SGX = readSGX(t, e.Value)
					}
				}
				made := tmpl.sign(time.Time{}).X509()
				if !bytes.Equal(made.RawTBSCertificate, c.RawTBSCertificate) {
					t.Errorf("%s: %s, certificate %d:\n%x\nIntel's:\n%x", filepath.Base(dir), file, i, made.RawTBSCertificate, c.RawTBSCertificate)
				}
			}
		}
	}
}

// readSGX reads the extension with encoding/asn1.
func readSGX(t *testing.T, der []byte) *dcap.PCKExtension {
	t.Helper()
	type field struct {
		OID   asn1.ObjectIdentifier
		Value asn1.RawValue
	}
	read := func(der []byte) (fields []field) {
		if rest, err := asn1.Unmarshal(der, &fields); err != nil || len(rest) > 0 {
			t.Fatal(err)
		}
		return fields
	}
	small := func(v asn1.RawValue) (n int) {
		if _, err := asn1.Unmarshal(v.FullBytes, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	var e dcap.PCKExtension
	for _, f := range read(der) {
		switch v := f.Value.Bytes; f.OID[len(f.OID)-1] {
		case 1:
			e.PPID = [16]byte(v)
		case 2:
			for i, f := range read(f.Value.FullBytes) {
				switch {
				case i < 16:
					e.TCB[i] = uint8(small(f.Value))
				case i == 16:
					e.PCESVN = uint16(small(f.Value))
				default:
					e.CPUSVN = [16]byte(f.Value.Bytes)
				}
			}
		case 3:
			e.PCEID = [2]byte(v)
		case 4:
			e.FMSPC = [6]byte(v)
		case 5:
			e.SGXType = dcap.SGXType(v[0])
		case 6:
			e.HasPlatform, e.PlatformInstanceID = true, [16]byte(v)
		case 7:
			for _, f := range read(f.Value.FullBytes) {
				state := dcap.False
				if f.Value.Bytes[0] != 0 {
					state = dcap.True
				}
				*[]*dcap.Tristate{nil, &e.Configuration.DynamicPlatform, &e.Configuration.CachedKeys, &e.Configuration.SMTEnabled}[f.OID[len(f.OID)-1]] = state
			}
		}
	}
	return &e
}

func TestIntelCRLs(t *testing.T) {
	for _, dir := range vectors(t) {
		for _, file := range []string{"rootcrl.der", "pckcrl.der"} {
			l, err := x509.ParseRevocationList(readFile(t, dir, file))
			if err != nil {
				t.Fatal(err)
			}
			root := parseChain(t, readFile(t, dir, "root.pem"))[0]
			tmpl := &CRLTemplate{
				Version: 2, Issuer: intelName(l.Issuer.CommonName), ThisUpdate: l.ThisUpdate, NextUpdate: l.NextUpdate,
				Signer: public{root.PublicKey},
			}
			tmpl.Extensions = append(tmpl.Extensions, CRLNumber(int(l.Number.Int64())), AuthorityKeyID(l.AuthorityKeyId))
			for _, e := range l.RevokedCertificateEntries {
				tmpl.Revoked = append(tmpl.Revoked, Revocation{e.SerialNumber, e.RevocationTime})
			}
			made, err := x509.ParseRevocationList(tmpl.sign())
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(made.RawTBSRevocationList, l.RawTBSRevocationList) {
				t.Errorf("%s: %s:\n%x\nIntel's:\n%x", filepath.Base(dir), file, made.RawTBSRevocationList, l.RawTBSRevocationList)
			}
		}
	}
}

// Of the JSON the text is compared but for the case of hexadecimal digits,
// which Intel itself changed once.
func TestIntelDocuments(t *testing.T) {
	for _, dir := range vectors(t) {
		for file, name := range map[string]string{"tcbinfo.json": "tcbInfo", "qeid.json": "enclaveIdentity"} {
			var outer map[string]json.RawMessage
			if err := json.Unmarshal(readFile(t, dir, file), &outer); err != nil {
				t.Fatal(err)
			}
			var made []byte
			if name == "tcbInfo" {
				made = encodeTCBInfo(readTCBInfo(t, outer[name]))
			} else {
				made = encodeIdentity(readIdentity(t, outer[name]))
			}
			if !bytes.EqualFold(made, outer[name]) {
				t.Errorf("%s: %s:\n%s\nIntel's:\n%s", filepath.Base(dir), file, made, outer[name])
			}
		}
	}
}

// Members that TCB infos and identities share.
type common struct {
	ID         string
	Version    uint32
	IssueDate  time.Time
	NextUpdate time.Time
	Number     uint32 `json:"tcbEvaluationDataNumber"`
}

type level struct {
	TCB         struct{ PCESVN, ISVSVN uint16 }
	Date        time.Time `json:"tcbDate"`
	Status      string    `json:"tcbStatus"`
	AdvisoryIDs []string
}

func (l level) status(t *testing.T) dcap.TCBStatus {
	for s := dcap.UpToDate; s <= dcap.Revoked; s++ {
		if statusName(s) == l.Status {
			return s
		}
	}
	t.Fatalf("status %q", l.Status)
	return 0
}

func readTCBInfo(t *testing.T, body []byte) *dcap.TCBInfo {
	t.Helper()
	type module struct{ MRSigner, Attributes, AttributesMask string }
	var d struct {
		common
		FMSPC, PCEID string
		TCBType      uint32
		TDXModule    *module
		Identities   []struct {
			ID string
			module
			Levels []level `json:"tcbLevels"`
		} `json:"tdxModuleIdentities"`
		Levels []level `json:"tcbLevels"`
	}
	var flat struct { // version 2, and the names of components in version 3
		Levels []struct{ TCB map[string]json.RawMessage } `json:"tcbLevels"`
	}
	decode(t, body, &d)
	decode(t, body, &flat)
	toModule := func(m module) dcap.TDXModule {
		return dcap.TDXModule{
			MRSigner: [48]byte(unhex(t, m.MRSigner)), Attributes: [8]byte(unhex(t, m.Attributes)), AttributesMask: [8]byte(unhex(t, m.AttributesMask)),
		}
	}
	info := &dcap.TCBInfo{
		ID: d.ID, Version: d.Version, IssueDate: d.IssueDate, NextUpdate: d.NextUpdate, EvaluationDataNumber: d.Number,
		FMSPC: [6]byte(unhex(t, d.FMSPC)), PCEID: [2]byte(unhex(t, d.PCEID)), TCBType: d.TCBType,
	}
	if d.TDXModule != nil {
		m := toModule(*d.TDXModule)
		info.TDXModule = &m
	}
	for _, m := range d.Identities {
		id := dcap.TDXModuleIdentity{ID: m.ID, TDXModule: toModule(m.module)}
		for _, l := range m.Levels {
			id.Levels = append(id.Levels, dcap.TDXModuleLevel{ISVSVN: l.TCB.ISVSVN, Date: l.Date, Status: l.status(t), AdvisoryIDs: l.AdvisoryIDs})
		}
		info.TDXModuleIdentities = append(info.TDXModuleIdentities, id)
	}
	for i, l := range d.Levels {
		v := dcap.TCBLevel{PCESVN: l.TCB.PCESVN, Date: l.Date, Status: l.status(t), AdvisoryIDs: l.AdvisoryIDs}
		if d.Version == 2 {
			for j := range v.SGX {
				decode(t, flat.Levels[i].TCB[fmt.Sprintf("sgxtcbcomp%02dsvn", j+1)], &v.SGX[j].SVN)
			}
		} else {
			decode(t, flat.Levels[i].TCB["sgxtcbcomponents"], &v.SGX)
			if c := flat.Levels[i].TCB["tdxtcbcomponents"]; c != nil {
				decode(t, c, &v.TDX)
			}
		}
		info.Levels = append(info.Levels, v)
	}
	return info
}

func readIdentity(t *testing.T, body []byte) *dcap.EnclaveIdentity {
	t.Helper()
	var d struct {
		common
		MiscSelect, MiscSelectMask, Attributes, AttributesMask, MRSigner string
		ISVProdID                                                        uint16
		Levels                                                           []level `json:"tcbLevels"`
	}
	decode(t, body, &d)
	id := &dcap.EnclaveIdentity{
		ID: d.ID, Version: d.Version, IssueDate: d.IssueDate, NextUpdate: d.NextUpdate, EvaluationDataNumber: d.Number,
		MiscSelect: binary.LittleEndian.Uint32(unhex(t, d.MiscSelect)), MiscSelectMask: binary.LittleEndian.Uint32(unhex(t, d.MiscSelectMask)),
		Attributes: [16]byte(unhex(t, d.Attributes)), AttributesMask: [16]byte(unhex(t, d.AttributesMask)),
		MRSigner: [32]byte(unhex(t, d.MRSigner)), ISVProdID: d.ISVProdID,
	}
	for _, l := range d.Levels {
		id.Levels = append(id.Levels, dcap.IdentityLevel{ISVSVN: l.TCB.ISVSVN, Date: l.Date, Status: l.status(t), AdvisoryIDs: l.AdvisoryIDs})
	}
	return id
}

func decode[T any](t *testing.T, b []byte, v *T) {
	t.Helper()
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A quote of ours has the size and the fixed parts of Intel's.
func TestIntelQuotes(t *testing.T) {
	m := New(Seed("vectors")).Platform()
	for _, dir := range vectors(t) {
		raw := readFile(t, dir, "quote.bin")
		pck := parseChain(t, readFile(t, dir, "pck.pem"))[0]
		q := m.SGXQuote()
		if raw[4] == 0x81 {
			q = m.TDXQuote(func(q *Quote) {
				if q.Header.Version = uint16(raw[0]); raw[0] == 5 {
					q.BodyType = dcap.BodyType(raw[48])
				}
			})
		}
		kind, data, err := check(raw, pck.PublicKey.(*ecdsa.PublicKey), len(q.body()))
		if err != nil {
			t.Fatalf("%s: %v", filepath.Base(dir), err)
		}
		q.CertType, q.CertData = dcap.CertificationType(kind), data
		if kind != 5 {
			q.AuthData = nil // Intel's synthetic one has none
			if size := len(q.certificationData()); size != len(data) {
				t.Errorf("%s: certification data of type %d have %d bytes, Intel's %d", filepath.Base(dir), kind, size, len(data))
			}
		}
		made := q.Bytes()
		if len(made) != len(raw) || !bytes.Equal(made[:8], raw[:8]) || !bytes.Equal(made[12:28], raw[12:28]) {
			t.Errorf("%s: %d bytes, Intel's has %d:\n%x\n%x", filepath.Base(dir), len(made), len(raw), made[:48], raw[:48])
		}
	}
}
