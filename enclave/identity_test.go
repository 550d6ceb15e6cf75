package enclave_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
)

// report has e make a REPORT for target.
func report(t testing.TB, e *enclave.Enclave, target isa.TargetInfo, data [64]byte) isa.Report {
	t.Helper()
	b := buffer(t, e, isa.TargetInfoSize+64+isa.ReportSize)
	defer b.Free()
	in, _ := target.AppendBinary(nil)
	copy(b.Bytes(), append(in, data[:]...))
	out := b.Bytes()[isa.TargetInfoSize+64:]
	mustCall(t, e, toy.ECallReport, toy.MSReport{
		TargetInfo: b.Addr(), ReportData: b.Addr() + isa.TargetInfoSize, Report: b.Addr() + isa.TargetInfoSize + 64,
	})
	var r isa.Report
	if err := r.UnmarshalBinary(out); err != nil {
		t.Fatal(err)
	}
	return r
}

// verifies has e check the MAC of a REPORT.
func verifies(t testing.TB, e *enclave.Enclave, r isa.Report) bool {
	t.Helper()
	b := buffer(t, e, isa.ReportSize)
	defer b.Free()
	in, _ := r.AppendBinary(nil)
	copy(b.Bytes(), in)
	v := mustCall(t, e, toy.ECallVerifyReport, toy.MSVerifyReport{Report: b.Addr()})
	if v.KeyError != 0 {
		t.Fatalf("EGETKEY: %v", isa.ErrorCode(v.KeyError))
	}
	return v.Valid == 1
}

// tryKey has e derive a key, and returns the leaf's error code.
func tryKey(t testing.TB, e *enclave.Enclave, q isa.KeyRequest) (key [isa.KeySize]byte, err error) {
	t.Helper()
	b := buffer(t, e, isa.KeyRequestSize+isa.KeySize)
	defer b.Free()
	in, _ := q.AppendBinary(nil)
	copy(b.Bytes(), in)
	r := mustCall(t, e, toy.ECallGetKey, toy.MSGetKey{Request: b.Addr(), Key: b.Addr() + isa.KeyRequestSize})
	if r.Error != 0 {
		return key, isa.ErrorCode(r.Error)
	}
	return [isa.KeySize]byte(b.Bytes()[isa.KeyRequestSize:]), nil
}

