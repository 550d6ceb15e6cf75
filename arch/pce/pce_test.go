package pce_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
	"sync"
	"testing"

	"github.com/feidi-dev/feidi/arch/derive"
	"github.com/feidi-dev/feidi/arch/internal/fake"
	"github.com/feidi-dev/feidi/arch/pce"
	"github.com/feidi-dev/feidi/arch/pce/edl"
	"github.com/feidi-dev/feidi/isa"
)

// A platform with a PCE and an enclave that may call it.
var (
	platform = &fake.Platform{Root: [16]byte{1}, Seal: [16]byte{2}, CPUSVN: [16]byte{5, 6}, KeyID: [32]byte{3}}
	enclave  = platform.NewEnclave("pce", "maker", 16, isa.AttrProvisionKey)
	caller   = platform.NewEnclave("qe", "maker", 11, isa.AttrProvisionKey)
)

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		panic(err)
	}
	return k
})

// publicKey is rsaKey's as the PCE takes it.
func publicKey(t testing.TB) []byte {
	t.Helper()
	b, ok := pce.AppendPublicKey(nil, &rsaKey().PublicKey)
	if !ok {
		t.Fatal("no RSA-3072 key")
	}
	return b
}

func report(t testing.TB, from, to *fake.Enclave, data [64]byte) *isa.Report {
	t.Helper()
	r, err := from.Report(to.Target(), data)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func vouch(key []byte) (data [64]byte) {
	digest := sha256.Sum256(append([]byte{1}, key...))
	copy(data[:], digest[:])
	return data
}

func TestGetPcInfo(t *testing.T) {
	key := publicKey(t)
	if n := new(big.Int).SetBytes(key[:384]); n.Cmp(rsaKey().N) != 0 || !bytes.Equal(key[384:], []byte{0, 1, 0, 1}) {
		t.Fatalf("public key %x", key)
	}
	p := pce.New(enclave)
	ret, ppid, size, info, scheme, err := p.GetPcInfo(context.Background(), report(t, caller, enclave, vouch(key)), key, 1, 500)
	if err != nil || ret != 0 || size != 384 || scheme != 0 || info != (edl.PceInfo{IsvSvn: 16}) {
		t.Fatalf("%d, size %d, info %v, scheme %d, %v", ret, size, info, scheme, err)
	}
	got, err := rsa.DecryptOAEP(sha256.New(), nil, rsaKey(), ppid, nil)
	if err != nil {
		t.Fatal(err)
	}
	request := derive.ProvisioningRequest([16]byte{}, 0)
	provisioning, err := enclave.Key(&request)
	if err != nil {
		t.Fatal(err)
	}
	if want := derive.PPID(provisioning); !bytes.Equal(got, want[:]) {
		t.Errorf("PPID %x, want %x", got, want)
	}
}

// Each refusal by its code, and of two reasons the one that Intel's PCE finds
// first.
func TestGetPcInfoRefuses(t *testing.T) {
	key := publicKey(t)
	good := report(t, caller, enclave, vouch(key))
	forged := *good
	forged.ISVSVN++
	poor := report(t, platform.NewEnclave("app", "maker", 1, 0), enclave, vouch(key))
	even := bytes.Clone(key)
	even[383] = 0
	small := append(make([]byte, 384), 0, 0, 0, 3)
	for _, c := range []struct {
		name   string
		report *isa.Report
		key    []byte
		suite  uint8
		room   uint32
		want   uint32
	}{
		{"no report", nil, key, 1, 384, 15},
		{"no key", good, nil, 1, 384, 15},
		{"no room at all", good, key, 1, 0, 15},
		{"suite", good, key, 0, 384, 15},
		{"short key", good, key[1:], 1, 384, 15},
		{"suite before room", good, key, 2, 383, 15},
		{"room", good, key, 1, 383, 18},
		{"room before report", &forged, key, 1, 383, 18},
		{"forged report", &forged, key, 1, 384, 208},
		{"report for another", report(t, caller, caller, vouch(key)), key, 1, 384, 208},
		{"privilege", poor, key, 1, 384, 207},
		{"privilege before hash", poor, append(bytes.Clone(key[:387]), 3), 1, 384, 207},
		{"another key", good, append(bytes.Clone(key[:387]), 3), 1, 384, 215},
		{"more report data", report(t, caller, enclave, func() [64]byte { d := vouch(key); d[63] = 1; return d }()), key, 1, 384, 215},
		{"even modulus", report(t, caller, enclave, vouch(even)), even, 1, 384, 1},
		{"modulus of zeros", report(t, caller, enclave, vouch(small)), small, 1, 384, 1},
	} {
		ret, ppid, size, _, _, err := pce.New(enclave).GetPcInfo(context.Background(), c.report, c.key, c.suite, c.room)
		if ret != c.want || ppid != nil || size != 0 || err != nil {
			t.Errorf("%s: %d with %d bytes, size %d, %v; want %d", c.name, ret, len(ppid), size, err, c.want)
		}
	}
}

func TestCertifyEnclave(t *testing.T) {
	for _, svn := range []edl.Psvn{{CpuSvn: platform.CPUSVN, IsvSvn: 16}, {CpuSvn: [16]byte{4, 6}, IsvSvn: 3}, {}} {
		r := report(t, caller, enclave, [64]byte{7})
		ret, sig, size, err := pce.New(enclave).CertifyEnclave(context.Background(), &svn, r, 64)
		if ret != 0 || len(sig) != 64 || size != 64 || err != nil {
			t.Fatalf("%v: %d, %d bytes, size %d, %v", svn, ret, len(sig), size, err)
		}
		request := derive.ProvisioningRequest(svn.CpuSvn, svn.IsvSvn)
		provisioning, err := enclave.Key(&request)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := r.AppendBinary(nil)
		digest := sha256.Sum256(b[:384])
		if !ecdsa.Verify(&derive.PCK(provisioning).PublicKey, digest[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
			t.Errorf("%v: the PCK does not verify the signature", svn)
		}
	}
}

func TestCertifyEnclaveRefuses(t *testing.T) {
	now := &edl.Psvn{CpuSvn: platform.CPUSVN, IsvSvn: 16}
	good := report(t, caller, enclave, [64]byte{})
	forged := *good
	forged.MAC[0]++
	for _, c := range []struct {
		name   string
		svn    *edl.Psvn
		report *isa.Report
		room   uint32
		want   uint32
	}{
		{"no SVN", nil, good, 64, 15},
		{"no report", now, nil, 64, 15},
		{"no room at all", now, good, 0, 15},
		{"room", now, good, 63, 18},
		{"forged report", now, &forged, 64, 208},
		{"privilege", now, report(t, platform.NewEnclave("app", "maker", 1, 0), enclave, [64]byte{}), 64, 207},
		{"PCE of the future", &edl.Psvn{CpuSvn: platform.CPUSVN, IsvSvn: 17}, good, 64, 1},
		{"CPUSVN of the future", &edl.Psvn{CpuSvn: [16]byte{5, 7}, IsvSvn: 16}, good, 64, 1},
	} {
		ret, sig, _, err := pce.New(enclave).CertifyEnclave(context.Background(), c.svn, c.report, c.room)
		if ret != c.want || sig != nil || err != nil {
			t.Errorf("%s: %d with %d bytes, %v; want %d", c.name, ret, len(sig), err, c.want)
		}
	}
}

func TestGetPcInfoWithoutPpid(t *testing.T) {
	ret, info, err := pce.New(enclave).GetPcInfoWithoutPpid(context.Background())
	if ret != 0 || info != (edl.PceInfo{IsvSvn: 16}) || err != nil {
		t.Errorf("%d, %v, %v", ret, info, err)
	}
}

// A processor that fails makes an error of its own, and no result.
func TestBrokenProcessor(t *testing.T) {
	key := publicKey(t)
	r := report(t, caller, enclave, vouch(key))
	broken := platform.NewEnclave("pce", "maker", 16, isa.AttrProvisionKey)
	broken.FailKey.Store(1)
	if ret, ppid, _, _, _, _ := pce.New(broken).GetPcInfo(context.Background(), r, key, 1, 384); ret != pce.Failure || ppid != nil {
		t.Errorf("no key: %d, %x", ret, ppid)
	}
	broken.FailReport.Store(1)
	if ret, ppid, size, _, _, _ := pce.New(broken).GetPcInfo(context.Background(), r, key, 1, 384); ret != pce.UnexpectedError || ppid != nil || size != 0 {
		t.Errorf("no report: %d, %x", ret, ppid)
	}
	broken.FailReport.Store(1)
	if ret, _, _ := pce.New(broken).GetPcInfoWithoutPpid(context.Background()); ret != pce.UnexpectedError {
		t.Errorf("no report: %d", ret)
	}
}

func TestAppendPublicKey(t *testing.T) {
	short := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 3070), E: 3}
	if b, ok := pce.AppendPublicKey([]byte{9}, short); ok || len(b) != 1 {
		t.Errorf("a modulus of 3071 bits became %d bytes", len(b))
	}
}

