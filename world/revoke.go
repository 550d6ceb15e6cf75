package world

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/feidi-dev/feidi/dcap/verify"
)

// Reason is why a certificate is revoked (RFC 5280 §5.3.1).
type Reason int

// Reasons.
const (
	Unspecified          Reason = 0
	KeyCompromise        Reason = 1
	CACompromise         Reason = 2
	AffiliationChanged   Reason = 3
	Superseded           Reason = 4
	CessationOfOperation Reason = 5
	CertificateHold      Reason = 6
	RemoveFromCRL        Reason = 8 // takes an entry of a base CRL back: OpenSSL takes such a certificate
	PrivilegeWithdrawn   Reason = 9
	AACompromise         Reason = 10
)

func (r Reason) valid() bool {
	return r >= Unspecified && r <= AACompromise && r != 7 && r != RemoveFromCRL
}

// RevokeMachine revokes all PCK certificates of a machine, also those that it will
// have. A machine that is revoked stays as it was.
//
// Errors: ErrNoMachine, ErrNotAdopted, ErrNotRegistered (of several packages),
// ErrOtherWorld, and ErrOptions for what is no reason.
func (w *World) RevokeMachine(name string, r Reason) error {
	m, err := w.Machine(name)
	if err != nil {
		return err
	}
	if m.World == "" {
		return fmt.Errorf("%s: %w", name, ErrNotAdopted)
	}
	key := m.file.RootProvisioningKey
	unknown := fmt.Errorf("%s: %w", name, ErrNotRegistered)
	return w.revoke(r, unknown, func(f *factory) (list []*platform) {
		for i := range f.Platforms {
			p := &f.Platforms[i]
			if bytes.Equal(p.RootProvisioningKey, key) || f.hasPackageOf(p, name) {
				list = append(list, p)
			}
		}
		return list
	})
}

// hasPackageOf reports whether a platform has a package that was made for a machine:
// its packages may have been registered as several platforms.
func (f *factory) hasPackageOf(p *platform, machine string) bool {
	return p.Instance != nil && slices.ContainsFunc(f.Packages, func(k packaged) bool {
		return k.Machine == machine && bytes.Equal(k.Platform, p.Instance)
	})
}

// RevokePlatform is RevokeMachine for the platform with a PPID. The error is
// ErrUnknownPlatform if there is none.
func (w *World) RevokePlatform(ppid [16]byte, r Reason) error {
	unknown := fmt.Errorf("PPID %x: %w", ppid, ErrUnknownPlatform)
	return w.revoke(r, unknown, func(f *factory) []*platform {
		if p := indexOf(f)[ppid].platform; p != nil {
			return []*platform{p}
		}
		return nil
	})
}

func (w *World) revoke(r Reason, unknown error, find func(*factory) []*platform) error {
	if !r.valid() {
		return fmt.Errorf("%w: there is no reason %d (RFC 5280 §5.3.1)", ErrOptions, int(r))
	}
	return w.locked(func() error {
		return w.change(func(f *factory) error {
			list := find(f)
			if len(list) == 0 {
				return unknown
			}
			now, changed := w.now(), false
			for _, p := range list {
				if p.Revoked == nil {
					p.Revoked, changed = &revocation{At: now, Reason: r}, true
				}
			}
			if !changed {
				return errUnchanged
			}
			f.crlsChange(now)
			return nil
		})
	})
}

// RevokeCA revokes the certificate of a CA, and with it all that it has issued.
// Nothing takes its place. The error is ErrUnknownCA or ErrOptions.
func (w *World) RevokeCA(ca verify.CA, r Reason) error {
	if _, _, err := w.authority(ca); err != nil {
		return err
	}
	if !r.valid() {
		return fmt.Errorf("%w: there is no reason %d (RFC 5280 §5.3.1)", ErrOptions, int(r))
	}
	return w.locked(func() error {
		return w.change(func(f *factory) error {
			for _, c := range f.RevokedCAs {
				if c.CA == ca {
					return errUnchanged
				}
			}
			f.RevokedCAs = append(f.RevokedCAs, revokedCA{ca, revocation{w.now(), r}})
			f.crlsChange(w.now())
			return nil
		})
	})
}
