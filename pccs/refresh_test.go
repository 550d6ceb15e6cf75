package pccs_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/collateral"
)

// state is what the status says of a document.
func state(t testing.TB, s *pccs.Service, i collateral.Item) pccs.DocumentStatus {
	t.Helper()
	st, err := s.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := slices.IndexFunc(st.Documents, func(d pccs.DocumentStatus) bool { return d.Item == i })
	if n < 0 {
		t.Fatalf("the status has no %s", i)
	}
	return st.Documents[n]
}

// Each document is refreshed when its own time has come: not before, and not all
// at once.
func TestDue(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	in.fill(t, s)
	in.total()
	s.Pass(t.Context())
	if n := in.total(); n != 0 {
		t.Fatalf("%d requests for what is new", n)
	}
	st, err := s.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	times := map[time.Time]bool{}
	for _, d := range st.Documents {
		age := d.Due.Sub(d.Fetched)
		if age > 24*time.Hour || age < 24*time.Hour*9/10 {
			t.Errorf("%s is due after %v", d.Name, age)
		}
		times[d.Due] = true
	}
	if len(times) != len(st.Documents) || len(times) < 9 {
		t.Errorf("%d documents are due at %d times", len(st.Documents), len(times))
	}
	// Two hours pass by minutes: all are refreshed once, most of them alone.
	in.wait(24*time.Hour*9/10 - time.Minute)
	busiest, all := 0, 0
	for range 150 {
		s.Pass(t.Context())
		n := in.total()
		busiest, all = max(busiest, n), all+n
		in.wait(time.Minute)
	}
	// The client asks for the root CRL each hour besides.
	if all < len(st.Documents) || all > len(st.Documents)+3 || busiest > len(st.Documents)/2 {
		t.Errorf("%d requests for %d documents, up to %d in a minute", all, len(st.Documents), busiest)
	}
	// And never later than a while before the next update.
	info := in.m.TCBInfo(dcap.TEESGX)
	for _, before := range []time.Duration{13 * time.Hour, 2 * time.Hour, time.Minute} {
		info.IssueDate, info.NextUpdate = in.clock().Add(-time.Hour), in.clock().Add(before)
		if err := s.Refresh(t.Context(), false, nil); err != nil {
			t.Fatal(err)
		}
		d := state(t, s, sgxInfo)
		if d.Due.After(d.NextUpdate) && before > time.Hour {
			t.Errorf("due at %v, next update at %v", d.Due, d.NextUpdate)
		}
		if d.Due.Sub(d.Fetched) < 15*time.Minute {
			t.Errorf("due %v after it was fetched: that is no pause", d.Due.Sub(d.Fetched))
		}
		info.IssueDate = info.IssueDate.Add(time.Second)
	}
}

// What fails is tried again by itself, ever more seldom, while the rest is
// refreshed; and when the service behind is well again, so is all.
func TestIsolation(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	in.fill(t, s)
	in.wait(24 * time.Hour)
	in.reissue()
	in.fails(500, "/qe/identity", "/pckcrl")
	in.total()
	s.Pass(t.Context())
	for _, i := range []collateral.Item{sgxInfo, earlyInfo, tdxInfo, qve, rootCRL} {
		if d := get(t, s, i); !d.Fetched.Equal(in.clock()) || d.Stale != nil {
			t.Errorf("%s is of %v: %v", i, d.Fetched, d.Stale)
		}
	}
	for _, i := range []collateral.Item{qe, tdqe, platform, processor} {
		d := get(t, s, i)
		if d.Fetched.Equal(in.clock()) || d.Stale == nil || d.Expired {
			t.Errorf("%s is of %v: %v", i, d.Fetched, d.Stale)
		}
		if d.Stale != nil && !strings.Contains(d.Stale.Error(), string(pccs.UpstreamBusy)) {
			t.Errorf("%s: %v does not say why", i, d.Stale)
		}
		if row := state(t, s, i); row.Failures != 1 || row.Reason != pccs.UpstreamBusy || row.Message == "" || !row.Due.After(in.clock()) {
			t.Errorf("status of %s: %+v", i, row)
		}
	}
	in.total()
	tries := 0
	for range 24 * 30 {
		s.Pass(t.Context())
		tries += in.times("/sgx/certification/v4/qe/identity")
		in.total()
		in.wait(2 * time.Minute)
	}
	// Each 45 s to 1 min at first, each 45 min to 1 h at last.
	if tries < 20 || tries > 45 {
		t.Errorf("%d attempts in a day", tries)
	}
	in.setFault(nil)
	in.wait(time.Hour)
	s.Pass(t.Context())
	for _, i := range []collateral.Item{qe, tdqe, platform, processor} {
		if d := get(t, s, i); !d.Fetched.Equal(in.clock()) || d.Stale != nil {
			t.Errorf("%s is of %v: %v", i, d.Fetched, d.Stale)
		}
	}
	if st, err := s.Status(t.Context()); err != nil || len(st.Failures) != 0 {
		t.Errorf("failures %v, %v", st.Failures, err)
	}
}

