package quote

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"

	"github.com/feidi-dev/feidi/epid"
	"github.com/feidi-dev/feidi/internal/p256"
)

// PlatformInfoSize is the size of signed platform info in bytes.
const PlatformInfoSize = 101

const platformInfoSigned = PlatformInfoSize - 64

// ErrPlatformInfo is the error of platform info that the attestation service did
// not sign.
var ErrPlatformInfo = errors.New("EPID: the attestation service did not sign this platform info")

// What is wrong with a platform, as PlatformInfo has it.
const (
	GroupRevoked   = 1 << 0 // GroupFlags
	RekeyAvailable = 1 << 1
	GroupOutOfDate = 1 << 2

	CPUSVNOutOfDate     = 1 << 0 // TCBFlags
	QESVNOutOfDate      = 1 << 1
	PCESVNOutOfDate     = 1 << 2
	ConfigurationNeeded = 1 << 3
)

// PlatformInfo is what the attestation service says of a platform that is not as
// it should be, for its AESM (platform_info_blob): 101 bytes, of which the last 64
// are an ECDSA signature of the others over SHA-256, on P-256, r and s big-endian.
type PlatformInfo struct {
	GroupFlags uint8
	TCBFlags   uint16
	PSEFlags   uint16   // of the platform services enclave, which is history
	LatestPSVN [18]byte // CPUSVN and ISVSVN, as a quote has them
	LatestPSE  [2]byte
	LatestPSDA [4]byte
	XEID       uint32
	GID        epid.GroupID
}

func (p *PlatformInfo) signed() []byte {
	b := []byte{p.GroupFlags}
	b = binary.BigEndian.AppendUint16(b, p.TCBFlags)
	b = binary.BigEndian.AppendUint16(b, p.PSEFlags)
	b = append(b, p.LatestPSVN[:]...)
	b = append(b, p.LatestPSE[:]...)
	b = append(b, p.LatestPSDA[:]...)
	b = binary.LittleEndian.AppendUint32(b, p.XEID)
	return append(b, p.GID[:]...)
}

// Sign returns the signed platform info. The same info gives the same bytes (RFC
// 6979).
func (p *PlatformInfo) Sign(key *ecdsa.PrivateKey) (b [PlatformInfoSize]byte, err error) {
	if key.Curve != elliptic.P256() {
		return b, errors.New("EPID: the key that signs platform info has to be of P-256")
	}
	signed := p.signed()
	sig, err := p256.Sign(key, signed)
	if err != nil {
		return b, fmt.Errorf("EPID: signing platform info: %w", err)
	}
	copy(b[copy(b[:], signed):], sig[:])
	return b, nil
}

// OpenPlatformInfo checks the signature of platform info and returns what it says.
// The error is ErrPlatformInfo.
func OpenPlatformInfo(key *ecdsa.PublicKey, b [PlatformInfoSize]byte) (*PlatformInfo, error) {
	digest := sha256.Sum256(b[:platformInfoSigned])
	r, s := new(big.Int).SetBytes(b[platformInfoSigned:][:32]), new(big.Int).SetBytes(b[platformInfoSigned+32:])
	if !ecdsa.Verify(key, digest[:], r, s) {
		return nil, ErrPlatformInfo
	}
	return &PlatformInfo{
		GroupFlags: b[0], TCBFlags: binary.BigEndian.Uint16(b[1:]), PSEFlags: binary.BigEndian.Uint16(b[3:]),
		LatestPSVN: [18]byte(b[5:]), LatestPSE: [2]byte(b[23:]), LatestPSDA: [4]byte(b[25:]),
		XEID: binary.LittleEndian.Uint32(b[29:]), GID: epid.GroupID(b[33:]),
	}, nil
}
