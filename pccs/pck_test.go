package pccs_test

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/store"
	"github.com/feidi-dev/feidi/testpki"
)

// level is a TCB: some components more or less than those of the platform.
type level struct {
	add     int // to the second component, which is 16 at the highest level
	pce     int // to the PCESVN
	without bool
}

func (in *intel) tcbm(l level) string {
	cpu := in.m.SGX.CPUSVN
	cpu[1] = byte(int(cpu[1]) + l.add)
	return fmt.Sprintf("%X", binary.LittleEndian.AppendUint16(cpu[:], uint16(int(in.m.SGX.PCESVN)+l.pce)))
}

// at asks for the platform at a TCB.
func (in *intel) at(l level) pccs.PCKQuery {
	q, t := in.query(), in.tcbm(l)
	q.CPUSVN, q.PCESVN = t[:32], t[32:]
	return q
}

// cert is the platform's certificate for a TCB.
func (in *intel) cert(l level) string {
	return string(in.m.PCK.Reissue(func(t *testpki.Template) {
		sgx := in.m.SGX
		sgx.TCB[1] = byte(int(sgx.TCB[1]) + l.add)
		sgx.CPUSVN, sgx.PCESVN = sgx.TCB, uint16(int(sgx.PCESVN)+l.pce)
		t.SGX = &sgx
	}).PEM())
}

// has lets Intel have certificates of the platform for these TCBs, also for its
// manifest.
func (in *intel) has(levels ...level) {
	var list []string
	for _, l := range levels {
		cert := "Not available"
		if !l.without {
			cert = escape([]byte(in.cert(l)))
		}
		var svns string
		for i, svn := range in.m.SGX.TCB {
			if i == 1 {
				svn = byte(int(svn) + l.add)
			}
			svns += fmt.Sprintf(`"sgxtcbcomp%02dsvn":%d,`, i+1, svn)
		}
		list = append(list, fmt.Sprintf(`{"tcb":{%s"pcesvn":%d},"tcbm":"%s","cert":"%s"}`, svns, int(in.m.SGX.PCESVN)+l.pce, in.tcbm(l), cert))
	}
	in.setFault(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/sgx/certification/v4/pckcerts" {
			return false
		}
		if p := r.URL.Query().Get("encrypted_ppid"); p != fmt.Sprintf("%x", in.m.EncryptedPPID) && r.Method != http.MethodPost {
			w.WriteHeader(404)
			return true
		}
		w.Header().Set("SGX-FMSPC", fmt.Sprintf("%X", in.m.SGX.FMSPC))
		w.Header().Set("SGX-PCK-Certificate-CA-Type", "platform")
		w.Header().Set("SGX-PCK-Certificate-Issuer-Chain", escape(append(in.m.CA().PEM(), in.pki.RootPEM()...)))
		fmt.Fprintf(w, "[%s]", strings.Join(list, ","))
		return true
	})
}

func wantPCK(t testing.TB, s *pccs.Service, q pccs.PCKQuery, tcbm string) *pccs.PCK {
	t.Helper()
	p, err := s.PCKCert(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if p.TCBm != tcbm {
		t.Errorf("TCBm %s, want %s", p.TCBm, tcbm)
	}
	return p
}

func TestPCKModes(t *testing.T) {
	zeros, none, foreign := strings.Repeat("0", 768), "", strings.Repeat("ab", 384)
	for _, c := range []struct {
		name   string
		mode   pccs.Mode
		ppid   *string
		fault  int
		status int
		reason pccs.Reason
		says   string
	}{
		{"fetched", pccs.Lazy, nil, 0, 0, "", ""},
		{"zeros", pccs.Lazy, &zeros, 0, 404, pccs.NotRegistered, "POST /platforms"},
		{"no PPID", pccs.Lazy, &none, 0, 400, pccs.NotRegistered, "POST /platforms"},
		{"PPID of nobody", pccs.Lazy, &foreign, 0, 404, pccs.UpstreamUnknown, ""},
		{"refused request", pccs.Lazy, nil, 400, 404, pccs.UpstreamUnknown, ""},
		{"key", pccs.Lazy, nil, 403, 502, pccs.KeyRejected, "upstream.api_key_file of the configuration names its file (in Intel's it is ApiKey itself)"},
		{"broken", pccs.Lazy, nil, 503, 502, pccs.UpstreamBusy, ""},
		{"REQ", pccs.Req, nil, 0, 461, pccs.NotRegistered, "PCKIDRetrievalTool"},
		{"OFFLINE", pccs.Offline, nil, 0, 461, pccs.NotRegistered, "PCKIDRetrievalTool"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := newIntel(t)
			if c.fault != 0 {
				in.fails(c.fault, "/pckcerts")
			}
			s := in.service(t, c.mode)
			q := in.query()
			if c.ppid != nil {
				q.EncryptedPPID = *c.ppid
			}
			p, err := s.PCKCert(t.Context(), q)
			if c.status != 0 {
				wantError(t, err, c.status, c.reason, c.says)
			} else if err != nil || p.Cert != string(in.m.PCK.PEM()) || p.TCBm != in.tcbm(level{}) || p.FMSPC != fmspc || p.CA != "platform" ||
				string(p.Issuers) != string(in.m.CA().PEM())+string(in.pki.RootPEM()) || !p.Fetched.Equal(in.clock()) || p.Stale != nil {
				t.Errorf("got %+v, %v", p, err)
			}
			if c.mode != pccs.Lazy && in.total() > 0 {
				t.Error("the service behind was asked")
			}
		})
	}
}

