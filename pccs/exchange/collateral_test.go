package exchange_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/exchange"
	"github.com/feidi-dev/feidi/pccs/store"
)

// same compares collateral, in any order.
func same(t testing.TB, got, want *pccs.Collateral) {
	t.Helper()
	for _, c := range []*pccs.Collateral{got, want} {
		slices.SortFunc(c.Documents, func(a, b collateral.Document) int { return strings.Compare(a.Item.String(), b.Item.String()) })
		slices.SortFunc(c.Platforms, func(a, b store.Platform) int { return cmp.Compare(a.QEID, b.QEID) })
	}
	if !bytes.Equal(got.RootCRL, want.RootCRL) || len(got.Documents) != len(want.Documents) || len(got.Platforms) != len(want.Platforms) {
		t.Fatalf("root CRL of %d bytes, %d documents, %d platforms, want %d, %d, %d", len(got.RootCRL), len(got.Documents), len(got.Platforms),
			len(want.RootCRL), len(want.Documents), len(want.Platforms))
	}
	for i, d := range got.Documents {
		if w := want.Documents[i]; d.Item != w.Item || string(d.Body) != string(w.Body) || string(d.Chain) != string(w.Chain) {
			t.Errorf("document %v is not %v, or as it was:\n%.2000q\n%.2000q", d.Item, w.Item, d.Body, w.Body)
		}
	}
	for i, p := range got.Platforms {
		if !reflect.DeepEqual(p, want.Platforms[i]) {
			t.Errorf("platform %s %s %s %s %v is not as it was", p.QEID, p.PCEID, p.FMSPC, p.CA, p.TCBs)
		}
	}
}

func TestCollateralRoundTrip(t *testing.T) {
	w := newWorld()
	want := w.collateral()
	b := file(t, want)
	got, err := exchange.ParseCollateral(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, want)
	if again := file(t, got); !bytes.Equal(again, b) {
		t.Error("the same collateral gives another file")
	}
	for i := range got.Platforms {
		if len(got.Platforms[i].TCBs) != 1 {
			t.Errorf("platform %d has %d TCBs", i, len(got.Platforms[i].TCBs))
		}
	}
	// All of it is genuine yet.
	check, err := collateral.NewChecker(w.Root.X509().Raw)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range got.Documents {
		if _, err := check.Check(d.Item, d.Body, d.Chain, got.RootCRL, w.Now); err != nil {
			t.Error(err)
		}
	}
}

