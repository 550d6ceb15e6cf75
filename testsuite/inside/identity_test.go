package inside

import (
	"bytes"
	"context"
	"crypto/sha256"
	"testing"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/enclave/process"
	"github.com/feidi-dev/feidi/gobuild"
	"github.com/feidi-dev/feidi/image"
	toyimage "github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
	"github.com/feidi-dev/feidi/testsuite/client/toy"
)

// toyEnclave is an enclave of the SDK's kind, written in assembly.
type toyEnclave struct {
	*enclave.Enclave
	client *toy.Toy
}

func loadToy(t testing.TB, m *enclave.Machine) *toyEnclave {
	t.Helper()
	b, err := toyimage.Build(toyimage.Options{Key: keys()[1], MiscSelect: isa.MiscEXINFO})
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	e, err := m.Load(context.Background(), img)
	if err != nil {
		t.Fatal(err)
	}
	x := &toyEnclave{e, toy.NewToy(e, nil)}
	t.Cleanup(func() {
		x.client.Close()
		if err := e.Destroy(); err != nil {
			t.Error(err)
		}
	})
	return x
}

// verifies has the toy derive its report key and compute the MAC, both in its
// assembly.
func (x *toyEnclave) verifies(t testing.TB, report []byte) bool {
	t.Helper()
	b, err := x.Alloc(isa.ReportSize)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Free()
	copy(b.Bytes(), report)
	ms := toyimage.Encode(toyimage.MSVerifyReport{Report: b.Addr()})
	if err := x.ECall(context.Background(), int(toyimage.ECallVerifyReport), ms); err != nil {
		t.Fatal(err)
	}
	v, err := toyimage.Decode[toyimage.MSVerifyReport](ms)
	if err != nil || v.KeyError != 0 {
		t.Fatalf("EGETKEY in the toy: %d, %v", v.KeyError, err)
	}
	return v.Valid == 1
}

func TestSelf(t *testing.T) {
	m := powerOn(t, cpu.Config{CPUSVN: [16]byte{1, 2}})
	img := build(t, "agent", func(o *gobuild.Options) { o.ISVProdID, o.ISVSVN, o.Debug = 0x102, 0x304, true })
	for _, debug := range []bool{false, true} {
		var opts []enclave.Option
		if debug {
			opts = append(opts, enclave.WithDebug())
		}
		g := start(t, m, img, process.Config{}, opts...)
		id := g.must(t, "self")
		signer := sign.MRSigner(img.SigStruct)
		for i, want := range [][]byte{img.SigStruct.EnclaveHash[:], signer[:], {2, 1}, {4, 3}, {0}, {1}} {
			if i == 4 && debug {
				want = []byte{1}
			}
			if !bytes.Equal(id[i], want) {
				t.Errorf("field %d is %x, want %x", i, id[i], want)
			}
		}
		var target isa.TargetInfo
		if err := target.UnmarshalBinary(g.must(t, "target")[0]); err != nil {
			t.Fatal(err)
		}
		if want := g.e.TargetInfo(); target != want {
			t.Errorf("TARGETINFO %+v\nwant %+v", target, want)
		}
	}
}

// TestReports has Go enclaves and one in assembly convince each other, and
// nobody else.
func TestReports(t *testing.T) {
	m := powerOn(t, cpu.Config{})
	a := start(t, m, build(t, "agent", nil), process.Config{})
	b := start(t, m, build(t, "agent", func(o *gobuild.Options) { o.Heap += 1 << 20 }), process.Config{})
	x := loadToy(t, m)
	elsewhere := start(t, powerOn(t, cpu.Config{}), build(t, "agent", func(o *gobuild.Options) { o.Heap += 1 << 20 }), process.Config{})
	data := sha256.Sum256([]byte("what is attested"))
	target := func(g *guest) []byte { return g.must(t, "target")[0] }
	xt := x.TargetInfo()
	xTarget, err := xt.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	const wrong = "not made for this enclave"

	// From one Go enclave to the other.
	r := a.must(t, "report", target(b), data[:])[0]
	var report isa.Report
	if err := report.UnmarshalBinary(r); err != nil {
		t.Fatal(err)
	}
	if report.MREnclave != a.e.SECS().MREnclave || !bytes.Equal(report.ReportData[:32], data[:]) {
		t.Errorf("REPORT %+v", report)
	}
	b.must(t, "verify", r)
	a.refused(t, wrong, "verify", r)
	elsewhere.refused(t, wrong, "verify", r)
	if x.verifies(t, r) {
		t.Error("the toy verifies a REPORT that is for another")
	}
	// Each field that the MAC covers, the key's number and the MAC itself.
	for _, at := range []int{0, 16, 48, 64, 128, 256, 258, 320, 383, isa.ReportMACOffset, isa.ReportSize - 1} {
		forged := bytes.Clone(r)
		forged[at] ^= 0x10
		b.refused(t, wrong, "verify", forged)
	}
	b.refused(t, "REPORT", "verify", r[:len(r)-1])

	// From a Go enclave to the one in assembly.
	r = b.must(t, "report", xTarget, data[:])[0]
	if !x.verifies(t, r) {
		t.Error("the toy does not verify the REPORT of a Go enclave")
	}
	a.refused(t, wrong, "verify", r)
	r[320]++ // REPORTDATA
	if x.verifies(t, r) {
		t.Error("the toy verifies a changed REPORT")
	}

	// And from the one in assembly to a Go enclave.
	from, err := x.client.Report(t.Context(), (*[512]byte)(target(a)), (*[64]byte)(append(data[:], data[:]...)))
	if err != nil {
		t.Fatal(err)
	}
	a.must(t, "verify", from[:])
	b.refused(t, wrong, "verify", from[:])
	from[64]++ // MRENCLAVE
	a.refused(t, wrong, "verify", from[:])
}

