package world

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/isa"
)

const factoryVersion = 1

// factory is factory.json: what the factory and its services know.
type factory struct {
	// The head, which tells one state from another.
	Version    int    `json:"version"`
	World      octets `json:"world"`      // the ID in keys.json
	Generation uint64 `json:"generation"` // how often it was changed

	Warning     string       `json:"warning"`
	TCBChanged  time.Time    `json:"tcb_changed"`
	CRLChanged  time.Time    `json:"crl_changed"`
	CRLChanges  uint32       `json:"crl_changes"`
	PCEs        []pceFile    `json:"pces"`
	Evaluations []evaluation `json:"evaluations"` // oldest first
	Families    []family     `json:"families"`
	Packages    []packaged   `json:"packages"`
	Platforms   []platform   `json:"platforms"`
	RevokedCAs  []revokedCA  `json:"revoked_cas"`
	EPID        *epidState   `json:"epid,omitempty"` // nil until it is asked for
	SHA256      octets       `json:"sha256"`
}

func (f *factory) checksum() *octets { return &f.SHA256 }

// headSize is how much of the file tells whether it has changed: all up to and
// beyond the generation.
const headSize = 128

// pceFile is a provisioning certification enclave whose keys are certified, as
// far as EGETKEY looks at it.
type pceFile struct {
	MRSigner   octets             `json:"mr_signer"`
	ISVProdID  uint16             `json:"isv_prod_id"`
	Flags      isa.AttributeFlags `json:"attributes"` // without MODE64BIT
	MiscSelect isa.MiscSelect     `json:"misc_select"`
}

// pceOf returns the PCE that a SECS describes.
func pceOf(s *isa.SECS) pceFile {
	return pceFile{
		MRSigner: slices.Clone(s.MRSigner[:]), ISVProdID: s.ISVProdID,
		Flags: s.Attributes.Flags &^ isa.AttrMode64Bit, MiscSelect: s.MiscSelect,
	}
}

func (p *pceFile) secs() *isa.SECS {
	return &isa.SECS{
		MRSigner: [32]byte(p.MRSigner), ISVProdID: p.ISVProdID,
		Attributes: isa.Attributes{Flags: p.Flags | isa.AttrMode64Bit}, MiscSelect: p.MiscSelect,
	}
}

func (p *pceFile) equal(o *pceFile) bool {
	return bytes.Equal(p.MRSigner, o.MRSigner) && p.ISVProdID == o.ISVProdID && p.Flags == o.Flags && p.MiscSelect == o.MiscSelect
}

// packaged is a processor package of a machine of several.
type packaged struct {
	ID       octets     `json:"id"` // 16 bytes
	Secret   octets     `json:"secret"`
	Machine  string     `json:"machine"` // that it was made for
	FMSPC    octets     `json:"fmspc"`
	PCEID    uint16     `json:"pce_id"`
	Made     time.Time  `json:"made"`
	Platform octets     `json:"platform,omitempty"` // instance of the platform that it belongs to
	Joined   *time.Time `json:"joined,omitempty"`
}

// platform is what PCK certificates are about: a machine of one package, or a
// registered one of several.
type platform struct {
	Machine             string    `json:"machine"` // when it was made
	FMSPC               octets    `json:"fmspc"`
	PCEID               uint16    `json:"pce_id"`
	Created             time.Time `json:"created"`
	RootProvisioningKey octets    `json:"root_provisioning_key"`

	// Of several packages only.
	Instance octets `json:"instance,omitempty"` // 16 bytes
	Manifest octets `json:"manifest_sha256,omitempty"`

	Revoked *revocation `json:"revoked,omitempty"`
}

type revocation struct {
	At     time.Time `json:"at"`
	Reason Reason    `json:"reason"`
}

type revokedCA struct {
	CA verify.CA `json:"ca"`
	revocation
}

func (p *platform) ca() verify.CA {
	if p.Instance != nil {
		return verify.PlatformCA
	}
	return verify.ProcessorCA
}

// Bounds of what a factory knows.
const (
	maxPCEs        = 16
	maxEvaluations = 1000
)