func TestPCKQuery(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	for name, spoil := range map[string]func(q *pccs.PCKQuery){
		"qeid is missing":           func(q *pccs.PCKQuery) { q.QEID = "" },
		"qeid has 261 characters":   func(q *pccs.PCKQuery) { q.QEID = strings.Repeat("a", 261) },
		"qeid has something else":   func(q *pccs.PCKQuery) { q.QEID = "ab' OR 1=1 --" },
		"cpusvn has 30 characters":  func(q *pccs.PCKQuery) { q.CPUSVN = q.CPUSVN[2:] },
		"cpusvn has something else": func(q *pccs.PCKQuery) { q.CPUSVN = "\xff" + q.CPUSVN[1:] },
		"pcesvn is missing":         func(q *pccs.PCKQuery) { q.PCESVN = "" },
		"pceid has 5 characters":    func(q *pccs.PCKQuery) { q.PCEID += "0" },
		"encrypted_ppid has 2":      func(q *pccs.PCKQuery) { q.EncryptedPPID = "00" },
	} {
		q := in.query()
		spoil(&q)
		_, err := s.PCKCert(t.Context(), q)
		wantError(t, err, 400, pccs.BadRequest, name)
	}
	if n := in.total(); n > 0 {
		t.Errorf("%d requests", n)
	}
	lower, upper := in.query(), in.query()
	for _, p := range []*string{&upper.QEID, &upper.PCEID, &upper.CPUSVN, &upper.PCESVN, &upper.EncryptedPPID} {
		*p = strings.ToUpper(*p)
	}
	wantPCK(t, s, lower, in.tcbm(level{}))
	in.total()
	wantPCK(t, s, upper, in.tcbm(level{}))
	if n := in.total(); n > 0 {
		t.Errorf("%d requests for digits in upper case", n)
	}
}

// The best certificate for each TCB, of which those that were not seen before are
// not recorded.
func TestSelection(t *testing.T) {
	in := newIntel(t)
	in.has(level{}, level{add: -1}, level{add: -2, pce: -1}, level{add: 1})
	s := in.service(t, pccs.Lazy)
	wantPCK(t, s, in.query(), in.tcbm(level{}))
	for _, c := range []struct{ at, want level }{
		{level{}, level{}},
		{level{add: -1}, level{add: -1}},
		{level{add: -1, pce: 3}, level{add: -1}},
		{level{add: 3}, level{add: 1}},
		{level{pce: -1}, level{add: -2, pce: -1}},
	} {
		p := wantPCK(t, s, in.at(c.at), in.tcbm(c.want))
		if p.Cert != in.cert(c.want) {
			t.Errorf("%v: another certificate", c.at)
		}
	}
	_, err := s.PCKCert(t.Context(), in.at(level{add: -3}))
	wantError(t, err, 462, pccs.NoCertificate, "POST /refresh?type=certs")
	list, err := s.Platforms(t.Context(), []string{strings.ToLower(fmspc)})
	if err != nil || len(list) != 1 || list[0].CPUSVN+list[0].PCESVN != in.tcbm(level{}) || string(list[0].EncryptedPPID) != string(in.m.EncryptedPPID[:]) {
		t.Errorf("platforms %+v, %v", list, err)
	}
	if p, err := s.PCKCerts(t.Context(), pccs.PCKQuery{QEID: in.query().QEID, PCEID: "0000"}); err != nil || len(p.Certs) != 4 {
		t.Errorf("certificates %+v, %v", p, err)
	}
	// If it was long ago, it is asked whether there is one by now.
	in.has(level{}, level{add: -3})
	in.wait(time.Hour)
	wantPCK(t, s, in.at(level{add: -3}), in.tcbm(level{add: -3}))
	// Nobody is asked in the other modes.
	in.wait(time.Hour)
	in.total()
	_, err = in.service(t, pccs.Req).PCKCert(t.Context(), in.at(level{add: -4}))
	wantError(t, err, 462, pccs.NoCertificate, "")
	if n := in.total(); n > 0 {
		t.Errorf("%d requests", n)
	}
}

