package pccs_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/store"
)

func TestRegister(t *testing.T) {
	early := qe
	early.Update = collateral.Early
	for _, c := range []struct {
		mode   pccs.Mode
		update string
		here   []collateral.Item
		absent []collateral.Item
		queued int
	}{
		{pccs.Lazy, "", []collateral.Item{rootCRL, platform, processor, qe, tdqe, qve, sgxInfo, earlyInfo}, []collateral.Item{early, tdxInfo}, 0},
		{pccs.Req, "", []collateral.Item{rootCRL, platform, processor, qe, tdqe, qve, sgxInfo, earlyInfo, tdxInfo}, []collateral.Item{early}, 0},
		{pccs.Req, "early", []collateral.Item{early, tdxInfo}, []collateral.Item{qe}, 0},
		{pccs.Req, "all", []collateral.Item{early, qe, tdxInfo}, nil, 0},
		{pccs.Offline, "", nil, []collateral.Item{rootCRL, qe, sgxInfo}, 1},
	} {
		t.Run(string(c.mode)+c.update, func(t *testing.T) {
			in := newIntel(t)
			s := in.service(t, c.mode)
			r := in.registration()
			r.Update = c.update
			for range 2 { // the second time nothing happens
				if err := s.Register(t.Context(), r); err != nil {
					t.Fatal(err)
				}
			}
			if n := in.times("/pckcerts"); n > 1 {
				t.Errorf("certificates were asked for %d times", n)
			}
			offline := in.service(t, pccs.Offline)
			for _, i := range c.here {
				get(t, offline, i)
			}
			for _, i := range c.absent {
				_, err := offline.Document(t.Context(), i)
				wantError(t, err, 404, pccs.NotCached, "")
			}
			for _, keep := range []bool{true, false} {
				list, err := s.Registrations(t.Context(), store.New, keep)
				if err != nil || len(list) != c.queued {
					t.Fatalf("queue %+v, %v", list, err)
				}
				if c.queued > 0 && (list[0].PlatformID != in.id() || list[0].CPUSVN+list[0].PCESVN != in.tcbm(level{}) || string(list[0].EncryptedPPID) != string(in.m.EncryptedPPID[:])) {
					t.Errorf("queue %+v", list)
				}
			}
			if list, err := s.Registrations(t.Context(), store.New, false); err != nil || len(list) > 0 {
				t.Errorf("the queue was drained: %+v, %v", list, err)
			}
			if c.mode == pccs.Offline {
				return
			}
			// It is served from now on, in whatever mode.
			q := in.query()
			q.EncryptedPPID = ""
			wantPCK(t, offline, q, in.tcbm(level{}))
		})
	}
}

// In REQ mode who cannot be fetched stays in the queue, and it is said why.
func TestRegisterFails(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Req)
	in.fails(404, "/pckcerts")
	wantError(t, s.Register(t.Context(), in.registration()), 404, pccs.UpstreamUnknown, "")
	st, err := s.Status(t.Context())
	if err != nil || st.Waiting != 1 || len(st.Failures) != 1 || !strings.HasPrefix(st.Failures[0].Name, "platform/"+in.id().QEID) {
		t.Errorf("status %+v, %v", st, err)
	}
	// Another attempt is made at once: who registers has mended something.
	in.setFault(nil)
	if err := s.Register(t.Context(), in.registration()); err != nil {
		t.Error(err)
	}
	if st, err = s.Status(t.Context()); err != nil || st.Waiting != 0 || len(st.Failures) != 0 {
		t.Errorf("status %+v, %v", st, err)
	}
	// So it is if a client had no luck before.
	lazy := newIntel(t)
	s = lazy.service(t, pccs.Lazy)
	lazy.fails(404, "/pckcerts")
	_, err = s.PCKCert(t.Context(), lazy.query())
	wantError(t, err, 404, pccs.UpstreamUnknown, "")
	lazy.setFault(nil)
	if err := s.Register(t.Context(), lazy.registration()); err != nil {
		t.Error(err)
	}
	if st, err = s.Status(t.Context()); err != nil || len(st.Failures) != 0 {
		t.Errorf("status %+v, %v", st, err)
	}
	// What verifiers need is tried, too.
	other := newIntel(t)
	s = other.service(t, pccs.Req)
	other.fails(500, "/qve/identity")
	wantError(t, s.Register(t.Context(), other.registration()), 502, pccs.UpstreamBusy, "")
	get(t, s, qe)
}

