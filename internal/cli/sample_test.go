package cli

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"sync"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/measure"
	"github.com/feidi-dev/feidi/sign"
)

// samples are the files that the scripts work on, by name.
var samples = sync.OnceValues(func() (map[string][]byte, error) {
	m := &image.Image{
		Format: image.FormatSGXS, Size: 0x10000, SSAFrameSize: 1,
		Runs: []image.Run{
			{Offset: 0, Pages: 1, Flags: isa.MakeSecInfoFlags(0, isa.PTTCS), Data: tcs(0x1000, 0x3000), Measured: true},
			{Offset: 0x1000, Pages: 2, Flags: isa.MakeSecInfoFlags(isa.SecInfoR|isa.SecInfoW, isa.PTREG), Measured: true},
			{Offset: 0x3000, Pages: 1, Flags: isa.MakeSecInfoFlags(isa.SecInfoR|isa.SecInfoX, isa.PTREG), Data: []byte{0x0F, 0x0B}, Measured: true},
		},
	}
	key, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	s := &isa.SigStruct{
		Date: 0x20260102, ISVProdID: 7, ISVSVN: 3,
		Attributes:    isa.Attributes{Flags: isa.AttrMode64Bit | isa.AttrKSS, XFRM: isa.XFRMLegacy},
		AttributeMask: isa.Attributes{Flags: ^isa.AttrDebug, XFRM: ^isa.XFRM(0)},
		MiscMask:      ^isa.MiscSelect(0),
		EnclaveHash:   measure.Image(m),
		ISVExtProdID:  [16]byte{0xE0}, ISVFamilyID: [16]byte{0xFA},
	}
	files := map[string][]byte{
		"enclave.sgxs": image.AppendSGXS(nil, m),
		"toy.edl":      []byte(toy.EDL),
		"key.pem":      pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}),
	}
	for name, change := range map[string]func(*isa.SigStruct){
		"enclave.sig": func(*isa.SigStruct) {},
		"other.sig":   func(s *isa.SigStruct) { s.EnclaveHash[0] ^= 1 },
	} {
		c := *s
		change(&c)
		if err := sign.Sign(&c, key); err != nil {
			return nil, err
		}
		if files[name], err = c.AppendBinary(nil); err != nil {
			return nil, err
		}
	}
	for name, o := range map[string]toy.Options{
		"toy.so":     {ISVProdID: 9, ISVSVN: 4, Debug: true, SDKVersion: "2.25.100.1"},
		"debug.so":   {Attributes: isa.Attributes{Flags: isa.AttrDebug}, Debug: true, KSS: true},
		"sim.so":     {Simulation: true},
		"badhash.so": {Edit: func(s *isa.SigStruct) { s.EnclaveHash[0] ^= 1 }},
		"badattr.so": {Edit: func(s *isa.SigStruct) { s.Attributes.XFRM |= 1 << 40 }},
	} {
		o.Key = key
		if files[name], err = toy.Build(o); err != nil {
			return nil, err
		}
	}
	for name, o := range map[string]toy.Options{
		"unsigned.so": {Versions: []uint64{}},
		"hugeheap.so": {HeapSize: 1 << 40}, // signing it would take long
	} {
		if files[name], err = toy.Build(o); err != nil {
			return nil, err
		}
	}
	files["forged.sig"] = bytes.Clone(files["enclave.sig"])
	files["forged.sig"][1026]++ // ISVSVN, which is signed
	files["short.sgxs"] = files["enclave.sgxs"][:100]
	return files, nil
})

// tcs is the content of a TCS page with one SSA frame.
func tcs(ossa, oentry uint64) []byte {
	t := isa.TCS{OSSA: ossa, NSSA: 1, OEntry: oentry, FSLimit: 0xFFFFFFFF, GSLimit: 0xFFFFFFFF}
	b, _ := t.AppendBinary(nil)
	return b
}

func writeSamples(dir string) error {
	files, err := samples()
	if err != nil {
		return err
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}