// In LAZY mode a TCB is not recorded where certificates are missing; in REQ mode
// it is, and an administrator is told what is missing.
func TestNotAvailable(t *testing.T) {
	for _, mode := range []pccs.Mode{pccs.Lazy, pccs.Req} {
		in := newIntel(t)
		in.has(level{add: 1, without: true}, level{})
		s := in.service(t, mode)
		if mode == pccs.Lazy {
			wantPCK(t, s, in.query(), in.tcbm(level{}))
		} else if err := s.Register(t.Context(), in.registration()); err != nil {
			t.Fatal(err)
		}
		list, err := s.Platforms(t.Context(), nil)
		if want := map[pccs.Mode]string{pccs.Lazy: "", pccs.Req: in.tcbm(level{})}[mode]; err != nil || len(list) != 1 || list[0].CPUSVN+list[0].PCESVN != want {
			t.Errorf("%s: platforms %+v, %v", mode, list, err)
		}
		na, err := s.Registrations(t.Context(), store.NotAvailable, false)
		if want := map[pccs.Mode]int{pccs.Req: 1}[mode]; err != nil || len(na) != want || want > 0 && na[0].CPUSVN+na[0].PCESVN != in.tcbm(level{add: 1}) {
			t.Errorf("%s: not available %+v, %v", mode, na, err)
		}
	}
	in := newIntel(t)
	in.has(level{without: true})
	_, err := in.service(t, pccs.Lazy).PCKCert(t.Context(), in.query())
	wantError(t, err, 404, pccs.UpstreamUnknown, "has none for any of its TCBs")
}