// However often it failed, there is an attempt before it runs out.
func TestLastAttempt(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	get(t, s, qe)
	in.fails(500, "/qe/identity")
	end := get(t, s, qe).NextUpdate
	last := time.Time{}
	for in.clock().Before(end) {
		in.total()
		s.Pass(t.Context())
		if in.times("/qe/identity") > 0 {
			last = in.clock()
		}
		// By hours, and at last by minutes.
		if left := end.Sub(in.clock()); left > 4*time.Hour {
			in.wait(time.Hour)
		} else {
			in.wait(5 * time.Minute)
		}
	}
	if left := end.Sub(last); left > 10*time.Minute {
		t.Errorf("the last attempt was %v before the end", left)
	}
}

// By the policy an expired document is served with a word, for a while, or not
// at all. One more attempt is made for it.
func TestExpired(t *testing.T) {
	for _, c := range []struct {
		name   string
		policy func(*pccs.Options)
		past   time.Duration
		served bool
	}{
		{"default", func(*pccs.Options) {}, 400 * 24 * time.Hour, true},
		{"refuse", func(o *pccs.Options) { o.RefuseExpired = true }, time.Second, false},
		{"not yet", func(o *pccs.Options) { o.RefuseExpired = true }, 0, true},
		{"within", func(o *pccs.Options) { o.MaxExpired = time.Hour }, time.Hour, true},
		{"beyond", func(o *pccs.Options) { o.MaxExpired = time.Hour }, time.Hour + time.Second, false},
	} {
		for _, mode := range []pccs.Mode{pccs.Lazy, pccs.Req, pccs.Offline} {
			t.Run(c.name+"/"+string(mode), func(t *testing.T) {
				in := newIntel(t)
				filler := in.service(t, pccs.Lazy)
				get(t, filler, sgxInfo)
				in.fails(503, "/tcb")
				s := in.service(t, mode, c.policy)
				in.wait(in.m.TCBInfo(dcap.TEESGX).NextUpdate.Add(c.past).Sub(in.clock()))
				in.total()
				d, err := s.Document(t.Context(), sgxInfo)
				switch {
				case !c.served:
					wantError(t, err, 503, pccs.Expired, map[bool]string{true: "feidi pccs put", false: string(pccs.UpstreamBusy)}[mode == pccs.Offline])
				case err != nil:
					t.Fatal(err)
				case d.Expired != (c.past > 0):
					t.Errorf("expired: %v", d.Expired)
				case mode != pccs.Offline && d.Expired && d.Stale == nil:
					t.Error("it does not say why")
				}
				if n, want := in.times("/tcb"), map[bool]int{true: 1}[mode != pccs.Offline && c.past > 0]; n != want {
					t.Errorf("%d attempts, want %d", n, want)
				}
				if mode == pccs.Offline {
					return
				}
				in.setFault(nil)
				in.wait(2 * time.Hour)
				in.reissue()
				if d := get(t, s, sgxInfo); d.Expired || c.past > 0 && !d.Fetched.Equal(in.clock()) {
					t.Errorf("expired %v, of %v", d.Expired, d.Fetched)
				}
			})
		}
	}
}