// A registration that finds its platform being fetched for a client at another TCB
// has its own recorded all the same.
func TestRegisterMeanwhile(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	came, release := in.hold("/sgx/certification/v4/pckcerts")
	defer release()
	errs := make(chan error, 2)
	go func() {
		_, err := s.PCKCert(t.Context(), in.at(level{add: 2}))
		errs <- err
	}()
	<-came
	go func() { errs <- s.Register(t.Context(), in.registration()) }()
	// The registration is on its way as soon as it has looked for the platform;
	// if it comes late it fetches itself, and all is the same.
	release()
	for range 2 {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range []level{{}, {add: 2}} {
		m, err := in.store(t).Match(t.Context(), in.id(), in.tcbm(l)[:32], in.tcbm(l)[32:])
		if err != nil || m.TCBm != in.tcbm(level{}) {
			t.Errorf("recorded is %+v, %v", m, err)
		}
	}
}

func TestRegisterManifest(t *testing.T) {
	in := newIntel(t)
	in.has(level{}, level{add: -1})
	s := in.service(t, pccs.Req)
	var sent []string
	answer := in.fault
	in.setFault(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			var body struct{ PlatformManifest, PCEID string }
			b, _ := io.ReadAll(r.Body)
			if err := json.Unmarshal(b, &body); err != nil {
				t.Error(err)
			}
			sent = append(sent, body.PlatformManifest+"/"+body.PCEID)
		}
		return answer(w, r)
	})
	r := pccs.Registration{QEID: in.query().QEID, PCEID: "0000", Manifest: "C0FFEE"}
	for range 2 {
		if err := s.Register(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if len(sent) != 1 || !strings.EqualFold(sent[0], "c0ffee/0000") {
		t.Errorf("sent %v", sent)
	}
	// A TCB without the manifest is that of the platform with the manifest.
	if err := s.Register(t.Context(), in.registration()); err != nil {
		t.Fatal(err)
	}
	if len(sent) != 2 {
		t.Errorf("sent %v", sent)
	}
	list, err := s.Platforms(t.Context(), nil)
	if err != nil || len(list) != 1 || string(list[0].Manifest) != "\xc0\xff\xee" || list[0].CPUSVN+list[0].PCESVN != in.tcbm(level{}) {
		t.Errorf("platforms %+v, %v", list, err)
	}
	// Another manifest is another platform's, or of one that has new packages.
	r.Manifest = "C0FFEE02"
	if err := s.Register(t.Context(), r); err != nil || len(sent) != 3 {
		t.Errorf("sent %v, %v", sent, err)
	}
	wantPCK(t, s, in.query(), in.tcbm(level{}))
}

func TestRegisterInput(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Offline)
	for says, spoil := range map[string]func(r *pccs.Registration){
		"qeid is missing":             func(r *pccs.Registration) { r.QEID = "" },
		"pceid is missing":            func(r *pccs.Registration) { r.PCEID = "" },
		"cpusvn is missing":           func(r *pccs.Registration) { r.CPUSVN = "" },
		"pcesvn is missing":           func(r *pccs.Registration) { r.PCESVN = "" },
		"enc_ppid is missing":         func(r *pccs.Registration) { r.EncryptedPPID = "" },
		"encrypted_ppid has 4":        func(r *pccs.Registration) { r.EncryptedPPID = "0000" },
		"update is":                   func(r *pccs.Registration) { r.Update = "EARLY" },
		"platform_manifest has an":    func(r *pccs.Registration) { r.Manifest = "123" },
		"platform_manifest has somet": func(r *pccs.Registration) { r.Manifest = "zz" },
		"and may have 2 to":           func(r *pccs.Registration) { r.Manifest = strings.Repeat("00", store.MaxManifest+1) },
	} {
		r := in.registration()
		spoil(&r)
		wantError(t, s.Register(t.Context(), r), 400, pccs.BadRequest, says)
	}
	if st, err := s.Status(t.Context()); err != nil || st.Waiting != 0 {
		t.Errorf("%d are in the queue, %v", st.Waiting, err)
	}
}

func TestPolicies(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Offline)
	id, err := s.PutPolicy(t.Context(), store.Policy{FMSPC: "00fe1d100000", Body: "abc", Default: true})
	// FIPS 180-4, example of SHA-384.
	if err != nil || id != "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7" {
		t.Errorf("ID %s, %v", id, err)
	}
	if _, err := s.PutPolicy(t.Context(), store.Policy{FMSPC: fmspc, Body: "other", Kind: 2}); err != nil {
		t.Error(err)
	}
	list, err := s.Policies(t.Context(), strings.ToLower(fmspc))
	if err != nil || len(list) != 1 || list[0].Body != "abc" || list[0].FMSPC != fmspc {
		t.Errorf("policies %+v, %v", list, err)
	}
	for says, p := range map[string]store.Policy{
		"fmspc has": {FMSPC: "00", Body: "abc"}, "policy is missing": {FMSPC: fmspc}, "not 3": {FMSPC: fmspc, Body: "abc", Kind: 3},
	} {
		_, err := s.PutPolicy(t.Context(), p)
		wantError(t, err, 400, pccs.BadRequest, says)
	}
}
