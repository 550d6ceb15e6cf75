package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/feidi-dev/feidi/arch/pce/edl"
	_ "github.com/feidi-dev/feidi/cpu/native" // the engine, where there is one
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/enclave/tstdc"
	"github.com/feidi-dev/feidi/image"
	toyimage "github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
	"github.com/feidi-dev/feidi/testsuite/client/toy"
	tstdcedl "github.com/feidi-dev/feidi/testsuite/client/tstdc"
)

// What the runtime has built in is what is generated for a host to implement.
var _ tstdcedl.TstdcOCalls = (*tstdc.OCalls)(nil)

// A host serves some OCALLs, the library those that its EDL imports, and the
// rest nobody.
type someHost struct {
	tstdc.OCalls
	rest
}
type rest struct {
	tstdcedl.UnimplementedTstdcOCalls
}

var _ tstdcedl.TstdcOCalls = (*someHost)(nil)

// TestUnimplemented asks for an OCALL that nobody serves.
func TestUnimplemented(t *testing.T) {
	_, err := rest{}.SgxOcCpuidex(t.Context(), 0, 0)
	if !errors.Is(err, enclave.ErrInvalidFunction) || !strings.Contains(err.Error(), "sgx_oc_cpuidex") {
		t.Error(err)
	}
}

func powerOn(t testing.TB) *enclave.Machine {
	t.Helper()
	m, err := enclave.PowerOn(enclave.MachineConfig{})
	if errors.Is(err, enclave.ErrNoEngine) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func load(t testing.TB, m *enclave.Machine, file []byte) *enclave.Enclave {
	t.Helper()
	img, err := image.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	e, err := m.Load(context.Background(), img)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Destroy(); err != nil {
			t.Error(err)
		}
	})
	return e
}

var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
})

func loadToy(t testing.TB, m *enclave.Machine, o toyimage.Options) *enclave.Enclave {
	t.Helper()
	o.Key = testKey()
	b, err := toyimage.Build(o)
	if err != nil {
		t.Fatal(err)
	}
	return load(t, m, b)
}

// host serves the OCALLs of a toy.
type host struct {
	printed []string
	ask     func(ctx context.Context, v uint64) (uint64, error)
}

func (h *host) OcallPrint(_ context.Context, s string) error {
	h.printed = append(h.printed, s)
	return nil
}

func (h *host) OcallAsk(ctx context.Context, v uint64) (uint64, error) { return h.ask(ctx, v) }

var errNoAnswer = errors.New("there is no answer")

// A generated client and an enclave that a processor executes.
func TestToy(t *testing.T) {
	ctx := context.Background()
	m := powerOn(t)
	e := loadToy(t, m, toyimage.Options{})
	h := &host{}
	x := toy.NewToy(e, h)
	defer x.Close()

	if err := x.Empty(ctx); err != nil {
		t.Error(err)
	}
	if got, err := x.Add(ctx, 1<<63, 5); err != nil || got != 1<<63+5 {
		t.Errorf("add: %d, %v", got, err)
	}
	for _, n := range []int{0, 1, 4096, 1 << 20} {
		if got, err := x.Sum(ctx, bytes.Repeat([]byte{2}, n)); err != nil || got != uint64(2*n) {
			t.Errorf("sum of %d: %d, %v", n, got, err)
		}
	}
	src := []byte("over the border and back")
	if got, err := x.Copy(ctx, src); err != nil || !bytes.Equal(got, src) {
		t.Errorf("copy: %q, %v", got, err)
	}
	if err := x.Print(ctx, "grüße"); err != nil || fmt.Sprint(h.printed) != "[grüße]" {
		t.Errorf("print: %q, %v", h.printed, err)
	}
	h.ask = func(_ context.Context, v uint64) (uint64, error) { return v * v, nil }
	if got, err := x.Ask(ctx, 12); err != nil || got != 144 {
		t.Errorf("ask: %d, %v", got, err)
	}
	// An ECALL in the OCALL, on the same thread.
	h.ask = func(ctx context.Context, v uint64) (uint64, error) { return x.Add(ctx, v, 1) }
	if got, err := x.Ask(ctx, 12); err != nil || got != 13 {
		t.Errorf("ask, nested: %d, %v", got, err)
	}
	h.ask = func(context.Context, uint64) (uint64, error) { return 0, errNoAnswer }
	if _, err := x.Ask(ctx, 12); !errors.Is(err, errNoAnswer) {
		t.Errorf("ask, without an answer: %v", err)
	}

	// The same on a thread that stays.
	th, err := e.Bind()
	if err != nil {
		t.Fatal(err)
	}
	defer th.Release()
	bound := toy.NewToy(th, h)
	defer bound.Close()
	if got, err := bound.Add(ctx, 1, 2); err != nil || got != 3 {
		t.Errorf("add on a thread: %d, %v", got, err)
	}
}