// MaxStale is about what could not be refreshed, and not about age.
func TestMaxStale(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy, func(o *pccs.Options) { o.MaxStale = 72 * time.Hour })
	get(t, s, sgxInfo)
	in.fails(500, "/tcb")
	in.wait(71 * time.Hour)
	s.Pass(t.Context())
	if d := get(t, s, sgxInfo); d.Stale == nil {
		t.Error("not stale")
	}
	in.wait(2 * time.Hour)
	_, err := s.Document(t.Context(), sgxInfo)
	wantError(t, err, 503, pccs.Expired, "73h0m0s old")
	in.setFault(nil)
	s.Pass(t.Context())
	if d := get(t, s, sgxInfo); d.Stale != nil {
		t.Error(d.Stale)
	}
	// Where nobody refreshes there is nothing to be late.
	in.wait(10 * 24 * time.Hour)
	offline := in.service(t, pccs.Offline, func(o *pccs.Options) { o.MaxStale = 72 * time.Hour })
	if d := get(t, offline, sgxInfo); d.Stale != nil {
		t.Error(d.Stale)
	}
}

// A clock that is set back or forward neither ends refreshing nor makes it a rush.
func TestClockJumps(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	get(t, s, qve)
	day := func() (n int) {
		in.total()
		for range 24 * 6 {
			s.Pass(t.Context())
			n += in.times("/qve/identity")
			in.total()
			in.wait(10 * time.Minute)
		}
		return n
	}
	const days = 24 * time.Hour
	for _, jump := range []time.Duration{-5 * days, 9 * days, -3 * days} {
		in.wait(jump)
		if n := day(); n < 1 || n > 2 {
			t.Errorf("%v: %d requests in a day", jump, n)
		}
	}
	// With a failure in the books whose time is far ahead.
	in.fails(500, "/qve/identity")
	in.wait(2 * days)
	s.Pass(t.Context())
	in.setFault(nil)
	in.wait(-4 * days)
	if n := day(); n < 1 || n > 2 {
		t.Errorf("back with a failure: %d requests in a day", n)
	}
	if d := get(t, s, qve); d.Stale != nil || d.Expired {
		t.Errorf("%v", d.Stale)
	}
	// So far back that nothing is valid yet. As soon as it is set right, all
	// is well.
	in.wait(-365 * days)
	if n := day(); n < 10 || n > 45 {
		t.Errorf("%d attempts in a day", n)
	}
	if d := get(t, s, qve); d.Stale == nil || !strings.Contains(d.Stale.Error(), "is the clock of this machine right?") {
		t.Errorf("%v", d.Stale)
	}
	in.wait(365 * days)
	s.Pass(t.Context())
	if d := get(t, s, qve); d.Stale != nil || !d.Fetched.Equal(in.clock()) {
		t.Errorf("of %v: %v", d.Fetched, d.Stale)
	}
}

// Of two services on one database one refreshes, and both serve it.
func TestTwoServices(t *testing.T) {
	in := newIntel(t)
	a, b := in.service(t, pccs.Lazy), in.service(t, pccs.Req)
	in.fill(t, a)
	if d := get(t, b, tdxInfo); len(d.Body) == 0 {
		t.Error("nothing")
	}
	in.total()
	for range 3 {
		in.wait(24 * time.Hour)
		in.reissue()
		both(t, func(ctx context.Context) { a.Pass(ctx) }, func(ctx context.Context) { b.Pass(ctx) })
	}
	st, err := b.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range st.Documents {
		if !d.Fetched.Equal(in.clock()) {
			t.Errorf("%s is of %v", d.Name, d.Fetched)
		}
	}
	// One more for each of the two: a client asks for the root CRL first.
	if n := in.total(); n > 3*(len(st.Documents)+2) {
		t.Errorf("%d requests for %d documents in three days", n, len(st.Documents))
	}
	// What one fails at, the other knows.
	in.fails(500, "/qve/identity")
	in.wait(24 * time.Hour)
	a.Pass(t.Context())
	in.total()
	b.Pass(t.Context())
	if n := in.times("/qve/identity"); n != 0 {
		t.Error("the other tries at once, too")
	}
	if d := get(t, b, qve); d.Stale == nil || !strings.Contains(d.Stale.Error(), string(pccs.UpstreamBusy)) {
		t.Errorf("stale: %v", d.Stale)
	}
}