// Intel's tool writes with spaces behind commas and colons. TCB info has to be
// what was signed all the same.
func TestCollateralOfPython(t *testing.T) {
	w := newWorld()
	want := w.collateral()
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(file(t, want), &doc); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"collaterals": %s, "platforms": %s, "more": [1, 2]}`, doc["collaterals"], doc["platforms"])
	var spaced bytes.Buffer
	if err := json.Indent(&spaced, b.Bytes(), " ", "\t"); err != nil {
		t.Fatal(err)
	}
	got, err := exchange.ParseCollateral(&spaced)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, want)
}

// edited is the file with a change.
func edited(t testing.TB, from string, old, new string) string {
	t.Helper()
	if !strings.Contains(from, old) {
		t.Fatalf("the file has no %q", old)
	}
	return strings.Replace(from, old, new, 1)
}

func TestCollateralRefused(t *testing.T) {
	good := string(file(t, newWorld().collateral()))
	for _, c := range []struct {
		name, old, new, want string
	}{
		{"no platforms", `"platforms":`, `"platform":`, "platform collateral: it has no platforms"},
		{"twice", `"pck_certs":`, `"rootcacrl":"","pck_certs":`, `collaterals: key "rootcacrl" is there twice`},
		{"version", `"version":4`, `"version":2`, "collaterals.version: version 2 is not read"},
		{"version is text", `"version":4`, `"version":"4"`, "collaterals.version: value of another type"},
		{"no certs", `"certs":[`, `"cert":[`, "collaterals.pck_certs[0]: it has no certs"},
		{"no QE ID", `"qe_id":"`, `"qe_id":"","x":"`, "platforms[0].qe_id: it is to be 1 to 260"},
		{"tcbm", `"tcbm":"`, `"tcbm":"0`, "collaterals.pck_certs[0].certs[0].tcbm: it is to be 36 hexadecimal digits"},
		{"certificate", `"cert":"-----BEGIN`, `"cert":"%`, "collaterals.pck_certs[0].certs[0]: it is not percent-encoded"},
		{"no PEM", `"cert":"-----BEGIN`, `"cert":"-----BEGUN`, "collaterals.pck_certs[0].certs[0]: it has no certificates in PEM"},
		{"fmspc", `"fmspc":"00`, `"fmspc":"0`, "collaterals.tcbinfos[0].fmspc: it is to be 12"},
		{"fmspc missing", `{"fmspc":`, `{"fm":`, "collaterals.tcbinfos[0]: it has no fmspc"},
		{"hex", `"platformCrl":"30`, `"platformCrl":"3`, "collaterals.pckcacrl.platformCrl: it is not hexadecimal"},
		{"chain", `"TCB-Info-Issuer-Chain":"`, `"TCB-Info-Issuer-Chain":"x`, "collaterals.certificates.TCB-Info-Issuer-Chain: it has no certificates"},
		{"array", `"tcbinfos":[`, `"tcbinfos":{},"x":[`, "collaterals.tcbinfos: it is to be an array"},
		{"trailing", "}}\n", "}}{}", "something follows"},
		{"cut off", "}}\n", "}", "it ends too early"},
		{"not JSON", `"platforms":[`, `"platforms":[,`, "not JSON"},
		{"key of a terminal", `"pck_certs":`, `"\u001b[2J":{"a":1,"a":2},"pck_certs":`, `collaterals."\x1b[2J".a: duplicate key`},
	} {
		_, err := exchange.ParseCollateral(strings.NewReader(edited(t, good, c.old, c.new)))
		var e *exchange.Error
		if err == nil || !errors.As(err, &e) || !errors.Is(err, exchange.ErrFormat) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant: %s", c.name, err, c.want)
		}
	}
}

func TestCollateralBounded(t *testing.T) {
	endless := io.MultiReader(strings.NewReader(`{"platforms":[],"x":"`), zeros{})
	_, err := exchange.ParseCollateral(io.LimitReader(endless, 1<<40))
	if !errors.Is(err, exchange.ErrTooLarge) {
		t.Errorf("an endless file: %v", err)
	}
	_, err = exchange.ParseCollateral(strings.NewReader(`{"platforms":` + strings.Repeat("[", 1<<20)))
	if err == nil {
		t.Error("endless nesting")
	}
	broken := errors.New("the disk is gone")
	_, err = exchange.ParseCollateral(io.MultiReader(strings.NewReader(`{"platforms":[`), failing{broken}))
	if !errors.Is(err, broken) {
		t.Errorf("an error of the reader: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = '0'
	}
	return len(b), nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// A file of Intel's tool has the chain of a CA only if a platform is of it.
func TestCollateralWithoutChain(t *testing.T) {
	w := newWorld()
	c := w.collateral()
	c.Platforms = c.Platforms[:1]
	c.Documents = slices.DeleteFunc(c.Documents, func(d collateral.Document) bool { return d.Item.CA == "processor" })
	text := edited(t, string(file(t, c)), `"pckcacrl":{`, fmt.Sprintf(`"pckcacrl":{"processorCrl":"%x",`, w.ProcessorCA.CRL()))
	text = edited(t, text, `"SGX-Enclave-Identity-Issuer-Chain":"`, `"SGX-Enclave-Identity-Issuer-Chain":"","x":"`)
	got, err := exchange.ParseCollateral(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, c)

	// A file with CRLs alone has none at all.
	text = `{"platforms":[],"collaterals":{"version":4,"pck_certs":[],"tcbinfos":[],"pckcacrl":{"processorCrl":"00"},"certificates":{"SGX-PCK-Certificate-Issuer-Chain":{}},"rootcacrl":"00"}}`
	if _, err := exchange.ParseCollateral(strings.NewReader(text)); !errors.Is(err, exchange.ErrFormat) || !strings.Contains(err.Error(), "it has no issuers") {
		t.Errorf("CRLs alone: %v", err)
	}
}

func TestCollateralVersion3(t *testing.T) {
	w := newWorld()
	c := &pccs.Collateral{RootCRL: w.Root.CRL()}
	info := *w.multi.TCBInfo(dcap.TEESGX)
	info.Version = 2
	c.Documents = []collateral.Document{
		{Item: collateral.Item{Kind: collateral.QEIdentity, API: 3, Update: collateral.Standard}, Body: w.IdentityJSON(w.QE), Chain: w.TCBChainPEM()},
		{Item: collateral.Item{Kind: collateral.TCBInfo, API: 3, FMSPC: upper(w.multi.SGX.FMSPC[:]), Update: collateral.Standard}, Body: w.TCBInfoJSON(&info), Chain: w.TCBChainPEM()},
	}
	b := file(t, c)
	if !bytes.Contains(b, []byte(`"SGX-TCB-Info-Issuer-Chain"`)) || !bytes.Contains(b, []byte(`"tcbinfo":{`)) {
		t.Errorf("not as version 3 is: %s", b)
	}
	got, err := exchange.ParseCollateral(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, c)
	// What is of the other version counts for nothing.
	got, err = exchange.ParseCollateral(strings.NewReader(edited(t, string(b), `"version":3`, `"version":4`)))
	if err != nil || len(got.Documents) != 1 || got.Documents[0].Item.Kind != collateral.QEIdentity {
		t.Errorf("as version 4: %+v, %v", got, err)
	}
}

func TestCollateralMisfit(t *testing.T) {
	w := newWorld()
	for name, change := range map[string]func(*pccs.Collateral){
		"both versions": func(c *pccs.Collateral) { c.Documents[0].Item.API = 3 },
		"two":           func(c *pccs.Collateral) { c.Documents = append(c.Documents, c.Documents[0]) },
		"by number": func(c *pccs.Collateral) {
			c.Documents[0].Item.Update, c.Documents[0].Item.Evaluation = "", 17
		},
		"other issuers": func(c *pccs.Collateral) { c.Documents[0].Chain = w.PlatformCA.PEM() },
	} {
		c := w.collateral()
		change(c)
		if err := exchange.WriteCollateral(io.Discard, c); !errors.Is(err, exchange.ErrMisfit) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
