package platform

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/feidi-dev/feidi/internal/atomicfile"
)

// Files below Config.Dir.
const (
	blobFile = "attestation-key.blob" // the QE's, as it is
	pckFile  = "pck.json"             // a pckFileV1
)

// maxFile is more than the largest file has, in bytes.
const maxFile = 64 << 10

// pckFileV1 is the file of a PCK certificate: for which machine and TCB it was
// asked, and what came back.
type pckFileV1 struct {
	QEID       []byte    `json:"qe_id"`
	CPUSVN     []byte    `json:"cpu_svn"` // the machine's own
	PCESVN     uint16    `json:"pce_svn"`
	PCEID      uint16    `json:"pce_id"`
	CertCPUSVN []byte    `json:"cert_cpu_svn"` // that the certificate is for
	CertPCESVN uint16    `json:"cert_pce_svn"`
	Fetched    time.Time `json:"fetched"`
	Chain      string    `json:"chain"`
}

// loadBlob reads the attestation key, if one is kept.
func (p *Platform) loadBlob(b *blob) bool {
	raw := p.load(blobFile)
	if raw == nil {
		return false
	}
	if len(raw) != len(b) {
		p.cfg.Log.Warn("a file is damaged, and is made anew", "file", filepath.Join(p.cfg.Dir, blobFile), "error", fmt.Sprintf("%d bytes, not %d", len(raw), len(b)))
		return false
	}
	copy(b[:], raw)
	return true
}

// loadPCK reads the PCK certificate, if one is kept that was asked for with this
// ID.
func (p *Platform) loadPCK(id *ID) *pck {
	raw := p.load(pckFile)
	if raw == nil {
		return nil
	}
	f, c, err := parsePCK(raw)
	if err != nil {
		p.cfg.Log.Warn("a file is damaged, and is made anew", "file", filepath.Join(p.cfg.Dir, pckFile), "error", err)
		return nil
	}
	if [16]byte(f.QEID) != id.QEID || [16]byte(f.CPUSVN) != id.CPUSVN || f.PCESVN != id.PCESVN || f.PCEID != id.PCEID {
		p.cfg.Log.Info("the PCK certificate that was kept is another machine's, or for another TCB, and is asked for anew")
		return nil
	}
	return c
}

// parsePCK reads the file of a PCK certificate.
func parsePCK(b []byte) (*pckFileV1, *pck, error) {
	f := new(pckFileV1)
	if err := json.Unmarshal(b, f); err != nil {
		return nil, nil, err
	}
	for _, v := range [][]byte{f.QEID, f.CPUSVN, f.CertCPUSVN} {
		if len(v) != 16 {
			return nil, nil, fmt.Errorf("a value of %d bytes, not 16", len(v))
		}
	}
	c, err := newPCK([16]byte(f.CertCPUSVN), f.CertPCESVN, []byte(f.Chain), f.Fetched)
	return f, c, err
}

// keep keeps a key and its PCK certificate. What cannot be kept is made again the
// next time.
func (p *Platform) keep(id *ID, k *key) {
	if p.cfg.Dir == "" {
		return
	}
	err := p.store(blobFile, k.blob[:])
	if err == nil && k.pck.chain != nil {
		var b []byte
		if b, err = json.MarshalIndent(pckFileV1{
			QEID: id.QEID[:], CPUSVN: id.CPUSVN[:], PCESVN: id.PCESVN, PCEID: id.PCEID,
			CertCPUSVN: k.pck.cpuSVN[:], CertPCESVN: k.pck.pceSVN, Fetched: k.pck.fetched, Chain: string(k.pck.chain),
		}, "", "\t"); err == nil {
			err = p.store(pckFile, b)
		}
	}
	if err != nil {
		p.cfg.Log.Warn("attestation key and PCK certificate cannot be kept", "error", err)
	}
}

// load reads a file, or returns nil.
func (p *Platform) load(name string) []byte {
	if p.cfg.Dir == "" {
		return nil
	}
	path := filepath.Join(p.cfg.Dir, name)
	b, err := atomicfile.Read(path, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		p.cfg.Log.Warn("a file cannot be read, and is made anew", "file", path, "error", err)
		return nil
	}
	return b
}

// store writes a file for the user's eyes only.
func (p *Platform) store(name string, b []byte) error {
	if err := os.MkdirAll(p.cfg.Dir, 0o700); err != nil {
		return err
	}
	atomicfile.Clean(p.cfg.Dir, time.Hour)
	return atomicfile.Write(filepath.Join(p.cfg.Dir, name), b, 0o600)
}
