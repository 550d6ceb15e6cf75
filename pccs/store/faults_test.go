package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/internal/dbtest"
)

// A server that is stopped, killed and started again: errors say that it is not
// available, and what was acknowledged is there afterwards.
func testRestart(t *testing.T, b backend, server *dbtest.Server) {
	s, ctx := b.store(t), t.Context()
	must(t, s.PutAll(ctx, []*Document{document("d")}, []*Platform{platform(1, 3)}))
	for name, stop := range map[string]func(testing.TB){"stopped": server.Stop, "killed": server.Kill} {
		stop(t)
		_, err := s.Document(ctx, "d")
		isErr(t, err, ErrUnavailable)
		isErr(t, s.PutDocuments(ctx, document("e")), ErrUnavailable)
		_, err = s.Platform(ctx, platform(1, 3).PlatformID)
		isErr(t, err, ErrUnavailable)
		isErr(t, s.Ping(ctx), ErrUnavailable)
		_, err = Open(ctx, b.used)
		isErr(t, err, ErrUnavailable)
		server.Start(t)
		d, err := s.Document(ctx, "d")
		if err != nil {
			t.Fatalf("after it was %s: %v", name, err)
		}
		if string(d.Body) != string(document("d").Body) {
			t.Errorf("got %q", d.Body)
		}
		p, err := s.Platform(ctx, platform(1, 3).PlatformID)
		must(t, err)
		samePlatform(t, p, platform(1, 3))
		must(t, s.PutDocuments(ctx, document("f")))
	}
}

// A disk that is full is a database that is not available, and what it has can be
// read.
func TestSQLiteFull(t *testing.T) {
	s, ctx := reopen(t, sqliteFile(t)), t.Context()
	must(t, s.PutDocuments(ctx, document("d")))
	var pages int
	must(t, s.writes.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages))
	limit := func(n int) {
		t.Helper()
		if _, err := s.writes.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", n)); err != nil {
			t.Fatal(err)
		}
	}
	limit(pages)
	big := document("big")
	big.Body = make([]byte, 1<<20)
	isErr(t, s.PutDocuments(ctx, document("small"), big), ErrUnavailable, "full", "pccs.db")
	_, err := s.Document(ctx, "small")
	isErr(t, err, ErrNotFound)
	_, err = s.Document(ctx, "d")
	must(t, err)
	limit(1 << 20)
	must(t, s.PutDocuments(ctx, document("small"), big))
}

// Who waits for the lock of another process too long is told so.
func TestSQLiteLocked(t *testing.T) {
	address := sqliteFile(t)
	s := reopen(t, address)
	if _, err := s.writes.ExecContext(t.Context(), "PRAGMA busy_timeout = 20"); err != nil {
		t.Fatal(err)
	}
	other, err := connect(t.Context(), address)
	must(t, err)
	defer other.Close()
	tx, err := other.writes.BeginTx(t.Context(), nil) // immediate: it has the lock
	must(t, err)
	isErr(t, s.PutDocuments(t.Context(), document("d")), ErrUnavailable, "locked")
	_, err = s.Document(t.Context(), "d") // readers do not mind
	isErr(t, err, ErrNotFound)
	must(t, tx.Rollback())
	must(t, s.PutDocuments(t.Context(), document("d")))
}

// The settings that what is acknowledged depends on.
func TestSQLiteSettings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c#d%41.db")
	s := reopen(t, "sqlite:"+path)
	must(t, s.PutDocuments(t.Context(), document("d")))
	for _, c := range []struct {
		db           *sql.DB
		pragma, want string
	}{
		{s.writes, "journal_mode", "wal"}, {s.writes, "synchronous", "2"}, {s.writes, "foreign_keys", "1"}, {s.writes, "busy_timeout", "5000"},
		{s.reads, "journal_mode", "wal"}, {s.reads, "query_only", "1"}, {s.reads, "busy_timeout", "5000"},
	} {
		var got string
		must(t, c.db.QueryRowContext(t.Context(), "PRAGMA "+c.pragma).Scan(&got))
		if got != c.want {
			t.Errorf("%s is %s, want %s", c.pragma, got, c.want)
		}
	}
	if runtime.GOOS == "windows" {
		return
	}
	for _, end := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + end)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("the mode of %s is %v", info.Name(), info.Mode())
		}
	}
}

