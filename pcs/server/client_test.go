package server

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/derive"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/world"
)

// client is package pcs's, pointed at a service without a socket.
func client(t testing.TB, s *Server, cfg pcs.Config) *pcs.Client {
	t.Helper()
	cfg.HTTP, cfg.Now, cfg.Attempts = &http.Client{Transport: s.Transport()}, func() time.Time { return now }, 1
	c, err := pcs.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// issued returns the certificates of a chain in PEM after it has checked that
// each is signed by the next, and the last is the world's root.
func issued(t testing.TB, f *fixture, chain []byte) []*x509.Certificate {
	t.Helper()
	var certs []*x509.Certificate
	for {
		var block *pem.Block
		if block, chain = pem.Decode(chain); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		certs = append(certs, c)
	}
	if len(certs) < 2 || !bytes.Equal(certs[len(certs)-1].Raw, f.Root()) {
		t.Fatalf("a chain of %d certificates, not to the root", len(certs))
	}
	for i, c := range certs[:len(certs)-1] {
		if err := c.CheckSignatureFrom(certs[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	return certs
}

// signedBy checks the signature of a document: R and S in hexadecimal over what
// stands under its key, to the byte.
func signedBy(t testing.TB, f *fixture, doc *pcs.Document, key string) {
	t.Helper()
	var outer map[string]json.RawMessage
	if err := json.Unmarshal(doc.Body, &outer); err != nil {
		t.Fatal(err)
	}
	var sig string
	if err := json.Unmarshal(outer["signature"], &sig); err != nil || len(sig) != 128 {
		t.Fatalf("signature %q, %v", sig, err)
	}
	r, _ := new(big.Int).SetString(sig[:64], 16)
	s, _ := new(big.Int).SetString(sig[64:], 16)
	digest := sha256.Sum256(outer[key])
	signer := issued(t, f, doc.Chain)[0]
	if signer.IsCA || !ecdsa.Verify(signer.PublicKey.(*ecdsa.PublicKey), digest[:], r, s) {
		t.Errorf("%s is not signed by %v", key, signer.Subject)
	}
}

// Every document comes through the client, as from Intel and as from a PCCS, and
// is what the world has.
func TestClient(t *testing.T) {
	f := theWorld(t)
	s := New(f.World, Options{})
	fmspc := f.single.FMSPC
	for name, cfg := range map[string]pcs.Config{"Intel": {}, "PCCS": {URL: origin + "/sgx/certification/v4/"}} {
		t.Run(name, func(t *testing.T) {
			c := client(t, s, cfg)
			for _, tee := range []dcap.TEEType{dcap.TEESGX, dcap.TEETDX} {
				d, err := c.TCBInfo(t.Context(), tee, fmspc)
				want, err2 := f.TCBInfo(tee, fmspc, world.Selection{})
				if err != nil || err2 != nil || !bytes.Equal(d.Body, want) {
					t.Fatal(err, err2)
				}
				signedBy(t, f, d, "tcbInfo")
				if d, err = c.QEIdentity(t.Context(), tee); err != nil {
					t.Fatal(err)
				}
				signedBy(t, f, d, "enclaveIdentity")
				numbers, d, err := c.EvaluationDataNumbers(t.Context(), tee)
				if err != nil || len(numbers) != 2 || numbers[0].Number != numbers[1].Number+1 {
					t.Fatal(numbers, err)
				}
				signedBy(t, f, d, "tcbEvaluationDataNumbers")
			}
			d, err := c.QVEIdentity(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			signedBy(t, f, d, "enclaveIdentity")
			for _, ca := range []pcs.CA{pcs.Processor, pcs.Platform} {
				d, err := c.PCKCRL(t.Context(), ca)
				if err != nil {
					t.Fatal(err)
				}
				crl, err := x509.ParseRevocationList(d.Body)
				if err == nil {
					err = crl.CheckSignatureFrom(issued(t, f, d.Chain)[0])
				}
				if err != nil {
					t.Error(ca, err)
				}
			}
			if d, err = c.RootCRL(t.Context()); err != nil {
				t.Fatal(err)
			}
			root, _ := x509.ParseCertificate(f.Root())
			if crl, err := x509.ParseRevocationList(d.Body); err != nil || crl.CheckSignatureFrom(root) != nil {
				t.Error("root CRL", err)
			}
			list, _, err := c.FMSPCs(t.Context())
			if err != nil || len(list) != 1 || list[0].FMSPC != fmspc || list[0].Kind != "E5" {
				t.Error(list, err)
			}
			if _, err := c.TCBInfo(t.Context(), dcap.TEESGX, [6]byte{1}); !errors.Is(err, pcs.ErrNotFound) && !errors.Is(err, pcs.ErrNoCacheData) {
				t.Error(err)
			}
			if _, _, err := c.Collateral(t.Context(), pcs.Request{TEE: dcap.TEETDX, FMSPC: fmspc, CA: pcs.Platform}); err != nil {
				t.Error(err)
			}
		})
	}
	v3 := client(t, s, pcs.Config{APIVersion: 3})
	if _, err := v3.QEIdentity(t.Context(), dcap.TEESGX); !errors.Is(err, pcs.ErrRetired) {
		t.Error(err)
	}
}

// The certificate is of the key that the PCE derives on the machine at that TCB.
func TestClientPCK(t *testing.T) {
	f := theWorld(t)
	s := New(f.World, Options{Keys: []string{"first", "second"}})
	level := f.single.CPUSVN // after the recovery
	for name, cfg := range map[string]pcs.Config{
		"Intel": {SubscriptionKey: "second"},
		"PCCS":  {URL: origin, PCKHeader: http.Header{"Ocp-Apim-Subscription-Key": {"first"}}},
	} {
		t.Run(name, func(t *testing.T) {
			c := client(t, s, cfg)
			r := pcs.PCKRequest{QEID: []byte{1}, EncryptedPPID: f.encrypt(t, f.ppid), CPUSVN: level, PCESVN: build.PCE.SVN}
			above := r
			above.CPUSVN[15]++
			above.PCESVN++
			for _, r := range []pcs.PCKRequest{r, above} {
				got, err := c.PCKCert(t.Context(), r)
				if err != nil {
					t.Fatal(err)
				}
				if got.FMSPC != f.single.FMSPC || got.CA != pcs.Processor || got.CPUSVN != level || got.PCESVN != build.PCE.SVN {
					t.Errorf("%+v", got)
				}
				leaf := issued(t, f, got.Chain)[0]
				if !leaf.PublicKey.(*ecdsa.PublicKey).Equal(derive.PCK(f.provisioningKey(f.single, level, build.PCE.SVN)).Public()) {
					t.Error("the certificate is of another key")
				}
			}
			all, err := c.PCKCerts(t.Context(), pcs.PCKCertsRequest{EncryptedPPID: r.EncryptedPPID})
			if err != nil || all.FMSPC != f.single.FMSPC || all.CA != pcs.Processor || len(all.Levels) < 3 {
				t.Fatal(all, err)
			}
			for i, l := range all.Levels {
				leaf := issued(t, f, append(l.Cert, all.Issuers...))[0]
				if l.TCB != l.CPUSVN || !leaf.PublicKey.(*ecdsa.PublicKey).Equal(derive.PCK(f.provisioningKey(f.single, l.CPUSVN, l.PCESVN)).Public()) {
					t.Errorf("level %d is of another key", i)
				}
			}
			if all.Levels[0].CPUSVN != level {
				t.Errorf("the first level is %x", all.Levels[0].CPUSVN)
			}
			low := r
			low.PCESVN = 0
			if _, err := c.PCKCert(t.Context(), low); !errors.Is(err, pcs.ErrNotFound) && !errors.Is(err, pcs.ErrNoCacheData) {
				t.Error(err)
			}
		})
	}
	if _, err := client(t, s, pcs.Config{SubscriptionKey: "third"}).PCKCert(t.Context(), pcs.PCKRequest{EncryptedPPID: make([]byte, 384)}); !errors.Is(err, pcs.ErrUnauthorized) {
		t.Error(err)
	}
}

// The places of CRLs that certificates name are here.
func TestDistributionPoints(t *testing.T) {
	f := theWorld(t)
	s := New(f.World, Options{})
	pck, err := f.PCK(f.ppid, 0, f.single.CPUSVN, build.PCE.SVN)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := f.PCKCAChain(pck.CA)
	if err != nil {
		t.Fatal(err)
	}
	certs := issued(t, f, append(bytes.Clone(pck.Cert), chain...))
	for i, c := range certs {
		if len(c.CRLDistributionPoints) != 1 {
			t.Fatalf("%v: %q", c.Subject, c.CRLDistributionPoints)
		}
		path, ok := bytes.CutPrefix([]byte(c.CRLDistributionPoints[0]), []byte(origin))
		if !ok {
			t.Fatalf("%q is elsewhere", c.CRLDistributionPoints)
		}
		got := get(t, s, string(path))
		crl, err := x509.ParseRevocationList(got.body)
		if got.status != 200 || got.header.Get("Content-Type") != "application/pkix-crl" || err != nil {
			t.Fatal(string(path), got.status, err)
		}
		if err := crl.CheckSignatureFrom(certs[min(i+1, len(certs)-1)]); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if i == len(certs)-1 {
			uri := get(t, s, "/sgx/certification/v4/crl?uri="+c.CRLDistributionPoints[0])
			if !bytes.Equal(uri.body, got.body) {
				t.Error("crl?uri= has another")
			}
		}
	}
}
