package platform_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/arch/derive"
	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/platform"
	"github.com/feidi-dev/feidi/testpki"
	"github.com/feidi-dev/feidi/testsuite/system"
)

// files are what is kept, by name.
func (w *world) files() map[string][]byte {
	w.Helper()
	all := map[string][]byte{}
	for _, e := range must(os.ReadDir(w.dir)) {
		if m := must(e.Info()).Mode(); m != 0o600 {
			w.Errorf("%s: %v", e.Name(), m)
		}
		all[e.Name()] = must(os.ReadFile(filepath.Join(w.dir, e.Name())))
	}
	if len(all) != 2 || all[platform.BlobFile] == nil || all[platform.PCKFile] == nil {
		w.Fatalf("%d files are kept", len(all))
	}
	return all
}

// registered starts a machine, has it certified, and makes a quote.
func (w *world) registered() (h *host, keyID []byte) {
	w.Helper()
	h = w.start()
	h.register()
	h.quote()
	_, keyID = h.init()
	return h, keyID
}

// A second start needs no service and no certification.
func TestKept(t *testing.T) {
	w := newWorld(t)
	h, keyID := w.registered()
	if m := must(os.Stat(w.dir)).Mode(); m != fs.ModeDir|0o700 {
		t.Error(m)
	}
	h.off()
	before := w.files()
	w.server.Close()
	h = w.start()
	h.quote()
	if _, id := h.init(); !bytes.Equal(id, keyID) {
		t.Errorf("key %x, and not %x", id, keyID)
	}
	// A certification would have changed the blob, whose key is random.
	if after := w.files(); !bytes.Equal(after[platform.BlobFile], before[platform.BlobFile]) {
		t.Error("the key was certified anew")
	}
	if n := w.requests.Load(); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// Without a directory nothing is kept, and all is done anew.
func TestNothingKept(t *testing.T) {
	w := newWorld(t)
	none := func(c *platform.Config) { c.Dir = "" }
	h := w.start(none)
	h.register()
	h.quote()
	_, keyID := h.init()
	h.off()
	h = w.start(none)
	h.quote()
	if _, id := h.init(); !bytes.Equal(id, keyID) || w.requests.Load() != 2 {
		t.Errorf("key %x, and not %x; %d requests", id, keyID, w.requests.Load())
	}
}

// After an update of the microcode the key is another one, and certified anew at
// the new TCB.
func TestRaisedCPUSVN(t *testing.T) {
	w := newWorld(t)
	h, keyID := w.registered()
	h.off()
	w.cpu.CPUSVN[0]++
	w.machine.SGX.CPUSVN, w.machine.SGX.TCB[0] = w.cpu.CPUSVN, w.cpu.CPUSVN[0]
	h = w.start()
	h.certify()
	r := h.quote()
	_, id := h.init()
	if bytes.Equal(id, keyID) || w.requests.Load() != 2 {
		t.Errorf("key %x as before, or %d requests", id, w.requests.Load())
	}
	if r.Quote.QEReport.CPUSVN != w.cpu.CPUSVN {
		t.Errorf("CPUSVN of the QE report %x", r.Quote.QEReport.CPUSVN)
	}
}

// If the service has a certificate for another TCB after a while, the key stays and
// is certified with that, while quotes go on.
func TestNewCertificate(t *testing.T) {
	w := newWorld(t)
	w.cpu.CPUSVN[0]++ // the machine is ahead of the service
	h, keyID := w.registered()
	before := w.files()
	w.machine.SGX.CPUSVN = w.cpu.CPUSVN
	h.certify()
	h.quote() // with the old one
	w.now.Add(int64(platform.DefaultRefresh / time.Second))
	h.init()
	if err := h.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := h.quote()
	if _, id := h.init(); !bytes.Equal(id, keyID) {
		t.Errorf("key %x, and not %x", id, keyID)
	}
	if bytes.Equal(w.files()[platform.BlobFile], before[platform.BlobFile]) {
		t.Error("the key was not certified anew")
	}
	if r.Quote.Header.PCESVN != w.machine.SGX.PCESVN || w.requests.Load() != 2 {
		t.Errorf("%+v, %d requests", r.Quote.Header, w.requests.Load())
	}
}

// A machine that the service does not know, or a service that fails, is an error
// that says so, and nothing has to be started again.
func TestServiceFails(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	key := h.KeyID()
	_, _, err := h.InitQuote(t.Context(), &key)
	system.CodeIs(t, "unknown machine", err, aesm.ErrNoPlatformCertData)
	if !strings.Contains(err.Error(), "register the machine") {
		t.Error(err)
	}
	h.register()
	for _, c := range []struct {
		status int64
		code   aesm.Code
	}{{500, aesm.ErrBackendBusy}, {503, aesm.ErrNetworkBusy}, {401, aesm.ErrNoPlatformCertData}, {461, aesm.ErrNoPlatformCertData}, {410, aesm.ErrMessage}} {
		w.status.Store(c.status)
		_, _, err = h.InitQuote(t.Context(), &key)
		system.CodeIs(t, "service that fails", err, c.code)
	}
	w.status.Store(0)
	h.quote()

	// One that fails later does no harm for as long as the certificate is good.
	asked := w.requests.Load()
	w.server.Close()
	w.now.Add(int64(platform.DefaultRefresh / time.Second))
	h.quote()
	if err := h.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.quote()
	h.off()
	h = w.start()
	h.quote()
	w.now.Add(int64(w.machine.PCK.Template.NotAfter.Sub(w.pki.Now) / time.Second))
	_, _, err = h.InitQuote(t.Context(), &key)
	system.CodeIs(t, "expired certificate, no service", err, aesm.ErrNetwork)
	if !strings.Contains(err.Error(), w.server.URL) {
		t.Error(err)
	}
	_, err = h.QuoteSize(t.Context(), &key)
	system.CodeIs(t, "size with an expired certificate", err, aesm.ErrAttKeyNotInitialized)
	if n := w.requests.Load(); n != asked {
		t.Errorf("%d requests, and not %d", n, asked)
	}
}

func TestNoService(t *testing.T) {
	w := newWorld(t)
	h := w.start(func(c *platform.Config) { c.PCK = nil })
	key := h.KeyID()
	_, _, err := h.InitQuote(t.Context(), &key)
	system.CodeIs(t, "no service", err, aesm.ErrPlatformLib)
}

// A certificate of another key is found out before anybody gets a quote with it.
func TestOtherMachinesCertificate(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	h.register()
	w.machine.Reissue(func(c *testpki.Template) { c.Key = derive.PCK([16]byte{1}) })
	key := h.KeyID()
	_, _, err := h.InitQuote(t.Context(), &key)
	system.CodeIs(t, "another machine's certificate", err, aesm.ErrCertDataInvalid)
	h.certify()
	h.quote()
}

// Damaged files are made again, whatever the damage.
func TestDamaged(t *testing.T) {
	w := newWorld(t)
	h, keyID := w.registered()
	h.off()
	whole := w.files()
	for name, b := range whole {
		for what, damaged := range map[string][]byte{
			"empty": nil, "cut": b[:len(b)-1], "longer": append(bytes.Clone(b), 7), "zeros": make([]byte, len(b)),
			"other chain": bytes.Replace(b, []byte("MII"), []byte("MIJ"), 1), "changed": flipped(b),
		} {
			for n, b := range whole {
				if n == name {
					b = damaged
				}
				if err := os.WriteFile(filepath.Join(w.dir, n), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			h := w.start()
			h.quote()
			if _, id := h.init(); !bytes.Equal(id, keyID) {
				t.Errorf("%s, %s: key %x, and not %x", name, what, id, keyID)
			}
			h.off()
			if after := w.files(); bytes.Equal(after[name], damaged) && !bytes.Equal(damaged, b) {
				t.Errorf("%s, %s: stays damaged", name, what)
			}
		}
	}
}

func flipped(b []byte) []byte {
	b = bytes.Clone(b)
	b[len(b)/2] ^= 1
	return b
}

// Files that cannot be read or written are no reason not to work.
func TestNoDirectory(t *testing.T) {
	w := newWorld(t)
	if err := os.WriteFile(w.dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.registered()
}

// The files of another machine are not used.
func TestOtherMachine(t *testing.T) {
	w := newWorld(t)
	h, keyID := w.registered()
	h.off()
	w.cpu.Fuses = must(cpu.NewFuses(bytes.NewReader(bytes.Repeat([]byte{7}, 64))))
	h = w.start()
	key := h.KeyID()
	if _, _, err := h.InitQuote(t.Context(), &key); !errors.Is(err, aesm.ErrNoPlatformCertData) {
		t.Error(err)
	}
	h.register()
	h.quote()
	if _, id := h.init(); bytes.Equal(id, keyID) {
		t.Error("the other machine's key")
	}
}

// Whoever comes at once gets the same key, of one initialisation, and quotes are
// made side by side.
func TestConcurrent(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	h.register()
	key := h.KeyID()
	const callers, each = 16, 8
	var quotes [callers][each][]byte
	var all sync.WaitGroup
	for i := range quotes {
		all.Go(func() {
			target, _, err := h.InitQuote(t.Context(), &key)
			if err != nil {
				t.Error(err)
				return
			}
			report, info := h.report(target), &aesm.QEReportInfo{Target: h.app.TargetInfo()}
			for j := range quotes[i] {
				if quotes[i][j], err = h.Quote(t.Context(), &key, report, info); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for _, own := range quotes {
		for _, q := range own {
			w.verified(q)
		}
	}
	if n := w.requests.Load(); n != 1 {
		t.Errorf("%d requests", n)
	}
}
