package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// migrations has a file for each version: 0001.sql and so on. One that was released
// is never changed.
//
//go:embed migrations/*.sql
var migrations embed.FS

// steps reads the statements of each version.
func (d *dialect) steps(dir fs.FS) ([][]string, error) {
	var all [][]string
	for {
		b, err := fs.ReadFile(dir, fmt.Sprintf("migrations/%04d.sql", len(all)+1))
		if errors.Is(err, fs.ErrNotExist) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		var text strings.Builder
		for line := range strings.Lines(string(b)) {
			if !strings.HasPrefix(line, "--") {
				text.WriteString(line)
			}
		}
		var statements []string
		for st := range strings.SplitSeq(d.words(text.String()), ";\n") {
			if st = strings.TrimSpace(st); st != "" {
				statements = append(statements, st)
			}
		}
		all = append(all, statements)
	}
}

// querier is a pool or a transaction.
type querier interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

// version is the version of the tables, 0 if there are none.
func (s *Store) version(ctx context.Context, q querier) (int, error) {
	have := func(table string) (bool, error) {
		var n int
		err := q.QueryRowContext(ctx, s.d.tables, table).Scan(&n)
		return n > 0, err
	}
	ours, err := have("pccs_schema")
	if err != nil {
		return 0, err
	}
	if !ours {
		for _, table := range []string{"pcs_version", "platform_tcbs"} {
			intels, err := have(table)
			if err != nil || !intels {
				return 0, err
			}
		}
		return 0, fmt.Errorf("%w: it is that of Intel's PCCS: give this service one of its own, and bring the content over with `feidi pccs import`", ErrForeign)
	}
	var v int
	err = q.QueryRowContext(ctx, "SELECT version FROM pccs_schema WHERE id = 1").Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil // another process is about to
	}
	return v, err
}

// migrate brings the tables to the last version that there are steps for.
func (s *Store) migrate(ctx context.Context, dir fs.FS) error {
	steps, err := s.d.steps(dir)
	if err != nil {
		return err
	}
	at, err := s.check(ctx, s.writes, len(steps))
	if err != nil || at == len(steps) {
		return err
	}
	c, err := s.writes.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if s.d.lock != "" {
		var got sql.NullInt64
		if err := tx.QueryRowContext(ctx, s.d.lock).Scan(&got); err != nil {
			return err
		}
		if got.Int64 != 1 {
			return fmt.Errorf("another process has been changing the tables for a minute: %w", ErrUnavailable)
		}
	}
	if s.d.unlock != "" {
		defer func() {
			_, _ = c.ExecContext(context.WithoutCancel(ctx), s.d.unlock)
		}()
	}
	if err := s.climb(ctx, tx, steps); err != nil {
		return err
	}
	return tx.Commit()
}

func (s *Store) check(ctx context.Context, q querier, newest int) (int, error) {
	v, err := s.version(ctx, q)
	if err == nil && v > newest {
		err = fmt.Errorf("%w: its tables have version %d, and this program knows those up to %d: run the newer one", ErrNewer, v, newest)
	}
	return v, err
}

// climb makes the steps that were not made yet, and notes each. Where a transaction
// cannot hold them (MySQL), one that was interrupted goes on there; a step that was
// made and not noted finds its work done.
func (s *Store) climb(ctx context.Context, tx *sql.Tx, steps [][]string) error {
	exec := func(query string, args ...any) error {
		_, err := tx.ExecContext(ctx, s.d.sql(query), args...)
		if s.d.done(err) {
			err = nil
		}
		return err
	}
	if err := exec("CREATE TABLE IF NOT EXISTS pccs_schema (id BIGINT NOT NULL PRIMARY KEY, version BIGINT NOT NULL, step BIGINT NOT NULL)"); err != nil {
		return err
	}
	if err := exec(s.d.put("pccs_schema", 1, []string{"id", "version", "step"}, nil), 1, 0, 0); err != nil {
		return err
	}
	var v, step int
	if err := tx.QueryRowContext(ctx, "SELECT version, step FROM pccs_schema WHERE id = 1").Scan(&v, &step); err != nil {
		return err
	}
	for ; v < len(steps); v, step = v+1, 0 {
		for i, statement := range steps[v] {
			if i < step {
				continue
			}
			if err := exec(statement); err != nil {
				return fmt.Errorf("step %d of version %d: %w", i+1, v+1, err)
			}
			if err := exec("UPDATE pccs_schema SET step = ? WHERE id = 1", i+1); err != nil {
				return err
			}
		}
		if err := exec("UPDATE pccs_schema SET version = ?, step = 0 WHERE id = 1", v+1); err != nil {
			return err
		}
	}
	return nil
}
