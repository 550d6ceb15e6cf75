package sigma_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/attest/sigma"
)

// mutate writes a patch over a message, and cuts it or makes it longer.
func mutate(message []byte, offset uint16, patch []byte, grow int8) []byte {
	m := slices.Clone(message)
	copy(m[int(offset)%len(m):], patch)
	if grow < 0 {
		return m[:max(0, len(m)+int(grow))]
	}
	return append(m, make([]byte, grow)...)
}

// judge checks the outcome of a message: accepted only if it is good, refused in
// one line.
func judge(t *testing.T, good bool, err error) {
	t.Helper()
	var me *sigma.MessageError
	if err != nil && (!errors.As(err, &me) || strings.Contains(err.Error(), "\n") || me.Offset < 0) {
		t.Fatalf("error %q", err)
	}
	if good != (err == nil) {
		t.Fatalf("good %v, error %v", good, err)
	}
}

func seeds(f *testing.F) {
	f.Add(false, uint16(0), []byte{}, int8(0))
	f.Add(true, uint16(0), []byte{}, int8(0))
	f.Add(true, uint16(64), []byte{1}, int8(0))
	f.Add(false, uint16(164), []byte{16}, int8(16))
	f.Add(true, uint16(164), []byte{38}, int8(10))
	f.Add(true, uint16(164), []byte{255, 255, 255, 255}, int8(127))
	f.Add(false, uint16(336), []byte{2, 0}, int8(-1))
}

// FuzzMsg0 is the provider's first look at a client.
func FuzzMsg0(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0})
	f.Add([]byte{1})
	x := newExchange(f, false, 200)
	f.Fuzz(func(t *testing.T, m0 []byte) {
		x.begin(t)
		judge(t, bytes.Equal(m0, make([]byte, 4)), x.p.ProcMsg0(m0))
	})
}

// FuzzMsg1 is the provider against a host that changes message 1. Nothing in
// message 1 proves anything, so a change shows at the latest at message 3.
func FuzzMsg1(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, epid bool, offset uint16, patch []byte, grow int8) {
		x := newExchange(t, epid, 200)
		x.run(t, 1)
		sent := x.m1
		x.m1 = mutate(sent, offset, patch, grow)
		judge(t, bytes.Equal(sent, x.m1), x.rest(1))
	})
}

// FuzzMsg2 is the client against a host that changes message 2. It may give
// another SigRL, if the quote is of EPID.
func FuzzMsg2(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, epid bool, offset uint16, patch []byte, grow int8) {
		x := newExchange(t, epid, 200)
		x.run(t, 2)
		sent := x.m2
		x.m2 = mutate(sent, offset, patch, grow)
		good := len(x.m2) >= 168 && bytes.Equal(sent[:164], x.m2[:164]) &&
			int(binary.LittleEndian.Uint32(x.m2[164:])) == len(x.m2)-168 && (epid || len(x.m2) == 168)
		judge(t, good, x.rest(2))
		if (x.kc == nil) == good {
			t.Fatal("keys without an exchange, or none with one")
		}
	})
}

// FuzzMsg3 is the provider against a host that changes message 3.
func FuzzMsg3(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, epid bool, offset uint16, patch []byte, grow int8) {
		x := newExchange(t, epid, 200)
		x.run(t, 3)
		sent := x.m3
		x.m3 = mutate(sent, offset, patch, grow)
		good := bytes.Equal(sent, x.m3)
		judge(t, good, x.rest(3))
		if (x.kp == nil) == good {
			t.Fatal("keys without an exchange, or none with one")
		}
	})
}
