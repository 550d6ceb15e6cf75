package sigma

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"fmt"
	"slices"

	"github.com/feidi-dev/feidi/attest/internal/kex"
	"github.com/feidi-dev/feidi/internal/cmac"
)

// Client is the side in the enclave. It serves one exchange, and not several
// goroutines.
type Client struct {
	provider *ecdsa.PublicKey
	group    [4]byte
	quote    func(reportData [64]byte, ask *Ask) ([]byte, error)
	step     kex.Step
	key      *ecdh.PrivateKey
}

// NewClient begins an exchange with the service provider who has the key, which
// the enclave must know for certain: it is best built in. The function gets a
// quote of the enclave with the given report data, and may leave it to the host
// whether it is genuine: the provider will see. It is for ECDSA quotes: a SigRL
// is refused.
//
// It returns ErrKey for a key that cannot be a provider's.
func NewClient(provider *ecdsa.PublicKey, quote func(reportData [64]byte) ([]byte, error)) (*Client, error) {
	return NewEPIDClient(provider, [4]byte{}, func(reportData [64]byte, ask *Ask) ([]byte, error) {
		if n := len(ask.SigRL); n > 0 {
			return nil, malformed(2, off2Length, "there is no SigRL for ECDSA quotes, but one of %d bytes came", n)
		}
		return quote(reportData)
	})
}

// NewEPIDClient is NewClient for a machine that is in an EPID group, in the
// byte order of quotes. Its quotes are made to what message 2 asks for.
func NewEPIDClient(provider *ecdsa.PublicKey, group [4]byte, quote func(reportData [64]byte, ask *Ask) ([]byte, error)) (*Client, error) {
	if err := checkKey(provider); err != nil {
		return nil, err
	}
	return &Client{provider: provider, group: group, quote: quote}, nil
}

// Msg1 returns message 1, Msg1Size bytes.
func (c *Client) Msg1() ([]byte, error) {
	c.key = nil
	if !c.step.Enter(kex.Fresh) {
		return nil, outOfOrder("Msg1")
	}
	key, err := kex.GenerateKey()
	if err != nil {
		return nil, err
	}
	c.key, c.step = key, kex.Waiting
	ga := kex.PublicOf(key)
	return append(ga[:], c.group[:]...), nil
}

// ProcMsg2 checks message 2, gets a quote, and returns message 3, Msg3Size
// bytes and the quote, and the keys.
func (c *Client) ProcMsg2(msg2 []byte) (msg3 []byte, keys *Keys, err error) {
	key := c.key
	c.key = nil // for one use, whatever comes of it
	if !c.step.Enter(kex.Waiting) {
		return nil, nil, outOfOrder("ProcMsg2")
	}
	m, err := parseMsg2(msg2)
	if err != nil {
		return nil, nil, err
	}
	t := transcript{ga: kex.PublicOf(key), gb: m.gb}
	if t.secret, err = kex.Agree(key, m.gb); err != nil {
		return nil, nil, malformed(2, 0, "%w", err)
	}
	defer clear(t.secret[:])
	if err := m.check(c.provider, &t); err != nil {
		return nil, nil, err
	}
	quote, err := c.quote(t.reportData(), &m.ask)
	if err != nil {
		return nil, nil, err
	}
	if len(quote) < quoteHeaderSize {
		return nil, nil, fmt.Errorf("remote attestation: the quote has %d bytes, too few for one", len(quote))
	}
	return t.msg3(quote), t.keys(), nil
}

// check checks that message 2 is the provider's, and of this exchange.
func (m *msg2) check(provider *ecdsa.PublicKey, t *transcript) error {
	if !verify(provider, t.signed(), m.signature) {
		return forged(2, off2Signature, "the signature is not the service provider's of this exchange")
	}
	smk := t.secret.Derive("SMK")
	defer clear(smk[:])
	if !cmac.Equal(cmac.Sum(smk, m.maced), m.mac) {
		return forged(2, off2MAC, "the CMAC is not that of the message")
	}
	return nil
}

// msg3 makes message 3.
func (t *transcript) msg3(quote []byte) []byte {
	smk := t.secret.Derive("SMK")
	defer clear(smk[:])
	b := slices.Concat(make([]byte, off3GA), t.ga[:], make([]byte, off3Quote-off3Services), quote)
	mac := cmac.Sum(smk, b[off3GA:])
	copy(b, mac[:])
	return b
}
