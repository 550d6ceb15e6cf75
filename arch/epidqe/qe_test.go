package epidqe_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync"
	"testing"

	"github.com/feidi-dev/feidi/arch/epidqe"
	"github.com/feidi-dev/feidi/arch/epidqe/edl"
	"github.com/feidi-dev/feidi/arch/internal/fake"
	"github.com/feidi-dev/feidi/epid"
	"github.com/feidi-dev/feidi/epid/quote"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/seal"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var gid = epid.GroupID{1, 2, 3, 4}

// factory are the keys of all tests, drawn once.
var factory = sync.OnceValue(func() (f struct {
	issuer  *epid.Issuer
	service *rsa.PrivateKey
	signing *ecdsa.PrivateKey
}) {
	f.issuer, f.service = must(epid.NewIssuer(nil, gid)), must(rsa.GenerateKey(rand.Reader, 2048))
	f.signing = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	return f
})

// machine is a platform with QE, application, and the blob of a member.
type machine struct {
	platform *fake.Platform
	enclave  *fake.Enclave // of the QE
	app      *fake.Enclave
	qe       *epidqe.QE
	blob     []byte
}

func newMachine(root byte) *machine {
	m := &machine{platform: &fake.Platform{Root: [16]byte{root}, Seal: [16]byte{2}, CPUSVN: [16]byte{5}, KeyID: [32]byte{3}}}
	m.enclave, m.app = m.platform.NewEnclave("qe", "maker", 16, 0), m.platform.NewEnclave("app", "somebody", 3, 0)
	m.qe = epidqe.New(m.enclave)
	f := factory()
	secret, nonce := must(epid.NewSecret(nil)), epid.Nonce{1}
	c := must(f.issuer.Certify(nil, epid.SHA256, nonce, must(f.issuer.Group().Join(nil, epid.SHA256, secret, nonce))))
	pve := m.platform.NewEnclave("pve", "maker", 16, isa.AttrProvisionKey)
	m.blob = must(epidqe.Seal(pve, must(pve.Report(nil, [64]byte{})), data(), c.PrivateKey(secret)))
	return m
}

func data() *epidqe.Data {
	f := factory()
	return &epidqe.Data{
		CPUSVN: [16]byte{5}, PvESVN: 16, Group: f.issuer.Group().PublicKey(),
		Service: &f.service.PublicKey, SigningKey: &f.signing.PublicKey, XEID: 7,
	}
}

func (m *machine) report() *isa.Report {
	return must(m.app.Report(m.enclave.Target(), [64]byte{'h', 'i'}))
}

func verifier() *quote.Verifier {
	f := factory()
	return &quote.Verifier{Key: f.service, XEID: 7, Groups: []quote.Group{{Group: f.issuer.Group()}}}
}

func sigRL(gid epid.GroupID, entries ...epid.SigRLEntry) []byte {
	l := &epid.SigRL{GID: gid, Version: 9, Entries: entries}
	return must(epid.SignFile(factory().signing, epid.FileSigRL, l.Bytes()))
}

var (
	ctx  = context.Background()
	spid = &edl.SgxSpidT{'s', 'p'}
)

func TestQuote(t *testing.T) {
	m := newMachine(1)
	nonce := &edl.SgxQuoteNonceT{1, 2}
	for _, kind := range []uint32{epidqe.Unlinkable, epidqe.Linkable} {
		var last *quote.Result
		for range 2 {
			ret, qeReport, raw, err := m.qe.GetQuote(ctx, m.blob, m.report(), kind, spid, nonce, nil, uint32(quote.Size(0)), 15)
			if ret != epidqe.Success || err != nil {
				t.Fatal(ret, err)
			}
			r, err := verifier().Verify(raw)
			if err != nil {
				t.Fatal(err)
			}
			if q := r.Quote; q.Linkable != (kind == 1) || q.Body != m.report().ReportBody || q.QESVN != 16 || q.PCESVN != 15 || q.SPID() != *spid {
				t.Errorf("%+v", q)
			}
			want := sha256.Sum256(append(nonce[:], raw...))
			if m.app.VerifyReport(&qeReport) != nil || qeReport.ReportData != [64]byte(append(want[:], make([]byte, 32)...)) || qeReport.MREnclave != m.enclave.Self.MREnclave {
				t.Error("the QE's report is not for the application, or not of the quote")
			}
			if last != nil && (last.Pseudonym == r.Pseudonym) != (kind == 1) {
				t.Errorf("kind %d: pseudonyms %x and %x", kind, last.Pseudonym[:4], r.Pseudonym[:4])
			}
			last = r
		}
	}
}

