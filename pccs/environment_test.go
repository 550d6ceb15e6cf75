package pccs_test

import (
	"errors"
	"strings"
	"testing"

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