func both(t *testing.T, f ...func(context.Context)) {
	done := make(chan bool)
	for _, f := range f {
		go func() {
			f(t.Context())
			done <- true
		}()
	}
	for range f {
		<-done
	}
}

// An administrator's refresh does all that it can, and says what it could not.
func TestRefresh(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	in.fill(t, s)
	in.wait(time.Hour)
	if err := s.Refresh(t.Context(), false, nil); err != nil {
		t.Fatal(err)
	}
	if d := get(t, s, platform); !d.Fetched.Equal(in.clock()) {
		t.Errorf("the CRL is of %v", d.Fetched)
	}
	in.wait(time.Hour)
	in.fails(500, "/qe/identity")
	err := s.Refresh(t.Context(), false, nil)
	wantError(t, err, 503, pccs.UpstreamBusy, "2 of 9 documents")
	if d := get(t, s, platform); !d.Fetched.Equal(in.clock()) {
		t.Errorf("the CRL is of %v", d.Fetched)
	}
	wantError(t, in.service(t, pccs.Offline).Refresh(t.Context(), false, nil), 503, pccs.NotAllowed, "feidi pccs put")
}

// Run does all of it until it is told to end.
func TestRun(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	get(t, s, sgxInfo)
	in.wait(25 * time.Hour)
	in.total()
	changed := make(chan bool, 10)
	s.OnChange(func() { changed <- true })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	<-changed
	if d := get(t, s, sgxInfo); !d.Fetched.Equal(in.clock()) {
		t.Errorf("it is of %v", d.Fetched)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if got := s.Counts()[pccs.Count{Kind: "tcb", Outcome: "ok"}]; got != 2 {
		t.Errorf("%d fetches are counted: %v", got, s.Counts())
	}
}

// The root CRL is had before anything else; but where that alone fails, that of the
// last run is good for the rest.
func TestRootCRLFails(t *testing.T) {
	in := newIntel(t)
	in.fill(t, in.service(t, pccs.Lazy))
	in.wait(24 * time.Hour)
	in.reissue()
	in.fails(500, "/IntelSGXRootCA.der")
	s := in.service(t, pccs.Lazy) // after a restart
	s.Pass(t.Context())
	for _, i := range []collateral.Item{sgxInfo, earlyInfo, tdxInfo, qe, tdqe, qve, platform, processor} {
		if d := get(t, s, i); !d.Fetched.Equal(in.clock()) || d.Stale != nil {
			t.Errorf("%s is of %v: %v", i, d.Fetched, d.Stale)
		}
	}
	if d := get(t, s, rootCRL); d.Fetched.Equal(in.clock()) || d.Stale == nil {
		t.Errorf("the root CRL is of %v: %v", d.Fetched, d.Stale)
	}
	other := in.pki.Platform()
	if _, err := s.PCKCert(t.Context(), queryOf(other)); err != nil {
		t.Errorf("a platform: %v", err)
	}
}

// What hangs holds up nothing else.
func TestRefreshHangs(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	in.fill(t, s)
	in.wait(24 * time.Hour)
	came, release := in.hold("/sgx/certification/v4/qve/identity")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	changed := make(chan bool, 100)
	s.OnChange(func() { changed <- true })
	go func() { ended <- s.Run(ctx) }()
	<-came
	for range 8 {
		<-changed
	}
	if d := get(t, s, qve); d.Fetched.Equal(in.clock()) {
		t.Error("it hangs, and was refreshed")
	}
	release()
	<-changed
	cancel()
	<-ended
}
