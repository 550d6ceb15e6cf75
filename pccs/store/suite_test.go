package store

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/internal/dbtest"
)

// backend is a kind of database: open returns the address of an empty one.
type backend struct {
	d    *dialect
	open func(t testing.TB) string
	used string // the address of one with tables, whose rows a test may do away with
}

// A trial holds for every kind of database.
type trial struct {
	name string
	run  func(t *testing.T, b backend)
}

// suite are those that do one thing after the other.
var suite = []trial{
	{"Documents", testDocuments},
	{"DocumentsNeverGoBack", testDocumentsNeverGoBack},
	{"Fetches", testFetches},
	{"Claims", testClaims},
	{"Platforms", testPlatforms},
	{"PlatformPages", testPlatformPages},
	{"TCBGroups", testTCBGroups},
	{"PutAll", testPutAll},
	{"Match", testMatch},
	{"RawTCBs", testRawTCBs},
	{"Chains", testChains},
	{"Registrations", testRegistrations},
	{"Policies", testPolicies},
	{"Keys", testKeys},
	{"Limits", testLimits},
	{"OpenAgain", testOpenAgain},
	{"Version1", testVersion1},
	{"Newer", testNewer},
	{"Environment", testEnvironment},
	{"Rebound", testRebound},
	{"Intels", testIntels},
	{"Interrupted", testInterrupted},
	{"Broken", testBrokenMigration},
}

// races are those that do several things at once. With -short, as the race detector
// has it, there are no others: SQLite in Go takes it ten times as long.
var races = []trial{
	{"DocumentsRace", testDocumentsRace},
	{"ClaimsRace", testClaimsRace},
	{"PlatformRace", testPlatformRace},
	{"DrainRace", testDrainRace},
	{"PolicyRace", testPolicyRace},
	{"ReaderDuringWriter", testReaderDuringWriter},
	{"OpenTogether", testOpenTogether},
	{"Context", testContext},
}

func TestSQLite(t *testing.T) {
	backend{d: sqliteDialect, open: sqliteFile}.run(t)
}

func sqliteFile(t testing.TB) string { return filepath.Join(t.TempDir(), "pccs.db") }

func TestMariaDB(t *testing.T) {
	t.Parallel()
	address, server := dbtest.MariaDB(t)
	backend{mysqlDialect, server.Database, address}.runServer(t, server)
}

func (b backend) run(t *testing.T) {
	all := races
	if !testing.Short() {
		all = slices.Concat(suite, races)
	}
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) { c.run(t, b) })
	}
}

// store is an empty store.
func (b backend) store(t testing.TB) *Store {
	t.Helper()
	return reopen(t, b.address(t))
}

// runServer is run with what only a server can do.
func (b backend) runServer(t *testing.T, server *dbtest.Server) {
	b.run(t)
	t.Run("Silent", func(t *testing.T) { testSilent(t, b) })
	t.Run("BindWaits", func(t *testing.T) { testBindWaits(t, b) })
	t.Run("Deadlock", func(t *testing.T) { testDeadlock(t, b) })
	t.Run("Restart", func(t *testing.T) { testRestart(t, b, server) })
}

// address is that of a database without rows.
func (b backend) address(t testing.TB) string {
	t.Helper()
	if b.used == "" {
		return b.open(t)
	}
	s := reopen(t, b.used) // to make tables takes a server most of the time of a test
	for _, table := range tables {
		if _, err := s.writes.ExecContext(t.Context(), "DELETE FROM "+table); err != nil {
			t.Fatal(err)
		}
	}
	must(t, s.Close())
	return b.used
}

// tables are all, those that refer to others before these.
var tables = []string{
	"pccs_chains", "pccs_documents", "pccs_fetches", "pccs_claims", "pccs_tcbs", "pccs_certs", "pccs_platforms",
	"pccs_registrations", "pccs_policies", "pccs_policy_defaults", "pccs_environment",
}

func reopen(t testing.TB, address string) *Store {
	t.Helper()
	s, err := Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// isErr checks an error: its kind, that it is one line, and says something.
func isErr(t testing.TB, err, kind error, words ...string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("the error is %v, want one that is %v", err, kind)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%v does not say %q", err, w)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than a line: %q", err)
	}
}

// together runs f n times at once.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// noon is a time with microseconds.
var noon = time.Date(2026, 11, 28, 12, 0, 0, 123456000, time.UTC)

func testContext(t *testing.T, b backend) {
	s := b.store(t)
	must(t, s.Ping(t.Context()))
	if s.Kind() != b.d.kind {
		t.Errorf("it is %q", s.Kind())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Document(ctx, "x")
	isErr(t, err, context.Canceled)
	if errors.Is(err, ErrUnavailable) {
		t.Error("the caller went away, and the database is said to be at fault")
	}
	isErr(t, s.PutDocuments(ctx, &Document{Name: "x"}), context.Canceled)
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	_, err = s.Platforms(late, nil, PlatformID{}, 10)
	isErr(t, err, context.DeadlineExceeded)
	isErr(t, err, ErrUnavailable)
	must(t, s.Close())
	isErr(t, s.Ping(t.Context()), ErrUnavailable)
}
