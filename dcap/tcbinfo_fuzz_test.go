package dcap_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
)

// standardBody is the body of a document as encoding/json finds it. (A map,
// because a struct also takes keys in another case.)
func standardBody(t *testing.T, doc []byte, name string) []byte {
	var o map[string]json.RawMessage
	if err := json.Unmarshal(doc, &o); err != nil {
		t.Fatalf("accepted %q, encoding/json: %v", doc, err)
	}
	return o[name]
}

func FuzzTCBInfo(f *testing.F) {
	m := made{rand.New(rand.NewPCG(9, 1))}
	for _, id := range []string{"", "SGX", "TDX"} {
		f.Add(m.document("tcbInfo", m.tcbInfo(id)))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		info, err := dcap.ParseTCBInfo(doc)
		if err != nil {
			return
		}
		if !bytes.Equal(info.Body, standardBody(t, doc, "tcbInfo")) {
			t.Fatalf("body of %q is %q", doc, info.Body)
		}
		again, err := dcap.ParseTCBInfo(dcap.AppendSignedTCBInfo(nil, info.AppendJSON(nil), info.Signature))
		if err != nil || !reflect.DeepEqual(again.TCBInfo, info.TCBInfo) || again.Signature != info.Signature {
			t.Fatalf("%q\nis written as %q: %v", doc, info.AppendJSON(nil), err)
		}
	})
}

func FuzzEnclaveIdentity(f *testing.F) {
	m := made{rand.New(rand.NewPCG(9, 2))}
	for range 3 {
		f.Add(m.document("enclaveIdentity", m.identity()))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		identity, err := dcap.ParseEnclaveIdentity(doc)
		if err != nil {
			return
		}
		if !bytes.Equal(identity.Body, standardBody(t, doc, "enclaveIdentity")) {
			t.Fatalf("body of %q is %q", doc, identity.Body)
		}
		again, err := dcap.ParseEnclaveIdentity(dcap.AppendSignedIdentity(nil, identity.AppendJSON(nil), identity.Signature))
		if err != nil || !reflect.DeepEqual(again.EnclaveIdentity, identity.EnclaveIdentity) || again.Signature != identity.Signature {
			t.Fatalf("%q\nis written as %q: %v", doc, identity.AppendJSON(nil), err)
		}
	})
}

func FuzzCollateral(f *testing.F) {
	m := made{rand.New(rand.NewPCG(9, 3))}
	f.Add(must(json.Marshal(m.collateral(""))))
	f.Add(must(json.Marshal(refCollateral{TCBInfo: "{}", TCBInfoSignature: m.hex(64), QEIdentity: "{}", QEIdentitySignature: m.hex(64), RootCACRL: "00"})))
	f.Fuzz(func(t *testing.T, doc []byte) {
		c, err := dcap.ParseCollateral(doc)
		if err != nil {
			return
		}
		if !json.Valid(doc) {
			t.Fatalf("accepted %q", doc)
		}
		written, err := c.AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		again, err := dcap.ParseCollateral(written)
		if err != nil {
			t.Fatalf("%q\nis written as %q: %v", doc, written, err)
		}
		// White space around a body is no part of what is read.
		if third, err := again.AppendJSON(nil); err != nil || !bytes.Equal(third, written) {
			t.Fatalf("%q\nthen %q, %v", written, third, err)
		}
	})
}
