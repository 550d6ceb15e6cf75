package world

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

// FuzzManifest: whatever is sent, the error says what is wrong on one line, and
// what is read is all of it.
func FuzzManifest(f *testing.F) {
	packages := []machinePackage{{bytes.Repeat([]byte{2}, 16), bytes.Repeat([]byte{3}, 16)}, {bytes.Repeat([]byte{1}, 16), bytes.Repeat([]byte{4}, 16)}}
	instance := bytes.Repeat([]byte{5}, 16)
	f.Add(tagged(append(head(kindManifest, instance, slices.Clone(packages)), make([]byte, sealedSize)...), packages), false)
	f.Add(newRequest(&machineFile{Instance: instance, RootProvisioningKey: make([]byte, 16)}, packages...), true)
	f.Add([]byte(manifestMagic), false)
	f.Add(append([]byte(manifestMagic+"\x00\x01\x00\x01\xff\xff\xff\xff"), make([]byte, 16)...), false)
	f.Fuzz(func(t *testing.T, b []byte, add bool) {
		kind := uint16(kindManifest)
		if add {
			kind = kindAdd
		}
		m, err := parseManifest(b, kind)
		if err != nil {
			if !errors.Is(err, ErrManifest) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q", err)
			}
			return
		}
		again := append([]byte{}, m.info...)
		again = append(append(again, m.sealed...), m.mac...)
		for _, tag := range m.tags {
			again = append(again, tag...)
		}
		if !bytes.Equal(again, b) || len(m.ids) != len(m.tags) || len(b) > MaxManifestSize {
			t.Errorf("%d packages and %d tags of %d bytes", len(m.ids), len(m.tags), len(b))
		}
	})
}

// FuzzFiles: a file that is read is one that a world could have written.
func FuzzFiles(f *testing.F) {
	id := bytes.Repeat([]byte{1}, 16)
	clock := &clockOfTests{noon}
	now := clock.now()
	state := &factory{
		Version: factoryVersion, World: id, Generation: 7, Warning: warning, TCBChanged: now, CRLChanged: now,
		PCEs:        []pceFile{{MRSigner: make([]byte, 32), ISVProdID: 1, Flags: 0x11}},
		Evaluations: []evaluation{{firstEvaluation, now, now}},
		Families:    []family{newFamily(DefaultFMSPC, DefaultCPUSVN, now)},
		Platforms:   []platform{{Machine: "m", FMSPC: DefaultFMSPC[:], Created: now, RootProvisioningKey: make([]byte, 16), Revoked: &revocation{now, KeyCompromise}}},
	}
	machine := &machineFile{Warning: warning, RootProvisioningKey: make([]byte, 16), RootSealKey: make([]byte, 16), CPUSVN: make([]byte, 16)}
	for _, v := range []sealed{state, machine} {
		b, err := encode(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"warning":"","root_provisioning_key":"AAAAAAAAAAAAAAAAAAAAAA==","root_seal_key":"AAAAAAAAAAAAAAAAAAAAAA==","cpu_svn":"AAAAAAAAAAAAAAAAAAAAAA=="}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		read := func(what string, v sealed, err error) {
			if err != nil {
				if !errors.Is(err, ErrDamaged) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%s: error %q", what, err)
				}
				return
			}
			if _, err := encode(v); err != nil {
				t.Errorf("%s: cannot be written: %v", what, err)
			}
		}
		state := new(factory)
		err := decode("factory", b, state)
		if err == nil && state.check(id) == nil {
			indexOf(state)
			for i := range state.Families {
				for j := range state.Evaluations {
					state.levelsAt(&state.Families[i], &state.Evaluations[j], 0)
				}
			}
		}
		read("factory", state, err)
		m, err := parseMachine("dir", "name", "machine", b)
		if m == nil {
			m = &Machine{file: new(machineFile)}
		}
		read("machine", m.file, err)
		keys := new(keyFile)
		err = decode("keys", b, keys)
		read("keys", keys, err)
		if err == nil {
			_, _ = keys.keys() // it must not panic
		}
	})
}
