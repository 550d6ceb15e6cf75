package cpu

import (
	"encoding/hex"
	"testing"

	"github.com/feidi-dev/feidi/isa"
)

// A keyWorld is everything that a key might depend on.
type keyWorld struct {
	k keys
	e enclave
	q isa.KeyRequest
}

// changes alter one thing each. The names are the manual's.
var changes = []struct {
	name   string
	change func(w *keyWorld)
}{
	{"OWNEREPOCH", func(w *keyWorld) { w.k.ownerEpoch[0]++ }},
	{"SEAL_FUSES", func(w *keyWorld) { w.k.fuses.RootSealKey[0]++ }},
	{"PROVISIONING_FUSES", func(w *keyWorld) { w.k.fuses.RootProvisioningKey[0]++ }},
	{"current CPUSVN", func(w *keyWorld) { w.k.cpuSVN[0]++ }},
	{"CPUSVN", func(w *keyWorld) { w.q.CPUSVN[0]-- }},
	{"ISVSVN", func(w *keyWorld) { w.q.ISVSVN-- }},
	{"enclave's ISVSVN", func(w *keyWorld) { w.e.secs.ISVSVN++ }},
	{"ISVPRODID", func(w *keyWorld) { w.e.secs.ISVProdID++ }},
	{"ISVEXTPRODID", func(w *keyWorld) { w.e.isvExtProdID[0]++ }},
	{"ISVFAMILYID", func(w *keyWorld) { w.e.isvFamilyID[0]++ }},
	{"MRENCLAVE", func(w *keyWorld) { w.e.secs.MREnclave[0]++ }},
	{"MRSIGNER", func(w *keyWorld) { w.e.secs.MRSigner[0]++ }},
	{"CONFIGID", func(w *keyWorld) { w.e.secs.ConfigID[0]++ }},
	{"CONFIGSVN", func(w *keyWorld) { w.q.ConfigSVN-- }},
	{"enclave's CONFIGSVN", func(w *keyWorld) { w.e.secs.ConfigSVN++ }},
	{"KEYID", func(w *keyWorld) { w.q.KeyID[0]++ }},
	{"KEYPOLICY", func(w *keyWorld) { w.q.KeyPolicy ^= isa.PolicyMRSigner }},
	{"masked ATTRIBUTES", func(w *keyWorld) { w.e.secs.Attributes.Flags ^= isa.AttrMode64Bit }},
	{"unmasked ATTRIBUTES", func(w *keyWorld) { w.e.secs.Attributes.Flags ^= isa.AttrKSS }},
	{"DEBUG", func(w *keyWorld) { w.e.secs.Attributes.Flags ^= isa.AttrDebug }},
	{"masked XFRM", func(w *keyWorld) { w.e.secs.Attributes.XFRM ^= isa.XFRMSSE }},
	{"ATTRIBUTEMASK", func(w *keyWorld) { w.q.AttributeMask.XFRM ^= isa.XFRMAVX }},
	{"masked MISCSELECT", func(w *keyWorld) { w.e.secs.MiscSelect ^= 1 }},
	{"unmasked MISCSELECT", func(w *keyWorld) { w.e.secs.MiscSelect ^= 2 }},
	{"MISCMASK", func(w *keyWorld) { w.q.MiscMask ^= 1 << 9 }},
}

// newKeyWorld asks for a key with every policy bit but those in without.
func newKeyWorld(name isa.KeyName, policy isa.KeyPolicy) *keyWorld {
	w := &keyWorld{}
	w.k.cpuSVN = [16]byte{9, 9}
	w.e.secs.Attributes = isa.Attributes{
		Flags: isa.AttrInit | isa.AttrMode64Bit | isa.AttrKSS | isa.AttrProvisionKey | isa.AttrEinitTokenKey, XFRM: isa.XFRMLegacy,
	}
	w.e.secs.ISVSVN, w.e.secs.ConfigSVN, w.e.secs.MiscSelect = 5, 5, 3
	w.q = isa.KeyRequest{
		KeyName: name, KeyPolicy: policy, ISVSVN: 4, ConfigSVN: 4, CPUSVN: [16]byte{8, 8}, MiscMask: 1,
		AttributeMask: isa.Attributes{Flags: isa.AttrMode64Bit, XFRM: isa.XFRMSSE},
	}
	return w
}

