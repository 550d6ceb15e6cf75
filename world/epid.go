package world

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/feidi-dev/feidi/arch/pve"
	"github.com/feidi-dev/feidi/epid"
	"github.com/feidi-dev/feidi/epid/quote"
)

// Errors of EPID.
var (
	// ErrEPIDRevoked: machines that the factory has revoked, and groups, take no
	// new members.
	ErrEPIDRevoked = errors.New("revoked: it becomes no member of an EPID group")
	// ErrEPIDSecret: a machine joins a group with another secret than before, by
	// which it would escape revocation.
	ErrEPIDSecret = errors.New("the machine joined this EPID group with another secret before")
	// ErrEPIDTransaction: no provisioning of this transaction is under way. It has
	// to begin anew.
	ErrEPIDTransaction = errors.New("no such EPID provisioning is under way")
	// ErrEPIDGroup: the world has no such group.
	ErrEPIDGroup = errors.New("no such EPID group in this world")
)

// EPID is the older scheme of attestation in a world: the issuer of its groups,
// whom machines join, and the keys and lists of its attestation service. It is safe
// for concurrent use.
//
// There is one group at a time, for all families and TCBs. It takes no new members
// once it is revoked, and machines join the next. A machine that is revoked
// (RevokeMachine) joins no group any more, but stays a member of those that it has
// joined: nobody can tell which one it is.
type EPID struct {
	w       *World
	xeid    uint32
	signing *ecdsa.PrivateKey
	service *rsa.PrivateKey
	doc     []byte

	mu      sync.Mutex
	pending map[[16]byte]*joining // provisionings under way, by transaction
	order   [][16]byte            // of these, oldest first
	issuers map[epid.GroupID]*epid.Issuer
}

// EPID returns the world's EPID, which is made when it is asked for first: that
// draws a key of RSA-2048.
func (w *World) EPID() (*EPID, error) {
	s, err := w.state()
	if err != nil {
		return nil, err
	}
	if s.EPID == nil {
		made, err := newEPIDState(w.file.ID)
		if err != nil {
			return nil, err
		}
		if err := w.locked(func() error {
			return w.change(func(f *factory) error {
				if f.EPID != nil {
					return errUnchanged // somebody else was faster
				}
				f.EPID = made
				return nil
			})
		}); err != nil {
			return nil, err
		}
		if s, err = w.state(); err != nil {
			return nil, err
		}
	}
	e := &EPID{w: w, xeid: s.EPID.XEID, pending: map[[16]byte]*joining{}, issuers: map[epid.GroupID]*epid.Issuer{}}
	if e.signing, err = ecdsa.ParseRawPrivateKey(elliptic.P256(), s.EPID.SigningKey); err != nil {
		return nil, damaged(w.path(factoryFile), "epid: signing_key is not on P-256")
	}
	if e.service, err = x509.ParsePKCS1PrivateKey(s.EPID.Service); err != nil || e.service.N.BitLen() != 2048 {
		return nil, damaged(w.path(factoryFile), "epid: service_key is not RSA-2048 in PKCS #1")
	}
	e.doc, err = (&pve.Group{
		XEID: e.xeid, SigningKey: &e.signing.PublicKey, Service: &e.service.PublicKey, PPIDKey: &w.keys.ppid.PublicKey,
	}).Sign(w.keys.enclave)
	return e, err
}

// XEID returns the extended group ID: that of the world. It is in its quotes.
func (e *EPID) XEID() uint32 { return e.xeid }

// Document returns the extended group, with the enclave signer's word for it: what
// the provisioning enclave starts with.
func (e *EPID) Document() []byte { return slices.Clone(e.doc) }

// SigningKey returns the key that signs the issuer's files and platform info.
func (e *EPID) SigningKey() *ecdsa.PublicKey { return &e.signing.PublicKey }

// state returns what the factory knows of EPID now.
func (e *EPID) state() (*epidState, error) {
	s, err := e.w.state()
	if err != nil {
		return nil, err
	}
	if s.EPID == nil {
		return nil, damaged(e.w.path(factoryFile), "epid is missing")
	}
	return s.EPID, nil
}