// Whatever key a caller vouches for, there is an answer.
func FuzzGetPcInfo(f *testing.F) {
	key := publicKey(f)
	f.Add(key, uint8(1), uint32(384))
	f.Add(make([]byte, 388), uint8(1), uint32(384))
	f.Add(bytes.Repeat([]byte{0xff}, 388), uint8(1), uint32(1<<31))
	f.Fuzz(func(t *testing.T, key []byte, suite uint8, room uint32) {
		var data [64]byte
		digest := sha256.Sum256(append([]byte{suite}, key...))
		copy(data[:], digest[:])
		ret, ppid, size, _, _, err := pce.New(enclave).GetPcInfo(context.Background(), report(t, caller, enclave, data), key, suite, room)
		if err != nil || (ret == 0) != (len(ppid) == 384) || int(size) != len(ppid) {
			t.Errorf("%d with %d bytes, size %d, %v", ret, len(ppid), size, err)
		}
	})
}

func BenchmarkCertifyEnclave(b *testing.B) {
	svn := &edl.Psvn{CpuSvn: platform.CPUSVN, IsvSvn: 16}
	r := report(b, caller, enclave, [64]byte{})
	p := pce.New(enclave)
	for b.Loop() {
		if ret, _, _, _ := p.CertifyEnclave(context.Background(), svn, r, 64); ret != 0 {
			b.Fatal(ret)
		}
	}
}
