package local_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/attest/local"
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

// judge checks the outcome of a message: accepted only as it was sent, refused
// in one line with an offset in it.
func judge(t *testing.T, sent, came []byte, err error) {
	t.Helper()
	if err == nil {
		if !bytes.Equal(sent, came) {
			t.Fatal("a changed message is accepted")
		}
		return
	}
	var me *local.MessageError
	if !errors.As(err, &me) || strings.Contains(err.Error(), "\n") || me.Offset < 0 || me.Offset > len(came) {
		t.Fatalf("%d bytes: error %q", len(came), err)
	}
	if bytes.Equal(sent, came) {
		t.Fatalf("the message as it was sent is refused: %v", err)
	}
}

func seeds(f *testing.F) {
	f.Add(false, uint16(0), []byte{}, int8(0))
	f.Add(true, uint16(0), []byte{}, int8(0))
	f.Add(true, uint16(64), []byte{1}, int8(0))
	f.Add(false, uint16(384), []byte("SGX LA\x02"), int8(0))
	f.Add(true, uint16(448), []byte{255, 255, 255, 255}, int8(127))
	f.Add(false, uint16(448), []byte{16}, int8(16))
}

func version(v2 bool) local.Version {
	if v2 {
		return local.LAv2
	}
	return local.LAv1
}

// FuzzMsg1 is the initiator against a host that changes message 1. Nothing in
// message 1 proves anything, so a change shows at the latest at message 3.
func FuzzMsg1(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, v2 bool, offset uint16, patch []byte, grow int8) {
		x := newExchange(version(v2))
		x.run(t, 1)
		came := mutate(x.m1, offset, patch, grow)
		m2, err := x.i.ProcMsg1(came)
		if err == nil {
			_, _, err = x.r.ProcMsg2(m2, nil)
		}
		judge(t, x.m1, came, later(err, came))
		if x.e2.faults != 0 {
			t.Fatal("EREPORT faults")
		}
	})
}

// later lets the offset of a later message pass for one of this message.
func later(err error, came []byte) error {
	var me *local.MessageError
	if errors.As(err, &me) && me.Message != 1 {
		return &local.MessageError{Message: 1, Offset: min(me.Offset, len(came)), Kind: me.Kind, Reason: me.Reason}
	}
	return err
}

// FuzzMsg2 is the responder against a host that changes message 2.
func FuzzMsg2(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, v2 bool, offset uint16, patch []byte, grow int8) {
		x := newExchange(version(v2))
		x.run(t, 2)
		came := mutate(x.m2, offset, patch, grow)
		_, s, err := x.r.ProcMsg2(came, patch)
		judge(t, x.m2, came, err)
		if (s == nil) == (err == nil) {
			t.Fatalf("session %v, %v", s, err)
		}
	})
}

// FuzzMsg3 is the initiator against a host that changes message 3.
func FuzzMsg3(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, v2 bool, offset uint16, patch []byte, grow int8) {
		x := newExchange(version(v2))
		x.additional = patch
		x.run(t, 3)
		came := mutate(x.m3, offset, patch, grow)
		s, err := x.i.ProcMsg3(came)
		judge(t, x.m3, came, err)
		if (s == nil) == (err == nil) {
			t.Fatalf("session %v, %v", s, err)
		}
	})
}
