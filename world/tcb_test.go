package world

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/dcap"
)

// tcbInfo gets a TCB info and verifies its signature.
func tcbInfo(t testing.TB, w *World, tee dcap.TEEType, fmspc [6]byte, sel Selection) *dcap.SignedTCBInfo {
	t.Helper()
	b, err := w.TCBInfo(tee, fmspc, sel)
	if err != nil {
		t.Fatal(err)
	}
	info, err := dcap.ParseTCBInfo(b)
	if err != nil {
		t.Fatal(err)
	}
	verifySignature(t, w, info.Signed)
	return info
}

func verifySignature(t testing.TB, w *World, s dcap.Signed) {
	t.Helper()
	key := chainOf(t, w.TCBChain())[0].PublicKey.(*ecdsa.PublicKey)
	digest := sha256.Sum256(s.Body)
	if !ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(s.Signature[:32]), new(big.Int).SetBytes(s.Signature[32:])) {
		t.Error("the signature is wrong")
	}
}

// row is a level as a TCB info shows it.
type row struct {
	first      uint8 // SGX component 1
	pceSVN     uint16
	status     dcap.TCBStatus
	advisories []string
}

func rows(info *dcap.SignedTCBInfo) (list []row) {
	for _, l := range info.Levels {
		list = append(list, row{l.SGX[0].SVN, l.PCESVN, l.Status, l.AdvisoryIDs})
	}
	return list
}

func same(a, b []row) bool {
	return slices.EqualFunc(a, b, func(a, b row) bool {
		return a.first == b.first && a.pceSVN == b.pceSVN && a.status == b.status && slices.Equal(a.advisories, b.advisories)
	})
}

