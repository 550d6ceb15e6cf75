package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func testOpenAgain(t *testing.T, b backend) {
	address := b.open(t)
	s := reopen(t, address)
	must(t, s.PutAll(t.Context(), []*Document{document("d")}, []*Platform{platform(1, 3)}))
	must(t, s.Close())
	s = reopen(t, address)
	d, err := s.Document(t.Context(), "d")
	must(t, err)
	if !reflect.DeepEqual(d, document("d")) {
		t.Errorf("got %+v", d)
	}
	p, err := s.Platform(t.Context(), platform(1, 3).PlatformID)
	must(t, err)
	samePlatform(t, p, platform(1, 3))
}

func testOpenTogether(t *testing.T, b backend) {
	address := b.open(t)
	errs := make([]error, 6)
	together(len(errs), func(i int) {
		s, err := Open(t.Context(), address)
		if err == nil {
			err = errors.Join(s.PutDocuments(t.Context(), document("d")), s.Close())
		}
		errs[i] = err
	})
	must(t, errors.Join(errs...))
}

var hexWord = regexp.MustCompile(`\$HEX\(([0-9a-f]*)\)`)

// version is that of the tables.
const version = 2

// later is a version of the tables after this one.
func later(t testing.TB, statements string) fstest.MapFS {
	t.Helper()
	all := fstest.MapFS{}
	for v := 1; v <= version; v++ {
		name := fmt.Sprintf("migrations/%04d.sql", v)
		b, err := migrations.ReadFile(name)
		must(t, err)
		all[name] = &fstest.MapFile{Data: b}
	}
	all[fmt.Sprintf("migrations/%04d.sql", version+1)] = &fstest.MapFile{Data: []byte(statements)}
	return all
}

const addColumn = `
ALTER TABLE pccs_documents ADD COLUMN note $TEXT(20);
CREATE INDEX pccs_documents_note ON pccs_documents (note);
UPDATE pccs_documents SET note = 'old';
`

// execAll runs statements, each of which ends a line.
func execAll(t testing.TB, s *Store, text string) {
	t.Helper()
	for st := range strings.SplitSeq(text, ";\n") {
		if st = strings.TrimSpace(st); st != "" {
			if _, err := s.writes.ExecContext(t.Context(), st); err != nil {
				t.Fatalf("%s: %v", st, err)
			}
		}
	}
}

// The tables of version 1, as it made them and filled them, are brought to this
// version. The fixture stays as it is when there are later ones.
func testVersion1(t *testing.T, b backend) {
	address := b.open(t)
	raw, err := connect(t.Context(), address)
	must(t, err)
	for _, file := range []string{"v1_" + b.d.kind + ".sql", "v1_rows.sql"} {
		text, err := os.ReadFile(filepath.Join("testdata", file))
		must(t, err)
		hex := map[string]string{"sqlite": "X'$1'", "postgres": `'\x$1'`, "mysql": "X'$1'"}[b.d.kind]
		execAll(t, raw, hexWord.ReplaceAllString(string(text), hex))
	}
	must(t, raw.Close())

	s, ctx := reopen(t, address), t.Context()
	d, err := s.Document(ctx, "sgx/v4/qe/identity?update=standard")
	must(t, err)
	want := &Document{
		Name: "sgx/v4/qe/identity?update=standard", Body: []byte("{}"), Chain: []byte("chain"), Evaluation: 17, Origin: "pcs",
		Issued: time.UnixMicro(1700000000000001).UTC(), NextUpdate: time.UnixMicro(1800000000000000).UTC(), Fetched: time.UnixMicro(1700000000000002).UTC(),
	}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("got %+v, want %+v", d, want)
	}
	p, err := s.Platform(ctx, PlatformID{"A1", "0000"})
	must(t, err)
	samePlatform(t, p, &Platform{
		PlatformID: PlatformID{"A1", "0000"}, EncryptedPPID: []byte{0, 0xff}, FMSPC: "00906ED50000", CA: "processor", Issuers: []byte("chain"), Updated: time.UnixMicro(5).UTC(),
		TCBs: []RawTCB{{"C0", "0D00", "C00D00"}}, Certs: []PCKCert{{"C00D00", "cert"}},
	})
	m, err := s.Match(ctx, PlatformID{"A1", "0000"}, "C0", "0D00")
	must(t, err)
	if m.Cert != "cert" || string(m.Issuers) != "chain" {
		t.Errorf("matched %+v", m)
	}
	if list, err := s.Drain(ctx, New, false); err != nil || len(list) != 1 || list[0].QEID != "B2" || string(list[0].Manifest) != "m" {
		t.Errorf("registrations: %+v, %v", list, err)
	}
	if list, err := s.Policies(ctx, "00906ED50000"); err != nil || len(list) != 1 || list[0].Body != "jwt" || list[0].Kind != 2 {
		t.Errorf("policies: %+v, %v", list, err)
	}
	if list, err := s.Fetches(ctx); err != nil || len(list) != 1 || list[0].Failures != 3 {
		t.Errorf("fetches: %+v, %v", list, err)
	}
	if ok, err := s.Claim(ctx, "x", "b", time.UnixMicro(6), time.Second); err != nil || ok {
		t.Errorf("claimed what another has: %v, %v", ok, err)
	}
	must(t, s.PutAll(ctx, []*Document{document("new")}, []*Platform{platform(1, 2)}))

	// And on to the next.
	next, err := open(ctx, address, later(t, addColumn))
	must(t, err)
	defer next.Close()
	var notes int
	must(t, next.reads.QueryRowContext(ctx, "SELECT COUNT(*) FROM pccs_documents WHERE note = 'old'").Scan(&notes))
	if notes != 2 {
		t.Errorf("%d documents were changed", notes)
	}
}

