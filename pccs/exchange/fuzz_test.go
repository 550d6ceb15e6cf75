package exchange_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/exchange"
	"github.com/feidi-dev/feidi/pccs/store"
)

// wrong reports whether an error says what is wrong with a file.
func wrong(err error) bool {
	var e *exchange.Error
	return errors.As(err, &e) && (errors.Is(err, exchange.ErrFormat) || errors.Is(err, exchange.ErrTooLarge))
}

// What was read can be written, unless it has two of something, and read again.
func FuzzParseCollateral(f *testing.F) {
	w := newWorld()
	small := w.collateral()
	small.Documents, small.Platforms = small.Documents[len(small.Documents)-1:], small.Platforms[:1]
	f.Add(file(f, small))
	f.Add([]byte(`{"platforms":[],"collaterals":{"version":3,"pck_certs":[],"tcbinfos":[{"fmspc":"00906ed50000","tcbinfo":{ }}],"certificates":{}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := exchange.ParseCollateral(bytes.NewReader(b))
		if err != nil {
			if !wrong(err) {
				t.Fatalf("error of no kind: %v", err)
			}
			return
		}
		var first, second bytes.Buffer
		if err := exchange.WriteCollateral(&first, c); err != nil {
			return // of platforms that are there twice, each is written
		}
		again, err := exchange.ParseCollateral(&first)
		if err != nil {
			t.Fatalf("cannot be read again: %v", err)
		}
		if len(again.Documents) != len(c.Documents) || len(again.Platforms) != len(c.Platforms) {
			t.Fatalf("%d documents and %d platforms become %d and %d", len(c.Documents), len(c.Platforms), len(again.Documents), len(again.Platforms))
		}
		if err := exchange.WriteCollateral(&second, again); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzParseRegistration(f *testing.F) {
	f.Add([]byte(`{"qe_id":"ab12","pce_id":"0000","platform_manifest":"0a0b"}`))
	f.Add([]byte(`{"qe_id":"ab12","pce_id":"0000","cpu_svn":"","pce_svn":null,"enc_ppid":"00"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := exchange.ParseRegistration(b)
		if err != nil {
			if !wrong(err) || r != (pccs.Registration{}) {
				t.Fatalf("%+v, error of no kind: %v", r, err)
			}
			return
		}
		if (r.Manifest == "") == (r.EncryptedPPID == "") || len(r.QEID) == 0 || len(r.QEID) > 260 || len(r.PCEID) != 4 {
			t.Fatalf("%+v", r)
		}
	})
}

func FuzzParsePolicy(f *testing.F) {
	f.Add(exchange.AppendPolicy(nil, &store.Policy{FMSPC: "00906ED50000", Body: jwt(classTDQE, classTDX15)}))
	f.Add([]byte(`{"is_default":true,"fmspc":"00906ED50000","policy":"a.e30"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := exchange.ParsePolicy(b)
		if err != nil {
			if !wrong(err) {
				t.Fatalf("error of no kind: %v", err)
			}
			return
		}
		if again, err := exchange.ParsePolicy(exchange.AppendPolicy(nil, &p)); err != nil || again != p {
			t.Fatalf("%+v becomes %+v, %v", p, again, err)
		}
	})
}

func FuzzParsePlatforms(f *testing.F) {
	f.Add([]byte(`[{"enc_ppid":"","platform_manifest":"01","qe_id":"AB","pce_id":"0000","cpu_svn":"","pce_svn":""}]`))
	f.Add([]byte(`[{"qe_id":"\u0041","pce_id":"00aa","platform_manifest":null}, 7]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := exchange.ParsePlatforms(bytes.NewReader(b))
		if err != nil {
			if !wrong(err) {
				t.Fatalf("error of no kind: %v", err)
			}
			return
		}
		again, err := exchange.ParsePlatforms(bytes.NewReader(exchange.AppendPlatforms(nil, list)))
		if err != nil || !reflect.DeepEqual(again, list) {
			t.Fatalf("%+v becomes %+v, %v", list, again, err)
		}
	})
}

func FuzzParseCSV(f *testing.F) {
	f.Add([]byte(",0000,,,6d79686f7374,0102\r\n"))
	f.Add([]byte(",0000,,,\"aa\nbb\",01\n,,,,\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := exchange.ParseCSV(b)
		if err != nil {
			if !wrong(err) {
				t.Fatalf("error of no kind: %v", err)
			}
			return
		}
		again, err := exchange.ParsePlatforms(bytes.NewReader(exchange.AppendPlatforms(nil, list)))
		if err != nil || !reflect.DeepEqual(again, list) {
			t.Fatalf("%+v becomes %+v, %v", list, again, err)
		}
	})
}

func FuzzParseLocalCache(f *testing.F) {
	_, good := localCache(f, newWorld())
	f.Add(good)
	f.Add(good[:60])
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := exchange.ParseLocalCache(b)
		if err != nil {
			if !wrong(err) {
				t.Fatalf("error of no kind: %v", err)
			}
			return
		}
		out, err := c.Append(nil)
		if err != nil {
			return // only the first certificate was looked at
		}
		if again, err := exchange.ParseLocalCache(out); err != nil || !reflect.DeepEqual(again, c) {
			t.Fatalf("%+v becomes %+v, %v", c, again, err)
		}
	})
}
