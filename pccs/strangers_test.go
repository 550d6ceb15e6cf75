package pccs_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/store"
	"github.com/feidi-dev/feidi/testpki"
)

// ppid is an encrypted PPID in a request.
func ppid(m *testpki.Platform) string { return fmt.Sprintf("%x", m.EncryptedPPID) }

// Who knows one encrypted PPID can neither fill the database with invented QE IDs,
// nor have the service behind asked for them all the time.
func TestStrangers(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	const n = 2 * pccs.UnknownBurst
	for i := range n {
		q := in.query()
		q.QEID = fmt.Sprintf("%032X", i)
		_, err := s.PCKCert(t.Context(), q)
		switch {
		case i < pccs.Strangers && err != nil:
			t.Fatal(err)
		case i == pccs.Strangers:
			wantError(t, err, 404, pccs.NotRegistered, "register the platform")
		case i == n-1:
			wantError(t, err, 503, pccs.Busy, "")
		}
	}
	if got, most := in.times("/pckcerts"), pccs.UnknownBurst+pccs.Strangers; got > most {
		t.Errorf("the service behind was asked %d times, and may be %d times", got, most)
	}
	st, err := s.Status(t.Context())
	if err != nil || st.Platforms[fmspc] != pccs.Strangers {
		t.Errorf("platforms %v, %v", st.Platforms, err)
	}
	// Who may register is not bound by it.
	if err := s.Register(t.Context(), in.registration()); err != nil {
		t.Error(err)
	}
}

