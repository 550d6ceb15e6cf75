package pve

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/feidi-dev/feidi/epid"
	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/isa"
)

// Kinds of messages, which are numbered as Intel's.
const (
	Begin      = 1 // machine to factory: who it is, and at which SVNs
	Challenge  = 2 // factory to machine: which group, and a nonce
	Join       = 3 // machine to factory: a join request
	Membership = 4 // factory to machine: the credential
)

// Sizes of the messages in bytes.
const (
	BeginSize      = headerSize + svnSize + ppidModulus + sha256.Size
	ChallengeSize  = envelopeSize + challengeBody
	JoinSize       = envelopeSize + epid.JoinRequestSize
	MembershipSize = envelopeSize + epid.CredentialSize

	groupFileSize = 4 + epid.PublicKeySize + 64 // see epid.SignFile
	challengeBody = groupFileSize + 32 + svnSize

	headerSize   = 32
	svnSize      = 24
	ivSize       = 12
	envelopeSize = headerSize + ivSize + 16
)

const (
	magic   = "FEIDI-EP"
	version = 1
)

// Header begins each message.
type Header struct {
	Kind        uint16
	XEID        uint32
	Transaction [16]byte
}

func (h *Header) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(append(b, magic...), version)
	b = binary.BigEndian.AppendUint16(b, h.Kind)
	b = binary.BigEndian.AppendUint32(b, h.XEID)
	return append(b, h.Transaction[:]...)
}

// ParseHeader reads the header of a message of any kind, and checks the message's
// size. The error is ErrMessage.
func ParseHeader(b []byte) (*Header, error) {
	if len(b) < headerSize {
		return nil, fmt.Errorf("%w: it ends within its header, after %d bytes", ErrMessage, len(b))
	}
	if string(b[:8]) != magic {
		return nil, fmt.Errorf("%w: byte 0: it does not begin with %s", ErrMessage, magic)
	}
	if v := binary.BigEndian.Uint16(b[8:]); v != version {
		return nil, fmt.Errorf("%w: byte 8: version %d is not known", ErrMessage, v)
	}
	h := &Header{binary.BigEndian.Uint16(b[10:]), binary.BigEndian.Uint32(b[12:]), [16]byte(b[16:])}
	size, ok := map[uint16]int{Begin: BeginSize, Challenge: ChallengeSize, Join: JoinSize, Membership: MembershipSize}[h.Kind]
	if !ok {
		return nil, fmt.Errorf("%w: byte 10: there is no message %d", ErrMessage, h.Kind)
	}
	if len(b) != size {
		return nil, fmt.Errorf("%w: %d bytes, and message %d has %d", ErrMessage, len(b), h.Kind, size)
	}
	return h, nil
}

// SVN is the security version of a machine and its provisioning enclave: 24 bytes,
// CPUSVN, ISVSVN, big-endian, and zeros.
type SVN struct {
	CPU [16]byte
	ISV uint16
}

func (s SVN) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(append(b, s.CPU[:]...), s.ISV)
	return append(b, 0, 0, 0, 0, 0, 0)
}

func parseSVN(b []byte) SVN { return SVN{[16]byte(b), binary.BigEndian.Uint16(b[16:])} }

// ReadBegin reads what anybody can read of message 1: the SVNs, whose provisioning
// key authenticates it, and the PPID, encrypted. The error is ErrMessage.
func ReadBegin(b []byte) (svn SVN, encryptedPPID []byte, err error) {
	h, err := ParseHeader(b)
	if err != nil {
		return svn, nil, err
	}
	if h.Kind != Begin {
		return svn, nil, fmt.Errorf("%w: message %d in place of %d", ErrMessage, h.Kind, Begin)
	}
	return parseSVN(b[headerSize:]), slices.Clone(b[headerSize+svnSize:][:ppidModulus]), nil
}

// Session is a provisioning under way, on either side. It has the keys of its
// messages, and each message is bound to all before it.
type Session struct {
	header Header
	secret [16]byte
	last   [32]byte // hash of the messages so far
}

// newSession derives the keys from the provisioning key at an SVN. The label keeps
// them apart from all that the PCE derives from it (package derive).
func newSession(h *Header, provisioningKey [isa.KeySize]byte) *Session {
	label := make([]byte, 16)
	label[0] = 1
	copy(label[1:], "FEIDI_EPID")
	label[15] = 128
	return &Session{header: *h, secret: cmac.Sum(provisioningKey, label)}
}

