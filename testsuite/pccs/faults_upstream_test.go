package pccs

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/testpki"
	"github.com/feidi-dev/feidi/testsuite/pccs/fleet"
)

// complaint is something that a service behind may do wrong, and what is to be said
// of it to who wants what is not here.
type complaint struct {
	name       string
	does       ailment // to a TCB info,
	certs      ailment // and to the certificates of a platform; nil if it does the same
	status     int
	reason     pccs.Reason
	warm, cold *testpki.Platform // whose TCB info is here, and is not
	unknown    *testpki.Platform // that is to be registered
}

func (c *complaint) id(m *testpki.Platform) string { return fmt.Sprintf("%X", m.SGX.FMSPC) }

// tcb is the request for a TCB info.
func (c *complaint) tcb(m *testpki.Platform) request { return get("v4/tcb?fmspc=" + c.id(m)) }

// complaints are all that there are.
func complaints(p *testpki.PKI, elsewhere string) []*complaint {
	other := testpki.New()
	otherPCS := other.PCS()
	lie := func(signer *testpki.PKI, edit func(*dcap.TCBInfo), edits ...func(*testpki.Document)) ailment {
		return func(w http.ResponseWriter, r *http.Request, _ *httptest.ResponseRecorder) {
			var fmspc [6]byte
			_, _ = fmt.Sscanf(r.URL.Query().Get("fmspc"), "%02X%02X%02X%02X%02X%02X", &fmspc[0], &fmspc[1], &fmspc[2], &fmspc[3], &fmspc[4], &fmspc[5])
			info := *p.TCBInfo(dcap.TEESGX, fmspc)
			edit(&info)
			w.Header().Set(tcbIssuers, fleet.Escape(signer.TCBChainPEM()))
			_, _ = w.Write(signer.TCBInfoJSON(&info, edits...))
		}
	}
	same := func(*dcap.TCBInfo) {}
	// A digit of the certificate is another one, or all of it is another's.
	flipped := passed(func(b []byte) []byte {
		i := bytes.Index(b, []byte("MII")) + 300
		b[i] = map[bool]byte{true: 'B', false: 'A'}[b[i] == 'A']
		return b
	})
	stranger := other.Platform()
	strange := func(w http.ResponseWriter, r *http.Request, _ *httptest.ResponseRecorder) {
		r.URL.RawQuery = fmt.Sprintf("encrypted_ppid=%X&pceid=0000", stranger.EncryptedPPID)
		otherPCS.ServeHTTP(w, r)
	}
	list := []*complaint{
		{name: "hangs", does: hangs, status: 502, reason: pccs.UpstreamDown},
		{name: "is slow", does: drips, status: 502, reason: pccs.UpstreamDown},
		{name: "closes the connection", does: closes, status: 502, reason: pccs.UpstreamDown},
		{name: "sends half of it", does: breaksOff, status: 502, reason: pccs.UpstreamDown},
		{name: "has a giant header", does: said(200, "X-Filler", strings.Repeat("x", 4<<20)), status: 502, reason: pccs.UpstreamDown},
		{name: "says 429", does: said(429, "Retry-After", "2"), status: 502, reason: pccs.UpstreamBusy},
		{name: "says 503 for long", does: said(503, "Retry-After", "6"), status: 502, reason: pccs.UpstreamBusy},
		{name: "says 500", does: said(500), status: 502, reason: pccs.UpstreamBusy},
		{name: "says 404", does: said(404), status: 404, reason: pccs.UpstreamUnknown},
		{name: "says 401", does: said(401), status: 502, reason: pccs.KeyMissing},
		{name: "sends elsewhere", does: said(302, "Location", elsewhere), status: 460, reason: pccs.UpstreamForged},
		{name: "is a page", does: says("text/html", []byte("<html><title>Sign in to the network</title></html>")), status: 460, reason: pccs.UpstreamForged},
		{name: "is nothing", does: says("application/json", nil), status: 460, reason: pccs.UpstreamForged},
		{name: "is too long", does: says("application/json", bytes.Repeat([]byte(" "), 30<<20)), status: 460, reason: pccs.UpstreamForged},
		{name: "is too long, compressed", does: bomb(), status: 460, reason: pccs.UpstreamForged},
		{name: "is truncated", does: passed(func(b []byte) []byte { return b[:len(b)/2] }), status: 460, reason: pccs.UpstreamForged},
		{name: "wrong signature", does: lie(p, same, func(d *testpki.Document) {
			d.EditSignature = func(sig []byte) []byte { sig[9] ^= 1; return sig }
		}), certs: flipped, status: 460, reason: pccs.UpstreamForged},
		{name: "changed after it was signed", does: passed(func(b []byte) []byte {
			return bytes.Replace(b, []byte(`"OutOfDate"`), []byte(`"UpToDate"`), 1)
		}), certs: flipped, status: 460, reason: pccs.UpstreamForged},
		{name: "other FMSPC", does: lie(p, func(i *dcap.TCBInfo) { i.FMSPC[0]++ }), certs: flipped, status: 460, reason: pccs.UpstreamForged},
		{name: "other root", does: lie(other, same), certs: strange, status: 404, reason: pccs.WrongEnvironment},
		{name: "expired", does: lie(p, func(i *dcap.TCBInfo) {
			i.IssueDate, i.NextUpdate = i.IssueDate.AddDate(0, -1, 0), p.Now.AddDate(0, 0, -1)
		}), status: 502, reason: pccs.UpstreamOld},
	}
	for i, c := range list {
		c.warm, c.cold = p.Platform(testpki.FMSPC([6]byte{0x10, byte(i)})), p.Platform(testpki.FMSPC([6]byte{0x20, byte(i)}))
		if c.unknown = p.Platform(); c.certs == nil {
			c.certs = c.does
		}
	}
	return list
}

