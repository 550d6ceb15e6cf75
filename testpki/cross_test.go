package testpki_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/testpki"
)

// The parsers of package dcap, which share no code with this package, read out
// of every document the values that were put in.
func TestParsersAgree(t *testing.T) {
	p := testpki.New(testpki.Seed("cross"))
	platforms := []*testpki.Platform{p.Platform(), p.Platform(testpki.SinglePackage, testpki.FMSPC([6]byte{0xab, 1, 2, 3, 4, 5}))}
	p.PlatformCA.Revoke(platforms[0].PCK)
	for _, m := range platforms {
		for _, tee := range []dcap.TEEType{dcap.TEESGX, dcap.TEETDX} {
			c := m.Collateral(tee)
			chain := read(t, dcap.ParseChain, c.PCKChain)
			if len(chain) != 3 {
				t.Fatalf("%d certificates", len(chain))
			}
			equal(t, "SGX extension", *chain[0].SGX, m.SGX)
			for i, cert := range []*testpki.Cert{m.PCK, m.CA(), p.Root} {
				equal(t, "subject", chain[i].Subject, cert.Template.Subject)
				equal(t, "issuer", chain[i].Issuer, cert.Template.Issuer)
				equal(t, "begin", chain[i].NotBefore, cert.Template.NotBefore)
				equal(t, "end", chain[i].NotAfter, cert.Template.NotAfter)
				equal(t, "serial number", chain[i].SerialNumber, cert.Template.Serial.Bytes())
				equal(t, "CA", chain[i].IsCA, i > 0)
			}
			equal(t, "TCB info", &read(t, dcap.ParseTCBInfo, c.TCBInfo).TCBInfo, m.TCBInfo(tee))
			identity := p.QE
			if tee == dcap.TEETDX {
				identity = p.TDQE
			}
			equal(t, "identity", &read(t, dcap.ParseEnclaveIdentity, c.QEIdentity).EnclaveIdentity, identity)
			crl := read(t, dcap.ParseCRL, c.PCKCRL)
			equal(t, "CRL issuer", crl.Issuer, m.CA().Template.Subject)
			equal(t, "revoked", crl.Contains(m.PCK.Template.Serial.Bytes()), m == platforms[0])
			read(t, dcap.ParseCRL, c.RootCRL)
		}
	}
	v2 := *platforms[0].TCBInfo(dcap.TEESGX)
	v2.Version = 2
	if got := read(t, dcap.ParseTCBInfo, p.TCBInfoJSON(&v2)); got.Version != 2 || got.Levels[0].SGX[0].SVN != v2.Levels[0].SGX[0].SVN {
		t.Errorf("TCB info of version 2: %+v", got)
	}
}

func TestQuotesAgree(t *testing.T) {
	m := testpki.New(testpki.Seed("cross")).Platform()
	for version := uint16(3); version <= 5; version++ {
		for body := dcap.BodySGX; body <= dcap.BodyTD15Ex; body++ {
			if version == 3 && body != dcap.BodySGX || version == 4 && body > dcap.BodyTD10 {
				continue
			}
			for _, cert := range []dcap.CertificationType{1, 2, 3, 4, 5, 7} {
				q := m.TDXQuote()
				if body == dcap.BodySGX {
					q = m.SGXQuote()
				}
				q.Header.Version, q.BodyType, q.CertType = version, body, cert
				q.TD.TDID, q.TD.CurServTDAttributes = [32]byte{7, 31: 8}, [8]byte{1, 7: 9}
				name := fmt.Sprintf("version %d, body %d, certification data %d", version, body, cert)
				got := read(t, dcap.ParseQuote, q.Bytes())
				equal(t, name+": header", got.Header, q.Header)
				var want dcap.Body
				switch body {
				case dcap.BodySGX:
					want = &dcap.EnclaveReport{ReportBody: q.Enclave}
				case dcap.BodyTD10:
					want = &q.TD.TDReport10
				case dcap.BodyTD15:
					want = &q.TD.TDReport15
				default:
					want = &q.TD
				}
				equal(t, name+": body", got.Body, want)
				equal(t, name+": auth data", got.QEAuthData, q.AuthData)
				equal(t, name+": type", got.Certification.Type(), cert)
				equal(t, name+": QE", got.QEReport.MRSigner, q.QEReport.MRSigner)
				if p, ok := got.Certification.(*dcap.PPID); ok {
					equal(t, name+": SVNs", fmt.Sprint(p.CPUSVN, p.PCESVN), fmt.Sprint(m.SGX.CPUSVN, m.SGX.PCESVN))
				}
			}
		}
	}
}

func read[T any](t *testing.T, parse func([]byte) (T, error), b []byte) T {
	t.Helper()
	v, err := parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n%+v\nwant\n%+v", what, got, want)
	}
}
