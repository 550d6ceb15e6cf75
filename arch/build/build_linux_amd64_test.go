package build_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/derive"
	ideedl "github.com/feidi-dev/feidi/arch/ide/edl"
	"github.com/feidi-dev/feidi/arch/pce"
	pceedl "github.com/feidi-dev/feidi/arch/pce/edl"
	"github.com/feidi-dev/feidi/arch/ppid"
	"github.com/feidi-dev/feidi/arch/qe"
	"github.com/feidi-dev/feidi/arch/qe/edl"
	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/status"
	"github.com/feidi-dev/feidi/testpki"
	"github.com/feidi-dev/feidi/testsuite/system"
)

// service is the key of who certifies machines, to which PPIDs are encrypted.
var service = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		panic(err)
	}
	return k
})

// world is a machine with its system enclaves, an application, and a factory.
type world struct {
	testing.TB
	fuses   cpu.Fuses
	pki     *testpki.PKI
	machine *testpki.Platform // its certificates
	cpu     *enclave.Machine
	keyDoc  string // the argument of QE and IDE

	pceEnclave *enclave.Enclave
	qeEnclave  running
	app        *system.App
	pce        *pceedl.Pce
	qe         *edl.Qe3

	blob, certData []byte // what the host stores
}

// newWorld starts a machine and its enclaves, and has it certified: PPID, PCK
// certificate, attestation key, and the PCE's signature.
func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldWith(t, func(m *enclave.Machine) (*enclave.Enclave, uedge.Enclave) {
		s := start(t, m, build.PCE)
		return s.e, s
	})
}

// newWorldWith is newWorld with a PCE of the caller's, and how it is called.
func newWorldWith(t testing.TB, startPCE func(*enclave.Machine) (*enclave.Enclave, uedge.Enclave)) *world {
	t.Helper()
	w := &world{TB: t, pki: testpki.New()}
	w.machine = w.pki.Platform()
	var err error
	if w.fuses, err = cpu.NewFuses(rand.Reader); err != nil {
		t.Fatal(err)
	}
	w.cpu = system.PowerOn(t, enclave.MachineConfig{CPU: cpu.Config{Fuses: w.fuses, CPUSVN: w.machine.SGX.CPUSVN}})
	doc, err := ppid.Sign(&service().PublicKey, signer())
	if err != nil {
		t.Fatal(err)
	}
	w.keyDoc = hex.EncodeToString(doc)
	var called uedge.Enclave
	w.pceEnclave, called = startPCE(w.cpu)
	w.qeEnclave, w.app = start(t, w.cpu, build.QE, w.keyDoc), system.NewApp(t, w.cpu, signer())
	w.pce, w.qe = pceedl.NewPce(called), edl.NewQe3(w.qeEnclave)
	t.Cleanup(w.pce.Close)
	t.Cleanup(w.qe.Close)
	encrypted := w.name()
	w.certifyMachine()
	w.certifyKey(encrypted)
	return w
}

func (w *world) ok(what string, ret uint32, err error) {
	w.Helper()
	if ret != 0 || err != nil {
		w.Fatalf("%s: %#x, %v", what, ret, err)
	}
}

// name asks the PCE who the platform is, and returns the encrypted PPID.
func (w *world) name() []byte {
	w.Helper()
	ctx, target := context.Background(), w.pceEnclave.TargetInfo()
	ret, report, key, err := w.qe.GetPceEncryptKey(ctx, &target, pce.SuiteRSAOAEP, uint16(dcap.CertPPIDRSA3072), ppid.KeySize)
	w.ok("get_pce_encrypt_key", ret, err)
	ret, encrypted, size, info, scheme, err := w.pce.GetPcInfo(ctx, &report, key, pce.SuiteRSAOAEP, pce.EncryptedPPIDSize)
	w.ok("get_pc_info", ret, err)
	if size != pce.EncryptedPPIDSize || info != (pceedl.PceInfo{IsvSvn: build.PCE.SVN}) || scheme != pce.SchemeECDSAP256 {
		w.Errorf("%d bytes, PCE %+v, scheme %d", size, info, scheme)
	}
	name, err := rsa.DecryptOAEP(sha256.New(), nil, service(), encrypted, nil)
	if err != nil {
		w.Fatal(err)
	}
	if want := derive.PPID(w.provisioningKey([16]byte{}, 0)); !bytes.Equal(name, want[:]) {
		w.Fatalf("PPID %x, the factory's %x", name, want)
	}
	w.machine.SGX.PPID, w.machine.SGX.PCESVN = [16]byte(name), info.IsvSvn
	return encrypted
}

