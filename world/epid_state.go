package world

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/feidi-dev/feidi/arch/pve"
	"github.com/feidi-dev/feidi/epid"
)

// epidState is what the factory knows of EPID. It is part of factory.json once EPID
// was asked for.
type epidState struct {
	XEID       uint32      `json:"extended_group_id"`
	SigningKey octets      `json:"signing_key"` // of the issuer's files: scalar on P-256
	Service    []byte      `json:"service_key"` // of the attestation service: RSA-2048, PKCS #1
	Groups     []epidGroup `json:"groups"`      // oldest first; the last is the one that machines join
}

// epidGroup is a group with its issuer, its members and its revocation lists.
type epidGroup struct {
	Public  octets       `json:"public_key"` // 260 bytes
	Key     octets       `json:"issuer_key"` // 36 bytes
	Revoked bool         `json:"revoked"`
	Keys    []octets     `json:"revoked_keys"`       // secrets f of 32 bytes
	Sigs    []octets     `json:"revoked_signatures"` // B and K, 128 bytes
	Members []epidMember `json:"members"`
}

// epidMember is a machine that has joined.
type epidMember struct {
	PPID   octets `json:"ppid"`
	CPUSVN octets `json:"cpu_svn"` // at which its secret is derived
	ISVSVN uint16 `json:"isv_svn"`
	F      octets `json:"f"` // h1·f, 64 bytes
}

// newEPIDState draws the keys of EPID and the first group.
func newEPIDState(world []byte) (*epidState, error) {
	s := &epidState{XEID: binary.BigEndian.Uint32(world)}
	if s.XEID == 0 {
		s.XEID = 1 // 0 is Intel's
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if s.SigningKey, err = key.Bytes(); err != nil {
		return nil, err
	}
	service, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	s.Service = x509.MarshalPKCS1PrivateKey(service)
	return s, s.addGroup()
}

// addGroup makes a group, which is the next that machines join.
func (s *epidState) addGroup() error {
	var gid epid.GroupID
	binary.BigEndian.PutUint32(gid[:], uint32(len(s.Groups))+1)
	i, err := epid.NewIssuer(nil, gid)
	if err != nil {
		return err
	}
	s.Groups = append(s.Groups, epidGroup{Public: i.Group().PublicKey().Bytes(), Key: i.Key().Bytes()})
	return nil
}

// Bounds of what a factory knows of EPID.
const maxEPIDGroups = 1000

func (s *epidState) check() error {
	if len(s.Groups) == 0 || len(s.Groups) > maxEPIDGroups {
		return fmt.Errorf("%d groups", len(s.Groups))
	}
	for i := range s.Groups {
		if err := s.Groups[i].check(uint32(i) + 1); err != nil {
			return fmt.Errorf("groups[%d]: %w", i, err)
		}
	}
	return nil
}

func (g *epidGroup) check(gid uint32) error {
	if len(g.Public) != epid.PublicKeySize || len(g.Key) != epid.IssuerKeySize || binary.BigEndian.Uint32(g.Public) != gid {
		return errors.New("its keys are none, or of another group")
	}
	for i, k := range g.Keys {
		if len(k) != len(epid.Number{}) {
			return fmt.Errorf("revoked_keys[%d] is none", i)
		}
	}
	for i, k := range g.Sigs {
		if len(k) != 2*len(epid.Point{}) {
			return fmt.Errorf("revoked_signatures[%d] is none", i)
		}
	}
	for i := range g.Members {
		if m := &g.Members[i]; len(m.PPID) != 16 || len(m.CPUSVN) != 16 || len(m.F) != len(epid.Point{}) {
			return fmt.Errorf("members[%d] is none", i)
		}
	}
	return nil
}

// clone returns a copy of which everything may be changed but the bytes of keys.
func (s *epidState) clone() *epidState {
	c := *s
	c.Groups = slices.Clone(s.Groups)
	for i := range c.Groups {
		g := &c.Groups[i]
		g.Keys, g.Sigs, g.Members = slices.Clone(g.Keys), slices.Clone(g.Sigs), slices.Clone(g.Members)
	}
	return &c
}

// group returns the group of an ID, or nil.
func (s *epidState) group(gid epid.GroupID) *epidGroup {
	n := binary.BigEndian.Uint32(gid[:])
	if n == 0 || uint64(n) > uint64(len(s.Groups)) {
		return nil
	}
	return &s.Groups[n-1]
}

func (g *epidGroup) gid() epid.GroupID { return epid.GroupID(g.Public) }

// member returns the member that a platform is, or nil.
func (g *epidGroup) member(ppid [16]byte) *epidMember {
	for i := range g.Members {
		if bytes.Equal(g.Members[i].PPID, ppid[:]) {
			return &g.Members[i]
		}
	}
	return nil
}

func (m *epidMember) svn() pve.SVN { return pve.SVN{CPU: [16]byte(m.CPUSVN), ISV: m.ISVSVN} }

func (g *epidGroup) privRL() *epid.PrivRL {
	l := &epid.PrivRL{GID: g.gid(), Version: uint32(len(g.Keys))}
	for _, k := range g.Keys {
		l.Keys = append(l.Keys, epid.Number(k))
	}
	return l
}

func (g *epidGroup) sigRL() *epid.SigRL {
	l := &epid.SigRL{GID: g.gid(), Version: uint32(len(g.Sigs))}
	for _, k := range g.Sigs {
		l.Entries = append(l.Entries, epid.SigRLEntry{B: epid.Point(k), K: epid.Point(k[64:])})
	}
	return l
}

func (s *epidState) groupRL() *epid.GroupRL {
	l := new(epid.GroupRL)
	for i := range s.Groups {
		if g := &s.Groups[i]; g.Revoked {
			l.Groups = append(l.Groups, g.gid())
		}
	}
	l.Version = uint32(len(l.Groups))
	return l
}

// issuer returns the issuer of a group, which takes two pairings.
func (g *epidGroup) issuer() (*epid.Issuer, error) {
	public, err := epid.ParsePublicKey(g.Public)
	if err != nil {
		return nil, err
	}
	key, err := epid.ParseIssuerKey(g.Key)
	if err != nil {
		return nil, err
	}
	return epid.OpenIssuer(public, key)
}
