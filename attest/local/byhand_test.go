package local_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/feidi-dev/feidi/attest/local"
	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/isa"
)

// hand is a peer that is written down from sgx_dh.h and the package comment
// alone: offsets, byte order and derivation of keys are its own.
type hand struct {
	*enclave
	key *ecdh.PrivateKey
	pub []byte
}

func newHand(t testing.TB, n byte) *hand {
	k, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b := k.PublicKey().Bytes()
	x, y := slices.Clone(b[1:33]), slices.Clone(b[33:65])
	slices.Reverse(x)
	slices.Reverse(y)
	return &hand{enclave: newEnclave(9, n), key: k, pub: append(x, y...)}
}

// derive derives a key of what the peer's public key gives.
func (h *hand) derive(t testing.TB, peer []byte, label string) [16]byte {
	u := []byte{4}
	for i := range 32 {
		u = append(u, peer[31-i])
	}
	for i := range 32 {
		u = append(u, peer[63-i])
	}
	pub, err := ecdh.P256().NewPublicKey(u)
	if err != nil {
		t.Fatal(err)
	}
	shared, err := h.key.ECDH(pub)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(shared)
	return cmac.Sum(cmac.Sum([16]byte{}, shared), []byte("\x01"+label+"\x00\x80\x00"))
}

func sha(parts ...[]byte) (d [64]byte) {
	h := sha256.Sum256(bytes.Join(parts, nil))
	copy(d[:], h[:])
	return d
}

