package inside

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/attest/sigma"
	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/policy"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/enclave/process"
	"github.com/feidi-dev/feidi/gobuild"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/testsuite/quoting"
)

// meet carries the messages of local attestation between two programs, through the
// hands of mitm, and returns whom each of them has met.
func meet(responder, initiator *guest, mitm func(n int, message []byte)) (met [2][]byte, err error) {
	var b [][]byte
	for n, step := range []struct {
		g    *guest
		verb string
	}{{responder, "msg1"}, {initiator, "msg2"}, {responder, "msg3"}, {initiator, "end"}} {
		var args [][]byte
		if n > 0 {
			mitm(n, b[0])
			args = b[:1]
		}
		if b, err = step.g.ask(step.verb, args...); err != nil {
			return met, fmt.Errorf("%s: %w", step.verb, err)
		}
		if n >= 2 {
			met[n-2] = b[1]
		}
	}
	return met, nil
}

func honest(int, []byte) {}

// Two enclaves of a machine get to know each other, and the host that carries their
// messages does not get to know what they say.
func TestLocalAttestation(t *testing.T) {
	m := powerOn(t, cpu.Config{})
	img, other := build(t, "attest", nil), build(t, "attest", func(o *gobuild.Options) { o.Heap += 1 << 20 })
	a, b := start(t, m, img, process.Config{}), start(t, m, other, process.Config{})
	met, err := meet(a, b, honest)
	if err != nil {
		t.Fatal(err)
	}
	if x, y := a.e.SECS().MREnclave, b.e.SECS().MREnclave; !bytes.Equal(met[0], y[:]) || !bytes.Equal(met[1], x[:]) || x == y {
		t.Errorf("%x has met %x, and %x has met %x", x, met[0], y, met[1])
	}
	secret := []byte("what only the two of them know")
	wire := a.must(t, "send", secret)[0]
	if bytes.Contains(wire, secret[:8]) {
		t.Errorf("the host reads %q", wire)
	}
	if got := b.must(t, "receive", wire)[0]; !bytes.Equal(got, secret) {
		t.Errorf("received %q", got)
	}
	wire[3] ^= 1
	b.refused(t, "authentication failed", "receive", wire)

	// Whatever the host changes, the exchange fails.
	for n, size := range map[int]int{1: 576, 2: 512, 3: 452} {
		for at := 0; at < size; at += 31 {
			if _, err := meet(a, b, func(k int, message []byte) {
				if k == n {
					message[at] ^= 0x40
				}
			}); !errors.Is(err, errAgent) {
				t.Errorf("message %d, byte %d changed: %v", n, at, err)
			}
		}
	}

	// One of the same program elsewhere is not of this machine, and neither is one
	// here of this signer.
	if _, err := meet(a, start(t, powerOn(t, cpu.Config{}), img, process.Config{}), honest); !errors.Is(err, errAgent) {
		t.Errorf("with an enclave of another machine: %v", err)
	}
	stranger := start(t, m, build(t, "attest", func(o *gobuild.Options) { o.Key = keys()[1] }), process.Config{})
	if _, err := meet(a, stranger, honest); !errors.Is(err, errAgent) {
		t.Errorf("with an enclave of another signer: %v", err)
	}
	if _, err := meet(b, a, honest); err != nil {
		t.Errorf("in the end, the other way round: %v", err)
	}
}

// liar is a quoting service, or what stands before it, that lies.
type liar struct {
	aesm.QuoteService
	want string // what the enclave says of it
	init func(target *isa.TargetInfo)
	lie  func(quote []byte, report *isa.Report, info *aesm.QEReportInfo) []byte
}

func (l *liar) InitQuote(ctx context.Context, key *aesm.AttKeyID) (*isa.TargetInfo, []byte, error) {
	target, id, err := l.QuoteService.InitQuote(ctx, key)
	if err == nil && l.init != nil {
		changed := *target
		l.init(&changed)
		target = &changed
	}
	return target, id, err
}

func (l *liar) Quote(ctx context.Context, key *aesm.AttKeyID, report *isa.Report, info *aesm.QEReportInfo) ([]byte, error) {
	quote, err := l.QuoteService.Quote(ctx, key, report, info)
	if err == nil && l.lie != nil {
		quote = l.lie(quote, report, info)
	}
	return quote, err
}

