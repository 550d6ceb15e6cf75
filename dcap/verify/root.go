package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/feidi-dev/feidi/dcap"
)

// Root is a root of trust.
type Root struct {
	Key     [64]byte // P-256 public key: X and Y, big endian
	Intel   bool     // Intel's, as built in
	Subject dcap.Name
}

// RootOf returns the root that a certificate (DER) is of, whether it is trusted
// or not: dcap/policy wants its Fingerprint.
func RootOf(der []byte) (Root, error) {
	c, err := readCertificate(der)
	if err != nil {
		return Root{}, fmt.Errorf("verify: %w", err)
	}
	return newAnchor(c).Root, nil
}

// Fingerprint returns the SHA-256 of the key as an uncompressed point.
func (r *Root) Fingerprint() [32]byte { return sha256.Sum256(append([]byte{4}, r.Key[:]...)) }

// Intel's root key, which all its certificates of "Intel SGX Root CA" have: that
// of 2018 that ran to 2033, and its successor that runs to 2049.
const intelRootKey = "0ba9c4c0c0c86193a3fe23d6b02cda10a8bbd4e88e48b4458561a36e705525f567918e2edc88e40d860bd0cc4ee26aacc988e505a953558c453f6b0904ae7394"

// intelRootKeyID is its identifier in certificates and revocation lists.
const intelRootKeyID = "22650cd65a9d3489f383b49552bf501b392706ac"

// intelRoots are the SHA-256 of these two certificates in DER, whose own
// signatures need not be verified each time.
var intelRoots = [2]string{
	"fc64f8076d79a4fee9d1d473d74c89eb8d8fd55c5abafeabeba7366d20429404",
	"44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3",
}

// An anchor is a root that is trusted.
type anchor struct {
	Root
	key        *key
	selfIssued bool
	keyID      []byte     // by which its revocation lists name it
	known      [][32]byte // SHA-256 of certificates of it that are known to be self-signed
}

func intelAnchors() []*anchor {
	a := &anchor{selfIssued: true}
	a.Intel, a.Subject = true, dcap.Name{CommonName: "Intel SGX Root CA", Organization: "Intel Corporation", Locality: "Santa Clara", State: "CA", Country: "US"}
	_, _ = hex.Decode(a.Key[:], []byte(intelRootKey))
	a.key, _ = newKey(&a.Key)
	a.keyID, _ = hex.DecodeString(intelRootKeyID)
	for _, h := range intelRoots {
		var digest [32]byte
		_, _ = hex.Decode(digest[:], []byte(h))
		a.known = append(a.known, digest)
	}
	return []*anchor{a}
}

// newAnchor trusts a certificate, whose own signature was verified if it is
// self-issued.
func newAnchor(c *certificate) *anchor {
	intel := intelAnchors()[0]
	if c.PublicKey == intel.Key && c.SelfIssued() {
		return intel
	}
	a := &anchor{key: c.key, selfIssued: c.SelfIssued(), keyID: c.SubjectKeyID, known: [][32]byte{sha256.Sum256(c.Raw)}}
	a.Key, a.Subject = c.PublicKey, c.Subject
	return a
}