// provisioningKey is the PCE's.
func (w *world) provisioningKey(cpuSVN [16]byte, isvSVN uint16) [16]byte {
	secs := w.pceEnclave.SECS()
	return system.Key(isa.KeyProvision, &w.fuses, &secs, cpuSVN, isvSVN)
}

// report has the application make a REPORT for an enclave.
func (w *world) report(e *enclave.Enclave, data [64]byte) *isa.Report {
	w.Helper()
	target := e.TargetInfo()
	return w.app.Report(&target, data)
}

// certifyMachine has the factory certify the PCK, and know the QE.
func (w *world) certifyMachine() {
	sgx := &w.machine.SGX
	var pck crypto.Signer = derive.PCK(w.provisioningKey(sgx.CPUSVN, sgx.PCESVN))
	w.machine.Reissue(func(c *testpki.Template) { c.Key = pck })
	w.pki.QE.MRSigner = w.qeEnclave.e.SECS().MRSigner
	w.pki.QE.MiscSelectMask = 0 // EXINFO is the machine's to have
	chain := append(w.machine.ChainPEM(), 0)
	w.certData = binary.LittleEndian.AppendUint16(nil, uint16(dcap.CertPCKChain))
	w.certData = append(binary.LittleEndian.AppendUint32(w.certData, uint32(len(chain))), chain...)
}

// certifyKey makes the attestation key, and has the PCE certify it.
func (w *world) certifyKey(encryptedPPID []byte) {
	w.Helper()
	ctx, target, sgx := context.Background(), w.pceEnclave.TargetInfo(), &w.machine.SGX
	w.blob = make([]byte, qe.BlobSize)
	ret, report, err := w.qe.GenAttKey(ctx, w.blob, &target, []byte("thirty-two bytes, whatever it be"))
	w.ok("gen_att_key", ret, err)
	ret, sig, _, err := w.pce.CertifyEnclave(ctx, &pceedl.Psvn{CpuSvn: sgx.CPUSVN, IsvSvn: sgx.PCESVN}, &report, pce.SignatureSize)
	w.ok("certify_enclave", ret, err)
	data, err := (&qe.Data{
		CertCPUSVN: sgx.CPUSVN, CertPCE: qe.PCEInfo{ISVSVN: sgx.PCESVN}, CertKeyType: uint32(dcap.CertPPIDRSA3072),
		RawCPUSVN: sgx.CPUSVN, RawPCE: qe.PCEInfo{ISVSVN: sgx.PCESVN}, PCETarget: target,
		QEReport: report, Signature: [64]byte(sig),
	}).AppendBinary(nil)
	if err != nil {
		w.Fatal(err)
	}
	ret, err = w.qe.StoreCertData(ctx, (*edl.RefPlaintextEcdsaDataSdkT)(data), uint32(dcap.CertPPIDRSA3072), encryptedPPID, w.blob)
	w.ok("store_cert_data", ret, err)
}

// From the fuses of a machine to a quote of an application that a relying party
// believes.
func TestQuote(t *testing.T) { testQuote(t, newWorld(t)) }

// The same with Intel's own PCE, and a factory that certifies its PCK: its client,
// codes and derivations are those of ours.
func TestIntelsPCE(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(os.Getenv("FEIDI_ENCLAVES"), "libsgx_pce.signed.so*"))
	if err != nil || os.Getenv("FEIDI_ENCLAVES") == "" || len(files) == 0 {
		t.Skip("FEIDI_ENCLAVES names no folder with libsgx_pce.signed.so")
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	testQuote(t, newWorldWith(t, func(m *enclave.Machine) (*enclave.Enclave, uedge.Enclave) {
		e := load(t, m, parse(t, b))
		return e, e
	}))
}

