package exchange

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/internal/strictjson"
	"github.com/feidi-dev/feidi/pccs/store"
)

// maxPCKCerts is how many PCK certificates a platform may have. Intel issues
// one for each TCB level.
const maxPCKCerts = 256

// notAvailable stands in the place of a certificate that Intel does not issue.
const notAvailable = "Not available"

// platform reads an entry of pck_certs: a platform and its PCK certificates.
func (f *file) platform(where string) {
	if len(f.platforms) == MaxPlatforms {
		f.fail(where, ErrTooLarge, "there are more platforms than are read at once")
		return
	}
	f.value(where, func(r *strictjson.Reader) {
		var id row
		var p store.Platform
		at, has := r.Start(), 0
		for r.Object(); r.NextKey(); {
			switch {
			case r.Key() == "certs":
				p.Certs = pckCerts(r, &p)
				has |= hasCerts
			case !id.member(r, &has):
				r.Skip()
			}
		}
		demand(r, at, has, hasQEID|hasPCEID|hasPPID|hasCerts)
		if r.Err() == nil && len(p.Certs) == 0 {
			r.Fail(ErrFormat, at, "it has no certificates")
		}
		p.PlatformID, p.EncryptedPPID, p.Manifest = id.PlatformID, id.ppid, id.manifest
		f.platforms = append(f.platforms, p)
	})
}

// pckCerts reads certificates, and notes what the first says of the platform.
// What the others say is for package collateral to look at.
func pckCerts(r *strictjson.Reader, p *store.Platform) (list []store.PCKCert) {
	for r.Array(); r.NextElement(); {
		at := r.Start()
		var c store.PCKCert
		var cert string
		for r.Object(); r.NextKey(); {
			switch r.Key() {
			case "tcbm":
				c.TCBm = digits(r, digitsTCBm, false)
			case "cert":
				cert = r.String()
			default:
				r.Skip()
			}
		}
		if r.Err() != nil || cert == notAvailable {
			continue
		}
		pem, certs, err := unescape(cert)
		switch {
		case c.TCBm == "":
			r.Fail(ErrFormat, at, "it has no tcbm")
		case err != nil:
			r.Fail(ErrFormat, at, err.Error())
		case len(certs) != 1:
			r.Fail(ErrFormat, at, fmt.Sprintf("cert has %d certificates, and is to have one", len(certs)))
		case len(list) == maxPCKCerts:
			r.Fail(ErrTooLarge, at, fmt.Sprintf("a platform has %d certificates at most", maxPCKCerts))
		case len(list) == 0:
			ext, ca, err := kindOf(certs[0])
			if err != nil {
				r.Fail(ErrFormat, at, err.Error())
				break
			}
			p.FMSPC, p.CA = strings.ToUpper(hex.EncodeToString(ext.FMSPC[:])), string(ca)
		}
		c.Cert = string(pem)
		list = append(list, c)
	}
	return list
}

// finish gives a platform what stands elsewhere: the TCBs that it was seen with,
// and the chain of its CA.
func (f *file) finish(p *store.Platform) {
	p.Issuers = f.chains[strings.ToUpper(p.CA)]
	seen := map[store.RawTCB]bool{}
	for _, r := range f.rows[p.PlatformID] {
		if p.EncryptedPPID == nil {
			p.EncryptedPPID = r.ppid
		}
		if p.Manifest == nil {
			p.Manifest = r.manifest
		}
		if t := (store.RawTCB{CPUSVN: r.cpuSVN, PCESVN: r.pceSVN}); t.CPUSVN != "" && t.PCESVN != "" && !seen[t] {
			seen[t] = true
			p.TCBs = append(p.TCBs, t)
		}
	}
}