// change changes what the factory knows of EPID.
func (e *EPID) change(f func(*epidState) error) error {
	return e.w.locked(func() error {
		return e.w.change(func(s *factory) error {
			if s.EPID == nil {
				return fmt.Errorf("epid is missing: %w", ErrDamaged)
			}
			next := s.EPID.clone()
			if err := f(next); err != nil {
				return err
			}
			s.EPID = next
			return nil
		})
	})
}

// changeGroup changes a group.
func (e *EPID) changeGroup(gid epid.GroupID, f func(*epidGroup) error) error {
	return e.change(func(s *epidState) error {
		g := s.group(gid)
		if g == nil {
			return fmt.Errorf("%x: %w", gid, ErrEPIDGroup)
		}
		return f(g)
	})
}

// Group returns the ID of the group that machines join now.
func (e *EPID) Group() (epid.GroupID, error) {
	s, err := e.state()
	if err != nil {
		return epid.GroupID{}, err
	}
	return s.Groups[len(s.Groups)-1].gid(), nil
}

// SigRL returns the signed SigRL of a group, for who asks for a quote, or nil if it
// has no entries. The error is ErrEPIDGroup.
func (e *EPID) SigRL(gid epid.GroupID) ([]byte, error) {
	s, err := e.state()
	if err != nil {
		return nil, err
	}
	g := s.group(gid)
	if g == nil {
		return nil, fmt.Errorf("%x: %w", gid, ErrEPIDGroup)
	}
	if len(g.Sigs) == 0 {
		return nil, nil
	}
	return epid.SignFile(e.signing, epid.FileSigRL, g.sigRL().Bytes())
}

// Verifier returns the attestation service: it verifies quotes, with the revocation
// lists as they are now.
func (e *EPID) Verifier() (*quote.Verifier, error) {
	s, err := e.state()
	if err != nil {
		return nil, err
	}
	v := &quote.Verifier{Key: e.service, XEID: e.xeid, GroupRL: s.groupRL()}
	for i := range s.Groups {
		g := &s.Groups[i]
		is, err := e.issuer(g)
		if err != nil {
			return nil, err
		}
		group := quote.Group{Group: is.Group(), PrivRL: g.privRL()}
		if len(g.Sigs) != 0 {
			group.SigRL = g.sigRL()
		}
		v.Groups = append(v.Groups, group)
	}
	return v, nil
}

// issuer returns the issuer of a group.
func (e *EPID) issuer(g *epidGroup) (*epid.Issuer, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if i := e.issuers[g.gid()]; i != nil {
		return i, nil
	}
	i, err := g.issuer()
	if err != nil {
		return nil, damaged(e.w.path(factoryFile), "epid: group %x: %v", g.gid(), err)
	}
	e.issuers[g.gid()] = i
	return i, nil
}

// PlatformInfo signs what the attestation service says of a platform.
func (e *EPID) PlatformInfo(p *quote.PlatformInfo) ([quote.PlatformInfoSize]byte, error) {
	return p.Sign(e.signing)
}

// RevokeKey revokes a member whose private key is known. The error is ErrEPIDGroup.
func (e *EPID) RevokeKey(gid epid.GroupID, f epid.Number) error {
	return e.changeGroup(gid, func(g *epidGroup) error {
		g.Keys = append(g.Keys, f[:])
		return nil
	})
}

// RevokeSignature revokes a member by one of its quotes, see quote.Result. The
// error is ErrEPIDGroup.
func (e *EPID) RevokeSignature(gid epid.GroupID, s epid.SigRLEntry) error {
	return e.changeGroup(gid, func(g *epidGroup) error {
		g.Sigs = append(g.Sigs, slices.Concat(s.B[:], s.K[:]))
		return nil
	})
}

// RevokeGroup revokes a group. If it is the one that machines join, there is a new
// one. The error is ErrEPIDGroup.
func (e *EPID) RevokeGroup(gid epid.GroupID) error {
	return e.change(func(s *epidState) error {
		g := s.group(gid)
		if g == nil {
			return fmt.Errorf("%x: %w", gid, ErrEPIDGroup)
		}
		if g.Revoked {
			return errUnchanged
		}
		g.Revoked = true
		if gid == s.Groups[len(s.Groups)-1].gid() {
			return s.addGroup()
		}
		return nil
	})
}
