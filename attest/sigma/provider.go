package sigma

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/feidi-dev/feidi/attest/internal/kex"
	"github.com/feidi-dev/feidi/internal/cmac"
)

// Config is what a service provider always does. It may serve many exchanges
// at once, if its functions may.
type Config struct {
	// Key is the provider's: clients know its public half.
	Key *ecdsa.PrivateKey

	// Verify checks that a quote is genuine, of an enclave that is to have the
	// provider's secrets, and has just these report data: without the last an
	// attacker needs no enclave but only an old quote. The quote is valid until
	// it returns.
	Verify func(quote []byte, reportData [64]byte) error

	// Groups are the extended EPID groups that message 0 may name. Nil is
	// group 0 alone.
	Groups []uint32

	// SigRL gets the list of revoked signatures of an EPID group, which may be
	// empty. If it is nil no EPID group is served, but ECDSA quotes only.
	SigRL func(group [4]byte) ([]byte, error)

	SPID      [16]byte // for EPID quotes, as Intel gave it
	QuoteType uint16   // Unlinkable or Linkable, for EPID quotes
}

// Provider is the side of the service provider. It serves one exchange, and not
// several goroutines.
type Provider struct {
	config     *Config
	step       kex.Step
	group      [4]byte
	transcript transcript
}

// NewProvider begins an exchange. It returns ErrKey for a key that is not on
// P-256.
func NewProvider(c *Config) (*Provider, error) {
	if c.Key == nil {
		return nil, ErrKey
	}
	if err := checkKey(&c.Key.PublicKey); err != nil {
		return nil, err
	}
	if c.Verify == nil {
		return nil, errors.New("remote attestation: the service provider has no function to verify quotes")
	}
	return &Provider{config: c}, nil
}

// ProcMsg0 reads message 0, which clients may leave out: whether the client's
// extended EPID group is served. The SDK's sample answers it with the
// attestation keys that the provider accepts, in a format of its own.
func (p *Provider) ProcMsg0(msg0 []byte) error {
	clear(p.transcript.secret[:])
	if !p.step.Enter(kex.Fresh) {
		return outOfOrder("ProcMsg0")
	}
	if len(msg0) != Msg0Size {
		return malformed(0, min(len(msg0), Msg0Size), "%d bytes, not %d", len(msg0), Msg0Size)
	}
	group, groups := binary.LittleEndian.Uint32(msg0), p.config.Groups
	if groups == nil {
		groups = []uint32{0}
	}
	if !slices.Contains(groups, group) {
		return malformed(0, 0, "extended EPID group %d is not served", group)
	}
	p.step = kex.Fresh
	return nil
}

// ProcMsg1 reads message 1 and returns message 2, Msg2Size bytes and the SigRL.
// Message 1 proves nothing of the client.
func (p *Provider) ProcMsg1(msg1 []byte) (msg2 []byte, err error) {
	clear(p.transcript.secret[:])
	if !p.step.Enter(kex.Fresh) {
		return nil, outOfOrder("ProcMsg1")
	}
	key, err := kex.GenerateKey()
	if err != nil {
		return nil, err
	}
	return p.procMsg1(msg1, key)
}

func (p *Provider) procMsg1(msg1 []byte, key *ecdh.PrivateKey) ([]byte, error) {
	if len(msg1) != Msg1Size {
		return nil, malformed(1, min(len(msg1), Msg1Size), "%d bytes, not %d", len(msg1), Msg1Size)
	}
	c, t := p.config, &p.transcript
	p.group = [4]byte(msg1[off1Group:])
	t.ga, t.gb = kex.Public(msg1), kex.PublicOf(key)
	secret, err := kex.Agree(key, t.ga)
	if err != nil {
		return nil, malformed(1, 0, "%w", err)
	}
	defer clear(secret[:])
	sigRL, err := c.sigRL(p.group)
	if err != nil {
		return nil, err
	}
	signature, err := sign(c.Key, t.signed())
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	b := slices.Concat(t.gb[:], c.SPID[:])
	b = le.AppendUint16(b, c.QuoteType)
	b = le.AppendUint16(b, kex.KDF)
	b = append(b, signature[:]...)
	smk := secret.Derive("SMK")
	defer clear(smk[:])
	mac := cmac.Sum(smk, b)
	b = append(b, mac[:]...)
	b = le.AppendUint32(b, uint32(len(sigRL)))
	t.secret, p.step = secret, kex.Waiting
	return append(b, sigRL...), nil
}

// sigRL gets what message 2 has for an EPID group.
func (c *Config) sigRL(group [4]byte) ([]byte, error) {
	if c.SigRL == nil {
		if group != [4]byte{} {
			return nil, malformed(1, off1Group, "EPID groups are not served, but %x was named", group)
		}
		return nil, nil
	}
	b, err := c.SigRL(group)
	if err == nil && uint64(len(b)) > math.MaxUint32-Msg2Size {
		err = fmt.Errorf("remote attestation: a SigRL of %d bytes is too large", len(b))
	}
	return b, err
}

// ProcMsg3 checks message 3, and the quote with the function that is there for
// it (ErrQuote), and returns the keys.
func (p *Provider) ProcMsg3(msg3 []byte) (*Keys, error) {
	t := &p.transcript
	defer clear(t.secret[:]) // for one use, whatever comes of it
	if !p.step.Enter(kex.Waiting) {
		return nil, outOfOrder("ProcMsg3")
	}
	m, err := parseMsg3(msg3)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare(m.ga[:], t.ga[:]) != 1 {
		return nil, forged(3, off3GA, "the key is not that of message 1")
	}
	smk := t.secret.Derive("SMK")
	defer clear(smk[:])
	if !cmac.Equal(cmac.Sum(smk, m.maced), m.mac) {
		return nil, forged(3, 0, "the CMAC is not that of the message")
	}
	if !bytes.Equal(quotedGroup(m.quote), p.group[:]) {
		return nil, forged(3, off3Quote, "the quote is not of the EPID group of message 1")
	}
	if err := p.config.Verify(m.quote, t.reportData()); err != nil {
		return nil, &MessageError{Message: 3, Offset: off3Quote, Kind: ErrQuote, Reason: err}
	}
	return t.keys(), nil
}

// quotedGroup is the EPID group of a quote: quotes of versions 1 and 2 have it
// at 4, later ones have none. Nothing else vouches for that of message 1.
func quotedGroup(quote []byte) []byte {
	if binary.LittleEndian.Uint16(quote) < 3 {
		return quote[4:8]
	}
	return make([]byte, 4)
}