// check asks whether a state is one that a world makes.
func (f *factory) check(id []byte) error {
	switch {
	case f.Version != factoryVersion:
		return fmt.Errorf("version %d is not known", f.Version)
	case !bytes.Equal(f.World, id):
		return fmt.Errorf("it is of world %x, and keys.json of %x", []byte(f.World), id)
	case len(f.PCEs) == 0 || len(f.PCEs) > maxPCEs:
		return fmt.Errorf("%d PCEs", len(f.PCEs))
	case len(f.Evaluations) == 0 || len(f.Evaluations) > maxEvaluations:
		return fmt.Errorf("%d TCB evaluations", len(f.Evaluations))
	}
	for i := range f.PCEs {
		if p := &f.PCEs[i]; len(p.MRSigner) != 32 || p.Flags&isa.AttrProvisionKey == 0 {
			return fmt.Errorf("pces[%d] is no PCE", i)
		}
	}
	for i, e := range f.Evaluations {
		if i > 0 && e.Number != f.Evaluations[i-1].Number+1 {
			return fmt.Errorf("evaluations[%d]: number %d does not follow %d", i, e.Number, f.Evaluations[i-1].Number)
		}
	}
	for i := range f.Families {
		if err := f.Families[i].check(f); err != nil {
			return fmt.Errorf("families[%d]: %w", i, err)
		}
	}
	for i := range f.Packages {
		if err := f.Packages[i].check(f); err != nil {
			return fmt.Errorf("packages[%d]: %w", i, err)
		}
	}
	keys := make(map[string]bool, len(f.Platforms))
	for i := range f.Platforms {
		if err := f.Platforms[i].check(f); err != nil {
			return fmt.Errorf("platforms[%d]: %w", i, err)
		}
		// Two would have one PPID, and one of them could not be revoked.
		if key := string(f.Platforms[i].RootProvisioningKey); keys[key] {
			return fmt.Errorf("platforms[%d] has the key of another", i)
		} else {
			keys[key] = true
		}
	}
	for i, r := range f.RevokedCAs {
		if r.CA != verify.ProcessorCA && r.CA != verify.PlatformCA || !r.Reason.valid() {
			return fmt.Errorf("revoked_cas[%d] is none", i)
		}
	}
	if f.EPID != nil {
		if err := f.EPID.check(); err != nil {
			return fmt.Errorf("epid: %w", err)
		}
	}
	return nil
}

func (p *packaged) check(f *factory) error {
	switch {
	case len(p.ID) != 16 || len(p.Secret) != 16:
		return errors.New("id and secret have not 16 bytes")
	case !machineName.MatchString(p.Machine):
		return ErrName
	case f.family(p.FMSPC) == nil:
		return fmt.Errorf("FMSPC %X is of no family", []byte(p.FMSPC))
	case p.Platform != nil && (len(p.Platform) != 16 || p.Joined == nil):
		return errors.New("platform has not 16 bytes, or there is no time of joining")
	}
	return nil
}

func (p *platform) check(f *factory) error {
	switch {
	case len(p.RootProvisioningKey) != 16:
		return errors.New("root_provisioning_key has not 16 bytes")
	case !machineName.MatchString(p.Machine):
		return ErrName
	case f.family(p.FMSPC) == nil:
		return fmt.Errorf("FMSPC %X is of no family", []byte(p.FMSPC))
	case p.Instance != nil && (len(p.Instance) != 16 || len(p.Manifest) != 32):
		return errors.New("instance has not 16 bytes, or manifest_sha256 not 32")
	case p.Revoked != nil && !p.Revoked.Reason.valid():
		return errors.New("no such reason for a revocation")
	}
	return nil
}

// family returns the family with an FMSPC, or nil.
func (f *factory) family(fmspc []byte) *family {
	i := slices.IndexFunc(f.Families, func(o family) bool { return bytes.Equal(o.FMSPC, fmspc) })
	if i < 0 {
		return nil
	}
	return &f.Families[i]
}

// instance returns the platform of several packages with an instance ID, or nil.
func (f *factory) instance(id []byte) *platform {
	i := slices.IndexFunc(f.Platforms, func(p platform) bool { return p.Instance != nil && bytes.Equal(p.Instance, id) })
	if i < 0 {
		return nil
	}
	return &f.Platforms[i]
}

// clone returns a copy, of which everything may be changed but the bytes of keys.
func (f *factory) clone() *factory {
	c := *f
	c.PCEs, c.Evaluations, c.Families = slices.Clone(f.PCEs), slices.Clone(f.Evaluations), slices.Clone(f.Families)
	c.Packages, c.Platforms, c.RevokedCAs = slices.Clone(f.Packages), slices.Clone(f.Platforms), slices.Clone(f.RevokedCAs)
	for i := range c.Families {
		c.Families[i].Levels = slices.Clone(c.Families[i].Levels)
	}
	return &c
}

// crlsChange notes that the revocation lists are others now.
func (f *factory) crlsChange(now time.Time) {
	f.CRLChanges++
	f.CRLChanged = now
}
