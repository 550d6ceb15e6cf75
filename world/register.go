package world

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"
)

// Register registers a platform of several packages by its manifest, and returns
// its PPID as the world's own PCE has it. The same manifest again gives the same.
// From then on it has PCK certificates.
//
// Errors: ErrManifest, ErrUnknownPackage, ErrPackageElsewhere, ErrIncompatible,
// ErrReplay, and those of a world that is gone or damaged.
func (w *World) Register(b []byte) (ppid [16]byte, err error) {
	m, err := parseManifest(b, kindManifest)
	if err != nil {
		return ppid, err
	}
	sum := sha256.Sum256(b)
	if s, err := w.state(); err != nil {
		return ppid, err
	} else if p := s.instance(m.instance); p != nil && bytes.Equal(p.Manifest, sum[:]) {
		return s.ownPPID(p), nil
	} else if _, err := s.vouched(m); err != nil {
		return ppid, err // who has nothing to register does not wait for the lock
	}
	err = w.locked(func() error {
		return w.change(func(f *factory) error {
			packages, err := f.vouched(m)
			if err != nil {
				return err
			}
			key, err := m.open(w.keys.registration)
			if err != nil {
				return fmt.Errorf("%w: %w", ErrManifest, err)
			}
			if p := f.instance(m.instance); p != nil {
				if !bytes.Equal(p.Manifest, sum[:]) {
					return fmt.Errorf("platform instance %x: %w", m.instance, ErrReplay)
				}
				ppid = f.ownPPID(p) // another was faster
				return errUnchanged
			}
			if slices.ContainsFunc(f.Platforms, func(p platform) bool { return bytes.Equal(p.RootProvisioningKey, key) }) {
				// It would have the PPID and the PCKs of that one.
				return fmt.Errorf("%w: its key is another platform's", ErrManifest)
			}
			now := w.now()
			if err := f.join(packages, m.instance, now); err != nil {
				return err
			}
			f.Platforms = append(f.Platforms, platform{
				Machine: packages[0].Machine, FMSPC: packages[0].FMSPC, PCEID: packages[0].PCEID, Created: now,
				RootProvisioningKey: key, Instance: slices.Clone(m.instance), Manifest: sum[:],
			})
			ppid = f.ownPPID(&f.Platforms[len(f.Platforms)-1])
			return nil
		})
	})
	return ppid, err
}

// ownPPID is the PPID of a platform as the world's own PCE has it.
func (f *factory) ownPPID(p *platform) [16]byte { return named{p, &f.PCEs[0]}.ppid() }

// vouched returns the packages of a manifest or request, if all are the factory's,
// have made it, and are of one family.
func (f *factory) vouched(m *manifest) ([]*packaged, error) {
	var list []*packaged
	for _, id := range m.ids {
		i := slices.IndexFunc(f.Packages, func(p packaged) bool { return bytes.Equal(p.ID, id) })
		if i < 0 {
			return nil, fmt.Errorf("package %x: %w", id, ErrUnknownPackage)
		}
		list = append(list, &f.Packages[i])
	}
	for i, p := range list {
		if !hmac.Equal(m.tags[i], mac(p.Secret, m.signed)) {
			return nil, fmt.Errorf("%w: package %x has not made it", ErrManifest, []byte(p.ID))
		}
		if first := list[0]; !bytes.Equal(p.FMSPC, first.FMSPC) || p.PCEID != first.PCEID {
			return nil, fmt.Errorf("%w: FMSPCs %X and %X", ErrIncompatible, []byte(first.FMSPC), []byte(p.FMSPC))
		}
	}
	return list, nil
}

// join puts packages into a platform. Those that are in it already stay as they
// are.
func (f *factory) join(packages []*packaged, instance []byte, now time.Time) error {
	for _, p := range packages {
		if p.Platform != nil && !bytes.Equal(p.Platform, instance) {
			return fmt.Errorf("package %x: %w", []byte(p.ID), ErrPackageElsewhere)
		}
		if p.Platform == nil {
			p.Platform, p.Joined = slices.Clone(instance), &now
		}
	}
	return nil
}

// AddPackage adds packages to a registered platform, as a request of it asks. It
// returns a platform membership certificate of MembershipSize bytes for each, in
// the order of their IDs. The same request again gives the same.
//
// Errors: ErrManifest, ErrNotRegistered, ErrUnknownPackage, ErrPackageElsewhere,
// ErrIncompatible, ErrTooManyPackages, and those of a world that is gone or
// damaged.
func (w *World) AddPackage(request []byte) (certificates [][]byte, err error) {
	m, err := parseManifest(request, kindAdd)
	if err != nil {
		return nil, err
	}
	if s, err := w.state(); err != nil {
		return nil, err
	} else if _, err := s.vouched(m); err != nil {
		return nil, err // as in Register
	}
	err = w.locked(func() error {
		return w.change(func(f *factory) error {
			packages, err := f.vouched(m)
			if err != nil {
				return err
			}
			p := f.instance(m.instance)
			switch {
			case p == nil:
				return fmt.Errorf("platform instance %x: %w", m.instance, ErrNotRegistered)
			case !hmac.Equal(m.mac, mac(p.RootProvisioningKey, m.info)):
				return fmt.Errorf("%w: the platform has not made it", ErrManifest)
			case !bytes.Equal(p.FMSPC, packages[0].FMSPC) || p.PCEID != packages[0].PCEID:
				return fmt.Errorf("%w: FMSPCs %X and %X", ErrIncompatible, []byte(p.FMSPC), []byte(packages[0].FMSPC))
			}
			joined := !slices.ContainsFunc(packages, func(p *packaged) bool { return p.Platform == nil })
			if err := f.join(packages, m.instance, w.now()); err != nil {
				return err
			}
			members := 0
			for i := range f.Packages {
				if bytes.Equal(f.Packages[i].Platform, m.instance) {
					members++
				}
			}
			if members > MaxPackages {
				return fmt.Errorf("%w: a platform has at most %d", ErrTooManyPackages, MaxPackages)
			}
			for _, p := range packages {
				certificates = append(certificates, membership(p, *p.Joined))
			}
			if joined {
				return errUnchanged
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return certificates, nil
}

// NewPackage puts another processor package into a machine of several, as an owner
// does who has bought one, and returns the request that AddPackage takes. The
// machine is to be registered before.
//
// Errors: ErrNoMachine, ErrOtherWorld, ErrNotRegistered, ErrTooManyPackages.
func (w *World) NewPackage(name string) (request []byte, err error) {
	err = w.locked(func() error {
		m, err := w.Machine(name)
		if err != nil {
			return err
		}
		s, err := w.state()
		if err != nil {
			return err
		}
		switch {
		case m.file.Instance == nil || s.instance(m.file.Instance) == nil:
			return fmt.Errorf("%s: %w", name, ErrNotRegistered)
		case m.Packages == MaxPackages:
			return fmt.Errorf("%s: %w: it has %d", name, ErrTooManyPackages, MaxPackages)
		}
		added := machinePackage{draw16(), draw16()}
		err = w.change(func(f *factory) error {
			f.Packages = append(f.Packages, packaged{
				ID: added.ID, Secret: added.Secret, Machine: name, FMSPC: m.FMSPC[:], PCEID: m.PCEID, Made: w.now(),
			})
			return nil
		})
		if err != nil {
			return err
		}
		m.file.Packages = append(m.file.Packages, added)
		request = newRequest(m.file, added)
		return m.write(false)
	})
	if err != nil {
		return nil, err
	}
	return request, nil
}