// libPCE finds Intel's PCE in the folder of third-party enclaves.
func libPCE(t *testing.T) []byte {
	t.Helper()
	dir := os.Getenv("FEIDI_ENCLAVES")
	if dir == "" {
		t.Skip("FEIDI_ENCLAVES does not name a folder of third-party enclaves")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*libsgx_pce*.so*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.Contains(f, ".signed.so") {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
	}
	t.Skip("the folder has no libsgx_pce.signed.so")
	return nil
}

// Numbers of the PCE's interface.
const (
	suiteOAEP  = 1 // RSA-OAEP-3072
	schemeP256 = 0 // ECDSA over P-256 with SHA-256

	invalidPrivilege = 207
	invalidReport    = 208
)

// TestPCE calls Intel's own enclave by a client that is generated from its
// EDL: arguments in, buffers out.
func TestPCE(t *testing.T) {
	file := libPCE(t)
	ctx := context.Background()
	m := powerOn(t)
	target := load(t, m, file)
	x := edl.NewPce(target)
	defer x.Close()

	ret, info, err := x.GetPcInfoWithoutPpid(ctx)
	if err != nil || ret != 0 || info != (edl.PceInfo{IsvSvn: 16, Id: 0}) {
		t.Errorf("get_pc_info_without_ppid: %d, %+v, %v", ret, info, err)
	}

	client := toy.NewToy(loadToy(t, m, toyimage.Options{Attributes: isa.Attributes{Flags: isa.AttrProvisionKey}}), nil)
	defer client.Close()
	report := func(c *toy.Toy, data [64]byte) *isa.Report {
		t.Helper()
		info := target.TargetInfo()
		ti, _ := info.AppendBinary(nil)
		b, err := c.Report(ctx, (*[512]byte)(ti), &data)
		if err != nil {
			t.Fatal(err)
		}
		var r isa.Report
		if err := r.UnmarshalBinary(b[:]); err != nil {
			t.Fatal(err)
		}
		return &r
	}

	// The PPID is that of the machine, whatever key it is encrypted to.
	var ppids [2][]byte
	for i := range ppids {
		key, err := rsa.GenerateKey(rand.Reader, 3072)
		if err != nil {
			t.Fatal(err)
		}
		pub := append(key.N.FillBytes(make([]byte, 384)), 0, 1, 0, 1)
		var data [64]byte
		digest := sha256.Sum256(append([]byte{suiteOAEP}, pub...))
		copy(data[:], digest[:])
		ret, encrypted, size, info, scheme, err := x.GetPcInfo(ctx, report(client, data), pub, suiteOAEP, 384)
		if err != nil || ret != 0 || size != 384 || scheme != schemeP256 || info.IsvSvn != 16 {
			t.Fatalf("get_pc_info: %d, %d bytes, scheme %d, %+v, %v", ret, size, scheme, info, err)
		}
		if ppids[i], err = rsa.DecryptOAEP(sha256.New(), nil, key, encrypted, nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(ppids[0]) != 16 || !bytes.Equal(ppids[0], ppids[1]) {
		t.Errorf("PPID %x, then %x", ppids[0], ppids[1])
	}

	psvn := &edl.Psvn{CpuSvn: m.Processor().CPUSVN(), IsvSvn: 16}
	rep := report(client, [64]byte{1, 2, 3})
	ret, signature, size, err := x.CertifyEnclave(ctx, psvn, rep, 64)
	if err != nil || ret != 0 || size != 64 || len(signature) != 64 || bytes.Equal(signature, make([]byte, 64)) {
		t.Errorf("certify_enclave: %d, %d bytes of %x, %v", ret, size, signature, err)
	}
	rep.ReportData[0]++
	if ret, _, _, err := x.CertifyEnclave(ctx, psvn, rep, 64); err != nil || ret != invalidReport {
		t.Errorf("certify_enclave of a changed REPORT: %d, %v; want %d", ret, err, invalidReport)
	}
	other := toy.NewToy(loadToy(t, m, toyimage.Options{}), nil)
	defer other.Close()
	if ret, _, _, err := x.CertifyEnclave(ctx, psvn, report(other, [64]byte{}), 64); err != nil || ret != invalidPrivilege {
		t.Errorf("certify_enclave without PROVISION_KEY: %d, %v; want %d", ret, err, invalidPrivilege)
	}
}

func BenchmarkToy(b *testing.B) {
	ctx := context.Background()
	e := loadToy(b, powerOn(b), toyimage.Options{})
	h := &host{ask: func(_ context.Context, v uint64) (uint64, error) { return v, nil }}
	x := toy.NewToy(e, h)
	defer x.Close()
	b.Run("raw empty", func(b *testing.B) {
		for b.Loop() {
			if err := e.CallAt(ctx, 0, 0, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("empty", func(b *testing.B) {
		for b.Loop() {
			if err := x.Empty(ctx); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("add", func(b *testing.B) {
		for b.Loop() {
			if _, err := x.Add(ctx, 1, 2); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("copy 4 KiB", func(b *testing.B) {
		p := make([]byte, 4096)
		b.SetBytes(2 * 4096)
		for b.Loop() {
			if _, err := x.Copy(ctx, p); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ask", func(b *testing.B) {
		for b.Loop() {
			if _, err := x.Ask(ctx, 2); err != nil {
				b.Fatal(err)
			}
		}
	})
}