func TestSigRL(t *testing.T) {
	ann, bob := newMachine(1), newMachine(2)
	_, _, raw, _ := ann.qe.GetQuote(ctx, ann.blob, ann.report(), 0, spid, nil, nil, 1<<20, 15)
	revoked := must(verifier().Verify(raw)).RevokeBy()
	get := func(m *machine, list []byte, room int) (uint32, []byte) {
		ret, r, raw, err := m.qe.GetQuote(ctx, m.blob, m.report(), 0, spid, nil, list, uint32(room), 15)
		if err != nil || r != (isa.Report{}) || (raw != nil) != (ret == epidqe.Success) {
			t.Errorf("%v, %+v, %d bytes with %d", err, r, len(raw), ret)
		}
		return ret, raw
	}
	list := sigRL(gid, revoked, revoked)
	bad := bytes.Clone(list)
	bad[len(bad)-1] ^= 1
	for _, c := range []struct {
		what string
		m    *machine
		list []byte
		room int
		want uint32
	}{
		{"revoked", ann, list, quote.Size(2), epidqe.RevokedError},
		{"no room", bob, list, quote.Size(2) - 1, epidqe.ParameterError},
		{"another signature", bob, bad, quote.Size(2), epidqe.SigRLError},
		{"revoked by who is not the issuer", ann, bad, quote.Size(2), epidqe.SigRLError},
		{"another group", bob, sigRL(epid.GroupID{1}, revoked), quote.Size(2), epidqe.ParameterError},
		{"short", bob, list[:79], quote.Size(2), epidqe.ParameterError},
		{"a PrivRL", bob, must(epid.SignFile(factory().signing, epid.FilePrivRL, list[4:len(list)-64])), quote.Size(2), epidqe.ParameterError},
	} {
		if ret, _ := get(c.m, c.list, c.room); ret != c.want {
			t.Errorf("%s: %d, want %d", c.what, ret, c.want)
		}
	}
	ret, raw := get(bob, list, quote.Size(2))
	if ret != epidqe.Success {
		t.Fatal(ret)
	}
	v := verifier()
	v.Groups[0].SigRL = must(epid.ParseSigRL(list[4 : len(list)-64]))
	if _, err := v.Verify(raw); err != nil {
		t.Error(err)
	}
}

func TestParameters(t *testing.T) {
	m, other := newMachine(1), newMachine(2)
	good := m.report()
	forged := *good
	forged.ReportData[0] ^= 1
	for _, c := range []struct {
		what   string
		blob   []byte
		report *isa.Report
		kind   uint32
		spid   *edl.SgxSpidT
		room   uint32
		want   uint32
	}{
		{"a blob less", m.blob[1:], good, 0, spid, 2000, epidqe.ParameterError},
		{"another machine's blob", other.blob, good, 0, spid, 2000, epidqe.BlobError},
		{"zeros", make([]byte, epidqe.BlobSize), good, 0, spid, 2000, epidqe.BlobError},
		{"no report", m.blob, nil, 0, spid, 2000, epidqe.ParameterError},
		{"a changed report", m.blob, &forged, 0, spid, 2000, epidqe.ParameterError},
		{"another machine's report", m.blob, other.report(), 0, spid, 2000, epidqe.ParameterError},
		{"kind 2", m.blob, good, 2, spid, 2000, epidqe.ParameterError},
		{"no SPID", m.blob, good, 0, nil, 2000, epidqe.ParameterError},
		{"no quote", m.blob, good, 0, spid, 0, epidqe.ParameterError},
		{"no room", m.blob, good, 0, spid, 1115, epidqe.ParameterError},
	} {
		ret, r, q, err := m.qe.GetQuote(ctx, c.blob, c.report, c.kind, c.spid, &edl.SgxQuoteNonceT{}, nil, c.room, 15)
		if ret != c.want || r != (isa.Report{}) || q != nil || err != nil {
			t.Errorf("%s: %d, want %d; %+v, %d bytes, %v", c.what, ret, c.want, r, len(q), err)
		}
	}
	m = newMachine(1)
	m.enclave.FailReport.Store(1)
	if ret, _, _, _ := m.qe.GetQuote(ctx, m.blob, m.report(), 0, spid, nil, nil, 2000, 15); ret != epidqe.UnexpectedError {
		t.Errorf("EREPORT fails: %d", ret)
	}
}

