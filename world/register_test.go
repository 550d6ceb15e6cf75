package world

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/feidi-dev/feidi/arch/build"
)

func multi(t testing.TB, w *World, name string, packages int, fmspc [6]byte) *Machine {
	t.Helper()
	m, err := w.NewMachine(name, MachineOptions{Packages: packages, FMSPC: fmspc})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// retag gives a manifest or request the packages' tags for what it says now: what
// only who has the machine's secrets can.
func retag(m *Machine, b []byte) []byte {
	n := int(binary.BigEndian.Uint32(b[12:]))
	signed := b[:len(b)-32*n]
	out := bytes.Clone(signed)
	for i := range n {
		for _, p := range m.file.Packages {
			if bytes.Equal(p.ID, b[32+16*i:48+16*i]) {
				h := hmac.New(sha256.New, p.Secret)
				h.Write(signed)
				out = h.Sum(out)
			}
		}
	}
	return out
}

func TestRegister(t *testing.T) {
	w, _ := newWorld(t)
	m := multi(t, w, "m", 3, DefaultFMSPC)
	manifest := m.Manifest()
	if len(manifest) != 32+3*16+64+3*32 || string(manifest[:8]) != "FEIDI-PM" || binary.BigEndian.Uint32(manifest[12:]) != 3 {
		t.Fatalf("manifest %x", manifest)
	}
	if key := m.CPU().Fuses.RootProvisioningKey; bytes.Contains(manifest, key[:]) {
		t.Error("the manifest tells the key to everybody")
	}
	if !bytes.Equal(retag(m, manifest), manifest) {
		t.Error("its tags are not HMACs of the packages")
	}
	if _, err := w.PCKs(ppidOf(w, m), 0); !errors.Is(err, ErrUnknownPlatform) {
		t.Errorf("certified before it is registered: %v", err)
	}
	// Each bit of it counts.
	for i := range manifest {
		for bit := range 8 {
			bad := bytes.Clone(manifest)
			bad[i] ^= 1 << bit
			if _, err := w.Register(bad); !errors.Is(err, ErrManifest) && !errors.Is(err, ErrUnknownPackage) {
				t.Fatalf("bit %d of byte %d: %v", bit, i, err)
			}
		}
	}
	// Nor do the packages help: the key is sealed to this manifest.
	for _, i := range []int{16, 31, 32 + 3*16, 32 + 3*16 + 63} {
		bad := bytes.Clone(manifest)
		bad[i] ^= 1
		if _, err := w.Register(retag(m, bad)); !errors.Is(err, ErrManifest) {
			t.Errorf("byte %d changed by the packages: %v", i, err)
		}
	}
	for n := range manifest {
		if _, err := w.Register(manifest[:n]); !errors.Is(err, ErrManifest) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
	if s, err := w.state(); err != nil || len(s.Platforms) != 0 {
		t.Fatalf("%d platforms, %v", len(s.Platforms), err)
	}

	ppid, err := w.Register(manifest)
	if err != nil || ppid != ppidOf(w, m) {
		t.Fatalf("PPID %x, %v", ppid, err)
	}
	for _, o := range []*World{w, w.reopen(t)} {
		if again, err := o.Register(manifest); err != nil || again != ppid {
			t.Errorf("the same again: %x, %v", again, err)
		}
	}
	if c, err := w.PCK(ppid, 0, m.CPUSVN, build.PCE.SVN); err != nil || c.CA != "platform" {
		t.Errorf("%v, %v", c, err)
	}

	// Other content of the same platform, and the packages in another.
	other := *m.file
	other.RootProvisioningKey = bytes.Repeat([]byte{7}, 16)
	replay, err := newManifest(w.keys.registration.PublicKey(), &other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Register(replay); !errors.Is(err, ErrReplay) {
		t.Errorf("another key: %v", err)
	}
	other.Instance = bytes.Repeat([]byte{8}, 16)
	stolen, err := newManifest(w.keys.registration.PublicKey(), &other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Register(stolen); !errors.Is(err, ErrPackageElsewhere) {
		t.Errorf("another platform of its packages: %v", err)
	}

	theirs, _ := newWorld(t)
	if _, err := theirs.Register(manifest); !errors.Is(err, ErrUnknownPackage) {
		t.Errorf("in another world: %v", err)
	}
	mixed := multi(t, w, "other", 2, [6]byte{5}).file
	both := *multi(t, w, "more", 2, DefaultFMSPC).file
	both.Packages = append(slices.Clip(both.Packages), mixed.Packages...)
	incompatible, err := newManifest(w.keys.registration.PublicKey(), &both)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Register(incompatible); !errors.Is(err, ErrIncompatible) {
		t.Errorf("packages of two families: %v", err)
	}
}

func TestAddPackage(t *testing.T) {
	w, clock := newWorld(t)
	m := multi(t, w, "m", 2, DefaultFMSPC)
	if _, err := w.NewPackage("m"); !errors.Is(err, ErrNotRegistered) {
		t.Errorf("before it is registered: %v", err)
	}
	premature := newRequest(m.file, m.file.Packages[0])
	if _, err := w.AddPackage(premature); !errors.Is(err, ErrNotRegistered) {
		t.Errorf("before it is registered: %v", err)
	}
	ppid, err := w.Register(m.Manifest())
	if err != nil {
		t.Fatal(err)
	}
	request, err := w.NewPackage("m")
	if err != nil || len(request) != 32+16+32+32 {
		t.Fatalf("%d bytes, %v", len(request), err)
	}
	if m, err = w.Machine("m"); err != nil || m.Packages != 3 {
		t.Fatalf("%d packages, %v", m.Packages, err)
	}
	for i := range request {
		bad := bytes.Clone(request)
		bad[i] ^= 1
		if _, err := w.AddPackage(bad); !errors.Is(err, ErrManifest) && !errors.Is(err, ErrUnknownPackage) {
			t.Errorf("byte %d changed: %v", i, err)
		}
		if _, err := w.AddPackage(request[:i]); !errors.Is(err, ErrManifest) {
			t.Errorf("%d bytes: %v", i, err)
		}
	}
	bad := bytes.Clone(request)
	bad[32+16] ^= 1 // the platform's
	if _, err := w.AddPackage(retag(m, bad)); !errors.Is(err, ErrManifest) {
		t.Errorf("without the platform: %v", err)
	}
	if _, err := w.AddPackage(m.Manifest()); !errors.Is(err, ErrManifest) {
		t.Errorf("a manifest: %v", err)
	}
	if _, err := w.Register(request); !errors.Is(err, ErrManifest) {
		t.Errorf("registered with a request: %v", err)
	}

	at := w.now()
	certs, err := w.AddPackage(request)
	if err != nil || len(certs) != 1 || len(certs[0]) != MembershipSize {
		t.Fatalf("%x, %v", certs, err)
	}
	c := certs[0]
	p := m.file.Packages[2]
	h := hmac.New(sha256.New, p.Secret)
	h.Write(c[:64])
	if string(c[:10]) != "FEIDI-MC\x00\x01" || !bytes.Equal(c[16:32], m.file.Instance) || !bytes.Equal(c[32:48], p.ID) ||
		binary.BigEndian.Uint64(c[48:]) != uint64(at.Unix()) || !bytes.Equal(c[64:], h.Sum(nil)) {
		t.Errorf("membership certificate %x", c)
	}
	clock.Time = clock.AddDate(0, 0, 3)
	if again, err := w.AddPackage(request); err != nil || !bytes.Equal(again[0], c) {
		t.Errorf("the same again: %x, %v", again, err)
	}
	if again, err := w.Register(m.Manifest()); err != nil || again != ppid {
		t.Errorf("its manifest, which does not name the new package: %x, %v", again, err)
	}

	// A package goes into one platform only, and into one of its family.
	o := multi(t, w, "o", 2, DefaultFMSPC)
	if _, err := w.Register(o.Manifest()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddPackage(newRequest(o.file, p)); !errors.Is(err, ErrPackageElsewhere) {
		t.Errorf("into another platform: %v", err)
	}
	foreign := multi(t, w, "f", 2, [6]byte{5}).file.Packages[0]
	if _, err := w.AddPackage(newRequest(o.file, foreign)); !errors.Is(err, ErrIncompatible) {
		t.Errorf("of another family: %v", err)
	}
	for range MaxPackages - 2 {
		r, err := w.NewPackage("o")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.AddPackage(r); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.NewPackage("o"); !errors.Is(err, ErrTooManyPackages) {
		t.Errorf("the ninth: %v", err)
	}
	ninth := multi(t, w, "n", 2, DefaultFMSPC).file.Packages[0]
	if _, err := w.AddPackage(newRequest(o.file, ninth)); !errors.Is(err, ErrTooManyPackages) {
		t.Errorf("the ninth: %v", err)
	}
	if _, err := w.NewMachine("single", MachineOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.NewPackage("single"); !errors.Is(err, ErrNotRegistered) {
		t.Errorf("into a machine of one package: %v", err)
	}
}
