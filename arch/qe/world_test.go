package qe_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/binary"
	"sync"
	"testing"

	"github.com/feidi-dev/feidi/arch/derive"
	"github.com/feidi-dev/feidi/arch/internal/fake"
	"github.com/feidi-dev/feidi/arch/pce"
	pceedl "github.com/feidi-dev/feidi/arch/pce/edl"
	"github.com/feidi-dev/feidi/arch/qe"
	"github.com/feidi-dev/feidi/arch/qe/edl"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/testpki"
)

const maker = "maker of system enclaves 32 byte" // MRSIGNER

// serviceKey is the certification service's, to which PPIDs are encrypted.
var serviceKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		panic(err)
	}
	return k
})

// world is a platform with its enclaves, and a factory that certifies it.
type world struct {
	t        testing.TB
	pki      *testpki.PKI
	machine  *testpki.Platform // its certificates
	platform *fake.Platform    // its processor

	pceEnclave, qeEnclave, app *fake.Enclave
	pce                        *pce.PCE
	qe                         *qe.QE
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, pki: testpki.New(testpki.Seed("arch/qe"))}
	w.machine = w.pki.Platform()
	w.platform = &fake.Platform{Root: [16]byte{1}, Seal: [16]byte{2}, CPUSVN: w.machine.SGX.CPUSVN, KeyID: [32]byte{3}}
	w.pceEnclave = w.platform.NewEnclave("pce", maker, w.machine.SGX.PCESVN, isa.AttrProvisionKey)
	w.qeEnclave = w.platform.NewEnclave("qe", maker, w.pki.QE.Levels[0].ISVSVN, isa.AttrProvisionKey)
	w.app = w.platform.NewEnclave("an application", "somebody", 3, 0)
	copy(w.pki.QE.MRSigner[:], maker)
	w.certifyMachine()
	key, ok := pce.AppendPublicKey(nil, &serviceKey().PublicKey)
	if !ok {
		t.Fatal("no RSA-3072 key")
	}
	w.pce, w.qe = pce.New(w.pceEnclave), qe.New(w.qeEnclave, key)
	return w
}

// provisioningKey is what the factory knows of the PCE's keys.
func (w *world) provisioningKey(cpuSVN [16]byte, isvSVN uint16) [16]byte {
	w.t.Helper()
	request := derive.ProvisioningRequest(cpuSVN, isvSVN)
	key, err := w.pceEnclave.Key(&request)
	if err != nil {
		w.t.Fatal(err)
	}
	return key
}

// certifyMachine has the factory issue the PCK certificate.
func (w *world) certifyMachine() {
	sgx := &w.machine.SGX
	sgx.PPID = derive.PPID(w.provisioningKey([16]byte{}, 0))
	var pck crypto.Signer = derive.PCK(w.provisioningKey(sgx.CPUSVN, sgx.PCESVN))
	w.machine.Reissue(func(t *testpki.Template) { t.Key = pck })
}

// ok fails the test unless a call has worked.
func (w *world) ok(what string, ret uint32, err error) {
	w.t.Helper()
	if ret != 0 || err != nil {
		w.t.Fatalf("%s: %#x, %v", what, ret, err)
	}
}

// key makes a blob with an attestation key that is not certified, and the REPORT
// for the PCE.
func (w *world) key(auth []byte) (blob []byte, report isa.Report) {
	w.t.Helper()
	blob = make([]byte, qe.BlobSize)
	ret, report, err := w.qe.GenAttKey(context.Background(), blob, w.pceEnclave.Target(), auth)
	w.ok("gen_att_key", ret, err)
	return blob, report
}

// encryptedPPID has the PCE encrypt the PPID.
func (w *world) encryptedPPID(kind dcap.CertificationType) []byte {
	w.t.Helper()
	ctx := context.Background()
	ret, report, key, err := w.qe.GetPceEncryptKey(ctx, w.pceEnclave.Target(), pce.SuiteRSAOAEP, uint16(kind), pce.PublicKeySize)
	w.ok("get_pce_encrypt_key", ret, err)
	ret, ppid, _, _, _, err := w.pce.GetPcInfo(ctx, &report, key, pce.SuiteRSAOAEP, pce.EncryptedPPIDSize)
	w.ok("get_pc_info", ret, err)
	return ppid
}

// certify has the PCE certify a report, and returns what StoreCertData takes.
func (w *world) certify(report isa.Report) *edl.RefPlaintextEcdsaDataSdkT {
	w.t.Helper()
	sgx := &w.machine.SGX
	ret, sig, _, err := w.pce.CertifyEnclave(context.Background(), &pceedl.Psvn{CpuSvn: sgx.CPUSVN, IsvSvn: sgx.PCESVN}, &report, pce.SignatureSize)
	w.ok("certify_enclave", ret, err)
	d := qe.Data{
		CertCPUSVN: sgx.CPUSVN, CertPCE: qe.PCEInfo{ISVSVN: sgx.PCESVN}, CertKeyType: uint32(dcap.CertPPIDRSA3072),
		RawCPUSVN: sgx.CPUSVN, RawPCE: qe.PCEInfo{ISVSVN: sgx.PCESVN}, PCETarget: *w.pceEnclave.Target(),
		QEReport: report, Signature: [64]byte(sig),
	}
	b, err := d.AppendBinary(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return (*edl.RefPlaintextEcdsaDataSdkT)(b)
}

// blob makes a blob that is ready for quotes.
func (w *world) blob(kind dcap.CertificationType) []byte {
	w.t.Helper()
	auth := make([]byte, qe.AuthDataSize)
	for i := range auth {
		auth[i] = byte(i) // as Intel's quoting library does
	}
	blob, report := w.key(auth)
	ret, err := w.qe.StoreCertData(context.Background(), w.certify(report), uint32(kind), w.encryptedPPID(kind), blob)
	w.ok("store_cert_data", ret, err)
	return blob
}

// appReport is the application's REPORT for the QE.
func (w *world) appReport() *isa.Report {
	w.t.Helper()
	r, err := w.app.Report(w.qeEnclave.Target(), [64]byte{'h', 'i'})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// chain is certification data of type 5.
func (w *world) chain() []byte {
	return certData(dcap.CertPCKChain, append(w.machine.ChainPEM(), 0))
}

func certData(kind dcap.CertificationType, b []byte) []byte {
	head := binary.LittleEndian.AppendUint16(nil, uint16(kind))
	return append(binary.LittleEndian.AppendUint32(head, uint32(len(b))), b...)
}

// quote makes a quote of the application.
func (w *world) quote(version uint16, blob, certData []byte) *dcap.Quote {
	w.t.Helper()
	buf := make([]byte, qe.MaxQuote)
	ret, _, err := w.qe.GenQuoteVersion(context.Background(), version, blob, w.appReport(), nil, nil, buf, w.machine.SGX.PCESVN, certData)
	w.ok("gen_quote", ret, err)
	q, err := dcap.ParseQuote(buf)
	if err != nil {
		w.t.Fatal(err)
	}
	return q
}

// verify verifies a quote under the factory's root.
func (w *world) verify(quote []byte) (*verify.Result, error) {
	w.t.Helper()
	v, err := verify.New(verify.WithRoots(w.pki.Root.DER))
	if err != nil {
		w.t.Fatal(err)
	}
	return v.Verify(quote, w.machine.Collateral(dcap.TEESGX), w.pki.Now)
}