func getKey(t testing.TB, e *enclave.Enclave, q isa.KeyRequest) [isa.KeySize]byte {
	t.Helper()
	k, err := tryKey(t, e, q)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// sealKey derives a seal key as the SDK's sealing does.
func sealKey(t testing.TB, e *enclave.Enclave, policy isa.KeyPolicy) [isa.KeySize]byte {
	t.Helper()
	return getKey(t, e, isa.KeyRequest{
		KeyName: isa.KeySeal, KeyPolicy: policy,
		AttributeMask: isa.Attributes{Flags: isa.AttrInit | isa.AttrDebug}, MiscMask: 0xF000_0000,
	})
}

// TestReport reads what a REPORT says of an enclave.
func TestReport(t *testing.T) {
	m := powerOn(t, enclave.MachineConfig{CPU: cpu.Config{CPUSVN: [16]byte{9, 8, 7}}})
	img := build(t, toy.Options{ISVProdID: 0x1122, ISVSVN: 0x3344, MiscSelect: isa.MiscEXINFO})
	e := load(t, m, img)
	s := e.SECS()
	if s.MREnclave != img.SigStruct.EnclaveHash || s.MRSigner != sign.MRSigner(img.SigStruct) {
		t.Errorf("the SECS has MRENCLAVE %x, MRSIGNER %x", s.MREnclave, s.MRSigner)
	}
	data := [64]byte{1, 2, 3}
	got := report(t, e, isa.TargetInfo{}, data)
	want := isa.Report{ReportBody: isa.ReportBody{
		CPUSVN: [16]byte{9, 8, 7}, MiscSelect: isa.MiscEXINFO, Attributes: s.Attributes,
		MREnclave: img.SigStruct.EnclaveHash, MRSigner: sign.MRSigner(img.SigStruct),
		ISVProdID: 0x1122, ISVSVN: 0x3344, ReportData: data,
	}, KeyID: got.KeyID, MAC: got.MAC}
	if got != want {
		t.Errorf("REPORT %+v\nwant %+v", got, want)
	}
	if got.KeyID == [32]byte{} || got.MAC == [16]byte{} {
		t.Error("KEYID or MAC is zero")
	}
	if s.Attributes.XFRM&^m.Processor().XFRM() != 0 || s.Attributes.Flags != isa.AttrInit|isa.AttrMode64Bit {
		t.Errorf("attributes %+v", s.Attributes)
	}
}

// TestKSS reads the fields of key separation and sharing in a REPORT.
func TestKSS(t *testing.T) {
	m := powerOn(t, enclave.MachineConfig{})
	o := toy.Options{KSS: true, ISVFamilyID: [16]byte{1, 2}, ISVExtProdID: [16]byte{3, 4}}
	id := [64]byte{5, 6, 63: 7}
	img := build(t, o)
	e := load(t, m, img, enclave.WithConfig(id, 0x8899))
	r := report(t, e, isa.TargetInfo{}, [64]byte{})
	if r.ISVFamilyID != o.ISVFamilyID || r.ISVExtProdID != o.ISVExtProdID || r.ConfigID != id || r.ConfigSVN != 0x8899 {
		t.Errorf("REPORT %+v", r)
	}
	if ti := e.TargetInfo(); ti.ConfigID != id || ti.ConfigSVN != 0x8899 {
		t.Errorf("TARGETINFO %+v", ti)
	}
	if !verifies(t, e, report(t, e, e.TargetInfo(), [64]byte{})) {
		t.Error("the enclave does not verify its own REPORT")
	}

	// CONFIGID takes part in keys only where the policy says so.
	other := load(t, m, img, enclave.WithConfig([64]byte{9}, 0x8899))
	if p := isa.PolicyMRSigner; sealKey(t, e, p) != sealKey(t, other, p) {
		t.Error("a key depends on CONFIGID without the policy")
	}
	if p := isa.PolicyMRSigner | isa.PolicyConfigID; sealKey(t, e, p) == sealKey(t, other, p) {
		t.Error("a key does not depend on CONFIGID with the policy")
	}
	// Without KSS, an enclave has no CONFIGID, whatever the host says.
	plain := load(t, m, build(t, toy.Options{}), enclave.WithConfig(id, 1))
	if r := report(t, plain, isa.TargetInfo{}, [64]byte{}); r.ConfigID != [64]byte{} || r.ConfigSVN != 0 {
		t.Errorf("REPORT without KSS: %+v", r)
	}
}

// TestLocalAttestation has two enclaves convince each other, and nobody else.
func TestLocalAttestation(t *testing.T) {
	m := powerOn(t, enclave.MachineConfig{})
	a := load(t, m, build(t, toy.Options{Salt: 1}))
	b := load(t, m, build(t, toy.Options{Salt: 2, MiscSelect: isa.MiscEXINFO}))
	c := load(t, m, build(t, toy.Options{Salt: 3}))
	elsewhere := load(t, powerOn(t, enclave.MachineConfig{}), b.Image())
	for _, d := range []struct{ from, to *enclave.Enclave }{{a, b}, {b, a}, {a, a}} {
		r := report(t, d.from, d.to.TargetInfo(), [64]byte{42})
		if !verifies(t, d.to, r) {
			t.Error("the target does not verify the REPORT")
		}
		if r.MREnclave != d.from.SECS().MREnclave {
			t.Error("the REPORT is not of the enclave that made it")
		}
		if verifies(t, c, r) {
			t.Error("an enclave verifies a REPORT that is for another")
		}
		forged := r
		forged.ReportData[63]++
		if verifies(t, d.to, forged) {
			t.Error("a REPORT that was changed is verified")
		}
		forged = r
		forged.KeyID[0]++
		if verifies(t, d.to, forged) {
			t.Error("a REPORT with another KEYID is verified")
		}
	}
	if verifies(t, elsewhere, report(t, a, elsewhere.TargetInfo(), [64]byte{})) {
		t.Error("a REPORT is verified on another machine")
	}
}

// TestSealKeys compares seal keys across enclaves, machines and power cycles.
func TestSealKeys(t *testing.T) {
	fuses, err := cpu.NewFuses(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	config := enclave.MachineConfig{CPU: cpu.Config{Fuses: fuses}}
	m := powerOn(t, config)
	first := load(t, m, build(t, toy.Options{Salt: 1}))
	for _, c := range []struct {
		name             string
		on               *enclave.Machine
		opt              toy.Options
		enclave, signers bool // whether the keys are equal under the policy
	}{
		{"the same enclave again", m, toy.Options{Salt: 1}, true, true},
		{"another enclave of the signer", m, toy.Options{Salt: 2}, false, true},
		{"the same enclave of another signer", m, toy.Options{Salt: 1, Key: signer}, true, false},
		{"another product of the signer", m, toy.Options{Salt: 1, ISVProdID: 1}, false, false},
		{"an attribute that the mask leaves out", m, toy.Options{Salt: 1, Attributes: isa.Attributes{Flags: isa.AttrProvisionKey}}, true, true},
		{"after a power cycle", powerOn(t, config), toy.Options{Salt: 1}, true, true},
		{"on another machine", powerOn(t, enclave.MachineConfig{}), toy.Options{Salt: 1}, false, false},
		{"after a new owner epoch", powerOn(t, enclave.MachineConfig{CPU: cpu.Config{Fuses: fuses, OwnerEpoch: [16]byte{1}}}), toy.Options{Salt: 1}, false, false},
	} {
		e := load(t, c.on, build(t, c.opt))
		if got := sealKey(t, e, isa.PolicyMREnclave) == sealKey(t, first, isa.PolicyMREnclave); got != c.enclave {
			t.Errorf("%s: equal under MRENCLAVE policy: %v", c.name, got)
		}
		if got := sealKey(t, e, isa.PolicyMRSigner) == sealKey(t, first, isa.PolicyMRSigner); got != c.signers {
			t.Errorf("%s: equal under MRSIGNER policy: %v", c.name, got)
		}
	}
	if sealKey(t, first, isa.PolicyMREnclave) == sealKey(t, first, isa.PolicyMRSigner) {
		t.Error("the policies give the same key")
	}
}

// TestSVNs derives keys of older versions, and of none that is newer.
func TestSVNs(t *testing.T) {
	fuses := cpu.Fuses{RootSealKey: [16]byte{1}}
	m := powerOn(t, enclave.MachineConfig{CPU: cpu.Config{Fuses: fuses, CPUSVN: [16]byte{2, 2}}})
	old := load(t, m, build(t, toy.Options{ISVSVN: 1}))
	now := load(t, m, build(t, toy.Options{ISVSVN: 2, Salt: 9}))
	q := isa.KeyRequest{KeyName: isa.KeySeal, KeyPolicy: isa.PolicyMRSigner, ISVSVN: 1, CPUSVN: [16]byte{1, 2}}
	if getKey(t, old, q) != getKey(t, now, q) {
		t.Error("a newer version does not get the older one's key")
	}
	q.ISVSVN = 2
	if _, err := tryKey(t, old, q); !errors.Is(err, isa.ErrInvalidISVSVN) {
		t.Errorf("an older version asks for a newer one's key: %v", err)
	}
	q.CPUSVN = [16]byte{0, 3}
	if _, err := tryKey(t, now, q); !errors.Is(err, isa.ErrInvalidCPUSVN) {
		t.Errorf("the key of a newer machine: %v", err)
	}
	q.KeyName = isa.KeyProvision
	if _, err := tryKey(t, now, q); !errors.Is(err, isa.ErrInvalidAttribute) {
		t.Errorf("PROVISION_KEY without the attribute: %v", err)
	}
	q.KeyName = 99
	if _, err := tryKey(t, now, q); !errors.Is(err, isa.ErrInvalidKeyName) {
		t.Errorf("an unknown key: %v", err)
	}
}

// TestPowerCycle: with the same fuses, REPORTs of before are worth nothing,
// though the key for a KEYID is the same.
func TestPowerCycle(t *testing.T) {
	fuses, err := cpu.NewFuses(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	config := enclave.MachineConfig{CPU: cpu.Config{Fuses: fuses}}
	img := build(t, toy.Options{})
	before := load(t, powerOn(t, config), img)
	after := load(t, powerOn(t, config), img)
	r1 := report(t, before, before.TargetInfo(), [64]byte{})
	r2 := report(t, after, after.TargetInfo(), [64]byte{})
	if r1.KeyID == r2.KeyID || r1.MAC == r2.MAC {
		t.Error("the REPORT key survives a power cycle")
	}
	for _, e := range []*enclave.Enclave{before, after} {
		k := getKey(t, e, isa.KeyRequest{KeyName: isa.KeyReport, KeyID: r2.KeyID})
		b, _ := r2.AppendBinary(nil)
		if !cmac.Equal(cmac.Sum(k, b[:isa.ReportMACOffset]), r2.MAC) {
			t.Error("REPORT_KEY for the KEYID of a REPORT is not the key of its MAC")
		}
	}
}

// TestEnclaves runs many enclaves on one machine at once.
func TestEnclaves(t *testing.T) {
	m := powerOn(t, enclave.MachineConfig{})
	seen := map[uint64]bool{}
	var all []*enclave.Enclave
	for i := range uint64(20) {
		e := load(t, m, build(t, toy.Options{Salt: i}))
		if seen[e.Base()] || e.Machine() != m {
			t.Error("two enclaves at one address, or on another machine")
		}
		seen[e.Base()] = true
		all = append(all, e)
	}
	done := make(chan error)
	for i, e := range all {
		go func() {
			b := toy.Encode(toy.MSCompute{N: uint64(i)})
			err := e.ECall(context.Background(), int(toy.ECallCompute), b)
			if r, _ := toy.Decode[toy.MSCompute](b); err == nil && r.Result != toy.Compute(uint64(i)) {
				err = errors.New("a wrong result")
			}
			done <- err
		}()
	}
	for range all {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