// TestKeys compares keys with what the processor gives another enclave.
func TestKeys(t *testing.T) {
	fuses := cpu.Fuses{RootSealKey: [16]byte{1, 2, 3}}
	m := powerOn(t, cpu.Config{Fuses: fuses})
	img := build(t, "agent", func(o *gobuild.Options) { o.ISVSVN = 5 })
	a := start(t, m, img, process.Config{})
	signer, self := []byte{byte(isa.PolicyMRSigner)}, []byte{byte(isa.PolicyMREnclave)}
	key := func(g *guest, policy []byte) []byte { return g.must(t, "key", policy)[0] }
	bySigner, bySelf := key(a, signer), key(a, self)
	if len(bySigner) != isa.KeySize || bytes.Equal(bySigner, bySelf) || bytes.Equal(bySigner, make([]byte, isa.KeySize)) {
		t.Errorf("keys %x and %x", bySigner, bySelf)
	}
	for name, c := range map[string]struct {
		on             *enclave.Machine
		img            *image.Image
		signers, selfs bool // the same keys
	}{
		"again":           {m, img, true, true},
		"after power off": {powerOn(t, cpu.Config{Fuses: fuses}), img, true, true},
		"another heap":    {m, build(t, "agent", func(o *gobuild.Options) { o.ISVSVN, o.Threads = 5, 17 }), true, false},
		"another signer":  {m, build(t, "agent", func(o *gobuild.Options) { o.ISVSVN, o.Key = 5, keys()[1] }), false, true},
		"another product": {m, build(t, "agent", func(o *gobuild.Options) { o.ISVSVN, o.ISVProdID = 5, 1 }), false, false},
		"another SVN":     {m, build(t, "agent", func(o *gobuild.Options) { o.ISVSVN = 6 }), false, false},
		"another machine": {powerOn(t, cpu.Config{}), img, false, false},
	} {
		g := start(t, c.on, c.img, process.Config{})
		if got := bytes.Equal(key(g, signer), bySigner); got != c.signers {
			t.Errorf("%s: the same key for the signer: %v", name, got)
		}
		if got := bytes.Equal(key(g, self), bySelf); got != c.selfs {
			t.Errorf("%s: the same key for the enclave: %v", name, got)
		}
	}

	ask := func(q isa.KeyRequest) []byte { b, _ := q.AppendBinary(nil); return b }
	older := a.must(t, "getkey", ask(isa.KeyRequest{KeyName: isa.KeySeal, KeyPolicy: isa.PolicyMRSigner, ISVSVN: 4}))[0]
	if bytes.Equal(older, bySigner) {
		t.Error("the key of an older SVN is that of this one")
	}
	a.refused(t, isa.ErrInvalidISVSVN.Error(), "getkey", ask(isa.KeyRequest{KeyName: isa.KeySeal, KeyPolicy: isa.PolicyMRSigner, ISVSVN: 6}))
	a.refused(t, isa.ErrInvalidAttribute.Error(), "getkey", ask(isa.KeyRequest{KeyName: isa.KeyProvision}))
	a.refused(t, isa.ErrInvalidKeyName.Error(), "getkey", ask(isa.KeyRequest{KeyName: 99}))
	provisions := start(t, m, build(t, "agent", func(o *gobuild.Options) { o.Attributes = isa.AttrProvisionKey }), process.Config{})
	if k := provisions.must(t, "getkey", ask(isa.KeyRequest{KeyName: isa.KeyProvision}))[0]; bytes.Equal(k, make([]byte, 16)) {
		t.Error("an empty provisioning key")
	}
}