// What is no database of ours is not changed.
func TestSQLiteForeignFile(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	content := strings.Repeat("no database at all\n", 100)
	must(t, os.WriteFile(text, []byte(content), 0o600))
	_, err := Open(t.Context(), text)
	isErr(t, err, ErrUnavailable, "not a database")
	once(t, err, "not a database")
	if b, err := os.ReadFile(text); err != nil || string(b) != content {
		t.Errorf("it was changed: %v", err)
	}
	_, err = Open(t.Context(), dir)
	isErr(t, err, ErrUnavailable, dir)
	_, err = Open(t.Context(), filepath.Join(dir, "none", "pccs.db"))
	isErr(t, err, ErrUnavailable, "none", "is the folder there?")
	once(t, err, "none")

	// Intel's: not a byte, not even of the journal mode.
	intels := filepath.Join(dir, "pckcache.db")
	db, err := sqliteDB(intels, url.Values{})
	must(t, err)
	for _, table := range []string{"pcs_version", "platform_tcbs"} {
		if _, err := db.ExecContext(t.Context(), "CREATE TABLE "+table+" (id INTEGER)"); err != nil {
			t.Fatal(err)
		}
	}
	must(t, db.Close())
	before, err := os.ReadFile(intels)
	must(t, err)
	_, err = Open(t.Context(), intels)
	isErr(t, err, ErrForeign, "feidi pccs import")
	after, err := os.ReadFile(intels)
	must(t, err)
	if string(before) != string(after) {
		t.Error("it was changed")
	}
}

// Where nobody listens, it is said once, and what to look at.
func TestRefused(t *testing.T) {
	for _, scheme := range []string{"postgres", "mysql"} {
		_, err := Open(t.Context(), scheme+"://u@127.0.0.1:1/db")
		isErr(t, err, ErrUnavailable, " at 127.0.0.1", "is it running there, and is the address right?")
		once(t, err, "refused")
	}
	_, err := Open(t.Context(), "postgres://u@127.0.0.1:1,127.0.0.1:2/db?sslmode=disable")
	isErr(t, err, ErrUnavailable, "127.0.0.1:1:", "127.0.0.1:2:")
}

// once checks that an error says something, and not again.
func once(t testing.TB, err error, what string) {
	t.Helper()
	if n := strings.Count(err.Error(), what); n != 1 {
		t.Errorf("%q is said %d times: %v", what, n, err)
	}
}

// A server that accepts connections and says nothing holds nobody up.
func testSilent(t *testing.T, b backend) {
	s := b.store(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := s.change(ctx, "test", func(tx *tx) error {
		_, err := tx.exec(map[string]string{"postgres": "SELECT pg_sleep(60)", "mysql": "SELECT SLEEP(60)"}[b.d.kind])
		return err
	})
	isErr(t, err, ErrUnavailable)
	isErr(t, err, context.DeadlineExceeded)
	must(t, s.Ping(t.Context()))
}

// Transactions that wait for each other are both done in the end.
func testDeadlock(t *testing.T, b backend) {
	s := b.store(t)
	must(t, s.PutDocuments(t.Context(), document("a"), document("b")))
	errs := make([]error, 2)
	met := make(chan struct{}, 2)
	var tries atomic.Int32
	together(2, func(i int) {
		names := []string{"a", "b"}
		first := true
		errs[i] = s.change(t.Context(), "test", func(tx *tx) error {
			tries.Add(1)
			for n := range names {
				if _, err := tx.exec("UPDATE pccs_documents SET origin = ? WHERE name = ?", "x", names[(i+n)%2]); err != nil {
					return err
				}
				if n == 0 && first {
					first = false
					met <- struct{}{}
					for len(met) < 2 {
						time.Sleep(time.Millisecond)
					}
				}
			}
			return nil
		})
	})
	must(t, errors.Join(errs...))
	if tries.Load() < 3 {
		t.Error("they did not wait for each other")
	}
}
