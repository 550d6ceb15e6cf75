package aesm_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/feidi-dev/feidi/aesm"
)

// What was read is written and read again as the same, and answered with a
// response of its kind, which is too.
func FuzzRequest(f *testing.F) {
	for _, c := range requests {
		f.Add(c.wire)
	}
	for _, c := range captured {
		f.Add(unhex(f, c.hex))
	}
	services := newServices()
	f.Fuzz(func(t *testing.T, wire []byte) {
		r, err := aesm.ParseRequest(wire)
		if err != nil {
			oneLine(t, err)
			return
		}
		again := aesm.AppendRequest(nil, r)
		back, err := aesm.ParseRequest(again)
		if err != nil || !bytes.Equal(aesm.AppendRequest(nil, back), again) {
			t.Fatalf("%x is %+v, written as %x, which is %+v, %v", wire, r, again, back, err)
		}
		if q, ok := r.(*aesm.GetQuoteExRequest); ok && len(q.Report) == 432 {
			copy(q.Report[320:], "harmless") // else it may ask the fake to panic
		}
		if resp := services.Answer(t.Context(), r); resp.Kind() != r.Kind() {
			t.Fatalf("%v is answered with %v", r.Kind(), resp.Kind())
		}
	})
}

func FuzzResponse(f *testing.F) {
	for _, c := range responses {
		f.Add(c.wire)
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		r, err := aesm.ParseResponse(wire)
		if err != nil {
			oneLine(t, err)
			return
		}
		again := aesm.AppendResponse(nil, r)
		back, err := aesm.ParseResponse(again)
		if err != nil || !reflect.DeepEqual(back, r) {
			t.Fatalf("%x is %+v, written as %x, which is %+v, %v", wire, r, again, back, err)
		}
	})
}

func FuzzAttKeyIDs(f *testing.F) {
	f.Add(aesm.AppendAttKeyIDs(nil, []aesm.AttKeyID{aesm.DefaultECDSAKeyID(), {}}))
	f.Add(make([]byte, 8))
	f.Fuzz(func(t *testing.T, wire []byte) {
		keys, err := aesm.ParseAttKeyIDs(wire)
		if err != nil {
			oneLine(t, err)
			return
		}
		if again := aesm.AppendAttKeyIDs(nil, keys); !bytes.Equal(again, wire) {
			t.Fatalf("%x is written as %x", wire, again)
		}
	})
}

func oneLine(t *testing.T, err error) {
	if bytes.ContainsRune([]byte(err.Error()), '\n') || len(err.Error()) > 200 {
		t.Fatal(err)
	}
}
