package collateral_test

import (
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/pcs/server"
	"github.com/feidi-dev/feidi/world"
)

// TestWorld gets everything from a world's service, and registers a machine of two
// packages by its manifest.
func TestWorld(t *testing.T) {
	const url = "http://world.test:8081"
	now := time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	w, err := world.Create(t.TempDir(), world.Options{Name: "pccs-test", URL: url, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	m, err := w.NewMachine("multi", world.MachineOptions{Packages: 2})
	if err != nil {
		t.Fatal(err)
	}
	service, err := pcs.New(pcs.Config{URL: url, HTTP: &http.Client{Transport: server.New(w, server.Options{}).Transport()}, Attempts: 1, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	root, _ := pem.Decode(w.RootPEM())
	check, err := collateral.NewChecker(root.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	c := collateral.NewClient(service, check)
	fmspc := fmt.Sprintf("%X", m.FMSPC)
	for _, i := range append(served(),
		collateral.Item{Kind: collateral.CRL, URI: url + world.RootCRLPath},
		collateral.Item{Kind: collateral.CRL, URI: url + "/sgx/certification/v4/pckcrl?ca=platform&encoding=der"},
	) {
		if i == rootByURI || i == byURI || i.Evaluation != 0 {
			continue
		}
		if i.FMSPC != "" {
			i.FMSPC = fmspc
		}
		d, err := c.Fetch(t.Context(), i)
		if err != nil {
			t.Errorf("%v: %v", i, err)
			continue
		}
		if d.Evaluation != 0 && i.Kind == collateral.TCBInfo {
			if _, err := c.Fetch(t.Context(), numbered(i, d.Evaluation)); err != nil {
				t.Errorf("%v: by its number: %v", i, err)
			}
		}
	}
	p, err := c.PCKCerts(t.Context(), pcs.PCKCertsRequest{Manifest: m.Manifest()})
	if err != nil {
		t.Fatal(err)
	}
	if p.FMSPC != m.FMSPC || p.CA != pcs.Platform || len(p.Levels) == 0 {
		t.Errorf("FMSPC %X of the %s CA, %d levels", p.FMSPC, p.CA, len(p.Levels))
	}
	if _, err := c.PCKCerts(t.Context(), pcs.PCKCertsRequest{Manifest: m.Manifest()[1:]}); !errors.Is(err, pcs.ErrBadRequest) {
		t.Errorf("a broken manifest: %v", err)
	}
	intel, err := collateral.NewChecker()
	if err != nil {
		t.Fatal(err)
	}
	if err := intel.CheckPCK(p, now); !errors.Is(err, collateral.ErrUntrusted) {
		t.Errorf("where Intel's root is trusted: %v", err)
	}
}