// Certificates are fetched again after a week, or when there are new levels.
func TestWalk(t *testing.T) {
	in := newIntel(t)
	in.has(level{})
	s := in.service(t, pccs.Lazy)
	if err := s.Register(t.Context(), in.registration()); err != nil {
		t.Fatal(err)
	}
	walk := func(want int) {
		t.Helper()
		in.total()
		s.Pass(t.Context())
		if err := s.Walk(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := in.times("/pckcerts"); n != want {
			t.Errorf("certificates were asked for %d times, want %d", n, want)
		}
	}
	walk(0)
	in.wait(6 * 24 * time.Hour)
	walk(0)
	in.wait(25 * time.Hour)
	walk(1)
	walk(0)
	in.wait(25 * time.Hour)
	// A new level on top: there is a certificate for it by now.
	info := in.m.TCBInfo(dcap.TEESGX)
	above := info.Levels[0]
	above.SGX[1].SVN++
	info.Levels = append([]dcap.TCBLevel{above}, info.Levels...)
	info.IssueDate = info.IssueDate.Add(time.Hour)
	in.has(level{add: 1}, level{})
	walk(1)
	walk(0)
	wantPCK(t, s, in.at(level{add: 1}), in.tcbm(level{add: 1}))
	// What fails is tried again later, and said.
	in.fails(500, "/pckcerts")
	in.wait(8 * 24 * time.Hour)
	walk(1)
	walk(0)
	p := wantPCK(t, s, in.query(), in.tcbm(level{}))
	if p.Stale == nil || !strings.Contains(p.Stale.Error(), string(pccs.UpstreamBusy)) {
		t.Errorf("stale: %v", p.Stale)
	}
	strict := in.service(t, pccs.Lazy, func(o *pccs.Options) { o.MaxStale = 24 * time.Hour })
	strict.Pass(t.Context())
	_, err := strict.PCKCert(t.Context(), in.query())
	wantError(t, err, 503, pccs.Expired, "UpstreamBusy")
	err = s.Refresh(t.Context(), true, []string{fmspc})
	wantError(t, err, 503, pccs.UpstreamBusy, "1 of 1 platforms")
	wantError(t, s.Refresh(t.Context(), true, []string{"xyz"}), 400, pccs.BadRequest, "fmspc")
	in.has(level{})
	in.total()
	if err := s.Refresh(t.Context(), true, []string{"0123456789AB"}); err != nil || in.times("/pckcerts") != 0 {
		t.Errorf("another FMSPC: %v", err)
	}
	if err := s.Refresh(t.Context(), true, nil); err != nil || in.times("/pckcerts") != 1 {
		t.Errorf("all: %v", err)
	}
	if p := wantPCK(t, s, in.query(), in.tcbm(level{})); p.Stale != nil {
		t.Error(p.Stale)
	}
}

// When the levels change, another of the same certificates may be the best for a
// TCB that was seen.
func TestChooseAgain(t *testing.T) {
	in := newIntel(t)
	// Neither certificate is above the other.
	a, b := level{add: 1, pce: -1}, level{add: -1}
	in.has(a, b)
	s := in.service(t, pccs.Lazy)
	r := in.registration()
	r.CPUSVN = in.tcbm(level{add: 1})[:32]
	if err := s.Register(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	q := in.query()
	q.CPUSVN = r.CPUSVN
	info := in.m.TCBInfo(dcap.TEESGX)
	first := wantPCK(t, s, q, in.tcbm(a)).TCBm
	// A level that only b reaches.
	top := info.Levels[0]
	top.SGX[1].SVN--
	info.Levels = append([]dcap.TCBLevel{top}, info.Levels...)
	info.IssueDate = info.IssueDate.Add(time.Hour)
	in.wait(25 * time.Hour)
	s.Pass(t.Context())
	if err := s.Walk(t.Context()); err != nil {
		t.Fatal(err)
	}
	st := in.store(t)
	m, err := st.Match(t.Context(), in.id(), strings.ToUpper(q.CPUSVN), strings.ToUpper(q.PCESVN))
	if err != nil || m.TCBm != in.tcbm(b) || m.TCBm == first {
		t.Errorf("recorded is %+v, %v; want %s", m, err, in.tcbm(b))
	}
	wantPCK(t, s, q, in.tcbm(b))
}

// The same when an administrator brings the TCB info, and nobody is asked.
func TestChooseAgainOffline(t *testing.T) {
	in := newIntel(t)
	a, b := level{add: 1, pce: -1}, level{add: -1}
	s := in.service(t, pccs.Offline)
	c := in.brought()
	raw := store.RawTCB{CPUSVN: in.tcbm(level{add: 1})[:32], PCESVN: in.tcbm(level{})[32:]}
	c.Platforms[0].TCBs = []store.RawTCB{raw}
	c.Platforms[0].Certs = []store.PCKCert{{TCBm: in.tcbm(a), Cert: in.cert(a)}, {TCBm: in.tcbm(b), Cert: in.cert(b)}}
	if err := s.PutCollateral(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	st := in.store(t)
	recorded := func(want level) {
		t.Helper()
		if err := s.Walk(t.Context()); err != nil {
			t.Fatal(err)
		}
		m, err := st.Match(t.Context(), in.id(), raw.CPUSVN, raw.PCESVN)
		if err != nil || m.TCBm != in.tcbm(want) {
			t.Errorf("recorded is %+v, %v; want %s", m, err, in.tcbm(want))
		}
	}
	recorded(a)
	info := in.m.TCBInfo(dcap.TEESGX)
	top := info.Levels[0]
	top.SGX[1].SVN--
	info.Levels = append([]dcap.TCBLevel{top}, info.Levels...)
	info.IssueDate = info.IssueDate.Add(time.Hour)
	c = in.brought()
	c.Platforms = nil
	if err := s.PutCollateral(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	recorded(b)
}

// A certificate that has expired itself.
func TestExpiredPCK(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	wantPCK(t, s, in.query(), in.tcbm(level{}))
	in.fails(500, "/pckcerts")
	in.wait(7 * 366 * 24 * time.Hour)
	if p := wantPCK(t, s, in.query(), in.tcbm(level{})); p.Stale == nil || !strings.Contains(p.Stale.Error(), "expired") {
		t.Errorf("stale: %v", p.Stale)
	}
	strict := in.service(t, pccs.Offline, func(o *pccs.Options) { o.RefuseExpired = true })
	_, err := strict.PCKCert(t.Context(), in.query())
	wantError(t, err, 503, pccs.Expired, "OFFLINE")
}
