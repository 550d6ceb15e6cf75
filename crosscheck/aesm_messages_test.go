package crosscheck

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// testMessages sends each message once, and looks at which one comes back, at its
// code and at its fields. The machine has both quoting enclaves and no launch enclave;
// of the EPID group's service nothing is genuine that is sent here.
func testMessages(t *testing.T, c AESM) {
	const unavailable, parameter, unsupported, invalidReport = 30, 3, 20, 47
	var none aesmRequest
	key, zeros := intelsECDSAKey(), make([]byte, aesmReportSize)
	attributes := append([]byte{4: 0}, make([]byte, 11)...)
	attributes[0], attributes[8] = 4, 3 // MODE64BIT, x87 and SSE
	list := binary.LittleEndian.AppendUint32(make([]byte, 4), 1)
	list = append(list, key...)

	for _, m := range []struct {
		name    string
		kind    protowire.Number
		request aesmRequest
		code    uint64
		shape   string
	}{
		{"InitQuote", 1, none.timeout(), 0, "2[512] 3[4]"},
		{"GetQuote", 2, none.bytes(1, zeros).number(2, 1).bytes(3, zeros[:16]).bytes(4, zeros[:16]).number(6, 2048).number(7, 1).timeout(), parameter, ""},
		{"GetLaunchToken", 3, none.bytes(1, zeros[:32]).bytes(2, bytes.Repeat([]byte{0xFF}, 384)).bytes(3, attributes).timeout(), unavailable, ""},
		{"ReportAttestationError", 4, none.bytes(1, zeros[:101]).number(2, 0).number(3, 12).timeout(), 26, ""},
		{"GetWhiteListSize", 10, none.timeout(), unavailable, "2"},
		{"GetWhiteList", 11, none.number(1, 4096).timeout(), unavailable, ""},
		{"SGXGetExtendedEpidGroupId", 12, none.timeout(), 0, "2"},
		{"SGXSwitchExtendedEpidGroup", 13, none.number(1, 0).timeout(), parameter, ""},
		{"SGXRegister", 14, none.bytes(1, zeros).number(2, 0).timeout(), unavailable, ""},
		{"InitQuoteEx", 15, none.bytes(1, key).number(3, 0).timeout(), 0, "2[512] 3"},
		{"InitQuoteEx with the key's ID", 15, none.bytes(1, key).number(3, 1).number(4, 32).timeout(), 0, "2[512] 3 4[32]"},
		{"GetQuoteSizeEx", 16, none.bytes(1, key).timeout(), 0, "2"},
		{"GetQuoteEx", 17, none.bytes(1, zeros).bytes(2, key).number(4, 8192).timeout(), invalidReport, ""},
		{"CheckUpdateStatus", 18, none.number(2, 0).number(3, 0).timeout(), parameter, "3"},
		{"SelectAttKeyID", 19, none.number(2, 15000), 0, "2[256]"},
		{"SelectAttKeyID from a list", 19, none.bytes(1, list).number(2, 15000), 0, "2[256]"},
		{"GetSupportedAttKeyIDNum", 21, none.timeout(), 0, "2"},
		{"GetSupportedAttKeyIDs", 22, none.number(1, 512).timeout(), 0, "2[512]"},
		{"GetSupportedAttKeyIDs, too small a buffer", 22, none.number(1, 511).timeout(), parameter, ""},
		{"of a number that nothing has", 23, none.timeout(), unavailable, ""},
	} {
		a, err := c.ask(m.kind, m.request)
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		kind := m.kind
		if kind == 23 {
			kind = unsupported
		}
		if a.kind != kind || a.code != m.code || a.shape() != m.shape {
			t.Errorf("%s: answered with %d, code %d and fields %q, want %d, %d and %q", m.name, a.kind, a.code, a.shape(), kind, m.code, m.shape)
		}
	}
}

// shape names the fields beside the code: the number of each, and for bytes how
// many there are.
func (a *aesmAnswer) shape() string {
	var fields []string
	for n := range a.numbers {
		if n != 1 {
			fields = append(fields, fmt.Sprint(n))
		}
	}
	for n, b := range a.bytes {
		fields = append(fields, fmt.Sprintf("%d[%d]", n, len(b)))
	}
	slices.Sort(fields)
	return strings.Join(fields, " ")
}

// testRefusals: what is wrong with a request for a quote has the code that says so,
// and what is no request hurts nobody else.
func (d *daemons) testRefusals(t *testing.T, c AESM, app application) {
	key := intelsECDSAKey()
	target, err := c.Target(key)
	if err != nil {
		t.Fatal(err)
	}
	report := app.report(t, target, [64]byte{})
	changed, stranger := bytes.Clone(report), bytes.Clone(key)
	changed[320] ^= 1 // its data, which its MAC covers
	stranger[6] ^= 1  // mrsigner
	other := bytes.Clone(target)
	other[0] ^= 1 // MRENCLAVE
	ask := func(report, key []byte, size uint64) aesmRequest {
		return aesmRequest(nil).bytes(1, report).bytes(2, key).number(4, size).timeout()
	}
	for _, r := range []struct {
		name    string
		request aesmRequest
		code    uint64
	}{
		{"nothing is wrong", ask(report, key, 8192), 0},
		{"a changed REPORT", ask(changed, key, 8192), 47},
		{"a REPORT for another", ask(app.report(t, other, [64]byte{}), key, 8192), 47},
		{"half a REPORT", ask(report[:216], key, 8192), 3},
		{"another's key", ask(report, stranger, 8192), 38},
		{"half a key ID", ask(report, key[:128], 8192), 3},
		{"a buffer too small", ask(report, key, 4), 3},
	} {
		a, err := c.ask(17, r.request)
		if err != nil {
			t.Errorf("%s: %v", r.name, err)
			continue
		}
		if a.kind != 17 || a.code != r.code {
			t.Errorf("%s: answered with %d and code %d, want 17 and %d", r.name, a.kind, a.code, r.code)
		}
	}
	for name, message := range map[string][]byte{
		"nothing":        nil,
		"garbage":        bytes.Repeat([]byte{0xFF}, 64),
		"half a message": aesmRequest(nil).bytes(17, report)[:100],
	} {
		if b, err := c.send(message); err == nil {
			t.Errorf("%s was answered with %x", name, b)
		}
		if _, err := c.Target(key); err != nil {
			t.Fatalf("after %s: %v", name, err)
		}
	}
}
