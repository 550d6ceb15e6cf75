package qe_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"testing"

	"github.com/feidi-dev/feidi/arch/derive"
	"github.com/feidi-dev/feidi/arch/pce"
	"github.com/feidi-dev/feidi/arch/qe"
	"github.com/feidi-dev/feidi/arch/qe/edl"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/isa"
)

func TestGetPceEncryptKeyRefuses(t *testing.T) {
	w := newWorld(t)
	ctx, good := context.Background(), w.pceEnclave.Target()
	debug, poor := *good, *good
	debug.Attributes.Flags |= isa.AttrDebug
	poor.Attributes.Flags &^= isa.AttrProvisionKey
	for _, c := range []struct {
		name   string
		qe     *qe.QE
		target *isa.TargetInfo
		suite  uint8
		kind   uint16
		size   uint32
		want   uint32
	}{
		{"nothing wrong", w.qe, good, 1, 3, 388, 0},
		{"no target", w.qe, nil, 1, 3, 388, 0xD002},
		{"PCE under debug", w.qe, &debug, 1, 3, 388, 0xD002},
		{"PCE without PROVISION_KEY", w.qe, &poor, 1, 3, 388, 0xD002},
		{"suite", w.qe, good, 0, 3, 388, 0xD002},
		{"size", w.qe, good, 1, 3, 387, 0xD002},
		{"kind", w.qe, good, 1, 2, 388, 0xD002},
		{"without a key", qe.New(w.qeEnclave, nil), good, 1, 3, 388, 0xD007},
	} {
		ret, _, key, err := c.qe.GetPceEncryptKey(ctx, c.target, c.suite, c.kind, c.size)
		if ret != c.want || err != nil || (ret == 0) != (len(key) == 388) {
			t.Errorf("%s: %#x with %d bytes, %v; want %#x", c.name, ret, len(key), err, c.want)
		}
	}
}

// The attestation key is the one derived from the seal key, and what the REPORT
// for the PCE names.
func TestGenAttKey(t *testing.T) {
	w := newWorld(t)
	self := w.qeEnclave.Self
	request := derive.SealRequest(self.CPUSVN, self.ISVSVN)
	seed, err := w.qeEnclave.Key(&request)
	if err != nil {
		t.Fatal(err)
	}
	point, err := derive.AttestationKey(seed).PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, auth := range [][]byte{nil, bytes.Repeat([]byte{7}, 32)} {
		blob, report := w.key(auth)
		if err := w.pceEnclave.VerifyReport(&report); err != nil {
			t.Error(err)
		}
		id := sha256.Sum256(append(bytes.Clone(point[1:]), auth...))
		if want := append(id[:], make([]byte, 32)...); !bytes.Equal(report.ReportData[:], want) {
			t.Errorf("report data %x, want %x", report.ReportData, want)
		}
		ret, _, _, keyID, err := w.qe.VerifyBlob(context.Background(), blob, 40)
		if ret != 0 || err != nil || !bytes.Equal(keyID, id[:]) {
			t.Errorf("%#x, key ID %x, want %x: %v", ret, keyID, id, err)
		}
	}
}

func TestGenAttKeyRefuses(t *testing.T) {
	w := newWorld(t)
	good, blob := w.pceEnclave.Target(), make([]byte, qe.BlobSize)
	debug := *good
	debug.Attributes.Flags |= isa.AttrDebug
	for _, c := range []struct {
		name   string
		blob   []byte
		target *isa.TargetInfo
		auth   []byte
		want   uint32
	}{
		{"no target", blob, nil, nil, 0xD002},
		{"PCE under debug", blob, &debug, nil, 0xD002},
		{"blob", blob[1:], good, nil, 0xD002},
		{"authentication data", blob, good, make([]byte, 31), 0xD002},
	} {
		if ret, r, err := w.qe.GenAttKey(context.Background(), c.blob, c.target, c.auth); ret != c.want || err != nil || (r != isa.Report{}) {
			t.Errorf("%s: %#x, %v; want %#x", c.name, ret, err, c.want)
		}
	}
	w.qeEnclave.FailKey.Store(1)
	if ret, _, _ := w.qe.GenAttKey(context.Background(), blob, good, nil); ret != qe.ErrorAttestationKey {
		t.Errorf("no seal key: %#x", ret)
	}
	if !bytes.Equal(blob, make([]byte, len(blob))) {
		t.Error("an error with a blob")
	}
}

func TestVerifyBlob(t *testing.T) {
	w := newWorld(t)
	ctx, blob := context.Background(), w.blob(dcap.CertPPIDRSA3072)
	before := bytes.Clone(blob)
	ret, resealed, body, keyID, err := w.qe.VerifyBlob(ctx, blob, 0)
	if ret != 0 || resealed != 0 || len(keyID) != 0 || err != nil || !bytes.Equal(blob, before) {
		t.Errorf("%#x, resealed %d, key ID %x, %v", ret, resealed, keyID, err)
	}
	if want, _ := w.qeEnclave.Self.AppendBinary(nil); !bytes.Equal(body[:], want) {
		t.Errorf("body %x, want %x", body, want)
	}
	for _, c := range []struct {
		name string
		blob []byte
		size uint32
		want uint32
	}{
		{"short", blob[1:], 32, 0xD002},
		{"no room for the key ID", blob, 31, 0xD002},
		{"zeros", make([]byte, len(blob)), 32, 0xD004},
		{"of another machine", newBlobElsewhere(t), 32, 0xD004},
	} {
		if ret, _, _, _, err := w.qe.VerifyBlob(ctx, c.blob, c.size); ret != c.want || err != nil {
			t.Errorf("%s: %#x, %v; want %#x", c.name, ret, err, c.want)
		}
	}
}