// Nor can who knows a QE ID, by a TCB that no certificate is for.
func TestStrangersAtLowTCB(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	if err := s.Register(t.Context(), in.registration()); err != nil {
		t.Fatal(err)
	}
	st := in.store(t)
	p, err := st.Platform(t.Context(), in.id())
	if err != nil {
		t.Fatal(err)
	}
	const platforms = pccs.ClientBurst + 20
	var list []*store.Platform
	for i := range platforms {
		other := *p
		other.QEID = fmt.Sprintf("%032X", i)
		list = append(list, &other)
	}
	if err := st.PutPlatforms(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	in.wait(time.Hour)
	in.total()
	for i := range platforms {
		q := in.query()
		q.QEID, q.CPUSVN, q.EncryptedPPID = fmt.Sprintf("%032X", i), strings.Repeat("0", 32), ""
		_, err := s.PCKCert(pccs.WithClient(t.Context(), "a"), q)
		wantError(t, err, 462, pccs.NoCertificate, "")
	}
	if n := in.times("/pckcerts"); n != pccs.ClientBurst {
		t.Errorf("the service behind was asked %d times", n)
	}
}

// One client that asks for what nobody has leaves others something.
func TestOneClient(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	flood := func(client string, from, n int) {
		ctx := pccs.WithClient(t.Context(), client)
		for i := range n {
			item := sgxInfo
			item.FMSPC = fmt.Sprintf("%012X", from+i)
			if _, err := s.Document(ctx, item); err == nil {
				t.Error("a document")
			}
		}
	}
	flood("a", 0, 3*pccs.ClientBurst)
	if n := in.times("/tcb"); n != pccs.ClientBurst {
		t.Errorf("the service behind was asked %d times, want %d", n, pccs.ClientBurst)
	}
	for i := range 30 {
		in.wait(time.Second)
		flood("a", 10000+100*i, 10)
		if _, err := s.Document(pccs.WithClient(t.Context(), "b"), qe); err != nil {
			t.Fatalf("another client: %v", err)
		}
		if err := in.store(t).DeleteDocument(t.Context(), qe.String()); err != nil {
			t.Fatal(err)
		}
	}
	// Many clients are not remembered for good.
	for i := range pccs.MaxClients + 100 {
		flood(fmt.Sprint("client ", i), 1<<30+i, 1)
	}
	if n := s.Clients(); n > pccs.MaxClients {
		t.Errorf("%d clients are remembered", n)
	}
}

// Of registrations that fail no more is kept than of anything else.
func TestRegistrationsFail(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	in.fails(404, "/pckcerts")
	st := in.store(t)
	const some = 5
	s.FillFailures(pccs.MaxRefused - some)
	for i := range 4 * some {
		r := in.registration()
		r.QEID = fmt.Sprintf("%0260X", i)
		wantError(t, s.Register(t.Context(), r), 404, pccs.UpstreamUnknown, "")
	}
	list, err := st.Fetches(t.Context())
	if err != nil || len(list) != some {
		t.Errorf("%d failures are kept, %v", len(list), err)
	}
}

// Who may register platforms cannot put certificates of another processor in the
// place of a platform's, neither by an encrypted PPID nor by a manifest.
func TestAnothersQEID(t *testing.T) {
	for _, mode := range []pccs.Mode{pccs.Lazy, pccs.Req} {
		in := newIntel(t)
		other := in.pki.Platform()
		s := in.service(t, mode)
		if err := s.Register(t.Context(), in.registration()); err != nil {
			t.Fatal(err)
		}
		mine, err := s.PCKCert(t.Context(), in.query())
		if err != nil {
			t.Fatal(err)
		}
		r := in.registration()
		r.EncryptedPPID, r.CPUSVN = ppid(other), "FF"+r.CPUSVN[2:]
		wantError(t, s.Register(t.Context(), r), 460, pccs.NotGenuine, "an administrator brings the new ones")
		p, err := s.PCKCert(t.Context(), in.query())
		if err != nil || p.Cert != mine.Cert {
			t.Errorf("%s: another certificate is served, %v", mode, err)
		}
		list, err := s.Platforms(t.Context(), nil)
		if err != nil || len(list) != 1 || string(list[0].EncryptedPPID) != string(in.m.EncryptedPPID[:]) {
			t.Errorf("%s: platforms %+v, %v", mode, list, err)
		}
		// A name that somebody gave to it may go on to another machine.
		for _, m := range []*testpki.Platform{in.m, other} {
			r := in.registration()
			r.QEID, r.EncryptedPPID, r.CPUSVN = "ABC", ppid(m), fmt.Sprintf("%x", m.SGX.CPUSVN)
			if m == other {
				r.CPUSVN = "FF" + r.CPUSVN[2:]
			}
			if err := s.Register(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			list, err := s.PCKCerts(t.Context(), pccs.PCKQuery{QEID: "abc", PCEID: r.PCEID})
			if err != nil || string(list.EncryptedPPID) != string(m.EncryptedPPID[:]) || len(list.TCBs) != 1 {
				t.Errorf("%s: platform %+v, %v", mode, list, err)
			}
		}
	}
}

// What anybody brought in under a QE ID gives way to who registers, and to nobody
// else.
func TestSquatter(t *testing.T) {
	in := newIntel(t)
	other := in.pki.Platform()
	s := in.service(t, pccs.Lazy)
	q := in.query()
	q.EncryptedPPID = ppid(other)
	squatters, err := s.PCKCert(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Register(t.Context(), in.registration()); err != nil {
		t.Fatal(err)
	}
	mine, err := s.PCKCert(t.Context(), in.query())
	if err != nil || mine.Cert == squatters.Cert {
		t.Fatalf("the squatter's certificate is served: %v", err)
	}
	if want := string(in.m.PCK.PEM()); mine.Cert != want {
		t.Errorf("certificate\n%s, want\n%s", mine.Cert, want)
	}
	list, err := s.Platforms(t.Context(), nil)
	if err != nil || len(list) != 1 || string(list[0].EncryptedPPID) != string(in.m.EncryptedPPID[:]) {
		t.Errorf("platforms %+v, %v", list, err)
	}
	// From now on it is there, and nobody is asked.
	in.total()
	if err := s.Register(t.Context(), in.registration()); err != nil || in.times("/pckcerts") != 0 {
		t.Errorf("asked again: %v", err)
	}
	if _, err := s.PCKCert(t.Context(), q); err != nil || in.times("/pckcerts") != 0 {
		t.Errorf("the squatter had it fetched again: %v", err)
	}
}

// So it is if the registration finds the squatter's fetch under way.
func TestSquatterMeanwhile(t *testing.T) {
	in := newIntel(t)
	other := in.pki.Platform()
	s := in.service(t, pccs.Lazy)
	came, release := in.hold("/sgx/certification/v4/pckcerts")
	defer release()
	q := in.query()
	q.EncryptedPPID = ppid(other)
	errs := make(chan error, 2)
	go func() {
		_, err := s.PCKCert(t.Context(), q)
		errs <- err
	}()
	<-came
	ctx, joined := joining(t.Context())
	go func() { errs <- s.Register(ctx, in.registration()) }()
	<-joined
	release()
	for range 2 {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	p, err := s.PCKCert(t.Context(), in.query())
	if err != nil || p.Cert != string(in.m.PCK.PEM()) {
		t.Errorf("another's certificate is served, %v", err)
	}
}

// joining returns a context of a request, and a channel that tells when that waits
// for a fetch.
func joining(ctx context.Context) (context.Context, chan struct{}) {
	joined := make(chan struct{}, 100)
	return pccs.WithPause(ctx, func() func() {
		joined <- struct{}{}
		return func() {}
	}), joined
}
