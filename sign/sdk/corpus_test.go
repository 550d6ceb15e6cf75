package sdk_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/measure"
	"github.com/feidi-dev/feidi/sign"
	"github.com/feidi-dev/feidi/sign/config"
	"github.com/feidi-dev/feidi/sign/sdk"
)

// TestCorpus signs enclaves that others built and signed, with a key of its
// own and with their configurations, which lie in the folder config of
// FEIDI_ENCLAVES as NAME.config.xml. All that depends on neither key nor day
// must stay: the measurement, and each byte of the metadata.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("FEIDI_ENCLAVES")
	if dir == "" {
		t.Skip("FEIDI_ENCLAVES names no folder of enclave files")
	}
	configs, err := filepath.Glob(filepath.Join(dir, "config", "*.config.xml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(configs) == 0 {
		t.Skip("the folder has no config/NAME.config.xml")
	}
	for _, path := range configs {
		name := strings.TrimSuffix(filepath.Base(path), ".config.xml")
		t.Run(name, func(t *testing.T) {
			file, err := os.ReadFile(filepath.Join(dir, name))
			if os.IsNotExist(err) {
				t.Skip("a configuration without an enclave")
			}
			if err != nil {
				t.Fatal(err)
			}
			xml, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			c, err := config.ParseXML(xml)
			if err != nil {
				t.Fatal(err)
			}
			resign(t, file, c)
		})
	}
}

func resign(t *testing.T, file []byte, c *config.Config) {
	before, err := image.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	u, err := sdk.Lay(file, c, sdk.Options{Date: day, Resign: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Sign(testKey()); err != nil {
		t.Fatal(err)
	}
	out := write(t, u)
	t.Logf("SDK %s, metadata %x, MRENCLAVE %x", u.SDK(), before.Versions, u.SigStruct().EnclaveHash)
	if u.SigStruct().EnclaveHash != before.SigStruct.EnclaveHash {
		t.Errorf("MRENCLAVE is %x and was %x", u.SigStruct().EnclaveHash, before.SigStruct.EnclaveHash)
	}
	after, err := image.Parse(out)
	if err != nil {
		t.Fatal(err)
	}
	if got := measure.Image(after); got != u.SigStruct().EnclaveHash {
		t.Errorf("the signed file measures %x", got)
	}
	if err := sign.Verify(after.SigStruct); err != nil {
		t.Error(err)
	}
	if sign.MRSigner(after.SigStruct) == sign.MRSigner(before.SigStruct) {
		t.Error("the signer is the same")
	}
	if was, is := unkeyed(t, file), unkeyed(t, out); !bytes.Equal(was, is) {
		for i := range was {
			if was[i] != is[i] {
				t.Fatalf("the files differ at %#x", i)
			}
		}
		t.Fatalf("%d bytes became %d", len(was), len(is))
	}
}

// unkeyed returns the file without what depends on the key and the day.
func unkeyed(t *testing.T, file []byte) []byte {
	out := bytes.Clone(file)
	s := edit(t, out).Section(image.MetadataSection)
	note := out[s.Offset+25 : s.Offset+s.Size]
	for len(note) >= 8 && le.Uint64(note) == image.MetadataMagic {
		m, err := image.ParseMetadata(note)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range m.Extends { // which lie in the file
			if x.ID == image.ExtendFIPSSignature {
				clear(x.Data)
			}
		}
		css := note[64:][:isa.SigStructSize]
		clear(css[20:24])               // DATE
		clear(css[128 : 128+384+4+384]) // MODULUS, EXPONENT, SIGNATURE
		clear(css[1040 : 1040+2*384])   // Q1, Q2
		note = note[m.Size:]
	}
	return out
}

// TestResignPCE signs Intel's provisioning certification enclave with another
// key: the enclave is the same, and its signer is not.
func TestResignPCE(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(os.Getenv("FEIDI_ENCLAVES"), "*libsgx_pce.signed.so*"))
	if err != nil || os.Getenv("FEIDI_ENCLAVES") == "" || len(files) == 0 {
		t.Skip("FEIDI_ENCLAVES has no libsgx_pce.signed.so")
	}
	file, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	before, err := image.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	c := config.Default() // what Intel's psw/ae/pce/config.xml says
	c.IntelSigned, c.ProvisionKey, c.DisableDebug, c.EnableIPPFIPS = true, true, true, true
	c.ProdID, c.ISVSVN, c.TCSMinPool = 1, 16, 0
	c.StackMinSize, c.StackMaxSize = 0x5000, 0x5000
	c.HeapMinSize, c.HeapInitSize, c.HeapMaxSize = 0x8000, 0x8000, 0x8000
	resign(t, file, &c)
	if s := before.SigStruct; s.ISVProdID != c.ProdID || s.ISVSVN != c.ISVSVN || s.Vendor != isa.VendorIntel {
		t.Errorf("ISVPRODID %d, ISVSVN %d, vendor %#x", s.ISVProdID, s.ISVSVN, s.Vendor)
	}
}