// TestKeyDependencies checks the whole table of SDM Vol. 3D, "Key Derivation":
// a key changes with what it depends on, and with nothing else.
func TestKeyDependencies(t *testing.T) {
	const (
		mr     = isa.PolicyMREnclave
		signer = isa.PolicyMRSigner
		kss    = isa.PolicyConfigID | isa.PolicyISVFamilyID | isa.PolicyISVExtProdID
	)
	common := []string{"PROVISIONING_FUSES", "CPUSVN", "ISVSVN", "masked ATTRIBUTES", "DEBUG", "masked XFRM", "masked MISCSELECT"}
	masks := []string{"ATTRIBUTEMASK", "MISCMASK"}
	with := func(more ...[]string) map[string]bool {
		m := map[string]bool{}
		for _, names := range append(more, common) {
			for _, n := range names {
				m[n] = true
			}
		}
		return m
	}
	for _, c := range []struct {
		what   string
		name   isa.KeyName
		policy isa.KeyPolicy
		deps   map[string]bool
	}{
		{"EINITTOKEN_KEY", isa.KeyEinitToken, 0, with([]string{"OWNEREPOCH", "SEAL_FUSES", "ISVPRODID", "MRSIGNER", "KEYID"})},
		{"PROVISION_KEY", isa.KeyProvision, 0, with(masks, []string{"ISVPRODID", "MRSIGNER"})},
		{"PROVISION_SEAL_KEY", isa.KeyProvisionSeal, 0, with(masks, []string{"SEAL_FUSES", "ISVPRODID", "MRSIGNER", "KEYPOLICY"})},
		{"PROVISION_SEAL_KEY, KSS policies", isa.KeyProvisionSeal, kss | isa.PolicyNoISVProdID,
			with(masks, []string{"SEAL_FUSES", "MRSIGNER", "KEYPOLICY", "CONFIGID", "CONFIGSVN", "ISVFAMILYID", "ISVEXTPRODID"})},
		{"REPORT_KEY", isa.KeyReport, 0, map[string]bool{
			"PROVISIONING_FUSES": true, "OWNEREPOCH": true, "SEAL_FUSES": true, "current CPUSVN": true, "MRENCLAVE": true, "CONFIGID": true,
			"enclave's CONFIGSVN": true, "KEYID": true, "masked ATTRIBUTES": true, "unmasked ATTRIBUTES": true, "DEBUG": true,
			"masked XFRM": true, "masked MISCSELECT": true, "unmasked MISCSELECT": true,
		}},
		{"SEAL_KEY, no policy", isa.KeySeal, 0, with(masks, []string{"OWNEREPOCH", "SEAL_FUSES", "ISVPRODID", "KEYID", "KEYPOLICY"})},
		{"SEAL_KEY, MRENCLAVE", isa.KeySeal, mr, with(masks, []string{"OWNEREPOCH", "SEAL_FUSES", "ISVPRODID", "KEYID", "KEYPOLICY", "MRENCLAVE"})},
		{"SEAL_KEY, MRSIGNER", isa.KeySeal, signer, with(masks, []string{"OWNEREPOCH", "SEAL_FUSES", "ISVPRODID", "KEYID", "KEYPOLICY", "MRSIGNER"})},
		{"SEAL_KEY, every policy", isa.KeySeal, mr | signer | kss | isa.PolicyNoISVProdID, with(masks,
			[]string{"OWNEREPOCH", "SEAL_FUSES", "KEYID", "KEYPOLICY", "MRENCLAVE", "MRSIGNER", "CONFIGID", "CONFIGSVN", "ISVFAMILYID", "ISVEXTPRODID"})},
	} {
		base := newKeyWorld(c.name, c.policy)
		key, err := base.k.forEnclave(&base.e, &base.q)
		if err != nil {
			t.Fatal(c.what, err)
		}
		for _, ch := range changes {
			w := newKeyWorld(c.name, c.policy)
			ch.change(w)
			got, err := w.k.forEnclave(&w.e, &w.q)
			if err != nil {
				t.Fatal(c.what, ch.name, err)
			}
			if changed := got != key; changed != c.deps[ch.name] {
				t.Errorf("%s depends on %s: %v, want %v", c.what, ch.name, changed, c.deps[ch.name])
			}
		}
	}
}

