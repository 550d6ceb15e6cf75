package wire_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/testpki"
	"github.com/feidi-dev/feidi/verifyd/wire"
)

func TestParseRequest(t *testing.T) {
	q := testpki.New(testpki.Seed("requests")).Platform().SGXQuote()
	quote := q.Bytes()
	collateral, err := q.Collateral().AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := json.Marshal(map[string]any{
		"quote": base64.StdEncoding.EncodeToString(quote), "collateral": json.RawMessage(collateral), "at": "2026-06-02T03:04:05+02:00", "report_data": "c0ffee",
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := wire.ParseRequest(doc)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(r.Quote, quote) || !bytes.Equal(r.Collateral.TCBInfo, q.Collateral().TCBInfo) || !bytes.Equal(r.Collateral.PCKCRL, q.Collateral().PCKCRL) ||
		!r.At.Equal(time.Date(2026, 6, 2, 1, 4, 5, 0, time.UTC)) || *r.ReportData != [64]byte{0xc0, 0xff, 0xee} {
		t.Errorf("%+v", r)
	}
	r, err = wire.ParseRequest([]byte(` {"quote": "0x0300", "collateral": null} `))
	if err != nil || r.Collateral != nil || !r.At.IsZero() || r.ReportData != nil || len(r.Quote) != 2 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestParseRequestErrors(t *testing.T) {
	for doc, want := range map[string]string{
		``: "cut off", `[]`: "an object", `{}`: "no quote", `{"quote": 3}`: "quote", `{"quote": null}`: "quote", `{"quote": "hello"}`: "no quote",
		`{"quote": "0300", "quote": "0300"}`: "twice", `{"quote": "0300"} x`: "follows", `{"quote": "0300", "nonce": "00"}`: "no such key",
		`{"quote": "0300", "at": "now"}`: "is no time", `{"quote": "0300", "at": 7}`: "at", `{"quote": "0300", "report_data": ""}`: "1 to 64 bytes",
		`{"quote": "0300", "report_data": "xy"}`: "hexadecimal", `{"quote": "0300", "report_data": "` + strings.Repeat("00", 65) + `"}`: "1 to 64 bytes",
		`{"quote": "0300", "collateral": {}}`: "collateral: bad request: unsupported format: pck_crl_issuer_chain is missing (at offset 34)",
		`{"quote": "\u0003"}`:                 "its byte 0 is 0x03", `{"quote": "0300", "report_data": "abc"}`: "is odd", `{"quote": "0300", "collateral": "x"}`: "collateral",
		`{"quote": "0300", "collateral": ` + strings.Repeat("[", 100) + `}`: "more than 32",
	} {
		r, err := wire.ParseRequest([]byte(doc))
		if strings.Count(err.Error(), "at offset") > 1 || strings.Contains(err.Error(), "encoding/") {
			t.Errorf("%.60s: %v", doc, err)
		}
		if !errors.Is(err, wire.ErrRequest) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.60s: %+v, %v; want %q", doc, r, err, want)
		}
	}
}

func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"quote": "0300", "at": "2026-06-02", "report_data": "c0ffee", "collateral": null}`))
	f.Add([]byte(`{"quote": "AwACAA==", "collateral": {"tcb_info": "{}"}}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		r, err := wire.ParseRequest(doc)
		if err != nil {
			if !errors.Is(err, wire.ErrRequest) || r != nil {
				t.Fatalf("%+v, %v", r, err)
			}
			return
		}
		var v struct{ Quote string }
		if err := json.Unmarshal(doc, &v); err != nil {
			t.Fatalf("package json does not read it: %v", err)
		}
		if q, err := wire.DecodeQuote([]byte(v.Quote)); err != nil || !bytes.Equal(q, r.Quote) {
			t.Fatalf("quote %x, by package json %x, %v", r.Quote, q, err)
		}
	})
}
