package web

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/store"
	"github.com/feidi-dev/feidi/testpki"
)

// now is when all of a fixture is looked at.
var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// fixture is a state of a service, from which a handler is made.
type fixture struct {
	status    pccs.Status
	bodies    map[string][]byte
	platforms []store.Platform
	err       error        // of the service
	reads     atomic.Int64 // platforms listed
}

// fmspcs are made up; the second has letters.
var fmspcs = [][6]byte{{0x00, 0x90, 0x6e, 0xd5, 0, 0}, {0x50, 0x80, 0x6f, 0, 0, 0}, {0x20, 0xc0, 0x6f, 0, 0, 0}}

var fakeIntel = sync.OnceValue(func() *testpki.PKI { return testpki.New(testpki.Seed("web"), testpki.At(now)) })

// empty is a service that was just begun.
func empty(mode pccs.Mode) *fixture {
	f := &fixture{bodies: map[string][]byte{}}
	f.status = pccs.Status{Mode: mode, Database: "sqlite", Upstream: "https://api.trustedservices.intel.com", At: now, Platforms: map[string]int{}}
	if mode == pccs.Offline {
		f.status.Upstream = ""
	}
	return f
}

// healthy is a service with three FMSPCs, documents of all kinds, and platforms of most statuses.
func healthy() *fixture {
	f := empty(pccs.Lazy)
	f.status.Database, f.status.Upstream = "postgres", "https://api.trustedservices.intel.com/sgx/certification/v4/"
	pki := fakeIntel()
	states := []dcap.TCBStatus{dcap.UpToDate, dcap.SWHardeningNeeded, dcap.ConfigurationAndSWHardeningNeeded, dcap.OutOfDate, dcap.OutOfDateConfigurationNeeded}
	for i, fmspc := range fmspcs {
		for j := range 8 {
			status := states[(i+j/(3-i))%len(states)]
			if i == 2 {
				status = dcap.UpToDate
			}
			f.add(pki.Platform(testpki.FMSPC(fmspc), testpki.Status(status)))
		}
		for _, update := range []string{collateral.Standard, collateral.Early} {
			for _, tee := range []dcap.TEEType{dcap.TEESGX, dcap.TEETDX} {
				if tee == dcap.TEETDX && i == 0 {
					continue
				}
				info := pki.TCBInfo(tee, fmspc)
				info.IssueDate, info.NextUpdate = now.Add(-time.Duration(3+5*i)*24*time.Hour), now.Add(time.Duration(27-5*i)*24*time.Hour)
				f.document(collateral.Item{Kind: collateral.TCBInfo, API: 4, TEE: tee, FMSPC: fmt.Sprintf("%X", fmspc), Update: update}, info.IssueDate, info.NextUpdate, pki.TCBInfoJSON(info))
			}
		}
	}
	days := func(n int) time.Time { return now.Add(time.Duration(n) * 24 * time.Hour) }
	for _, d := range []struct {
		item          collateral.Item
		issued, until time.Time
	}{
		{collateral.Item{Kind: collateral.RootCRL, API: 4}, days(-100), days(265)},
		{collateral.Item{Kind: collateral.PCKCRL, API: 4, CA: "processor"}, days(-12), days(18)},
		{collateral.Item{Kind: collateral.PCKCRL, API: 4, CA: "platform"}, days(-20), days(10)},
		{collateral.Item{Kind: collateral.QEIdentity, API: 4, Update: collateral.Standard}, days(-28), days(2)},
		{collateral.Item{Kind: collateral.QEIdentity, API: 4, TEE: dcap.TEETDX, Update: collateral.Standard}, days(-8), days(22)},
		{collateral.Item{Kind: collateral.QVEIdentity, API: 4, Update: collateral.Early}, days(-1), days(29)},
		{collateral.Item{Kind: collateral.FMSPCs, API: 4, Platform: "all"}, time.Time{}, time.Time{}},
	} {
		f.document(d.item, d.issued, d.until, nil)
	}
	return f
}