// key is the key of a message.
func (s *Session) key(kind uint16) []byte {
	k, err := hkdf.Key(sha256.New, s.secret[:], s.header.Transaction[:], fmt.Sprintf("Feidi: EPID provisioning, message %d", kind), 32)
	if err != nil {
		panic("pve: " + err.Error()) // a key of 32 bytes can be had
	}
	return k
}

// passed notes a message.
func (s *Session) passed(message []byte) {
	s.last = sha256.Sum256(append(s.last[:], message...))
}

func (s *Session) mac(message []byte) []byte {
	h := hmac.New(sha256.New, s.key(Begin))
	h.Write(message)
	return h.Sum(nil)
}

// begin makes message 1.
func begin(xeid uint32, svn SVN, provisioningKey [isa.KeySize]byte, encryptedPPID []byte) (*Session, []byte) {
	h := &Header{Kind: Begin, XEID: xeid}
	rand.Read(h.Transaction[:])
	s := newSession(h, provisioningKey)
	b := append(svn.append(h.append(nil)), encryptedPPID...)
	b = append(b, s.mac(b)...)
	s.passed(b)
	return s, b
}

// Accept authenticates message 1 with the provisioning key at its SVNs. The errors
// are ErrMessage and ErrIntegrity.
func Accept(message []byte, provisioningKey [isa.KeySize]byte) (*Session, error) {
	if _, _, err := ReadBegin(message); err != nil {
		return nil, err
	}
	h, _ := ParseHeader(message)
	s := newSession(h, provisioningKey)
	n := len(message) - sha256.Size
	if !hmac.Equal(s.mac(message[:n]), message[n:]) {
		return nil, ErrIntegrity
	}
	s.passed(message)
	return s, nil
}

// seal makes a message of what it says.
func (s *Session) seal(kind uint16, plain []byte) []byte {
	h := s.header
	h.Kind = kind
	b := h.append(make([]byte, 0, envelopeSize+len(plain)))
	aad := append(slices.Clone(b), s.last[:]...)
	var iv [ivSize]byte
	rand.Read(iv[:])
	b = s.gcm(kind).Seal(append(b, iv[:]...), iv[:], plain, aad)
	s.passed(b)
	return b
}

// open returns what a message says. The errors are ErrMessage and ErrIntegrity.
func (s *Session) open(kind uint16, b []byte) ([]byte, error) {
	h, err := ParseHeader(b)
	if err != nil {
		return nil, err
	}
	if h.Kind != kind {
		return nil, fmt.Errorf("%w: message %d in place of %d", ErrMessage, h.Kind, kind)
	}
	aad := append(slices.Clone(b[:headerSize]), s.last[:]...)
	plain, err := s.gcm(kind).Open(nil, b[headerSize:][:ivSize], b[headerSize+ivSize:], aad)
	if err != nil || h.Transaction != s.header.Transaction || h.XEID != s.header.XEID {
		return nil, ErrIntegrity
	}
	s.passed(b)
	return plain, nil
}

func (s *Session) gcm(kind uint16) cipher.AEAD {
	block, err := aes.NewCipher(s.key(kind))
	if err != nil {
		panic("pve: " + err.Error()) // the key has 32 bytes
	}
	g, err := cipher.NewGCM(block)
	if err != nil {
		panic("pve: " + err.Error())
	}
	return g
}

// Challenge makes message 2: the group's public key as the issuer's signed file,
// the nonce of the join request, and the SVNs at which the machine is to derive its
// member's secret. The error is that of a file of another size.
func (s *Session) Challenge(groupFile []byte, nonce epid.Nonce, at SVN) ([]byte, error) {
	if len(groupFile) != groupFileSize {
		return nil, fmt.Errorf("%w: the file of a group has %d bytes, and not %d", ErrMessage, groupFileSize, len(groupFile))
	}
	return s.seal(Challenge, at.append(slices.Concat(groupFile, nonce[:]))), nil
}

func (s *Session) openChallenge(message []byte) (groupFile []byte, nonce epid.Nonce, at SVN, err error) {
	b, err := s.open(Challenge, message)
	if err != nil {
		return nil, nonce, at, err
	}
	return b[:groupFileSize], epid.Nonce(b[groupFileSize:]), parseSVN(b[groupFileSize+32:]), nil
}

// OpenJoin returns the join request of message 3. The errors are ErrMessage,
// ErrIntegrity, and epid.ErrFormat.
func (s *Session) OpenJoin(message []byte) (epid.JoinRequest, error) {
	b, err := s.open(Join, message)
	if err != nil {
		return epid.JoinRequest{}, err
	}
	return epid.ParseJoinRequest(b)
}

// Membership makes message 4.
func (s *Session) Membership(c epid.Credential) []byte { return s.seal(Membership, c.Bytes()) }