// The service behind does everything wrong that there is, at once. What is here is
// served meanwhile, what can be refreshed is, nothing bad gets into the database,
// nobody is asked too often; and once it is well again, so is all, by itself.
func TestUpstream(t *testing.T) {
	t.Parallel()
	attempts := 1
	if thorough {
		attempts = 2
	}
	p := testpki.New()
	var strayed sync.Map // requests to who is no service
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { strayed.Store(r.URL.String(), true) }))
	defer elsewhere.Close()
	list := complaints(p, elsewhere.URL)
	u := &ill{honest: p.PCS(), well: true, wrong: map[string]ailment{}, asked: map[string]int{}}
	for _, c := range list {
		u.wrong[c.id(c.warm)], u.wrong[c.id(c.cold)], u.wrong[fmt.Sprintf("%X", c.unknown.EncryptedPPID)] = c.does, c.does, c.certs
	}
	upstream := httptest.NewServer(u)
	defer upstream.Close()
	home := newSite(t, site{Mode: pccs.Lazy, Upstream: upstream.URL, Root: p.RootPEM(), Settings: []string{
		"tls.off = true", "upstream.timeout = \"2s\"", fmt.Sprintf("upstream.attempts = %d", attempts),
	}})

	// As of two days ago.
	healthy := []string{"v4/qe/identity", "v4/qve/identity", "tdx/qe/identity", "v4/pckcrl?ca=platform", "v4/pckcrl?ca=processor", "v4/rootcacrl"}
	d := home.start()
	bodies := map[*complaint][]byte{}
	for _, target := range healthy {
		d.must(200, "", get(target))
	}
	for _, c := range list {
		bodies[c] = d.must(200, "", c.tcb(c.warm)).body
	}
	d.must(200, "", register(p.Platform()))
	d.stop()
	home.sql("UPDATE pccs_documents SET fetched = fetched - ?", 48*time.Hour/time.Microsecond)
	before := home.rows()

	u.fall()
	d = home.start()
	began := time.Now()
	memory := d.memory("VmRSS")
	done := make(chan struct{})
	var served sync.WaitGroup
	served.Go(func() { // those who want what is here
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			case <-time.After(10 * time.Millisecond):
			}
			c := list[n%len(list)]
			if got := d.must(200, "", c.tcb(c.warm)); !bytes.Equal(got.body, bodies[c]) {
				t.Errorf("%s: %.200q", c.name, got.body)
			}
		}
	})
	var asking sync.WaitGroup
	for _, c := range list { // and who want what is not, all at once
		for range 5 {
			asking.Go(func() {
				if got := d.must(c.status, c.reason, c.tcb(c.cold)); t.Failed() {
					t.Logf("%s: %s", c.name, got)
				}
			})
		}
	}
	for _, c := range list {
		asking.Go(func() {
			if c.reason == pccs.UpstreamOld {
				return // certificates last for years
			}
			if got := d.must(c.status, c.reason, register(c.unknown)); t.Failed() {
				t.Logf("%s: %s", c.name, got)
			}
		})
	}
	for _, target := range healthy {
		d.until("is refreshed", get(target), func(got *reply) bool {
			return got.status == 200 && age(got) < time.Hour && got.header.Get("Warning") == ""
		})
	}
	for _, c := range list {
		d.until(c.name, c.tcb(c.warm), func(got *reply) bool {
			return got.status == 200 && strings.HasPrefix(got.header.Get("Warning"), "110 - ") && strings.Contains(got.header.Get("Warning"), string(c.reason))
		})
	}
	asking.Wait()
	close(done)
	served.Wait()
	d.must(200, "", get("/healthz/ready"))
	t.Logf("%d complaints, told within %v; memory %d MiB before, at most %d MiB", len(list), time.Since(began).Round(time.Millisecond), memory>>20, d.memory("VmHWM")>>20)

	// What is not here is not asked for again for 5 s, what is for most of a minute.
	for _, c := range list {
		most := attempts
		if c.name == "closes the connection" {
			most += 20 // what was asked by connections that were there before is asked again by new ones
		}
		if n := u.times(c.id(c.warm)); n == 0 || n > most {
			t.Errorf("%s: of what is here it was asked %d times", c.name, n)
		}
		if n := u.times(c.id(c.cold)); n == 0 || n > most*(1+int(time.Since(began)/(5*time.Second))) {
			t.Errorf("%s: of what is not here it was asked %d times in %v", c.name, n, time.Since(began))
		}
	}
	if n := d.must(200, "", get("v4/platforms?source=[]", asAdmin)).header.Get("Platform-Count"); n != "1" {
		t.Errorf("%s platforms are here", n)
	}
	strayed.Range(func(k, _ any) bool { t.Errorf("another one was asked for %s", k); return true })
	for name, row := range home.rows() {
		if old, ok := before[name]; !ok {
			t.Errorf("%s is in the database", name)
		} else if row.body != old.body {
			t.Errorf("%s is another one", name)
		}
	}

	u.recover()
	for _, c := range list {
		d.until(c.name+": it is well again", c.tcb(c.cold), func(got *reply) bool { return got.status == 200 })
		d.must(200, "", register(c.unknown))
	}
	if !thorough { // an hour passes
		d.stop()
		home.sql("UPDATE pccs_fetches SET tried = tried - ?1, due = due - ?1", time.Hour/time.Microsecond)
		home.sql("UPDATE pccs_claims SET expires = expires - ?", time.Hour/time.Microsecond)
		d = home.start()
	}
	for _, c := range list {
		d.until(c.name+": it is well again", c.tcb(c.warm), func(got *reply) bool {
			return got.status == 200 && age(got) < time.Hour && got.header.Get("Warning") == "" && bytes.Equal(got.body, bodies[c])
		})
	}
	d.stop()
	home.sound()
}

