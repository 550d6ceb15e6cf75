package dcap_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/testsuite/vectors"
)

// changes changes one bit of a document at a time, and cuts it off at every
// length. What comes of it must be refused, or have another body or another
// signature, which no verifier accepts. It returns how many were refused.
func changes(t *testing.T, doc []byte, parse func([]byte) (*dcap.Signed, error)) (tried, refused int) {
	t.Helper()
	doc = bytes.TrimSuffix(doc, []byte("\n"))
	real, err := parse(doc)
	if err != nil {
		t.Fatal(err)
	}
	try := func(changed []byte, what string, at int) {
		tried++
		s, err := parse(changed)
		switch {
		case err != nil:
			refused++
		case bytes.Equal(s.Body, real.Body) && s.Signature == real.Signature:
			t.Errorf("%s at %d makes no difference: %q", what, at, changed[max(0, at-10):min(len(changed), at+10)])
		}
	}
	changed := bytes.Clone(doc)
	for i := range doc {
		for bit := range 8 {
			changed[i] ^= 1 << bit
			try(changed, "a bit", i)
			changed[i] = doc[i]
		}
		try(doc[:i], "an end", i)
	}
	return tried, refused
}

func parseTCBInfo(doc []byte) (*dcap.Signed, error) {
	info, err := dcap.ParseTCBInfo(doc)
	if err != nil {
		return nil, err
	}
	return &info.Signed, nil
}

func parseIdentity(doc []byte) (*dcap.Signed, error) {
	identity, err := dcap.ParseEnclaveIdentity(doc)
	if err != nil {
		return nil, err
	}
	return &identity.Signed, nil
}

func TestChangedDocuments(t *testing.T) {
	m := made{rand.New(rand.NewPCG(7, 1))}
	for _, id := range []string{"", "SGX", "TDX"} {
		tried, refused := changes(t, m.document("tcbInfo", m.tcbInfo(id)), parseTCBInfo)
		t.Logf("TCB info %s: %d changes, %d refused", id, tried, refused)
	}
	tried, refused := changes(t, m.document("enclaveIdentity", m.identity()), parseIdentity)
	t.Logf("identity: %d changes, %d refused", tried, refused)
}

func TestChangedRealDocuments(t *testing.T) {
	for _, prefix := range []string{"01", "02", "16"} {
		c := vectors.Named(t, prefix).Collateral
		tried, refused := changes(t, c.TCBInfo, parseTCBInfo)
		t.Logf("TCB info of %s: %d changes, %d refused", prefix, tried, refused)
		tried, refused = changes(t, c.QEIdentity, parseIdentity)
		t.Logf("identity of %s: %d changes, %d refused", prefix, tried, refused)
	}
}

// Documents that are as large as they may be, each in its own way, take time
// and memory in proportion.
func TestLargeDocuments(t *testing.T) {
	m := made{rand.New(rand.NewPCG(7, 2))}
	sgx := m.document("tcbInfo", m.tcbInfo("SGX"))
	tdx := m.tcbInfo("TDX")
	level := string(must(json.Marshal(tdx.TCBLevels[0])))
	var keys []byte
	for i := range dcap.MaxJSONSize / 12 {
		keys = fmt.Appendf(keys, `"k%d":0,`, i)
	}
	for name, doc := range map[string][]byte{
		"keys":       edited(sgx, "tcbInfo.unknown", "{"+string(keys)+`"":0}`),
		"objects":    edited(sgx, "tcbInfo.unknown", "["+strings.Repeat(`{"a":{"b":1}},`, dcap.MaxJSONSize/16)+"0]"),
		"dates":      edited(sgx, "tcbInfo.tcbLevels", `["`+strings.Repeat(`tcbDate","`, dcap.MaxJSONSize/12)+`"]`),
		"levels":     edited(m.document("tcbInfo", tdx), "tcbInfo.tcbLevels", "["+strings.Repeat(level+",", (dcap.MaxJSONSize-10000)/(len(level)+1)-1)+level+"]"),
		"escapes":    edited(sgx, "tcbInfo.unknown", `"`+strings.Repeat(`\u00e9`, dcap.MaxJSONSize/8)+`"`),
		"advisories": edited(sgx, "tcbInfo.tcbLevels.0.advisoryIDs", `[`+strings.Repeat(`"",`, dcap.MaxJSONSize/4)+`""]`),
	} {
		if len(doc) > dcap.MaxJSONSize || len(doc) < dcap.MaxJSONSize/3 {
			t.Errorf("%s: %d bytes", name, len(doc))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		_, err := dcap.ParseTCBInfo(doc)
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		memory := after.TotalAlloc - before.TotalAlloc
		t.Logf("%-10s %4d KB: %6v, %5d KB, %.90v", name, len(doc)>>10, took.Round(100*time.Microsecond), memory>>10, err)
		// A busy machine is slow; what is quadratic takes minutes.
		if took > 5*time.Second || memory > 100*uint64(len(doc)) {
			t.Errorf("%s: %v, %d bytes of memory for %d", name, took, memory, len(doc))
		}
	}
}