func testQuote(t *testing.T, w *world) {
	v, err := verify.New(verify.WithRoots(w.pki.Root.DER))
	if err != nil {
		t.Fatal(err)
	}
	appReport, target := w.report(w.qeEnclave.e, [64]byte{'h', 'i'}), w.app.TargetInfo()
	nonce := &edl.SgxQuoteNonceT{1, 2, 3}
	for _, version := range []uint16{3, 4, 5} {
		quote := make([]byte, qe.MaxQuote)
		ret, qeReport, err := w.qe.GenQuoteVersion(t.Context(), version, w.blob, appReport, nonce, &target, quote, build.PCE.SVN, w.certData)
		w.ok("gen_quote_version", ret, err)
		r, err := v.Verify(quote, w.machine.Collateral(dcap.TEESGX), w.pki.Now)
		if err != nil || r.TCBStatus != dcap.UpToDate || r.Quote.EnclaveReport().ReportBody != appReport.ReportBody {
			t.Errorf("version %d: %v, %v", version, err, r.TCBStatus)
			continue
		}
		want := sha256.Sum256(append(nonce[:], r.Quote.Raw...))
		if !w.app.Accepts(&qeReport) || !bytes.Equal(qeReport.ReportData[:32], want[:]) {
			t.Errorf("version %d: the QE's report is not for the application, or not of the quote", version)
		}
	}
	// An application may not know who the platform is.
	key := make([]byte, ppid.KeySize)
	poor := w.report(w.pceEnclave, pce.KeyReportData(pce.SuiteRSAOAEP, key))
	if ret, _, _, _, _, err := w.pce.GetPcInfo(t.Context(), poor, key, pce.SuiteRSAOAEP, pce.EncryptedPPIDSize); ret != pce.InvalidPrivilege || err != nil {
		t.Errorf("get_pc_info for an application: %d, %v", ret, err)
	}
}

// The IDE has the QE's name for the platform, and the PCE answers it.
func TestIDE(t *testing.T) {
	w := newWorld(t)
	ctx, target := t.Context(), w.pceEnclave.TargetInfo()
	i := ideedl.NewIdEnclave(start(t, w.cpu, build.IDE, w.keyDoc))
	defer i.Close()
	code, id, err := i.IdeGetId(ctx)
	if code != status.Success || err != nil {
		t.Fatal(code, err)
	}
	if got := w.quote(t)[28:44]; !bytes.Equal(got, id[:]) { // of the user data
		t.Errorf("QE ID %x, the IDE's %x", got, id)
	}
	code, r, key, err := i.IdeGetPceEncryptKey(ctx, &target, pce.SuiteRSAOAEP, uint16(dcap.CertPPIDRSA3072), ppid.KeySize)
	if code != status.Success || err != nil {
		t.Fatal(code, err)
	}
	ret, _, _, _, _, err := w.pce.GetPcInfo(ctx, &r, key, pce.SuiteRSAOAEP, pce.EncryptedPPIDSize)
	w.ok("get_pc_info", ret, err)
}

// quote makes a quote of the application.
func (w *world) quote(t testing.TB) []byte {
	t.Helper()
	quote := make([]byte, qe.MaxQuote)
	appReport := w.report(w.qeEnclave.e, [64]byte{})
	ret, _, err := w.qe.GenQuote(context.Background(), w.blob, appReport, nil, nil, quote, build.PCE.SVN, w.certData)
	w.ok("gen_quote", ret, err)
	return quote
}

// A QE does not take the word of another signer for a key.
func TestOtherSignersKey(t *testing.T) {
	m := system.PowerOn(t, enclave.MachineConfig{})
	doc, err := ppid.Sign(&service().PublicKey, newSigner())
	if err != nil {
		t.Fatal(err)
	}
	if code, stderr := end(t, m, build.QE, hex.EncodeToString(doc)); code != 1 || !bytes.Contains(stderr, []byte("another than the enclave's signer")) {
		t.Errorf("the QE ended with %d and said %q", code, stderr)
	}
}

// BenchmarkGenQuote is a quote from outside of the enclave.
func BenchmarkGenQuote(b *testing.B) {
	w := newWorld(b)
	r := w.report(w.qeEnclave.e, [64]byte{})
	quote := make([]byte, 8<<10)
	for b.Loop() {
		ret, _, err := w.qe.GenQuote(context.Background(), w.blob, r, nil, nil, quote, build.PCE.SVN, w.certData)
		w.ok("gen_quote", ret, err)
	}
}

// BenchmarkGenQuoteParallel is the same with as many callers as there are threads.
func BenchmarkGenQuoteParallel(b *testing.B) {
	w := newWorld(b)
	r := w.report(w.qeEnclave.e, [64]byte{})
	b.ResetTimer()
	b.RunParallel(func(next *testing.PB) {
		quote, blob := make([]byte, 8<<10), bytes.Clone(w.blob)
		for next.Next() {
			if ret, _, err := w.qe.GenQuote(context.Background(), blob, r, nil, nil, quote, build.PCE.SVN, w.certData); ret != 0 || err != nil {
				b.Errorf("gen_quote: %#x, %v", ret, err)
				return
			}
		}
	})
}
