package local_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/attest/local"
)

var versions = []local.Version{local.LAv1, local.LAv2}

func TestExchange(t *testing.T) {
	for _, v := range versions {
		for _, additional := range []string{"", "x", strings.Repeat("properties ", 1000)} {
			t.Run(fmt.Sprintf("%v+%d", v, len(additional)), func(t *testing.T) {
				x := newExchange(v)
				x.additional = []byte(additional)
				x.run(t, 4)
				if len(x.m1) != 576 || len(x.m2) != 512 || len(x.m3) != 452+len(additional) {
					t.Errorf("messages have %d, %d and %d bytes", len(x.m1), len(x.m2), len(x.m3))
				}
				if x.sr.Key != x.si.Key || x.sr.Key == [16]byte{} {
					t.Errorf("keys %x and %x", x.sr.Key, x.si.Key)
				}
				if x.sr.Version != v || x.si.Version != v {
					t.Errorf("versions %v and %v, want %v", x.sr.Version, x.si.Version, v)
				}
				if string(x.si.Additional) != additional || x.sr.Additional != nil {
					t.Errorf("additional properties %q and %q", x.si.Additional, x.sr.Additional)
				}
				for _, c := range []struct {
					s    *local.Session
					peer *enclave
				}{{x.sr, x.e2}, {x.si, x.e1}} {
					want := c.peer.body
					want.ReportData = c.s.Peer.ReportData
					if c.s.Peer != want || c.s.Peer.ReportData == [64]byte{} {
						t.Errorf("peer %+v, want %+v", c.s.Peer, want)
					}
				}
				if x.e1.faults+x.e2.faults != 0 {
					t.Error("EREPORT faults")
				}
			})
		}
	}
}

// Two exchanges give two keys, and no message of one is good for the other.
func TestOtherExchange(t *testing.T) {
	for _, v := range versions {
		a, b := newExchange(v), newExchange(v)
		a.run(t, 4)
		b.run(t, 4)
		if a.sr.Key == b.sr.Key {
			t.Errorf("%v: one key for two exchanges", v)
		}
		for name, replay := range map[string]func(*exchange) error{
			"message 2": func(x *exchange) error {
				x.run(t, 1)
				_, _, err := x.r.ProcMsg2(a.m2, nil)
				return err
			},
			"message 3": func(x *exchange) error {
				x.run(t, 2)
				_, err := x.i.ProcMsg3(a.m3)
				return err
			},
		} {
			if err := replay(newExchange(v)); !errors.Is(err, local.ErrAuth) {
				t.Errorf("%v: %s: %v", v, name, err)
			}
		}
	}
}

// Enclaves of two machines come to no agreement.
func TestOtherMachine(t *testing.T) {
	for _, v := range versions {
		x := newExchange(v)
		x.e2.machine[15] ^= 1
		x.run(t, 2)
		_, s, err := x.r.ProcMsg2(x.m2, nil)
		if !errors.Is(err, local.ErrAuth) || !errors.Is(err, errReport) || s != nil {
			t.Errorf("%v: message 2: %v, %v", v, s, err)
		}
		// The responder moves to another machine after message 2.
		x = newExchange(v)
		x.run(t, 2)
		x.e2.machine[15] ^= 1
		m3, _, err := x.r.ProcMsg2(x.m2, nil)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := x.i.ProcMsg3(m3); !errors.Is(err, local.ErrAuth) || !errors.Is(err, errReport) || s != nil {
			t.Errorf("%v: message 3: %v, %v", v, s, err)
		}
	}
}

// Each bit of each message counts.
func TestEveryBit(t *testing.T) {
	for _, v := range versions {
		for n := 1; n <= 3; n++ {
			t.Run(fmt.Sprintf("%v message %d", v, n), func(t *testing.T) {
				t.Parallel()
				size := []int{0, 576, 512, 452 + 5}[n]
				for bit := range 8 * size {
					x := newExchange(v)
					x.additional = []byte("flip!")
					if err := x.flip(t, n, bit); err == nil {
						t.Fatalf("bit %d of byte %d: accepted", bit%8, bit/8)
					} else if strings.Contains(err.Error(), "\n") {
						t.Fatalf("error in several lines: %q", err)
					}
					if x.e1.faults+x.e2.faults != 0 {
						t.Fatalf("bit %d of byte %d: EREPORT faults", bit%8, bit/8)
					}
				}
			})
		}
	}
}

