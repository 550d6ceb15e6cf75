package pccs_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pcs"
)

func TestNew(t *testing.T) {
	in := newIntel(t)
	st, check := in.store(t), in.checker(t)
	for name, o := range map[string]pccs.Options{
		"nothing": {}, "no checker": {Store: st, Mode: pccs.Offline}, "no store": {Checker: check, Mode: pccs.Offline},
		"nobody behind": {Store: st, Checker: check}, "mode": {Store: st, Checker: check, Mode: "lazy"},
	} {
		if _, err := pccs.New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	s, err := pccs.New(pccs.Options{Store: st, Checker: check, Mode: pccs.Offline})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got, err := s.Status(t.Context())
	if err != nil || got.Mode != pccs.Offline || got.Upstream != "" || got.Database != "sqlite" || time.Since(got.At) > time.Minute {
		t.Errorf("status %+v, %v", got, err)
	}
}

// Without a key it is said that one is missing.
func TestKeyMissing(t *testing.T) {
	in := newIntel(t)
	check := in.checker(t)
	client, err := pcs.New(pcs.Config{HTTP: &http.Client{Transport: in}, Attempts: 1, Now: in.clock})
	if err != nil {
		t.Fatal(err)
	}
	in.fails(401, "/pckcerts")
	s := in.service(t, pccs.Lazy, func(o *pccs.Options) { o.Upstream = collateral.NewClient(client, check) })
	_, err = s.PCKCert(t.Context(), in.query())
	wantError(t, err, 502, pccs.KeyMissing, "none is configured")
}

// A database that is gone is no missing document: nobody is asked in its place.
func TestNoDatabase(t *testing.T) {
	in := newIntel(t)
	st := in.store(t)
	s := in.service(t, pccs.Lazy, func(o *pccs.Options) { o.Store = st })
	get(t, s, sgxInfo)
	in.total()
	st.Close()
	_, err := s.Document(t.Context(), sgxInfo)
	wantError(t, err, 503, pccs.NoDatabase, "")
	_, err = s.PCKCert(t.Context(), in.query())
	wantError(t, err, 503, pccs.NoDatabase, "")
	wantError(t, s.Register(t.Context(), in.registration()), 503, pccs.NoDatabase, "")
	wantError(t, s.PutCollateral(t.Context(), in.brought()), 503, pccs.NoDatabase, "")
	_, err = s.Status(t.Context())
	wantError(t, err, 503, pccs.NoDatabase, "")
	s.Pass(t.Context())
	if n := in.total(); n > 0 {
		t.Errorf("%d requests", n)
	}
}

// All at once: clients, registrations, refreshes, an administrator, failures. Two
// services share the file. Nothing may be served that is not what Intel has.
func TestTogether(t *testing.T) {
	in := newIntel(t)
	in.fill(t, in.service(t, pccs.Lazy))
	services := []*pccs.Service{in.service(t, pccs.Lazy), in.service(t, pccs.Req)}
	in.setFault(func(w http.ResponseWriter, r *http.Request) bool {
		if rand.N(4) > 0 {
			return false
		}
		w.WriteHeader([]int{404, 429, 500}[rand.N(3)])
		return true
	})
	ctx, cancel := context.WithCancel(t.Context())
	var run, wg sync.WaitGroup
	for _, s := range services {
		s.OnChange(func() {})
		run.Go(func() { _ = s.Run(ctx) })
	}
	bring := in.brought()
	for n := range 8 {
		s := services[n%2]
		wg.Go(func() {
			for i := range 25 {
				switch (n + i) % 8 {
				case 0:
					_ = s.Refresh(ctx, i%2 == 0, nil)
				case 1:
					if err := s.PutCollateral(ctx, bring); err != nil {
						t.Error(err)
					}
				case 2:
					_ = s.Register(ctx, in.registration())
				case 3:
					if _, err := s.Status(ctx); err != nil {
						t.Error(err)
					}
				case 4:
					item := sgxInfo
					item.FMSPC = fmt.Sprintf("%012X", rand.N(50))
					if _, err := s.Document(ctx, item); err == nil {
						t.Error("a document of an FMSPC that is none")
					}
				case 5:
					in.wait(time.Hour)
				default:
					for _, item := range []collateral.Item{sgxInfo, tdxInfo, qe, platform, rootCRL} {
						d, err := s.Document(ctx, item)
						if err != nil {
							t.Errorf("%s: %v", item, err)
						} else if d.Item != item || len(d.Body) < 100 {
							t.Errorf("%s: %s with %d bytes", item, d.Item, len(d.Body))
						}
					}
					if p, err := s.PCKCert(ctx, in.query()); err != nil || p.TCBm != in.tcbm(level{}) {
						t.Errorf("certificate %+v, %v", p, err)
					}
				}
			}
		})
	}
	wg.Wait()
	cancel()
	run.Wait()
}