// Every byte of a blob counts, and a TCB recovery has it sealed anew.
func TestVerifyBlob(t *testing.T) {
	m := newMachine(1)
	for i := range m.blob {
		b := bytes.Clone(m.blob)
		b[i] ^= 1
		if ret, _, _, err := m.qe.VerifyBlob(ctx, b); ret != epidqe.BlobError || err != nil {
			t.Errorf("byte %d changed: %d, %v", i, ret, err)
		}
	}
	blob := bytes.Clone(m.blob)
	if ret, resealed, svn, err := m.qe.VerifyBlob(ctx, blob); ret != 0 || resealed != 0 || svn != [16]byte{5} || err != nil || !bytes.Equal(blob, m.blob) {
		t.Errorf("%d, %d, %x, %v", ret, resealed, svn, err)
	}
	m.platform.CPUSVN = [16]byte{6}
	if ret, resealed, svn, err := m.qe.VerifyBlob(ctx, blob); ret != 0 || resealed != 1 || svn != [16]byte{6} || err != nil || bytes.Equal(blob, m.blob) {
		t.Errorf("after a TCB recovery: %d, %d, %x, %v", ret, resealed, svn, err)
	}
	if q := must(seal.Parse(blob)).Request(); q.CPUSVN != [16]byte{6} {
		t.Errorf("sealed at %x", q.CPUSVN)
	}
	if d := must(epidqe.ParseData(blob)); d.CPUSVN != [16]byte{5} {
		t.Errorf("provisioned at %x", d.CPUSVN)
	}
	m.platform.CPUSVN = [16]byte{5}
	if ret, _, _, _ := m.qe.VerifyBlob(ctx, blob); ret != epidqe.BlobError {
		t.Errorf("on a machine of a lower CPUSVN: %d", ret)
	}
	if ret, _, _, _ := m.qe.VerifyBlob(ctx, blob[1:]); ret != epidqe.ParameterError {
		t.Errorf("a byte less: %d", ret)
	}
}

// The offsets are those of se_plaintext_epid_data_sdk_t.
func TestDataLayout(t *testing.T) {
	d := data()
	b := must(d.AppendBinary(nil))
	n := d.Service.N.FillBytes(make([]byte, 256))
	slices.Reverse(n)
	if len(b) != 608 || b[0] != 0 || b[1] != 4 || b[2] != 5 || hex.EncodeToString(b[18:24]) != "100001020304" ||
		hex.EncodeToString(b[280:284]) != "01000100" || !bytes.Equal(b[284:540], n) || hex.EncodeToString(b[604:]) != "07000000" {
		t.Errorf("%d bytes: %x", len(b), b)
	}
	x := must(d.SigningKey.Bytes())[1:33]
	slices.Reverse(x)
	if !bytes.Equal(b[540:572], x) {
		t.Errorf("X %x, want %x", b[540:572], x)
	}
}

func FuzzData(f *testing.F) {
	f.Add(must(data().AppendBinary(nil)))
	f.Fuzz(func(t *testing.T, b []byte) {
		d := new(epidqe.Data)
		if d.UnmarshalBinary(b) != nil {
			return
		}
		c, err := d.AppendBinary(nil)
		if err != nil {
			return // a service key with an exponent that is none
		}
		if !bytes.Equal(b, c) {
			t.Fatalf("%x became %x", b, c)
		}
	})
}

// FuzzGetQuote gives the QE a blob and a SigRL of anybody.
func FuzzGetQuote(f *testing.F) {
	m := newMachine(1)
	f.Add(m.blob, sigRL(gid))
	f.Add(m.blob[:100], []byte{2, 0, 0, 14})
	f.Fuzz(func(t *testing.T, blob, list []byte) {
		ret, _, raw, err := m.qe.GetQuote(ctx, blob, m.report(), 0, spid, nil, list, 1<<20, 15)
		if err != nil || (ret == epidqe.Success) != (raw != nil) {
			t.Fatal(ret, err)
		}
	})
}