// broken is a service with nearly everything wrong.
func broken() *fixture {
	f := healthy()
	f.status.Mode, f.status.Upstream = pccs.Req, "https://sbx.api.trustedservices.intel.com/sgx/certification/v4/"
	f.status.Waiting = 1234
	fmspc := [6]byte{0xde, 0xad, 0, 0, 0, 1}
	for range 3 {
		f.add(fakeIntel().Platform(testpki.FMSPC(fmspc), testpki.Status(dcap.Revoked)))
	}
	f.add(fakeIntel().Platform(testpki.FMSPC(fmspcs[0]), testpki.Status(dcap.Revoked)))
	for i := range f.status.Documents {
		d := &f.status.Documents[i]
		if i%3 == 0 && !d.NextUpdate.IsZero() {
			d.Expired, d.NextUpdate = true, now.Add(-time.Duration(i+1)*7*time.Hour)
			d.Fetched, d.Issued = d.NextUpdate.Add(-20*24*time.Hour), d.NextUpdate.Add(-30*24*time.Hour)
		}
		if i%3 != 2 {
			d.Failures, d.Reason, d.Due = 3+i, pccs.UpstreamDown, now.Add(time.Duration(i)*time.Minute)
			d.Message = `Get "https://sbx.api.trustedservices.intel.com/sgx/certification/v4/tcb": dial tcp 192.0.2.17:443: connect: connection refused`
			f.status.Failures = append(f.status.Failures, store.Fetch{Name: d.Name, Tried: now.Add(-4 * time.Minute), Failures: d.Failures, Reason: string(d.Reason), Message: d.Message, Due: d.Due})
		}
	}
	f.status.Failures = append(f.status.Failures,
		store.Fetch{Name: "platform/" + strings.Repeat("AB12CD34", 32) + "/0000", Tried: now.Add(-90 * time.Second), Failures: 1, Reason: string(pccs.KeyRejected),
			Message: "the subscription key is refused by the service behind: get one at its portal and put it into api_key_file", RequestID: "5f0c6d2e9a314b8fb8a1c3d2e4f60718", Due: now.Add(time.Hour)},
		store.Fetch{Name: "platform/" + hostile + "/0000", Tried: now.Add(-time.Hour), Failures: 12, Reason: hostile, Message: hostile, RequestID: hostile, Due: now.Add(time.Minute)})
	f.platforms = append(f.platforms, store.Platform{PlatformID: store.PlatformID{QEID: hostile, PCEID: "0000"}, FMSPC: fmt.Sprintf("%X", fmspc), CA: tiny,
		TCBs: []store.RawTCB{{CPUSVN: tiny, PCESVN: "<b>", TCBm: tiny}}, Certs: []store.PCKCert{{TCBm: tiny, Cert: hostile}}})
	f.status.Platforms[fmt.Sprintf("%X", fmspc)]++
	return f
}

// hostile is what somebody might register as, and tiny what fits into short fields.
const tiny = `"'><IMG SRC=x>`

const hostile = "\"'><SCRIPT>alert(1)</SCRIPT><IMG SRC=x onerror=alert(2)>\x1b[31m\u202e{{.}}"

func (f *fixture) document(item collateral.Item, issued, until time.Time, body []byte) {
	n := len(f.status.Documents)
	name := item.String()
	d := pccs.DocumentStatus{Item: item}
	d.Name, d.Issued, d.NextUpdate, d.Origin = name, issued, until, "pcs"
	d.Fetched = now.Add(-time.Duration(n*47%1300) * time.Minute)
	d.Due = d.Fetched.Add(23 * time.Hour)
	f.status.Documents = append(f.status.Documents, d)
	f.bodies[name] = body
}

// add takes a platform in, with the one TCB that its certificate is for.
func (f *fixture) add(m *testpki.Platform) {
	id := sha(len(f.platforms))
	tcbm := fmt.Sprintf("%X%02X%02X", m.SGX.CPUSVN, byte(m.SGX.PCESVN), byte(m.SGX.PCESVN>>8))
	fmspc := fmt.Sprintf("%X", m.SGX.FMSPC)
	f.platforms = append(f.platforms, store.Platform{
		PlatformID: store.PlatformID{QEID: id, PCEID: "0000"}, FMSPC: fmspc, CA: "platform", Updated: now.Add(-time.Duration(len(f.platforms)) * 5 * time.Hour),
		TCBs:  []store.RawTCB{{CPUSVN: tcbm[:32], PCESVN: tcbm[32:], TCBm: tcbm}},
		Certs: []store.PCKCert{{TCBm: tcbm, Cert: string(m.PCK.PEM())}},
	})
	f.status.Platforms[fmspc]++
}

// handler serves the state, from a database that has it.
func (f *fixture) handler(t testing.TB) *Handler {
	db := f.store(t)
	return newHandler(source{
		status: func(context.Context) (*pccs.Status, error) {
			s := f.status
			return &s, f.err
		},
		document: db.Document,
		platform: db.Platform,
		platforms: func(ctx context.Context, fmspcs []string, after store.PlatformID, n int) ([]store.Platform, error) {
			list, err := db.Platforms(ctx, fmspcs, after, n)
			f.reads.Add(int64(len(list)))
			return list, err
		},
		groups: db.TCBGroups,
	}, authorised)
}

func (f *fixture) store(t testing.TB) *store.Store {
	t.Helper()
	db, err := store.Open(context.Background(), filepath.Join(t.TempDir(), "pccs.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	var docs []*store.Document
	for _, d := range f.status.Documents {
		row := d.Document
		row.Body = f.bodies[d.Name]
		docs = append(docs, &row)
	}
	var platforms []*store.Platform
	for i := range f.platforms {
		platforms = append(platforms, &f.platforms[i])
	}
	if err := db.PutAll(context.Background(), docs, platforms); err != nil {
		t.Fatal(err)
	}
	return db
}

func authorised(r *http.Request) bool {
	_, password, _ := r.BasicAuth()
	return password == "token"
}

// get asks for a page as the administrator.
func get(t testing.TB, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest("GET", path, nil)
	r.SetBasicAuth("anybody", "token")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func sha(n int) string {
	b := make([]byte, 16)
	x := uint32(n)*2654435761 + 97
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return strings.ToUpper(hex.EncodeToString(b))
}
