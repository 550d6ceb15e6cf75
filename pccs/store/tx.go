package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"math/rand/v2"
	"time"
)

// tx is a transaction.
type tx struct {
	*sql.Tx
	d        *dialect
	ctx      context.Context
	prepared map[string]*sql.Stmt
	chains   map[string]bool // that are there
}

// attempts is how often a transaction is tried that others were in the way of.
const attempts = 10

// change runs f in a transaction that is on the disk when it returns. f may be run
// several times: of transactions that wait for each other, the database ends one.
func (s *Store) change(ctx context.Context, doing string, f func(*tx) error) error {
	var err error
	for n := 1; ; n++ {
		err = s.transact(ctx, s.writes, &sql.TxOptions{Isolation: s.isolation(sql.LevelReadCommitted)}, f)
		if n == attempts || !s.d.again(err) {
			return s.fail(ctx, doing, err)
		}
		// Twice as long each time, by chance, so that they come apart.
		select {
		case <-time.After(rand.N(time.Millisecond << n)):
		case <-ctx.Done():
			return s.fail(ctx, doing, err)
		}
	}
}

// view runs f in a transaction that sees one state of the database.
func (s *Store) view(ctx context.Context, doing string, f func(*tx) error) error {
	o := &sql.TxOptions{Isolation: s.isolation(sql.LevelRepeatableRead), ReadOnly: true}
	return s.fail(ctx, doing, s.transact(ctx, s.reads, o, f))
}

// isolation is the level for a server. SQLite has one, the best.
func (s *Store) isolation(l sql.IsolationLevel) sql.IsolationLevel {
	if s.d.kind == "sqlite" {
		return sql.LevelDefault
	}
	return l
}

func (s *Store) transact(ctx context.Context, db *sql.DB, o *sql.TxOptions, f func(*tx) error) error {
	begun, err := db.BeginTx(ctx, o)
	if err != nil {
		return err
	}
	defer begun.Rollback()
	t := &tx{Tx: begun, d: s.d, ctx: ctx, prepared: make(map[string]*sql.Stmt), chains: make(map[string]bool)}
	if err := f(t); err != nil {
		return err
	}
	return begun.Commit()
}

// exec runs a statement, and returns how many rows it found.
func (t *tx) exec(query string, args ...any) (int64, error) {
	var r sql.Result
	st, err := t.statement(query)
	switch {
	case err != nil:
		return 0, err
	case st != nil:
		r, err = st.ExecContext(t.ctx, args...)
	default:
		r, err = t.ExecContext(t.ctx, t.d.sql(query), args...)
	}
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// get scans the row of a query; the error is sql.ErrNoRows if there is none.
func (t *tx) get(query string, args []any, into ...any) error {
	st, err := t.statement(query)
	switch {
	case err != nil:
		return err
	case st != nil:
		return st.QueryRowContext(t.ctx, args...).Scan(into...)
	}
	return t.QueryRowContext(t.ctx, t.d.sql(query), args...).Scan(into...)
}

// each calls f for every row of a query.
func (t *tx) each(query string, args []any, f func(scan func(...any) error) error) error {
	return each(t.ctx, t.Tx, t.d, query, args, f)
}

func (t *tx) statement(query string) (*sql.Stmt, error) {
	if !t.d.prepare {
		return nil, nil
	}
	if st := t.prepared[query]; st != nil {
		return st, nil
	}
	st, err := t.PrepareContext(t.ctx, t.d.sql(query)) // closed with the transaction
	if err == nil {
		t.prepared[query] = st
	}
	return st, err
}

// chain keeps an issuer chain, and returns what rows name it by: nil if there is
// none.
func (t *tx) chain(pem []byte) ([]byte, error) {
	if len(pem) == 0 {
		return nil, nil
	}
	sum := sha256.Sum256(pem)
	key := sum[:]
	if t.chains[string(key)] {
		return key, nil
	}
	var one int
	err := t.get("SELECT 1 FROM pccs_chains WHERE sha256 = ?", []any{key}, &one)
	if errors.Is(err, sql.ErrNoRows) {
		_, err = t.exec(t.d.put("pccs_chains", 1, []string{"sha256", "pem"}, nil), key, pem)
	}
	t.chains[string(key)] = err == nil
	return key, err
}

// each calls f for every row of a query, on a pool or in a transaction.
func each(ctx context.Context, q interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}, d *dialect, query string, args []any, f func(scan func(...any) error) error) error {
	rows, err := q.QueryContext(ctx, d.sql(query), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