// flip carries an exchange on with a bit of message n changed, and returns the
// first error.
func (x *exchange) flip(t *testing.T, n, bit int) error {
	x.run(t, n)
	message := [][]byte{nil, x.m1, x.m2, x.m3}[n]
	message[bit/8] ^= 1 << (bit % 8)
	var err error
	if n == 1 {
		if x.m2, err = x.i.ProcMsg1(x.m1); err != nil {
			return err
		}
	}
	if n <= 2 {
		if x.m3, x.sr, err = x.r.ProcMsg2(x.m2, x.additional); err != nil {
			return err
		}
	}
	_, err = x.i.ProcMsg3(x.m3)
	return err
}

// Messages of any other size are refused with their size.
func TestSizes(t *testing.T) {
	for _, v := range versions {
		for n, size := range map[int]int{1: 576, 2: 512, 3: 452} {
			for _, other := range []int{0, 1, 63, size - 1, size + 1, size + 1000} {
				x := newExchange(v)
				x.run(t, n)
				message := append([][]byte{nil, x.m1, x.m2, x.m3}[n], make([]byte, 1000)...)[:other]
				var err error
				switch n {
				case 1:
					_, err = x.i.ProcMsg1(message)
				case 2:
					_, _, err = x.r.ProcMsg2(message, nil)
				case 3:
					_, err = x.i.ProcMsg3(message)
				}
				var me *local.MessageError
				if !errors.As(err, &me) || !errors.Is(err, local.ErrFormat) || me.Message != n || me.Offset > len(message) {
					t.Errorf("message %d of %d bytes: %v", n, other, err)
				}
			}
		}
	}
}

// Calls out of order are refused, and nothing comes after an error.
func TestOrder(t *testing.T) {
	for _, v := range versions {
		good := newExchange(v)
		good.run(t, 4)
		for name, call := range map[string]func(x *exchange) error{
			"ProcMsg2 first": func(x *exchange) error { _, _, err := x.r.ProcMsg2(good.m2, nil); return err },
			"ProcMsg3 first": func(x *exchange) error { _, err := x.i.ProcMsg3(good.m3); return err },
			"Msg1 twice":     func(x *exchange) error { x.run(t, 1); _, err := x.r.Msg1(); return err },
			"ProcMsg2 after Msg1 twice": func(x *exchange) error {
				x.run(t, 2)
				x.r.Msg1()
				_, _, err := x.r.ProcMsg2(x.m2, nil)
				return err
			},
			"ProcMsg1 twice": func(x *exchange) error { x.run(t, 2); _, err := x.i.ProcMsg1(x.m1); return err },
			"ProcMsg3 after ProcMsg1 twice": func(x *exchange) error {
				x.run(t, 3)
				x.i.ProcMsg1(x.m1)
				_, err := x.i.ProcMsg3(x.m3)
				return err
			},
			"ProcMsg2 twice": func(x *exchange) error { x.run(t, 3); _, _, err := x.r.ProcMsg2(x.m2, nil); return err },
			"ProcMsg3 twice": func(x *exchange) error { x.run(t, 4); _, err := x.i.ProcMsg3(x.m3); return err },
			"ProcMsg2 after an error": func(x *exchange) error {
				x.run(t, 2)
				x.r.ProcMsg2(nil, nil)
				_, _, err := x.r.ProcMsg2(x.m2, nil)
				return err
			},
			"ProcMsg3 after an error": func(x *exchange) error {
				x.run(t, 3)
				x.i.ProcMsg3(nil)
				_, err := x.i.ProcMsg3(x.m3)
				return err
			},
		} {
			if err := call(newExchange(v)); !errors.Is(err, local.ErrOrder) {
				t.Errorf("%v: %s: %v", v, name, err)
			}
		}
	}
}

func TestNoSuchVersion(t *testing.T) {
	x := newExchange(3)
	x.run(t, 1)
	if m2, err := x.i.ProcMsg1(x.m1); err == nil || m2 != nil {
		t.Errorf("%x, %v", m2, err)
	}
}

// What a session has is not the caller's buffer.
func TestAdditionalIsCopied(t *testing.T) {
	x := newExchange(local.LAv2)
	x.additional = []byte("mine")
	x.run(t, 4)
	clear(x.m3)
	if !bytes.Equal(x.si.Additional, []byte("mine")) {
		t.Errorf("%q", x.si.Additional)
	}
}

func BenchmarkExchange(b *testing.B) {
	for _, v := range versions {
		b.Run(v.String(), func(b *testing.B) {
			for b.Loop() {
				newExchange(v).run(b, 4)
			}
		})
	}
}
