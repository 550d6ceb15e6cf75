package sigma_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"testing"

	"github.com/feidi-dev/feidi/attest/sigma"
)

var errQuote = errors.New("another quote")

// exchange is one with both sides, and the messages as they were sent. Its
// quotes are bytes that end in the report data.
type exchange struct {
	epid       bool
	size       int // of the quote
	config     *sigma.Config
	c          *sigma.Client
	p          *sigma.Provider
	ask        *sigma.Ask
	m1, m2, m3 []byte
	kc, kp     *sigma.Keys
}

var (
	spid  = [16]byte{0: 0x51, 15: 0x52}
	group = [4]byte{0x0c, 0x0b, 0x0a, 0x09}
	sigRL = []byte("a list of revoked signatures")
)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newExchange(t testing.TB, epid bool, size int) *exchange {
	t.Helper()
	x := &exchange{epid: epid, size: size}
	x.config = &sigma.Config{Key: newKey(t), Verify: func(quote []byte, data [64]byte) error {
		if !bytes.Equal(quote, x.quote(data)) {
			return errQuote
		}
		return nil
	}}
	if epid {
		x.config.SPID, x.config.QuoteType = spid, sigma.Linkable
		x.config.SigRL = func(g [4]byte) ([]byte, error) { return sigRL, nil }
	}
	x.begin(t)
	return x
}

// begin begins an exchange between the same two.
func (x *exchange) begin(t testing.TB) {
	t.Helper()
	var err error
	if x.epid {
		x.c, err = sigma.NewEPIDClient(&x.config.Key.PublicKey, group, func(data [64]byte, ask *sigma.Ask) ([]byte, error) {
			x.ask = ask
			return x.quote(data), nil
		})
	} else {
		x.c, err = sigma.NewClient(&x.config.Key.PublicKey, func(data [64]byte) ([]byte, error) { return x.quote(data), nil })
	}
	if err != nil {
		t.Fatal(err)
	}
	if x.p, err = sigma.NewProvider(x.config); err != nil {
		t.Fatal(err)
	}
}

// quote makes a quote: of version 3, or of version 2 with the EPID group.
func (x *exchange) quote(data [64]byte) []byte {
	b := append([]byte{3, 0, 2, 0}, bytes.Repeat([]byte{0xee}, x.size-4-64)...)
	if x.epid {
		copy(b, []byte{2, 0, 1, 0, 0x0c, 0x0b, 0x0a, 0x09})
	}
	return append(b, data[:]...)
}

// run makes the calls up to the one that gives message n, or both keys.
func (x *exchange) run(t testing.TB, n int) {
	t.Helper()
	var err error
	if err = x.p.ProcMsg0(sigma.Msg0(0)); err != nil {
		t.Fatal(err)
	}
	if x.m1, err = x.c.Msg1(); err != nil {
		t.Fatal(err)
	}
	if n == 1 {
		return
	}
	if x.m2, err = x.p.ProcMsg1(x.m1); err != nil {
		t.Fatal(err)
	}
	if n == 2 {
		return
	}
	if x.m3, x.kc, err = x.c.ProcMsg2(x.m2); err != nil {
		t.Fatal(err)
	}
	if n == 3 {
		return
	}
	if x.kp, err = x.p.ProcMsg3(x.m3); err != nil {
		t.Fatal(err)
	}
}

// rest carries an exchange on after message n, and returns the first error.
func (x *exchange) rest(n int) (err error) {
	if n == 1 {
		if x.m2, err = x.p.ProcMsg1(x.m1); err != nil {
			return err
		}
	}
	if n <= 2 {
		if x.m3, x.kc, err = x.c.ProcMsg2(x.m2); err != nil {
			return err
		}
	}
	x.kp, err = x.p.ProcMsg3(x.m3)
	return err
}
