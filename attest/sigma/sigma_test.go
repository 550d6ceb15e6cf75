package sigma_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/attest/sigma"
)

func TestExchange(t *testing.T) {
	for _, epid := range []bool{false, true} {
		for _, size := range []int{112, 1116, 4734, 1 << 20} {
			x := newExchange(t, epid, size)
			x.run(t, 4)
			if *x.kc != *x.kp || x.kc.SK == x.kc.MK || x.kc.SK == [16]byte{} {
				t.Errorf("keys %x and %x", *x.kc, *x.kp)
			}
			more := 0
			if epid {
				more = len(sigRL)
				if x.ask.SPID != spid || x.ask.Type != 1 || !bytes.Equal(x.ask.SigRL, sigRL) {
					t.Errorf("asked for %+v", x.ask)
				}
			}
			if len(x.m1) != 68 || len(x.m2) != 168+more || len(x.m3) != 336+size {
				t.Errorf("messages have %d, %d and %d bytes", len(x.m1), len(x.m2), len(x.m3))
			}
		}
	}
}

// No message of one exchange is good for another, even between the same two.
func TestOtherExchange(t *testing.T) {
	x := newExchange(t, false, 200)
	x.run(t, 4)
	m2, m3, keys := x.m2, x.m3, *x.kc
	for n := 2; n <= 3; n++ {
		x.begin(t)
		x.run(t, n)
		x.m2, x.m3 = m2, m3
		if err := x.rest(n); !errors.Is(err, sigma.ErrAuth) {
			t.Errorf("message %d: %v", n, err)
		}
	}
	x.begin(t)
	x.run(t, 4)
	if x.kc.SK == keys.SK || x.kc.MK == keys.MK {
		t.Error("one key for two exchanges")
	}
}

// A client takes no other provider than the one whose key it has.
func TestOtherProvider(t *testing.T) {
	x := newExchange(t, false, 200)
	x.config.Key = newKey(t)
	x.run(t, 2)
	var me *sigma.MessageError
	if err := x.rest(2); !errors.As(err, &me) || me.Kind != sigma.ErrAuth || me.Offset != 84 {
		t.Errorf("%v", err)
	}
	if x.kc != nil {
		t.Error("the client has keys")
	}
}

// The provider's function has the last word, and its error is passed on.
func TestQuoteRefused(t *testing.T) {
	x := newExchange(t, false, 200)
	x.run(t, 3)
	x.size++
	if err := x.rest(3); !errors.Is(err, sigma.ErrQuote) || !errors.Is(err, errQuote) || x.kp != nil {
		t.Errorf("%v, %v", err, x.kp)
	}
}

// Each bit of each message counts, but for SigRL's, which nothing in the
// exchange authenticates: those come to the quoting enclave as they are.
func TestEveryBit(t *testing.T) {
	const size = 120
	for _, epid := range []bool{false, true} {
		for n := 1; n <= 3; n++ {
			t.Run(fmt.Sprintf("EPID %v message %d", epid, n), func(t *testing.T) {
				t.Parallel()
				x := newExchange(t, epid, size)
				x.run(t, n)
				length := len([][]byte{nil, x.m1, x.m2, x.m3}[n])
				for bit := range 8 * length {
					x.begin(t)
					x.run(t, n)
					[][]byte{nil, x.m1, x.m2, x.m3}[n][bit/8] ^= 1 << (bit % 8)
					err := x.rest(n)
					if n == 2 && bit/8 >= 168 {
						if err != nil || bytes.Equal(x.ask.SigRL, sigRL) {
							t.Fatalf("SigRL, bit %d of byte %d: %v", bit%8, bit/8, err)
						}
						continue
					}
					var me *sigma.MessageError
					if !errors.As(err, &me) || strings.Contains(err.Error(), "\n") {
						t.Fatalf("bit %d of byte %d: %v", bit%8, bit/8, err)
					}
				}
			})
		}
	}
}

func TestMsg0(t *testing.T) {
	if m := sigma.Msg0(0x01020304); !bytes.Equal(m, []byte{4, 3, 2, 1}) {
		t.Errorf("% x", m)
	}
	x := newExchange(t, false, 200)
	for bit := range 32 {
		x.begin(t)
		m := sigma.Msg0(0)
		m[bit/8] ^= 1 << (bit % 8)
		if err := x.p.ProcMsg0(m); !errors.Is(err, sigma.ErrFormat) {
			t.Errorf("group %x: %v", m, err)
		}
		if _, err := x.p.ProcMsg1(make([]byte, 68)); !errors.Is(err, sigma.ErrOrder) {
			t.Errorf("after a group that is not served: %v", err)
		}
	}
	x.config.Groups = []uint32{7, 9}
	for group, want := range map[uint32]bool{0: false, 7: true, 8: false, 9: true} {
		x.begin(t)
		if err := x.p.ProcMsg0(sigma.Msg0(group)); (err == nil) != want {
			t.Errorf("group %d: %v", group, err)
		}
	}
}

// An EPID group is for quotes of EPID, and for those of this group.
func TestGroup(t *testing.T) {
	x := newExchange(t, true, 200)
	x.config.SigRL = nil
	x.run(t, 1)
	if err := x.rest(1); !errors.Is(err, sigma.ErrFormat) {
		t.Errorf("a group, and no function for its SigRL: %v", err)
	}

	x = newExchange(t, true, 200)
	x.run(t, 2)
	x.epid = false // makes a quote of version 3
	if err := x.rest(2); !errors.Is(err, sigma.ErrAuth) {
		t.Errorf("an ECDSA quote for an EPID group: %v", err)
	}

	x = newExchange(t, true, 200)
	failed := errors.New("no SigRL today")
	x.config.SigRL = func(g [4]byte) ([]byte, error) {
		if g != group {
			t.Errorf("SigRL of group %x", g)
		}
		return nil, failed
	}
	x.run(t, 1)
	if err := x.rest(1); !errors.Is(err, failed) {
		t.Errorf("%v", err)
	}

	// A client of ECDSA is given a SigRL.
	x = newExchange(t, false, 200)
	x.config.SigRL = func([4]byte) ([]byte, error) { return sigRL, nil }
	x.run(t, 2)
	if err := x.rest(2); !errors.Is(err, sigma.ErrFormat) {
		t.Errorf("a SigRL for ECDSA: %v", err)
	}
}