// report is a REPORT of the enclave, 432 bytes.
func (h *hand) report(t testing.TB, target, data []byte) []byte {
	var ti isa.TargetInfo
	if err := ti.UnmarshalBinary(target); err != nil {
		t.Fatal(err)
	}
	r, err := h.Report(&ti, [64]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// checks checks a REPORT for the enclave.
func (h *hand) checks(t testing.TB, b []byte, want [64]byte) {
	t.Helper()
	var r isa.Report
	if err := r.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if r.ReportData != want {
		t.Errorf("report data %x, want %x", r.ReportData, want)
	}
	if err := h.VerifyReport(&r); err != nil {
		t.Error(err)
	}
}

// ours are the entries of an LAv2 initiator: six, of MRENCLAVE, ATTRIBUTES,
// CET_ATTRIBUTES, CONFIGSVN, MISCSELECT and CONFIGID.
var ours = specOf(6<<8, 64<<4|5, 48<<4|4, 20<<4, 260<<4|1, 16<<4|2, 192<<4|6)

// message2 answers message 1 as LAv2 says, with a specification.
func (h *hand) message2(t testing.TB, m1 []byte, spec [64]byte) []byte {
	data := sha(spec[:], h.pub)
	report := h.report(t, m1[64:576], data[:])
	copy(report[320:], spec[:])
	mac := cmac.Sum(h.derive(t, m1[:64], "SMK"), h.pub)
	return slices.Concat(h.pub, report, mac[:])
}

func TestResponderByHand(t *testing.T) {
	for _, v := range versions {
		e, h := newEnclave(9, 1), newHand(t, 2)
		r := local.NewResponder(e)
		m1, err := r.Msg1()
		if err != nil {
			t.Fatal(err)
		}
		ti, _ := e.Target()
		if b, _ := ti.AppendBinary(nil); !bytes.Equal(m1[64:], b) {
			t.Fatalf("%v: message 1 is for %x", v, m1[64:])
		}
		ga, smk := m1[:64], h.derive(t, m1[:64], "SMK")

		m2 := h.message2(t, m1, ours)
		if v == local.LAv1 {
			data := sha(ga, h.pub)
			data[32] = 1 // KDF id
			report := h.report(t, m1[64:], data[:])
			mac := cmac.Sum(smk, report)
			m2 = slices.Concat(h.pub, report, mac[:])
		}
		m3, s, err := r.ProcMsg2(m2, []byte("more"))
		if err != nil {
			t.Fatalf("%v: %v", v, err)
		}
		if s.Version != v || s.Key != h.derive(t, ga, "AEK") || s.Peer.MREnclave != h.body.MREnclave {
			t.Errorf("%v: %+v", v, s)
		}

		want, maced := sha(ga, ours[:]), slices.Concat([]byte("more"), ga)
		if v == local.LAv1 {
			want, maced = sha(h.pub, ga), m3[16:]
		}
		h.checks(t, m3[16:448], want)
		if mac := cmac.Sum(smk, maced); !bytes.Equal(m3[:16], mac[:]) {
			t.Errorf("%v: CMAC %x, want %x", v, m3[:16], mac)
		}
		if n := binary.LittleEndian.Uint32(m3[448:]); n != 4 || string(m3[452:]) != "more" {
			t.Errorf("%v: %d bytes: %q", v, n, m3[452:])
		}
	}
}

func TestInitiatorByHand(t *testing.T) {
	for _, v := range versions {
		e, h := newEnclave(9, 1), newHand(t, 2)
		i := local.NewInitiator(e, v)
		ti, _ := h.Target()
		m1, _ := ti.AppendBinary(slices.Clone(h.pub))
		m2, err := i.ProcMsg1(m1)
		if err != nil {
			t.Fatal(err)
		}
		gb, smk := m2[:64], h.derive(t, m2[:64], "SMK")

		report, maced := slices.Clone(m2[64:496]), gb
		want := sha(ours[:], gb)
		if v == local.LAv1 {
			want, maced = sha(h.pub, gb), m2[64:496]
			want[32] = 1
		} else if !bytes.Equal(report[320:384], ours[:]) {
			t.Errorf("specification %x, want %x", report[320:384], ours)
		} else {
			copy(report[320:], want[:])
		}
		h.checks(t, report, want)
		if mac := cmac.Sum(smk, maced); !bytes.Equal(m2[496:], mac[:]) {
			t.Errorf("%v: CMAC %x, want %x", v, m2[496:], mac)
		}

		target := make([]byte, 512) // from the REPORT, by the SDM
		copy(target, report[64:96])
		copy(target[32:], report[48:64])
		target[48] = report[20]
		copy(target[50:], report[260:262])
		copy(target[52:], report[16:20])
		copy(target[64:], report[192:256])
		data := sha(h.pub, ours[:])
		if v == local.LAv1 {
			data = sha(gb, h.pub)
		}
		body := slices.Concat(h.report(t, target, data[:]), []byte{4, 0, 0, 0}, []byte("more"))
		mac := cmac.Sum(smk, slices.Concat([]byte("more"), h.pub))
		if v == local.LAv1 {
			mac = cmac.Sum(smk, body)
		}
		s, err := i.ProcMsg3(slices.Concat(mac[:], body))
		if err != nil {
			t.Fatalf("%v: %v", v, err)
		}
		if s.Key != h.derive(t, gb, "AEK") || string(s.Additional) != "more" || s.Peer.MREnclave != h.body.MREnclave {
			t.Errorf("%v: %+v", v, s)
		}
	}
}

// An initiator that is an enclave of the machine, but means no good.
func TestHostileInitiator(t *testing.T) {
	full := make([]uint16, 28)
	full[0] = 27 << 8
	many := slices.Clone(full)
	many[0] = 28 << 8
	revised := ours
	revised[7] = 1
	for name, c := range map[string]struct {
		spec [64]byte
		good bool
	}{
		"ours":                          {ours, true},
		"nothing":                       {specOf(0), true},
		"27 entries of a byte":          {specOf(full...), true},
		"28 entries":                    {specOf(many...), false},
		"revision of the list":          {specOf(1), false},
		"revision":                      {revised, false},
		"zeros up to CONFIGID":          {specOf(2<<8, 0xfff6, 192<<4|6), true},
		"zeros to the end":              {specOf(1<<8, 0xfff9), true},
		"beyond the end":                {specOf(2<<8, 0xfff9, 0xfff0), false},
		"alignment beyond the end":      {specOf(2<<8, 0xfff0, 0xfff9), false},
		"32 KiB":                        {specOf(1<<8, 0xffff), false},
		"offset -2":                     {specOf(1<<8, 0xffe0), false},
		"least offset":                  {specOf(1<<8, 0x8000), false},
		"greatest offset":               {specOf(1<<8, 0x7ff0), false},
		"to the end of the REPORT":      {specOf(1<<8, 400<<4|5), true},
		"beyond the end of the REPORT":  {specOf(1<<8, 401<<4|5), false},
		"something into reserved bytes": {specOf(3<<8, 64<<4|5, 64<<4|5, 64<<4|5), false},
	} {
		e, h := newEnclave(9, 1), newHand(t, 2)
		r := local.NewResponder(e)
		m1, err := r.Msg1()
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = r.ProcMsg2(h.message2(t, m1, c.spec), nil)
		if c.good && err != nil || !c.good && !errors.Is(err, local.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
		if e.faults != 0 {
			t.Errorf("%s: EREPORT faults", name)
		}
	}
}

// A derivation of keys that LAv1 does not know is named.
func TestOtherKDF(t *testing.T) {
	x := newExchange(local.LAv1)
	x.run(t, 2)
	x.m2[64+320+32] = 2
	_, _, err := x.r.ProcMsg2(x.m2, nil)
	var me *local.MessageError
	if !errors.As(err, &me) || me.Offset != 416 || me.Kind != local.ErrFormat {
		t.Errorf("%v", err)
	}
}

// A CMAC under the right key does not make up for a REPORT of other keys.
func TestOtherReportData(t *testing.T) {
	x := newExchange(local.LAv1)
	h := newHand(t, 2)
	x.run(t, 1)
	data := sha([]byte("something else"))
	data[32] = 1
	report := h.report(t, x.m1[64:], data[:])
	mac := cmac.Sum(h.derive(t, x.m1[:64], "SMK"), report)
	_, _, err := x.r.ProcMsg2(slices.Concat(h.pub, report, mac[:]), nil)
	var me *local.MessageError
	if !errors.As(err, &me) || me.Offset != 64+320 || me.Kind != local.ErrAuth {
		t.Errorf("%v", err)
	}
}

// The same of message 3: the REPORT must be of this exchange, and of this side.
func TestOtherReportData3(t *testing.T) {
	for _, v := range versions {
		e, h := newEnclave(9, 1), newHand(t, 2)
		i := local.NewInitiator(e, v)
		ti, _ := h.Target()
		m1, _ := ti.AppendBinary(slices.Clone(h.pub))
		m2, err := i.ProcMsg1(m1)
		if err != nil {
			t.Fatal(err)
		}
		own, _ := e.Target()
		target, _ := own.AppendBinary(nil)
		data := sha(h.pub, m2[:64]) // the initiator's of LAv1
		body := append(h.report(t, target, data[:]), 0, 0, 0, 0)
		smk := h.derive(t, m2[:64], "SMK")
		mac := cmac.Sum(smk, body)
		if v == local.LAv2 {
			mac = cmac.Sum(smk, h.pub)
		}
		s, err := i.ProcMsg3(append(mac[:], body...))
		var me *local.MessageError
		if !errors.As(err, &me) || me.Offset != 16+320 || me.Kind != local.ErrAuth || s != nil {
			t.Errorf("%v: %v", v, err)
		}
	}
}
