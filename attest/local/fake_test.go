package local_test

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/feidi-dev/feidi/attest/local"
	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/isa"
)

// enclave is one on a machine that has a secret of which report keys are
// derived.
type enclave struct {
	machine [16]byte
	body    isa.ReportBody
	faults  int // TARGETINFOs that EREPORT would answer with #GP
}

var errReport = errors.New("not made for this enclave on this machine")

// newEnclave returns an enclave of which every field that matters differs from
// those of another.
func newEnclave(machine, n byte) *enclave {
	e := &enclave{machine: [16]byte{machine}}
	b := &e.body
	b.CPUSVN = [16]byte{1, 2, machine}
	b.MiscSelect = isa.MiscSelect(n & 1)
	b.CETAttributes = n
	b.Attributes = isa.Attributes{Flags: isa.AttrInit | isa.AttrMode64Bit | isa.AttrKSS, XFRM: isa.XFRMLegacy}
	b.MREnclave = sha256.Sum256([]byte{n})
	b.MRSigner = sha256.Sum256([]byte{n, n})
	b.ConfigID = [64]byte{n, 63: n}
	b.ConfigSVN = uint16(n) << 8
	b.ISVProdID, b.ISVSVN = uint16(n), 7
	return e
}

// key is the report key of an enclave: that of all which is in a TARGETINFO.
func (e *enclave) key(t *isa.TargetInfo, id [32]byte) [16]byte {
	b, err := t.AppendBinary(nil)
	if err != nil {
		panic(err)
	}
	return cmac.Sum(e.machine, append(b, id[:]...))
}

func (e *enclave) Target() (*isa.TargetInfo, error) {
	b := &e.body
	return &isa.TargetInfo{
		Measurement: b.MREnclave, Attributes: b.Attributes, CETAttributes: b.CETAttributes,
		MiscSelect: b.MiscSelect, ConfigID: b.ConfigID, ConfigSVN: b.ConfigSVN,
	}, nil
}

func (e *enclave) Report(t *isa.TargetInfo, data [64]byte) (*isa.Report, error) {
	if t.Reserved1 != 0 || t.Reserved2 != [8]byte{} || t.Reserved3 != [384]byte{} {
		e.faults++
	}
	r := &isa.Report{ReportBody: e.body, KeyID: [32]byte{0: 0x4b, 31: 0x44}}
	r.ReportData = data
	r.MAC = e.mac(r, t)
	return r, nil
}

func (e *enclave) mac(r *isa.Report, t *isa.TargetInfo) [16]byte {
	b, err := r.AppendBinary(nil)
	if err != nil {
		panic(err)
	}
	return cmac.Sum(e.key(t, r.KeyID), b[:384])
}

func (e *enclave) VerifyReport(r *isa.Report) error {
	t, _ := e.Target()
	mac := e.mac(r, t)
	if subtle.ConstantTimeCompare(mac[:], r.MAC[:]) != 1 {
		return errReport
	}
	return nil
}

// exchange is one with both sides, and the messages as they were sent.
type exchange struct {
	e1, e2     *enclave // responder and initiator
	r          *local.Responder
	i          *local.Initiator
	additional []byte
	m1, m2, m3 []byte
	sr, si     *local.Session
}

func newExchange(v local.Version) *exchange {
	x := &exchange{e1: newEnclave(9, 1), e2: newEnclave(9, 2)}
	x.r, x.i = local.NewResponder(x.e1), local.NewInitiator(x.e2, v)
	return x
}

// run makes the calls up to the one that gives message n, or both sessions.
func (x *exchange) run(t testing.TB, n int) {
	t.Helper()
	var err error
	if x.m1, err = x.r.Msg1(); err != nil {
		t.Fatal(err)
	}
	if n == 1 {
		return
	}
	if x.m2, err = x.i.ProcMsg1(x.m1); err != nil {
		t.Fatal(err)
	}
	if n == 2 {
		return
	}
	if x.m3, x.sr, err = x.r.ProcMsg2(x.m2, x.additional); err != nil {
		t.Fatal(err)
	}
	if n == 3 {
		return
	}
	if x.si, err = x.i.ProcMsg3(x.m3); err != nil {
		t.Fatal(err)
	}
}

// specOf writes down a specification of a TARGETINFO by its numbers.
func specOf(numbers ...uint16) (s [64]byte) {
	copy(s[:], "SGX LA\x02\x00")
	for i, n := range numbers {
		binary.LittleEndian.PutUint16(s[8+2*i:], n)
	}
	return s
}
