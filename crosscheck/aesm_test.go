package crosscheck

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"os/exec"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/pcs"
)

// TestAESM has clients that are not the project's own get quotes from the real
// daemon, and verifiers that are not verify them.
func TestAESM(t *testing.T) {
	d := startDaemons(t)
	d.peers = findPeers(t)
	c, app := AESM{d.socket}, d.application(t)
	t.Run("quote", func(t *testing.T) { d.testQuote(t, c, app) })
	t.Run("messages", func(t *testing.T) { testMessages(t, c) })
	t.Run("refusals", func(t *testing.T) { d.testRefusals(t, c, app) })
	t.Run("programs", func(t *testing.T) { d.testPrograms(t, app) })
}

// testQuote gets a quote with each key that the daemon names, and with Intel's,
// which clients that do not ask have.
func (d *daemons) testQuote(t *testing.T, c AESM, app application) {
	keys, err := c.Keys()
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range append(keys, intelsECDSAKey()) {
		target, err := c.Target(key)
		if err != nil {
			t.Fatalf("key %d: %v", i, err)
		}
		data := [64]byte{0: byte(i), 63: 1}
		// The quoting enclave is asked to prove to the application that the
		// quote is its own.
		info := make([]byte, aesmInfoSize)
		nonce := info[:16]
		if _, err := rand.Read(nonce); err != nil {
			t.Fatal(err)
		}
		own := app.TargetInfo()
		ownTarget, err := own.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		copy(info[16:], ownTarget)
		quote, filled, err := c.Quote(key, app.report(t, target, data), info)
		if err != nil {
			t.Fatalf("key %d: %v", i, err)
		}
		d.verify(t, quote, app, data)

		proof := filled[16+aesmTargetSize:]
		if !app.checks(t, proof) {
			t.Errorf("key %d: the quoting enclave's REPORT was not made for the application", i)
		}
		if want := sha256.Sum256(append(bytes.Clone(nonce), quote...)); !bytes.Equal(proof[320:384], append(want[:], make([]byte, 32)...)) {
			t.Errorf("key %d: the quoting enclave's REPORT is of another quote: %x", i, proof[320:384])
		}
		if quoter := proof[64:96]; !bytes.Equal(quoter, target[:32]) {
			t.Errorf("key %d: the REPORT is of %x, its target was %x", i, quoter, target[:32])
		}
	}
}

// verify compares a quote with the enclave that it should be of, and has all
// verifiers verify it with what the PCS serves.
func (d *daemons) verify(t *testing.T, quote []byte, app application, data [64]byte) {
	t.Helper()
	q, err := dcap.ParseQuote(quote)
	if err != nil {
		t.Fatal(err)
	}
	secs, body := app.SECS(), q.EnclaveReport()
	if q.Header.Version != dcap.QuoteV3 || body == nil || body.MREnclave != secs.MREnclave || body.MRSigner != secs.MRSigner ||
		body.ISVProdID != 7 || body.ISVSVN != 2 || q.ReportData() != data {
		t.Fatalf("the quote is not of the enclave: version %d, %+v", q.Header.Version, body)
	}
	s := d.set(t, quote, q)
	ours, err := Ours(s)
	if err != nil || !ours.Accepted || ours.TCB != dcap.UpToDate {
		t.Fatalf("ours: %v, %v", ours, err)
	}
	forged := *s
	forged.Quote = bytes.Clone(quote)
	forged.Quote[368] ^= 1 // the first byte of the REPORT's data
	refused, err := Ours(&forged)
	if err != nil || refused.Accepted {
		t.Errorf("ours, a changed quote: %v, %v", refused, err)
	}
	intels, err := verify.New()
	if err != nil {
		t.Fatal(err)
	}
	if r, err := intels.Verify(quote, &s.Collateral, s.At); err == nil && r.Authentic() {
		t.Error("the quote passes as one of a real processor")
	}
	for _, p := range d.peers {
		if !p.Reads(s) {
			continue
		}
		for _, c := range []struct {
			*Set
			ours Answer
		}{{s, ours}, {&forged, refused}} {
			theirs, err := p.Verify(c.Set)
			if err != nil {
				t.Errorf("%s: %v", p.Name(), err)
				continue
			}
			t.Logf("%s: %v", p.Name(), theirs)
			if err := judge(c.Name, p, theirs, c.ours); err != nil {
				t.Error(err)
			}
		}
	}
	phalaParses(t, quote, body)
}

// set is the quote with what the PCS serves of its machine.
func (d *daemons) set(t *testing.T, quote []byte, q *dcap.Quote) *Set {
	t.Helper()
	chain, ok := q.Certification.(*dcap.PCKChain)
	if !ok {
		t.Fatalf("the quote has certification data of type %v", q.Certification.Type())
	}
	client, err := pcs.New(pcs.Config{URL: d.pcs})
	if err != nil {
		t.Fatal(err)
	}
	request, err := pcs.RequestFor(q)
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := client.Collateral(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	c.PCKChain = bytes.TrimRight(chain.PEM, "\x00")
	certs, err := dcap.SplitChain(c.PCKChain)
	if err != nil {
		t.Fatal(err)
	}
	return &Set{
		Name: "aesm", Quote: quote, PCK: dcap.AppendPEM(nil, certs[0]), Collateral: *c,
		Root: d.root, At: time.Now().UTC().Truncate(time.Second),
	}
}

// phalaParses has Phala's package read the quote, if it is there, and compares what
// it read.
func phalaParses(t *testing.T, quote []byte, want *dcap.EnclaveReport) {
	t.Helper()
	node, missing := findNode()
	if missing != "" {
		t.Log("without Phala's reader: " + missing)
		return
	}
	cmd := exec.Command(node, "-e", `
const q = require('@phala/dcap-qvl').Quote.parse(require('fs').readFileSync(0));
const r = q.report.asSgx();
const hex = (b) => Buffer.from(b).toString('hex');
console.log(`+"`version ${q.header.version}, product ${r.isvProdId}, SVN ${r.isvSvn}, ${hex(r.mrEnclave)} ${hex(r.mrSigner)} ${hex(r.reportData)}`"+`);`)
	cmd.Dir, cmd.Stdin = "js", bytes.NewReader(quote)
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("Phala's reader: %v", err)
		return
	}
	ours := fmt.Sprintf("version %d, product %d, SVN %d, %x %x %x\n", dcap.QuoteV3, want.ISVProdID, want.ISVSVN, want.MREnclave, want.MRSigner, want.ReportData)
	if theirs := string(out); theirs != ours {
		t.Errorf("Phala's package reads the quote otherwise:\n  theirs: %s  ours:   %s", theirs, ours)
	}
}
