package pccs

import (
	"testing"

	"github.com/feidi-dev/feidi/testsuite/pccs/fleet"
)

// TestIntel proves the tables by the service that they describe.
func TestIntel(t *testing.T) {
	differential(t, intel(t, "FEIDI_PCCS_INTEL"), fleet.New())
}

// differential runs all tables against a service in OFFLINE mode that nobody
// else uses. The fleet is new, and the service trusts its root.
func differential(t *testing.T, p *peer, f *fleet.Fleet) {
	for _, queue := range []string{"v4/platforms", "v4/platforms?source=reg_na"} {
		p.do(t, get(queue, "admin-token: "+p.admin)) // drains it
	}
	p.fill(t, f)
	for _, table := range []struct {
		name string
		rows []row
	}{
		{"TCB infos", tcbInfos(f)},
		{"identities", identities(f)},
		{"CRLs", crls(f)},
		{"paths", odd(f)},
		{"bodies", p.bodies(f)},
		{"registrations", p.registrations(f)},
		{"certificates", certificates(f)},
		{"refreshes", p.refreshes(f)},
		{"policies", p.policies(f)},
	} {
		t.Run(table.name, func(t *testing.T) { p.run(t, table.rows) })
	}
	t.Run("conditional", func(t *testing.T) { p.conditional(t, f) })
	t.Run("request IDs", func(t *testing.T) { p.requestIDs(t) })
	t.Run("collaterals", func(t *testing.T) { p.collaterals(t, f) })
}

// fill puts a fleet into a service, in both versions of the API.
func (p *peer) fill(t *testing.T, f *fleet.Fleet) {
	t.Helper()
	admin := "admin-token: " + p.admin
	p.check(t, send("PUT", "v3/platformcollateral", string(f.Body(3)), admin), done().v3())
	p.check(t, send("PUT", "v4/platformcollateral", string(f.Body(4)), admin), done())
}