// TestKeysDiffer checks that no two kinds of key are ever equal.
func TestKeysDiffer(t *testing.T) {
	seen := map[[isa.KeySize]byte]isa.KeyName{}
	for name := isa.KeyEinitToken; name <= isa.KeySeal; name++ {
		w := newKeyWorld(name, 0)
		key, err := w.k.forEnclave(&w.e, &w.q)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[key]; ok {
			t.Errorf("%v equals %v", name, other)
		}
		seen[key] = name
	}
}

// TestDependenciesLayout checks that every dependency has a place of its own
// in the encoding: different dependencies never encode alike.
func TestDependenciesLayout(t *testing.T) {
	if n := len((&dependencies{}).encode()); n != 2+2+16+16+2+2+16+16+16+32+32+32+16+16+352+4+4+64+2 {
		t.Errorf("the record has %d bytes", n)
	}
}

// TestKeyVector holds the derivation to a value that openssl computed from a
// record put together by hand: data that an older build sealed must open.
//
//	openssl mac -cipher AES-128-CBC -macopt hexkey:000102030405060708090a0b0c0d0e0f -in record CMAC
func TestKeyVector(t *testing.T) {
	count := func(b []byte, from byte) {
		for i := range b {
			b[i] = from + byte(i)
		}
	}
	var k keys
	count(k.fuses.RootProvisioningKey[:], 0)
	d := dependencies{
		keyName: isa.KeySeal, keyPolicy: 0x3B, isvProdID: 0x1234, isvSVN: 0x5678,
		attributes:    isa.Attributes{Flags: 0x95, XFRM: 0xE7},
		attributeMask: isa.Attributes{Flags: 0xFF0000000000000B, XFRM: 0xFFFFFFFFFFFFFFF8},
		miscSelect:    0x1, miscMask: 0xFFFFFFFE, configSVN: 0x9ABC,
	}
	count(d.isvFamilyID[:], 0x10)
	count(d.isvExtProdID[:], 0x20)
	count(d.ownerEpoch[:], 0x30)
	count(d.mrEnclave[:], 0x40)
	count(d.mrSigner[:], 0x60)
	count(d.keyID[:], 0x80)
	count(d.sealFuses[:], 0xA0)
	count(d.cpuSVN[:], 0xB0)
	count(d.configID[:], 0xC0)
	const want = "aab089f3df48b7d59a0a060f68819049"
	if key := k.derive(&d); hex.EncodeToString(key[:]) != want {
		t.Errorf("the key is %x, openssl says %s", key, want)
	}
}

func TestPadding(t *testing.T) {
	// EMSA-PKCS1-v1_5 of RFC 8017 without its digest.
	if padding[0] != 0 || padding[1] != 1 || padding[331] != 0xFF || padding[332] != 0 || padding[333] != 0x30 || padding[351] != 0x20 {
		t.Errorf("PADDING = % x ... % x", padding[:4], padding[328:])
	}
}

func TestPowerOnDrawsKeys(t *testing.T) {
	a, b := ready(t), ready(t)
	if a.p.keys.reportKeyID == b.p.keys.reportKeyID || a.p.keys.report2 == b.p.keys.report2 || a.p.keys.paging == b.p.keys.paging {
		t.Error("two power-ons drew equal keys")
	}
	// What was evicted before power was lost cannot come back.
	page, slot := a.evict(a.epc[at(pgData)])
	va := b.va()
	n, _ := b.p.page(va)
	an, off := uint64(slot-a.p.base)/isa.PageSize, uint64(slot)%isa.PageSize
	copy(b.p.mem.Page(n)[off:], a.p.mem.Page(an)[off:off+8])
	if err := b.p.ELDU(b.page(), page, b.secs, va+PA(off)); err != isa.ErrMACCompareFail {
		t.Errorf("got %v, want SGX_MAC_COMPARE_FAIL", err)
	}
}

func TestNewFuses(t *testing.T) {
	if _, err := NewFuses(shortReader{}); err == nil {
		t.Error("fuses without randomness")
	}
}

type shortReader struct{}

func (shortReader) Read(b []byte) (int, error) { return 0, errShort }

var errShort = isa.ErrorCode(1)

func BenchmarkEREPORT(b *testing.B) {
	m := inside(b)
	m.poke(at(pgData), pageOf(m.self()))
	for b.Loop() {
		r := Regs{RAX: uint64(isa.EREPORT), RBX: at(pgData), RCX: at(pgData2), RDX: at(pgData3)}
		if err := m.lp.ENCLU(&r); err != nil {
			b.Fatal(err)
		}
	}
}
