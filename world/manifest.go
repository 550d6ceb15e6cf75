package world

import (
	"bytes"
	"crypto/hmac"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A platform of several packages has a root provisioning key of its own, drawn by
// its firmware at the first start. A platform manifest tells it to the
// registration service, and a request to add a package names a package that has
// come since. Both are of our own layout, since that of Intel's is not public.
// Numbers are big endian:
//
//	 0   8  "FEIDI-PM"
//	 8   2  version, 1
//	10   2  kind: 1 is a manifest, 2 a request to add packages
//	12   4  number of packages n, 1 to MaxPackages; at least 2 in a manifest
//	16  16  platform instance ID, drawn with the key
//	32  16n IDs of the packages, ascending
//	    64  in a manifest: the root provisioning key, sealed by HPKE
//	        (RFC 9180: X25519, HKDF-SHA256, AES-128-GCM) to the service's key, with
//	        all before as info: 32 bytes of the encapsulated key, then 32
//	    32  in a request: HMAC-SHA256 with the root provisioning key over all before
//	    32n by each package, HMAC-SHA256 with its secret over all before the first
//
// A package's secret is known to the package and the factory: so only packages of
// the factory register, and only with a platform that they agree on.
const (
	manifestMagic   = "FEIDI-PM"
	manifestVersion = 1

	kindManifest = 1
	kindAdd      = 2

	idsOffset  = 32
	idSize     = 16
	sealedSize = 64
	macSize    = sha256.Size
)

// MaxManifestSize is the size of the largest platform manifest and of the largest
// request to add packages, in bytes.
const MaxManifestSize = idsOffset + MaxPackages*(idSize+macSize) + sealedSize

// manifest is a manifest or request that was read. Slices point into its bytes.
type manifest struct {
	kind     uint16
	instance []byte
	ids      [][]byte
	info     []byte   // all before sealed or mac
	sealed   []byte   // of a manifest
	mac      []byte   // of a request
	signed   []byte   // all before the packages' tags
	tags     [][]byte // of each package
}

// parseManifest reads a manifest or request. The error is ErrManifest.
func parseManifest(b []byte, kind uint16) (*manifest, error) {
	bad := func(offset int, format string, args ...any) (*manifest, error) {
		return nil, fmt.Errorf("%w: byte %d: %s", ErrManifest, offset, fmt.Sprintf(format, args...))
	}
	if len(b) < idsOffset {
		return bad(len(b), "it ends within its header")
	}
	version, is, n := binary.BigEndian.Uint16(b[8:]), binary.BigEndian.Uint16(b[10:]), binary.BigEndian.Uint32(b[12:])
	least, middle := 2, sealedSize
	if kind == kindAdd {
		least, middle = 1, macSize
	}
	switch {
	case string(b[:8]) != manifestMagic:
		return bad(0, "it does not begin with %s", manifestMagic)
	case version != manifestVersion:
		return bad(8, "version %d is not known", version)
	case is != kind:
		return bad(10, "it is of kind %d, and not %d", is, kind)
	case n < uint32(least) || n > MaxPackages:
		return bad(12, "%d packages: there are %d to %d", n, least, MaxPackages)
	}
	want := idsOffset + int(n)*(idSize+macSize) + middle
	if len(b) != want {
		return bad(min(len(b), want), "it has %d bytes, and of %d packages %d", len(b), n, want)
	}
	ends := idsOffset + int(n)*idSize
	m := &manifest{kind: kind, instance: b[16:32], info: b[:ends], signed: b[:ends+middle]}
	for id := range slices.Chunk(b[idsOffset:ends], idSize) {
		if len(m.ids) > 0 && bytes.Compare(m.ids[len(m.ids)-1], id) >= 0 {
			return bad(idsOffset+len(m.ids)*idSize, "the IDs of packages do not ascend")
		}
		m.ids = append(m.ids, id)
	}
	if kind == kindManifest {
		m.sealed = b[ends : ends+middle]
	} else {
		m.mac = b[ends : ends+middle]
	}
	m.tags = slices.Collect(slices.Chunk(b[ends+middle:], macSize))
	return m, nil
}

// head begins a manifest or request for packages, which are sorted.
func head(kind uint16, instance []byte, packages []machinePackage) []byte {
	slices.SortFunc(packages, func(a, b machinePackage) int { return bytes.Compare(a.ID, b.ID) })
	b := binary.BigEndian.AppendUint16([]byte(manifestMagic), manifestVersion)
	b = binary.BigEndian.AppendUint16(b, kind)
	b = binary.BigEndian.AppendUint32(b, uint32(len(packages)))
	b = append(b, instance...)
	for _, p := range packages {
		b = append(b, p.ID...)
	}
	return b
}

// tagged appends the packages' tags.
func tagged(b []byte, packages []machinePackage) []byte {
	signed := b
	for _, p := range packages {
		b = append(b, mac(p.Secret, signed)...)
	}
	return b
}

func mac(key, message []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(message)
	return h.Sum(nil)
}

// newManifest makes the manifest of a machine.
func newManifest(service hpke.PublicKey, f *machineFile) ([]byte, error) {
	packages := slices.Clone(f.Packages)
	b := head(kindManifest, f.Instance, packages)
	sealed, err := hpke.Seal(service, hpke.HKDFSHA256(), hpke.AES128GCM(), b, f.RootProvisioningKey)
	if err != nil {
		return nil, err
	}
	return tagged(append(b, sealed...), packages), nil
}

// newRequest makes a request to add packages to a machine's platform.
func newRequest(f *machineFile, packages ...machinePackage) []byte {
	b := head(kindAdd, f.Instance, packages)
	return tagged(append(b, mac(f.RootProvisioningKey, b)...), packages)
}

// open returns the root provisioning key of a manifest.
func (m *manifest) open(service hpke.PrivateKey) ([]byte, error) {
	key, err := hpke.Open(service, hpke.HKDFSHA256(), hpke.AES128GCM(), m.info, m.sealed)
	if err != nil || len(key) != 16 {
		return nil, errors.New("the platform's key is not sealed for this world")
	}
	return key, nil
}

// MembershipSize is the size of a platform membership certificate in bytes: what
// the registration service tells a package that was added to a platform. Numbers
// are big endian:
//
//	 0   8  "FEIDI-MC"
//	 8   2  version, 1
//	10   6  zeros
//	16  16  platform instance ID
//	32  16  ID of the package
//	48   8  when it joined, in seconds since 1970
//	56   8  zeros
//	64  32  HMAC-SHA256 with the package's secret over all before
const MembershipSize = 96

// membership makes the membership certificate of a package.
func membership(p *packaged, joined time.Time) []byte {
	b := append([]byte("FEIDI-MC"), 0, 1, 0, 0, 0, 0, 0, 0)
	b = append(append(b, p.Platform...), p.ID...)
	b = binary.BigEndian.AppendUint64(b, uint64(joined.Unix()))
	b = append(b, make([]byte, 8)...)
	return append(b, mac(p.Secret, b)...)
}
