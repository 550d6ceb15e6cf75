package enclave_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
)

// Intel's provisioning certification enclave, in numbers.
const (
	pceGetPCInfo = iota
	pceCertifyEnclave
	pceGetPCInfoWithoutPPID

	pceID      = 0
	pceSVN     = 16
	suiteOAEP  = 1 // RSA-OAEP-3072
	schemeP256 = 0 // ECDSA over P-256 with SHA-256
)

// block builds a marshalling structure of words.
func block(words ...uint64) []byte {
	var b []byte
	for _, w := range words {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return b
}

// TestPCE has Intel's own signed PCE certify a REPORT of another enclave, and
// checks everything it says against an independent computation from the fuses.
func TestPCE(t *testing.T) {
	var file string
	for _, f := range corpus(t) {
		if strings.Contains(f, "libsgx_pce") {
			file = f
		}
	}
	if file == "" {
		t.Skip("the folder has no libsgx_pce.signed.so")
	}
	fuses, err := cpu.NewFuses(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	m := powerOn(t, enclave.MachineConfig{CPU: cpu.Config{Fuses: fuses}})
	pce := load(t, m, open(t, file))
	client := load(t, m, build(t, toy.Options{Attributes: isa.Attributes{Flags: isa.AttrProvisionKey}}))
	ctx := context.Background()

	alloc := func(e *enclave.Enclave, n int) *enclave.Buffer {
		b, err := e.Alloc(n)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	pceCall := func(index int, ms []byte) {
		t.Helper()
		if err := pce.ECall(ctx, index, ms); err != nil {
			t.Fatal(err)
		}
		if ret := binary.LittleEndian.Uint32(ms); ret != 0 {
			t.Fatalf("the PCE's ECALL %d returns %d", index, ret)
		}
	}
	// report makes a REPORT of the client for the PCE.
	report := func(data [64]byte) []byte {
		t.Helper()
		target := pce.TargetInfo()
		in := alloc(client, isa.TargetInfoSize+64+isa.ReportSize)
		b, _ := target.AppendBinary(nil)
		copy(in.Bytes(), append(b, data[:]...))
		mustCall(t, client, toy.ECallReport, toy.MSReport{
			TargetInfo: in.Addr(), ReportData: in.Addr() + isa.TargetInfoSize, Report: in.Addr() + isa.TargetInfoSize + 64,
		})
		return bytes.Clone(in.Bytes()[isa.TargetInfoSize+64:])
	}

	// get_pc_info_without_ppid
	info := alloc(pce, 64)
	pceCall(pceGetPCInfoWithoutPPID, block(0, info.Addr()))
	if svn, id := binary.LittleEndian.Uint16(info.Bytes()), binary.LittleEndian.Uint16(info.Bytes()[2:]); svn != pceSVN || id != pceID {
		t.Errorf("ISVSVN %d, PCEID %d; want %d and %d", svn, id, pceSVN, pceID)
	}

	// get_pc_info: the PPID, encrypted to a key that the REPORT vouches for.
	key, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		t.Fatal(err)
	}
	pub := append(key.N.FillBytes(make([]byte, 384)), 0, 1, 0, 1)
	var data [64]byte
	digest := sha256.Sum256(append([]byte{suiteOAEP}, pub...))
	copy(data[:], digest[:])
	const outSize = 384
	buf := alloc(pce, 4096)
	at := func(off int) uint64 { return buf.Addr() + uint64(off) }
	copy(buf.Bytes(), report(data))
	copy(buf.Bytes()[512:], pub)
	pceCall(pceGetPCInfo, block(0, at(0), at(512), uint64(len(pub))|suiteOAEP<<32, at(1024), outSize, at(2048), at(2056), at(2064)))
	if n := binary.LittleEndian.Uint32(buf.Bytes()[2048:]); n != outSize {
		t.Fatalf("the encrypted PPID is %d bytes", n)
	}
	if scheme := buf.Bytes()[2064]; scheme != schemeP256 {
		t.Errorf("signature scheme %d", scheme)
	}
	ppid, err := rsa.DecryptOAEP(sha256.New(), nil, key, buf.Bytes()[1024:1024+outSize], nil)
	if err != nil {
		t.Fatal(err)
	}
	want := cmac.Sum(provisioningKey(fuses, pce, [16]byte{}, 0), make([]byte, 16))
	if !bytes.Equal(ppid, want[:]) {
		t.Errorf("PPID %x, computed outside %x", ppid, want)
	}

	// certify_enclave: a signature with the PCK over the REPORT.
	rep := report([64]byte{1, 2, 3})
	copy(buf.Bytes()[512:], rep)
	cpusvn := m.Processor().CPUSVN()
	copy(buf.Bytes(), append(cpusvn[:], pceSVN, 0))
	pceCall(pceCertifyEnclave, block(0, at(0), at(512), at(1024), 64, at(2048)))
	sig := buf.Bytes()[1024 : 1024+64]
	hash := sha256.Sum256(rep[:isa.ReportMACOffset])
	pck := pckKey(provisioningKey(fuses, pce, cpusvn, pceSVN))
	if !ecdsa.Verify(pck, hash[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
		t.Error("the PCK computed outside does not verify the PCE's signature")
	}

	// A REPORT that was changed, and one of an enclave without PROVISION_KEY.
	rep[0x140]++
	copy(buf.Bytes()[512:], rep)
	ms := block(0, at(0), at(512), at(1024), 64, at(2048))
	if err := pce.ECall(ctx, pceCertifyEnclave, ms); err != nil || binary.LittleEndian.Uint32(ms) != 208 {
		t.Errorf("a changed REPORT: %v, %d; want 208 (AE_INVALID_REPORT)", err, binary.LittleEndian.Uint32(ms))
	}
	client = load(t, m, build(t, toy.Options{}))
	copy(buf.Bytes()[512:], report([64]byte{}))
	if err := pce.ECall(ctx, pceCertifyEnclave, ms); err != nil || binary.LittleEndian.Uint32(ms) != 207 {
		t.Errorf("without PROVISION_KEY: %v, %d; want 207 (AE_INVALID_PRIVILEGE)", err, binary.LittleEndian.Uint32(ms))
	}
}

// provisioningKey derives the PROVISION_KEY that the PCE asks for, from the
// fuses and the manual's table, in the layout that package cpu documents but
// with none of its code.
func provisioningKey(f cpu.Fuses, pce *enclave.Enclave, cpusvn [16]byte, isvsvn uint16) [16]byte {
	s := pce.SECS()
	signer := sign.MRSigner(pce.Image().SigStruct)
	le := binary.LittleEndian
	rec := make([]byte, 642)
	le.PutUint16(rec[0:], uint16(isa.KeyProvision))
	le.PutUint16(rec[36:], s.ISVProdID)
	le.PutUint16(rec[38:], isvsvn)
	mask := isa.Attributes{Flags: ^isa.AttrMode64Bit} // the PCE's ATTRIBUTEMASK
	attr := s.Attributes.And(isa.Attributes{Flags: mask.Flags | isa.AttrInit | isa.AttrDebug})
	le.PutUint64(rec[56:], uint64(attr.Flags))
	le.PutUint64(rec[72:], uint64(mask.Flags))
	copy(rec[120:], signer[:])
	copy(rec[200:], cpusvn[:])
	// PADDING: 00 01 FF… 00 DigestInfo
	p := rec[216 : 216+352]
	for i := range p {
		p[i] = 0xFF
	}
	p[0], p[1] = 0, 1
	copy(p[352-20:], "\x00\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20")
	le.PutUint32(rec[568:], uint32(s.MiscSelect))
	return cmac.Sum(f.RootProvisioningKey, rec)
}

// pckKey derives the PCK from a PROVISION_KEY as the PCE does, and returns its
// public half.
func pckKey(prov [16]byte) *ecdsa.PublicKey {
	var x []byte
	for c := byte(1); c <= 3; c++ {
		b := cmac.Sum(prov, append([]byte{c}, "PAK_KEY_DER\x00\x00\x01\x40"...))
		x = append(x, b[:]...)
	}
	curve := elliptic.P256()
	d := new(big.Int).SetBytes(x[:40])
	n1 := new(big.Int).Sub(curve.Params().N, big.NewInt(1))
	d.Add(d.Mod(d, n1), big.NewInt(1))
	priv, err := ecdsa.ParseRawPrivateKey(curve, d.FillBytes(make([]byte, 32)))
	if err != nil {
		panic(err)
	}
	return &priv.PublicKey
}