func TestSizes(t *testing.T) {
	for n, size := range map[int]int{0: 4, 1: 68, 2: 168, 3: 336 + 48} {
		for _, other := range []int{0, 1, 63, size - 1, size + 1, size + 1000} {
			if n == 3 && other > size {
				continue
			}
			x := newExchange(t, false, 200)
			x.run(t, max(n, 1))
			message := append([][]byte{sigma.Msg0(0), x.m1, x.m2, x.m3}[n], make([]byte, 1000)...)[:other]
			var err error
			switch n {
			case 0:
				x.begin(t)
				err = x.p.ProcMsg0(message)
			case 1:
				_, err = x.p.ProcMsg1(message)
			case 2:
				_, _, err = x.c.ProcMsg2(message)
			case 3:
				_, err = x.p.ProcMsg3(message)
			}
			var me *sigma.MessageError
			if !errors.As(err, &me) || !errors.Is(err, sigma.ErrFormat) || me.Message != n || me.Offset > len(message) {
				t.Errorf("message %d of %d bytes: %v", n, other, err)
			}
		}
	}
}

func TestNoQuote(t *testing.T) {
	failed := errors.New("no quote today")
	for name, c := range map[string]struct {
		quote []byte
		err   error
	}{"error": {nil, failed}, "nothing": {nil, nil}, "too short": {make([]byte, 47), nil}} {
		x := newExchange(t, false, 200)
		var err error
		x.c, err = sigma.NewClient(&x.config.Key.PublicKey, func([64]byte) ([]byte, error) { return c.quote, c.err })
		if err != nil {
			t.Fatal(err)
		}
		x.run(t, 2)
		m3, keys, err := x.c.ProcMsg2(x.m2)
		if err == nil || c.err != nil && !errors.Is(err, c.err) || m3 != nil || keys != nil {
			t.Errorf("%s: %v, %v", name, keys, err)
		}
	}
}

func TestOrder(t *testing.T) {
	good := newExchange(t, false, 200)
	good.run(t, 4)
	for name, call := range map[string]func(x *exchange) error{
		"ProcMsg2 first": func(x *exchange) error { _, _, err := x.c.ProcMsg2(good.m2); return err },
		"ProcMsg3 first": func(x *exchange) error { _, err := x.p.ProcMsg3(good.m3); return err },
		"Msg1 twice":     func(x *exchange) error { x.run(t, 1); _, err := x.c.Msg1(); return err },
		"ProcMsg2 after Msg1 twice": func(x *exchange) error {
			x.run(t, 2)
			x.c.Msg1()
			_, _, err := x.c.ProcMsg2(x.m2)
			return err
		},
		"ProcMsg0 late": func(x *exchange) error { x.run(t, 2); return x.p.ProcMsg0(sigma.Msg0(0)) },
		"ProcMsg3 after ProcMsg0 late": func(x *exchange) error {
			x.run(t, 3)
			x.p.ProcMsg0(sigma.Msg0(0))
			_, err := x.p.ProcMsg3(x.m3)
			return err
		},
		"ProcMsg1 twice": func(x *exchange) error { x.run(t, 2); _, err := x.p.ProcMsg1(x.m1); return err },
		"ProcMsg2 twice": func(x *exchange) error { x.run(t, 3); _, _, err := x.c.ProcMsg2(x.m2); return err },
		"ProcMsg3 twice": func(x *exchange) error { x.run(t, 4); _, err := x.p.ProcMsg3(x.m3); return err },
		"ProcMsg2 after an error": func(x *exchange) error {
			x.run(t, 2)
			x.c.ProcMsg2(nil)
			_, _, err := x.c.ProcMsg2(x.m2)
			return err
		},
		"ProcMsg3 after an error": func(x *exchange) error {
			x.run(t, 3)
			x.p.ProcMsg3(nil)
			_, err := x.p.ProcMsg3(x.m3)
			return err
		},
	} {
		if err := call(newExchange(t, false, 200)); !errors.Is(err, sigma.ErrOrder) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeys(t *testing.T) {
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	verify := func([]byte, [64]byte) error { return nil }
	for name, k := range map[string]*ecdsa.PrivateKey{"none": nil, "P-384": other, "empty": {}} {
		if p, err := sigma.NewProvider(&sigma.Config{Key: k, Verify: verify}); !errors.Is(err, sigma.ErrKey) || p != nil {
			t.Errorf("%s: provider %v, %v", name, p, err)
		}
		var pub *ecdsa.PublicKey
		if k != nil {
			pub = &k.PublicKey
		}
		if c, err := sigma.NewClient(pub, nil); !errors.Is(err, sigma.ErrKey) || c != nil {
			t.Errorf("%s: client %v, %v", name, c, err)
		}
	}
	if p, err := sigma.NewProvider(&sigma.Config{Key: newKey(t)}); err == nil {
		t.Errorf("a provider that verifies nothing: %v", p)
	}
}

func BenchmarkExchange(b *testing.B) {
	x := newExchange(b, false, 4734)
	for b.Loop() {
		x.begin(b)
		x.run(b, 4)
	}
}