// A Go enclave gets quotes of itself, which others believe, and believes no others.
func TestQuote(t *testing.T) {
	m := quoting.New(t, cache, keys()[0])
	img := build(t, "attest", nil)
	run := func(path string) *guest {
		return start(t, m.Machine, img, process.Config{Env: []string{"SGX_AESM_SOCKET=" + path}})
	}
	path := quoting.Serve(t, m.Quotes)
	g := run(path)
	v, err := verify.New(verify.WithRoots(m.PKI.Root.DER))
	if err != nil {
		t.Fatal(err)
	}
	verified := func(quote []byte, data []byte) error {
		r, err := v.Verify(quote, m.Platform.Collateral(dcap.TEESGX), m.PKI.Now)
		if err != nil {
			return err
		}
		root, err := verify.RootOf(m.PKI.Root.DER)
		if err != nil {
			return err
		}
		p, err := policy.New(policy.Enclave{MREnclave: [][32]byte{g.e.SECS().MREnclave}}, policy.Roots(root.Fingerprint()), policy.ReportData(data))
		if err != nil {
			return err
		}
		return p.Check(r).Err()
	}
	data := bytes.Repeat([]byte{7}, 64)
	signer := g.e.SECS().MRSigner // that of the QE, too
	for name, args := range map[string][][]byte{"any key": {data}, "this QE's key": {data, signer[:]}} {
		if err := verified(g.must(t, "quote", args...)[0], data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	g.refused(t, "UNSUPPORTED_ATT_KEY_ID", "quote", data, bytes.Repeat([]byte{1}, 32))
	intels := aesm.DefaultECDSAKeyID()
	g.refused(t, "no quote of this enclave", "quote", data, intels.MRSigner[:32]) // the service takes it, but has not Intel's QE

	var old isa.Report // of the QE, with another nonce, of the same quote
	run(quoting.Serve(t, &liar{QuoteService: m.Quotes, lie: func(quote []byte, _ *isa.Report, info *aesm.QEReportInfo) []byte {
		old = info.QEReport
		return quote
	}})).must(t, "quote", data)
	for name, l := range map[string]*liar{
		"an old REPORT of the QE": {want: "not now", lie: func(quote []byte, _ *isa.Report, info *aesm.QEReportInfo) []byte {
			info.QEReport = old
			return quote
		}},
		"other data": {want: "of something else", lie: func(quote []byte, _ *isa.Report, _ *aesm.QEReportInfo) []byte {
			quote[dcap.QuoteHeaderSize+320] ^= 1
			return quote
		}},
		"another signature": {want: "not made it", lie: func(quote []byte, _ *isa.Report, _ *aesm.QEReportInfo) []byte {
			quote[dcap.QuoteHeaderSize+384+4] ^= 1
			return quote
		}},
		"a quote that was cut": {want: "cut off", lie: func(quote []byte, _ *isa.Report, _ *aesm.QEReportInfo) []byte { return quote[:len(quote)-1] }},
		"a forged REPORT of the QE": {want: "REPORT of the quoting enclave", lie: func(quote []byte, report *isa.Report, info *aesm.QEReportInfo) []byte {
			changed := bytes.Clone(quote)
			changed[dcap.QuoteHeaderSize+384+4] ^= 1
			sum := sha256.Sum256(append(info.Nonce[:], changed...))
			copy(info.QEReport.ReportData[:], sum[:])
			return changed
		}},
		"no REPORT of the QE": {want: "REPORT of the quoting enclave", lie: func(quote []byte, _ *isa.Report, info *aesm.QEReportInfo) []byte {
			info.QEReport = isa.Report{}
			return quote
		}},
		"the enclave's own REPORT": {want: "REPORT of the quoting enclave", lie: func(quote []byte, r *isa.Report, info *aesm.QEReportInfo) []byte {
			info.QEReport = *r
			return quote
		}},
		"the REPORT for another": {want: "INVALID_REPORT", init: func(target *isa.TargetInfo) { target.Measurement[0] ^= 1 }},
	} {
		l.QuoteService = m.Quotes
		if _, err := run(quoting.Serve(t, l)).ask("quote", data); !errors.Is(err, errAgent) || !strings.Contains(err.Error(), l.want) {
			t.Errorf("%s: %v", name, err)
		}
	}

	// The quoting enclave of another machine cannot help.
	elsewhere := start(t, powerOn(t, cpu.Config{}), img, process.Config{Env: []string{"SGX_AESM_SOCKET=" + path}})
	elsewhere.refused(t, "INVALID_REPORT", "quote", data)
	run(filepath.Join(t.TempDir(), "none")).refused(t, "cannot be reached", "quote", data)

	testSigma(t, g, func(quote []byte, data [64]byte) error { return verified(quote, data[:]) })
}

// testSigma has an enclave prove to a provider what it is, and the provider tell it
// something.
func testSigma(t *testing.T, g *guest, verified func(quote []byte, data [64]byte) error) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	prove := func(mitm func([]byte)) (*sigma.Keys, error) {
		p, err := sigma.NewProvider(&sigma.Config{Key: key, Verify: verified})
		if err != nil {
			t.Fatal(err)
		}
		msg2, err := p.ProcMsg1(g.must(t, "prove", public)[0])
		if err != nil {
			return nil, err
		}
		mitm(msg2)
		b, err := g.ask("proof", msg2)
		if err != nil {
			return nil, err
		}
		return p.ProcMsg3(b[0])
	}
	keys, err := prove(func([]byte) {})
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(keys.SK[:])
	if err != nil {
		t.Fatal(err)
	}
	a, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	secret := []byte("the provider's secret")
	if got := g.must(t, "receive", a.Seal(nil, make([]byte, 12), secret, nil))[0]; !bytes.Equal(got, secret) {
		t.Errorf("received %q", got)
	}
	if _, err := prove(func(msg2 []byte) { msg2[5] ^= 1 }); !errors.Is(err, errAgent) {
		t.Errorf("another key of the provider: %v", err)
	}
}

// BenchmarkQuote is a quote that a Go enclave gets of itself, from a socket, with all
// checks.
func BenchmarkQuote(b *testing.B) {
	m := quoting.New(b, cache, keys()[0])
	g := start(b, m.Machine, build(b, "attest", nil), process.Config{Env: []string{"SGX_AESM_SOCKET=" + quoting.Serve(b, m.Quotes)}})
	data := make([]byte, 64)
	g.must(b, "quote", data)
	for b.Loop() {
		g.must(b, "quote", data)
	}
}