// register is the registration of a platform.
func register(m *testpki.Platform) request {
	c := fleet.Cert{Components: m.SGX.TCB, PCESVN: m.SGX.PCESVN}
	return send("POST", "v4/platforms", registration(fmt.Sprintf("%X", m.QEID), c.Raw(), fmt.Sprintf("%X", m.EncryptedPPID)), asUser)
}

// until asks until the answer is right.
func (d *daemon) until(what string, r request, right func(*reply) bool) {
	d.Helper()
	var got *reply
	for end := time.Now().Add(2 * patienceToStart); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var err error
		if got, err = d.ask(r); err != nil {
			d.Fatalf("%s: %v\n%s", what, err, d.log.String())
		}
		if right(got) {
			return
		}
	}
	d.Fatalf("%s: %s: still %s, age %s, %s", what, shown(r), got, got.header.Get("Age"), got.header.Get("Warning"))
}

// age is how old an answer is.
func age(r *reply) time.Duration {
	n, err := strconv.Atoi(r.header.Get("Age"))
	if err != nil {
		return 1 << 62
	}
	return time.Duration(n) * time.Second
}

// kept is what is looked at of a document in the database.
type kept struct{ body [32]byte }

// rows returns the documents in the database by name.
func (s *site) rows() map[string]kept {
	s.Helper()
	db := s.sqlite()
	defer db.Close()
	rows, err := db.QueryContext(s.Context(), "SELECT name, body FROM pccs_documents")
	if err != nil {
		s.Fatal(err)
	}
	defer rows.Close()
	m := map[string]kept{}
	for rows.Next() {
		var name string
		var body []byte
		if err := rows.Scan(&name, &body); err != nil {
			s.Fatal(err)
		}
		m[name] = kept{sha256.Sum256(body)}
	}
	if err := rows.Err(); err != nil {
		s.Fatal(err)
	}
	return m
}

// bomb is a megabyte for each kilobyte that is sent.
func bomb() ailment {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for range 40 {
		_, _ = z.Write(make([]byte, 1<<20)) // into memory
	}
	_ = z.Close()
	return func(w http.ResponseWriter, _ *http.Request, _ *httptest.ResponseRecorder) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(b.Bytes())
	}
}
