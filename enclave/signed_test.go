package enclave_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/sign"
	"github.com/feidi-dev/feidi/sign/config"
	"github.com/feidi-dev/feidi/sign/sdk"
)

// TestSignedFile runs enclaves that package sign/sdk laid out and signed, each
// signed again after the one before.
func TestSignedFile(t *testing.T) {
	file, err := toy.Build(toy.Options{Versions: []uint64{}})
	if err != nil {
		t.Fatal(err)
	}
	m := powerOn(t, enclave.MachineConfig{})
	for name, change := range map[string]func(*config.Config){
		"default": func(*config.Config) {},
		"identity": func(c *config.Config) {
			c.ProdID, c.ISVSVN, c.DisableDebug, c.EnableKSS, c.ISVFamilyID = 5, 6, true, true, [16]byte{7}
		},
		"threads":  func(c *config.Config) { c.TCSNum, c.TCSMaxNum, c.TCSUnbound = 4, 4, false },
		"sizes":    func(c *config.Config) { c.StackMaxSize, c.HeapInitSize, c.HeapMaxSize = 1<<20, 1<<25, 1<<25 },
		"reserved": func(c *config.Config) { c.ReservedMemInitSize, c.ReservedMemMaxSize = 1<<16, 1<<20 },
		"dynamic":  func(c *config.Config) { c.MiscSelect, c.MiscMask, c.TCSNum, c.TCSMaxNum = 1, 0xFFFFFFFE, 2, 9 },
		"range": func(c *config.Config) {
			c.ELRange = &config.ELRange{ImageAddress: 0x100001000000, Start: 0x100000000000, Size: 1 << 28}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := config.Default()
			change(&c)
			u, err := sdk.Lay(file, &c, sdk.Options{Date: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), Resign: true})
			if err != nil {
				t.Fatal(err)
			}
			if err := u.Sign(testKey()); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if _, err := u.WriteTo(&out); err != nil {
				t.Fatal(err)
			}
			img, err := image.Parse(out.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			e := load(t, m, img)
			if r := mustCall(t, e, toy.ECallAdd, toy.MSAdd{A: 40, B: 2}); r.Sum != 42 {
				t.Errorf("40 + 2 is %d", r.Sum)
			}
			s := e.SECS()
			if s.ISVProdID != c.ProdID || s.ISVSVN != c.ISVSVN || s.MREnclave != u.SigStruct().EnclaveHash || s.MRSigner != sign.MRSigner(u.SigStruct()) {
				t.Errorf("identity %+v", s)
			}
			file = out.Bytes()
		})
	}
}
