package exchange_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs/exchange"
	"github.com/feidi-dev/feidi/pccs/store"
	"github.com/feidi-dev/feidi/testpki"
)

func localCache(t testing.TB, w *world) (*exchange.LocalCache, []byte) {
	t.Helper()
	p := row(w.multi, "platform")
	p.TCBs = append(p.TCBs, store.RawTCB{CPUSVN: strings.Repeat("0C", 16), PCESVN: "0D00"})
	c, err := exchange.NewLocalCache(&p, w.TCBInfoJSON(w.multi.TCBInfo(dcap.TEESGX)), testpki.Epoch)
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, b
}

// The file is read here as the QCNL reads it: part by part, the certificates as
// any JSON.
func TestLocalCache(t *testing.T) {
	w := newWorld()
	c, b := localCache(t, w)
	qeID := strings.ToLower(upper(w.multi.QEID[:]))
	if name := c.Name(); name != qeID+"_0000" {
		t.Errorf("name %s", name)
	}
	head := append([]byte{1, 0, 4, 0, 0, 0}, binary.LittleEndian.AppendUint64(nil, uint64(testpki.Epoch.Unix()))...)
	rest, ok := bytes.CutPrefix(b, head)
	if !ok {
		t.Fatalf("header %x", b[:14])
	}
	var parts []string
	for len(rest) > 0 {
		n := binary.LittleEndian.Uint32(rest)
		parts, rest = append(parts, string(rest[4:4+n])), rest[4+n:]
	}
	if len(parts) != 4 || parts[0] != strings.Repeat("0c", 16) || parts[1] != string(c.TCBInfo) {
		t.Fatalf("%d parts, of which the first is %s", len(parts), parts[0])
	}
	if chain, err := url.PathUnescape(parts[2]); err != nil || chain != string(w.PlatformCA.PEM())+string(w.Root.PEM()) || strings.ContainsAny(parts[2], " +\n") {
		t.Errorf("issuers %q, %v", chain, err)
	}
	var certs []struct {
		TCB        map[string]int
		TCBm, Cert string
	}
	if err := json.Unmarshal([]byte(parts[3]), &certs); err != nil || len(certs) != 1 {
		t.Fatalf("%d certificates, %v", len(certs), err)
	}
	cert, err := url.PathUnescape(certs[0].Cert)
	sgx := w.multi.SGX
	if err != nil || cert != string(w.multi.PCK.PEM()) || certs[0].TCBm != tcbm(w.multi) || len(certs[0].TCB) != 17 ||
		certs[0].TCB["pcesvn"] != int(sgx.PCESVN) || certs[0].TCB["sgxtcbcomp01svn"] != int(sgx.TCB[0]) || certs[0].TCB["sgxtcbcomp16svn"] != int(sgx.TCB[15]) {
		t.Errorf("certificate %+v, %v", certs[0], err)
	}

	got, err := exchange.ParseLocalCache(b)
	want := *c
	want.PlatformID = store.PlatformID{}
	if err != nil || !reflect.DeepEqual(got, &want) {
		t.Errorf("read back %+v, %v", got, err)
	}
}

func TestLocalCacheUnknownCPUSVN(t *testing.T) {
	w := newWorld()
	p := row(w.multi, "platform")
	p.TCBs, p.QEID = nil, "RACK-7"
	c, err := exchange.NewLocalCache(&p, w.TCBInfoJSON(w.multi.TCBInfo(dcap.TEESGX)), testpki.Epoch.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Append(nil)
	if err != nil || c.Name() != "0000000000000000_0000" || string(b[18:50]) != strings.Repeat("f", 32) {
		t.Errorf("%s: %q, %v", c.Name(), b[18:50], err)
	}
	if got, err := exchange.ParseLocalCache(b); err != nil || got.CPUSVN != "" {
		t.Errorf("read back %+v, %v", got, err)
	}
	p.TCBs = row(w.multi, "").TCBs // then it is looked for by QE ID
	if _, err := exchange.NewLocalCache(&p, c.TCBInfo, c.Expiry); !errors.Is(err, exchange.ErrMisfit) {
		t.Errorf("platform with a name of its own: %v", err)
	}
	p.Issuers = nil
	if _, err := exchange.NewLocalCache(&p, c.TCBInfo, c.Expiry); err == nil {
		t.Error("no issuers, and no error")
	}
}

func TestLocalCacheRefused(t *testing.T) {
	_, good := localCache(t, newWorld())
	cut := func(n int) []byte { return good[:n] }
	edit := func(at int, v ...byte) []byte { b := bytes.Clone(good); copy(b[at:], v); return b }
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "header: it ends too early"},
		{"version", edit(0, 2), "header: version 2"},
		{"another kind", edit(2, 1), "header: it has something else"},
		{"expiry", edit(6, 0, 0, 0, 0, 0, 0, 0, 1), "header: the expiry"},
		{"cut in a size", cut(16), "CPUSVN: it ends too early, at byte 14"},
		{"cut in a part", cut(40), "CPUSVN: it is to have 32 bytes at byte 14"},
		{"size", edit(14, 255, 255, 255, 255), "CPUSVN: it is to have 4294967295 bytes"},
		{"digits", edit(18, 'x'), "CPUSVN: it is not 32 hexadecimal digits"},
		{"TCB info", edit(54, 'x'), "TCB info: "},
		{"cut at the end", cut(len(good) - 1), "certificates: it is to have"},
		{"trailing", append(bytes.Clone(good), 0), "1 bytes follow"},
		{"large", make([]byte, exchange.MaxLocalCache+1), "more than"},
	} {
		if _, err := exchange.ParseLocalCache(c.file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want: %s", c.name, err, c.want)
		}
	}
}