func newBlobElsewhere(t *testing.T) []byte {
	w := newWorld(t)
	w.platform.Seal[0]++
	blob, _ := w.key(nil)
	return blob
}

// After a recovery of the TCB the blob is sealed for the new one, and what it has
// stays; before it, no more.
func TestRecovery(t *testing.T) {
	w := newWorld(t)
	ctx, blob := context.Background(), w.blob(dcap.CertPPIDRSA3072)
	old := bytes.Clone(blob)
	w.platform.CPUSVN[0]++
	ret, resealed, body, _, err := w.qe.VerifyBlob(ctx, blob, 0)
	if ret != 0 || resealed != 1 || bytes.Equal(blob, old) || err != nil {
		t.Fatalf("%#x, resealed %d, %v", ret, resealed, err)
	}
	if [16]byte(body[:16]) != w.platform.CPUSVN {
		t.Errorf("CPUSVN %x", body[:16])
	}
	if r, err := w.verify(w.quote(3, bytes.Clone(blob), w.chain()).Raw); err != nil {
		t.Errorf("%v, %v", r.Status, err)
	}
	if q := w.quote(3, old, w.chain()); !bytes.Equal(q.AttestationKey[:], w.quote(3, blob, w.chain()).AttestationKey[:]) {
		t.Error("another key than before")
	}
	w.platform.CPUSVN[0]--
	if ret, _, _, _, _ := w.qe.VerifyBlob(ctx, blob, 0); ret != qe.ErrorBlob {
		t.Errorf("a platform that went back opens what is newer: %#x", ret)
	}
}

func TestStoreCertDataRefuses(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	blob, report := w.key(nil)
	good, ppid := w.certify(report), w.encryptedPPID(dcap.CertPPIDRSA3072)
	other := *good
	other[2+16+2+4+4+16+4+1+512+320]++ // the first byte of the report data
	auth := *good
	auth[1171]++ // the size of the authentication data
	for _, c := range []struct {
		name string
		data *edl.RefPlaintextEcdsaDataSdkT
		kind uint32
		ppid []byte
		blob []byte
		want uint32
	}{
		{"no data", nil, 3, ppid, blob, 0xD002},
		{"short blob", good, 3, ppid, blob[1:], 0xD002},
		{"short PPID", good, 3, ppid[1:], blob, 0xD002},
		{"kind", good, 2, ppid, blob, 0xD002},
		{"certified another key", &other, 3, ppid, blob, 0xD002},
		{"authentication data", &auth, 3, ppid, blob, 0xD002},
		{"no blob", good, 3, ppid, make([]byte, qe.BlobSize), 0xD004},
		{"in the clear, without a key", good, 1, ppid, blob, 0xD007},
	} {
		before := bytes.Clone(c.blob)
		if ret, err := w.qe.StoreCertData(ctx, c.data, c.kind, c.ppid, c.blob); ret != c.want || err != nil {
			t.Errorf("%s: %#x, %v; want %#x", c.name, ret, err, c.want)
		}
		if !bytes.Equal(c.blob, before) {
			t.Errorf("%s: the blob has changed", c.name)
		}
	}
	if ret, _, _, err := w.qe.GetPceEncryptKey(ctx, w.pceEnclave.Target(), pce.SuiteRSAOAEP, uint16(dcap.CertPPIDClear), pce.PublicKeySize); ret != 0 || err != nil {
		t.Fatal(ret, err)
	}
	if ret, _ := w.qe.StoreCertData(ctx, good, 1, ppid, blob); ret != qe.ErrorCrypto {
		t.Errorf("a PPID that is encrypted to another key: %#x", ret)
	}
}

// A second certification, without a PPID, keeps the first one's.
func TestCertifyAgain(t *testing.T) {
	w := newWorld(t)
	blob := w.blob(dcap.CertPPIDRSA3072)
	first := w.quote(3, blob, nil).Certification.(*dcap.PPID)
	w.machine.SGX.PCESVN--
	w.certifyMachine()
	_, report := w.key(bytes.Clone(w.quote(3, blob, nil).QEAuthData))
	ret, err := w.qe.StoreCertData(context.Background(), w.certify(report), 3, nil, blob)
	w.ok("store_cert_data", ret, err)
	second := w.quote(3, blob, nil).Certification.(*dcap.PPID)
	if !bytes.Equal(first.PPID, second.PPID) || second.PCESVN != first.PCESVN-1 {
		t.Errorf("PPID %x, PCE SVN %d; before %x, %d", second.PPID, second.PCESVN, first.PPID, first.PCESVN)
	}
	if r, err := w.verify(w.quote(3, blob, w.chain()).Raw); !r.Authentic() {
		t.Error(err)
	}
}

// The secret part of a blob is not to be read in it.
func TestBlobIsSealed(t *testing.T) {
	w := newWorld(t)
	blob := w.blob(dcap.CertPPIDClear)
	request := derive.SealRequest(w.qeEnclave.Self.CPUSVN, w.qeEnclave.Self.ISVSVN)
	seed, err := w.qeEnclave.Key(&request)
	if err != nil {
		t.Fatal(err)
	}
	private, err := derive.AttestationKey(seed).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	ppid := w.machine.SGX.PPID[:]
	for _, secret := range [][]byte{private, reversed(private), ppid} {
		if bytes.Contains(blob, secret) {
			t.Errorf("%x is readable", secret)
		}
	}
}

func reversed(b []byte) []byte {
	r := make([]byte, len(b))
	for i, v := range b {
		r[len(b)-1-i] = v
	}
	return r
}
