package pccs_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/store"
	"github.com/feidi-dev/feidi/testpki"
)

// What is genuine below one root is not served by who trusts another.
func TestEnvironment(t *testing.T) {
	in := newIntel(t)
	in.fill(t, in.service(t, pccs.Lazy))
	world := testpki.New(testpki.Seed("another world"))
	for name, roots := range map[string][][]byte{"Intel's root": nil, "root ": {world.Root.DER}, " and root ": {in.pki.Root.DER, world.Root.DER}} {
		check, err := collateral.NewChecker(roots...)
		if err != nil {
			t.Fatal(err)
		}
		_, err = pccs.New(pccs.Options{Store: in.store(t), Checker: check, Mode: pccs.Offline})
		if !errors.Is(err, store.ErrEnvironment) || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v does not say %q", err, name)
		}
		s, err := pccs.New(pccs.Options{Store: in.store(t), Checker: check, Mode: pccs.Offline, Unbound: true})
		if err != nil {
			t.Fatal(err)
		}
		if st, err := s.Status(t.Context()); err != nil || len(st.Documents) == 0 {
			t.Errorf("status %+v, %v", st, err)
		}
		s.Close()
	}
	// A new certificate of the same key is the same root.
	renewed := in.pki.Root.Reissue(func(t *testpki.Template) { t.NotAfter = t.NotAfter.AddDate(1, 0, 0) })
	check, err := collateral.NewChecker(renewed.DER, in.pki.Root.DER)
	if err != nil {
		t.Fatal(err)
	}
	s, err := pccs.New(pccs.Options{Store: in.store(t), Checker: check, Mode: pccs.Offline})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

// Who was refused has not locked out the right root, and a service that was there
// with the wrong one stops when the database is filled below another.
func TestEnvironmentEmpty(t *testing.T) {
	in := newIntel(t)
	check, err := collateral.NewChecker()
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := pccs.New(pccs.Options{Store: in.store(t), Checker: check, Mode: pccs.Offline})
	if err != nil {
		t.Fatal(err)
	}
	defer wrong.Close()
	in.fill(t, in.service(t, pccs.Lazy))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // it ends at once
	defer cancel()
	if err := wrong.Run(ctx); !errors.Is(err, store.ErrEnvironment) {
		t.Errorf("it runs on, and ends with %v", err)
	}
}

// An administrator's tool does not speak of a mode that is its own.
func TestTool(t *testing.T) {
	in := newIntel(t)
	s, err := pccs.New(pccs.Options{Store: in.store(t), Checker: in.checker(t), Mode: pccs.Offline, Tool: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = s.Document(t.Context(), collateral.Item{Kind: collateral.QEIdentity, API: 4, Update: collateral.Standard})
	if err == nil || !strings.Contains(err.Error(), "is not in this database") || strings.Contains(err.Error(), "OFFLINE") {
		t.Error(err)
	}
}
