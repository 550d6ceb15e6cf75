package world_test

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/derive"
	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/world"
)

// facts are what was acknowledged of machines, by their names.
type facts map[string]*fact

type fact struct {
	packages  int
	cpuSVN    string // hexadecimal
	ppid      string // hexadecimal; of several packages, once it is registered
	recovered bool
	revoked   bool
}

// any returns the name of a machine, or nothing if there is none.
func (f facts) any(r *rand.Rand) string {
	if len(f) == 0 {
		return ""
	}
	return slices.Sorted(maps.Keys(f))[r.IntN(len(f))]
}

// check checks that a world opens and has all machines, with the CPUSVN that they
// had at last or, if somebody was killed who changed it, a higher one.
func (f facts) check(h *home) {
	h.Helper()
	w := h.world()
	if _, err := w.FMSPCs(); err != nil {
		h.Fatal(err)
	}
	for name, n := range f {
		m, err := w.Machine(name)
		if err != nil {
			h.Fatal(err)
		}
		if got := hex.EncodeToString(m.CPUSVN[:]); got < n.cpuSVN || m.Packages != n.packages {
			h.Errorf("%s has CPUSVN %s and %d packages, and not %s and %d", name, got, m.Packages, n.cpuSVN, n.packages)
		}
	}
}

// checkCertificates checks that the machines that are known have their
// certificates, at the TCB that they have come to, and that those that were
// revoked are on the list. It returns of how many registrations, recoveries and
// revocations there was something to see.
func (f facts) checkCertificates(h *home) (n int) {
	h.Helper()
	w := h.world()
	for name, fact := range f {
		m, err := w.Machine(name)
		if err != nil {
			h.Fatal(err)
		}
		id := ppidOf(w, m)
		switch {
		case m.Packages > 1 && fact.ppid == "":
			continue // not registered
		case m.Packages > 1:
			n++
			if got := hex.EncodeToString(id[:]); got != fact.ppid {
				h.Errorf("%s was told that its PPID is %s, and it is %s", name, fact.ppid, got)
			}
		}
		certs, err := w.PCKs(id, m.PCEID)
		if err != nil {
			h.Errorf("%s: %v", name, err)
			continue
		}
		if fact.recovered {
			n++
			if !slices.ContainsFunc(certs, func(c world.PCK) bool { return hex.EncodeToString(c.CPUSVN[:]) == fact.cpuSVN }) {
				h.Errorf("%s was recovered, and has no certificate at %s", name, fact.cpuSVN)
			}
		}
		if fact.revoked {
			n++
			for _, c := range certs {
				if !onList(h, w, &c) {
					h.Errorf("%s was revoked, and a certificate of it is not", name)
				}
			}
		}
	}
	return n
}

// ppidOf computes the PPID of a machine as the world's PCE has it.
func ppidOf(w *world.World, m *world.Machine) [16]byte {
	pce := isa.SECS{
		MRSigner: w.LEPubKeyHash(), ISVProdID: build.PCE.ProdID,
		Attributes: isa.Attributes{Flags: isa.AttrInit | isa.AttrMode64Bit | build.PCE.Attributes},
		MiscSelect: cpu.DefaultMiscSelect,
	}
	r := derive.ProvisioningRequest([16]byte{}, 0)
	return derive.PPID(cpu.ProvisioningKey(m.CPU().Fuses.RootProvisioningKey, &pce, &r))
}

// onList reports whether a certificate is on the revocation list of who has issued
// it.
func onList(h *home, w *world.World, c *world.PCK) bool {
	h.Helper()
	block, _ := pem.Decode(c.Cert)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		h.Fatal(err)
	}
	der, err := w.PCKCRL(c.CA)
	if err != nil {
		h.Fatal(err)
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		h.Fatal(err)
	}
	return slices.ContainsFunc(list.RevokedCertificateEntries, func(e x509.RevocationListEntry) bool {
		return e.SerialNumber.Cmp(cert.SerialNumber) == 0
	})
}