// The history of a family: each evaluation stays as it was.
func TestRecover(t *testing.T) {
	w, clock := newWorld(t)
	if _, err := w.NewMachine("a", MachineOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.NewMachine("b", MachineOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.NewMachine("c", MachineOptions{FMSPC: [6]byte{3}, CPUSVN: [16]byte{8}}); err != nil {
		t.Fatal(err)
	}
	svn := build.PCE.SVN
	began := w.now()

	clock.Time = clock.AddDate(0, 2, 0)
	first := w.now()
	a, err := w.Recover("a", RecoverOptions{Advisories: []string{"INTEL-SA-00002", "INTEL-SA-00001"}})
	if err != nil || a.CPUSVN != [16]byte{5, 5, 2, 2, 255, 1, 0, 5} {
		t.Fatalf("%x, %v", a.CPUSVN, err)
	}
	clock.Time = clock.AddDate(0, 2, 0)
	second := w.now()
	if a, err = w.Recover("a", RecoverOptions{CPUSVN: [16]byte{7, 5, 2, 2, 255, 1, 0, 6}, Advisories: []string{"INTEL-SA-00003"}, Early: true}); err != nil {
		t.Fatal(err)
	}
	if again, err := w.reopen(t).Machine("a"); err != nil || again.CPUSVN != a.CPUSVN || a.CPUSVN[7] != 6 {
		t.Errorf("%x, %v", a.CPUSVN, err)
	}
	// b catches up with the first recovery: that is no event.
	b, err := w.Recover("b", RecoverOptions{CPUSVN: [16]byte{5, 5, 2, 2, 255, 1, 0, 5}})
	if err != nil || b.CPUSVN[0] != 5 {
		t.Fatal(err)
	}

	one, two := []string{"INTEL-SA-00001", "INTEL-SA-00002"}, []string{"INTEL-SA-00001", "INTEL-SA-00002", "INTEL-SA-00003"}
	at17 := []row{{4, svn, dcap.UpToDate, nil}, {0, 1, dcap.OutOfDate, nil}}
	at18 := []row{{5, svn, dcap.UpToDate, nil}, {4, svn, dcap.OutOfDate, one}, {0, 1, dcap.OutOfDate, one}}
	at19 := []row{{7, svn, dcap.UpToDate, nil}, {5, svn, dcap.OutOfDate, []string{"INTEL-SA-00003"}}, {4, svn, dcap.OutOfDate, two}, {0, 1, dcap.OutOfDate, two}}
	check := func(what string, sel Selection, number uint32, want []row) {
		t.Helper()
		for _, tee := range []dcap.TEEType{dcap.TEESGX, dcap.TEETDX} {
			info := tcbInfo(t, w, tee, DefaultFMSPC, sel)
			if info.EvaluationDataNumber != number || !same(rows(info), want) || info.ID != tee.String() || info.Version != 3 {
				t.Errorf("%s, %v: number %d, %+v", what, tee, info.EvaluationDataNumber, rows(info))
			}
		}
		// A family without a recovery has the same levels in all.
		if info := tcbInfo(t, w, dcap.TEESGX, [6]byte{3}, sel); info.EvaluationDataNumber != number || !same(rows(info), []row{{8, svn, dcap.UpToDate, nil}, {0, 1, dcap.OutOfDate, nil}}) {
			t.Errorf("%s: the other family: number %d, %+v", what, info.EvaluationDataNumber, rows(info))
		}
		id, err := w.Identity(dcap.IdentityQE, sel)
		if err != nil {
			t.Fatal(err)
		}
		if i, err := dcap.ParseEnclaveIdentity(id); err != nil || i.EvaluationDataNumber != number {
			t.Errorf("%s: the identity, %v", what, err)
		}
	}
	check("17", Selection{Number: 17}, 17, at17)
	check("18", Selection{Number: 18, Early: true}, 18, at18)
	check("19", Selection{Number: 19}, 19, at19)
	check("standard", Selection{}, 18, at18)
	check("early", Selection{Early: true}, 19, at19)
	clock.Time = second.AddDate(0, 12, 0).Add(-time.Second)
	check("a year after, nearly", Selection{}, 18, at18)
	clock.Time = second.AddDate(0, 12, 0)
	check("a year after", Selection{}, 19, at19)

	info := tcbInfo(t, w, dcap.TEESGX, DefaultFMSPC, Selection{})
	for i, want := range []time.Time{second, first, began, began} {
		if !info.Levels[i].Date.Equal(want) {
			t.Errorf("level %d is of %v, want %v", i, info.Levels[i].Date, want)
		}
	}
	numbers, err := w.Evaluations(dcap.TEESGX)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Body struct {
			ID      string
			Numbers []struct {
				N     uint32    `json:"tcbEvaluationDataNumber"`
				Event time.Time `json:"tcbRecoveryEventDate"`
			} `json:"tcbEvalNumbers"`
		} `json:"tcbEvaluationDataNumbers"`
		Signature string
	}
	if err := json.Unmarshal(numbers, &doc); err != nil {
		t.Fatal(err)
	}
	if n := doc.Body.Numbers; doc.Body.ID != "SGX" || len(n) != 3 || n[0].N != 19 || !n[0].Event.Equal(second) || n[2].N != 17 || len(doc.Signature) != 128 {
		t.Errorf("%s", numbers)
	}
	for _, c := range []struct {
		sel  Selection
		want error
	}{{Selection{Number: 20}, ErrNotPublished}, {Selection{Number: 16}, ErrWithdrawn}, {Selection{Number: 1}, ErrWithdrawn}} {
		_, err := w.TCBInfo(dcap.TEESGX, DefaultFMSPC, c.sel)
		_, err2 := w.Identity(dcap.IdentityQE, c.sel)
		if !errors.Is(err, c.want) || !errors.Is(err2, c.want) {
			t.Errorf("%+v: %v, %v", c.sel, err, err2)
		}
	}
	if _, err := w.TCBInfo(dcap.TEESGX, [6]byte{1}, Selection{}); !errors.Is(err, ErrUnknownFMSPC) {
		t.Errorf("no such FMSPC: %v", err)
	}
}

func TestRecoverErrors(t *testing.T) {
	w, _ := newWorld(t)
	if _, err := w.NewMachine("a", MachineOptions{CPUSVN: [16]byte{9, 255, 5}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.NewMachine("low", MachineOptions{CPUSVN: [16]byte{1, 0, 0, 7}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.NewMachine("high", MachineOptions{CPUSVN: [16]byte{10, 255, 5}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, machine string
		o             RecoverOptions
		want          error
	}{
		{"down", "a", RecoverOptions{CPUSVN: [16]byte{10, 254, 5}}, ErrLowerSVN},
		{"down to the newest level", "high", RecoverOptions{CPUSVN: [16]byte{9, 255, 5}}, ErrLowerSVN},
		{"the same", "a", RecoverOptions{CPUSVN: [16]byte{9, 255, 5}}, ErrOptions},
		{"beyond 255", "a", RecoverOptions{}, ErrOptions},
		{"beside the newest level", "low", RecoverOptions{CPUSVN: [16]byte{10, 0, 0, 7}}, ErrLowerSVN},
		{"nothing new", "low", RecoverOptions{CPUSVN: [16]byte{9, 255, 5, 7}, Advisories: []string{"a b"}}, ErrOptions},
		{"nobody", "nobody", RecoverOptions{}, ErrNoMachine},
	} {
		if _, err := w.Recover(c.machine, c.o); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := w.NewMachine("b", MachineOptions{CPUSVN: [16]byte{1}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Recover("b", RecoverOptions{CPUSVN: [16]byte{9, 255, 5}, Advisories: []string{"INTEL-SA-00001"}}); !errors.Is(err, ErrOptions) {
		t.Errorf("advisories of nothing new: %v", err)
	}
	if s, err := w.state(); err != nil || len(s.Evaluations) != 1 {
		t.Errorf("%d evaluations, %v", len(s.Evaluations), err)
	}
	if m, err := w.Machine("b"); err != nil || m.CPUSVN != [16]byte{1} {
		t.Errorf("a refusal changed the machine: %x, %v", m.CPUSVN, err)
	}
}

// Identities say what the system enclaves are, and documents are the same for a
// day.
func TestDocuments(t *testing.T) {
	w, clock := newWorld(t)
	if _, err := w.NewMachine("m", MachineOptions{}); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]struct {
		prodID, svn uint16
		attributes  byte
	}{
		dcap.IdentityQE:   {1, build.QE.SVN, 0x11}, // INIT, PROVISION_KEY
		dcap.IdentityQVE:  {2, build.QVE.SVN, 0x01},
		dcap.IdentityTDQE: {3, 6, 0x11},
	} {
		b, err := w.Identity(id, Selection{})
		if err != nil {
			t.Fatal(err)
		}
		i, err := dcap.ParseEnclaveIdentity(b)
		if err != nil {
			t.Fatal(err)
		}
		verifySignature(t, w, i.Signed)
		mask := [16]byte{0xfb, 255, 255, 255, 255, 255, 255, 255}
		if i.ID != id || i.MRSigner != w.LEPubKeyHash() || i.ISVProdID != want.prodID || len(i.Levels) != 1 || i.Levels[0].ISVSVN != want.svn || i.Levels[0].Status != dcap.UpToDate ||
			i.Attributes != [16]byte{want.attributes} || i.AttributesMask != mask || i.MiscSelect != 0 || i.MiscSelectMask != 0xfffffffe {
			t.Errorf("%s: %+v", id, i.EnclaveIdentity)
		}
		if !i.IssueDate.Equal(w.Created()) || !i.NextUpdate.Equal(w.Created().AddDate(0, 0, 30)) {
			t.Errorf("%s: from %v to %v", id, i.IssueDate, i.NextUpdate)
		}
	}
	if _, err := w.Identity("x", Selection{}); !errors.Is(err, ErrUnknownIdentity) {
		t.Errorf("no such identity: %v", err)
	}
	get := func() []byte {
		t.Helper()
		b, err := w.TCBInfo(dcap.TEETDX, DefaultFMSPC, Selection{})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	first := get()
	clock.Time = clock.Add(11 * time.Hour)
	if !bytes.Equal(get(), first) {
		t.Error("another TCB info on the same day")
	}
	clock.Time = clock.Add(time.Hour)
	info := tcbInfo(t, w, dcap.TEETDX, DefaultFMSPC, Selection{})
	if !info.IssueDate.Equal(time.Date(2026, 6, 2, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("the next day: issued %v", info.IssueDate)
	}
	if ids := info.TDXModuleIdentities; info.TDXModule == nil || len(ids) != 2 || ids[0].ID != "TDX_03" || ids[1].ID != "TDX_01" || info.Levels[0].TDX[2].SVN != DefaultCPUSVN[0] {
		t.Errorf("TDX: %+v", info.TCBInfo)
	}
}

// A machine that is behind gets the newest level's CPUSVN if no other is named, which
// is no event; with an advisory to be answered it is one.
func TestCatchUp(t *testing.T) {
	w, _ := newWorld(t)
	for _, name := range []string{"a", "b"} {
		if _, err := w.NewMachine(name, MachineOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	a, err := w.Recover("a", RecoverOptions{})
	if err != nil {
		t.Fatal(err)
	}
	number := tcbInfo(t, w, dcap.TEESGX, DefaultFMSPC, Selection{}).EvaluationDataNumber
	b, err := w.Recover("b", RecoverOptions{})
	if err != nil || b.CPUSVN != a.CPUSVN {
		t.Errorf("b has %x, a %x, %v", b.CPUSVN, a.CPUSVN, err)
	}
	if n := tcbInfo(t, w, dcap.TEESGX, DefaultFMSPC, Selection{}).EvaluationDataNumber; n != number {
		t.Errorf("evaluation %d after catching up, %d before", n, number)
	}
	if b, err = w.Recover("b", RecoverOptions{Advisories: []string{"INTEL-SA-00001"}}); err != nil || b.CPUSVN[0] != a.CPUSVN[0]+1 {
		t.Errorf("b has %x, %v", b.CPUSVN, err)
	}
}