// This version does not touch the tables of a later one.
func testNewer(t *testing.T, b backend) {
	address := b.open(t)
	next, err := open(t.Context(), address, later(t, addColumn))
	must(t, err)
	must(t, next.Close())
	_, err = Open(t.Context(), address)
	isErr(t, err, ErrNewer, fmt.Sprintf("version %d", version+1), fmt.Sprintf("up to %d", version), "run the newer one")
}

// The database of Intel's service is left alone.
func testIntels(t *testing.T, b backend) {
	address := b.open(t)
	raw, err := connect(t.Context(), address)
	must(t, err)
	execAll(t, raw, "CREATE TABLE pcs_version (id INTEGER);\nCREATE TABLE platform_tcbs (qe_id INTEGER);\n")
	must(t, raw.Close())
	_, err = Open(t.Context(), address)
	isErr(t, err, ErrForeign, "feidi pccs import")
	raw, err = connect(t.Context(), address)
	if errors.Is(err, ErrForeign) {
		return // SQLite does not even connect
	}
	must(t, err)
	defer raw.Close()
	var n int
	must(t, raw.reads.QueryRowContext(t.Context(), raw.d.sql(raw.d.tables), "pccs_schema").Scan(&n))
	if n != 0 {
		t.Error("it has our tables now")
	}
}

// A migration that was interrupted goes on where it was, also if the last statement
// was not noted yet.
func testInterrupted(t *testing.T, b backend) {
	if b.d.ddl {
		return // it was undone
	}
	steps, err := b.d.steps(migrations)
	must(t, err)
	all := slices.Concat(steps...)
	for _, k := range []int{1, len(steps[0]), len(all) - 1, len(all)} {
		address := b.open(t)
		s, err := connect(t.Context(), address)
		must(t, err)
		execAll(t, s, strings.Join(all[:k], ";\n"))
		must(t, s.Close())
		s = reopen(t, address)
		must(t, s.PutDocuments(t.Context(), document("d")))
	}
}

// A migration that fails says where, and leaves the version as it was.
func testBrokenMigration(t *testing.T, b backend) {
	address := b.open(t)
	must(t, reopen(t, address).PutDocuments(t.Context(), document("d")))
	_, err := open(t.Context(), address, later(t, "ALTER TABLE pccs_documents ADD COLUMN note BIGINT;\nNONSENSE;\n"))
	isErr(t, err, errRefused, fmt.Sprintf("step 2 of version %d", version+1))
	s := reopen(t, address)
	_, err = s.Document(t.Context(), "d")
	must(t, err)
	// Mended, it goes on.
	next, err := open(t.Context(), address, later(t, "ALTER TABLE pccs_documents ADD COLUMN note BIGINT;\nUPDATE pccs_documents SET note = 1;\n"))
	must(t, err)
	must(t, next.Close())
}
