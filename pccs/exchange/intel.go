package exchange

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/store"
)

const whatDatabase = "database of Intel's PCCS"

// The versions of the database that are read: those of Intel's PCCS since DCAP
// 1.9 (2020) and up to 1.27.
const (
	minDBVersion = 1
	maxDBVersion = 5
)

// maxRefusals is how many refusals a report lists. All are counted.
const maxRefusals = 1000

// ImportOptions say how a database is imported.
type ImportOptions struct {
	At time.Time // what is out of its time then is expired; now if zero
	// Progress, if it is not nil, is called now and then with how many
	// platforms were looked at.
	Progress func(platforms int)
}

// Import tells what came out of a database.
type Import struct {
	DBVersion, APIVersion int

	Documents, Platforms, Certificates, TCBs, Registrations, Policies int // that were put into the store

	Expired  []string  // names of documents that are genuine, and out of their time; they were put, too
	Refused  []Refusal // what was left out; at most 1000 are listed
	NRefused int       // all of them
	NForeign int       // those of them that are below a root that is not trusted

	seen map[string]bool // names of what was refused
}

// Refusal says why something was left out.
type Refusal struct {
	What string // the name of a document, "platform/QEID/PCEID", ...
	Err  error
}

// Error returns one line.
func (r Refusal) Error() string {
	return r.What + ": " + r.Reason()
}

// Reason is the error without the name of what it is about, with which errors of
// documents begin.
func (r Refusal) Reason() string {
	reason := strings.TrimPrefix(r.Err.Error(), r.What+": ")
	if e, ok := errors.AsType[*Error](r.Err); ok {
		reason = strings.TrimPrefix(reason, e.What+": ")
	}
	return reason
}

// Unwrap returns the reason.
func (r Refusal) Unwrap() error { return r.Err }

// refuse notes a refusal. A document may be in two tables.
func (i *Import) refuse(what string, err error) {
	if len(i.Refused) < maxRefusals {
		if i.seen[what] {
			return
		}
		i.seen[what] = true
		i.Refused = append(i.Refused, Refusal{what, err})
	}
	i.NRefused++
	if errors.Is(err, collateral.ErrUntrusted) {
		i.NForeign++
	}
}

// ImportIntel puts what a database of Intel's PCCS has, a SQLite file that is
// often called pckcache.db, into a store: platforms with certificates and TCBs,
// documents, registrations that wait, and appraisal policies. The file is read
// only, in one transaction, and Intel's service must not write meanwhile.
//
// Documents and certificates are verified, and what is not genuine is left out
// and reported. What the store has newer stays. The import may be done again.
// Memory does not depend on the number of platforms.
//
// The error is an *Error if the file is none of Intel's PCCS, or one of the store,
// the file, or ctx; what was put until then remains. It is store.ErrEnvironment if
// something is genuine, and the store is of another environment than the checker:
// a store that nothing genuine came into may be filled below another root.
func ImportIntel(ctx context.Context, path string, to *store.Store, check *collateral.Checker, o ImportOptions) (*Import, error) {
	if o.At.IsZero() {
		o.At = time.Now()
	}
	m := &migration{ctx: ctx, path: path, to: to, check: check, o: o, report: &Import{seen: map[string]bool{}}, put: map[string]bool{}}
	return m.report, m.read(m.version, m.certificates, m.documents, m.platforms, m.registrations, m.policies)
}

// CheckIntel returns the *Error that ImportIntel would for a file that is no database
// of Intel's PCCS, or of a version that is not read.
func CheckIntel(ctx context.Context, path string) error {
	m := &migration{ctx: ctx, path: path, report: &Import{}}
	return m.read(m.version)
}

// read does the steps in one transaction.
func (m *migration) read(steps ...func() error) error {
	db, err := openIntel(m.path)
	if err != nil {
		return err
	}
	defer db.Close()
	if m.tx, err = db.BeginTx(m.ctx, &sql.TxOptions{ReadOnly: true}); err != nil {
		return m.broken(err)
	}
	defer func() { _ = m.tx.Rollback() }() // nothing was written
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// migration is an import that is under way.
type migration struct {
	ctx    context.Context
	path   string
	tx     *sql.Tx
	to     *store.Store
	check  *collateral.Checker
	o      ImportOptions
	report *Import

	columns map[string]map[string]bool // of the tables that there are
	chains  map[int][]byte             // PEM of a certificate, by its number
	rootCRL []byte
	put     map[string]bool // documents
	bound   bool
}

// bind makes the store one of the checker's environment, before something that is
// genuine there is put.
func (m *migration) bind() error {
	if m.bound {
		return nil
	}
	m.bound = true
	return m.to.Bind(m.ctx, m.check.Environment())
}

// IsIntel reports whether a file is a database of Intel's PCCS.
func IsIntel(path string) (bool, error) {
	db, err := openIntel(path)
	if err != nil {
		var e *Error
		if errors.As(err, &e) {
			return false, nil
		}
		return false, err
	}
	defer db.Close()
	n := 0
	err = db.QueryRow(`SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('pcs_version', 'fmspc_tcbs', 'pck_cert')`).Scan(&n)
	return n == 3, err
}

// openIntel opens a SQLite file for reading. Package store has registered the
// driver. Nothing of the file is executed: views and triggers stay alone, and
// functions that it calls have no effects.
func openIntel(path string) (*sql.DB, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	head := make([]byte, 16)
	_, err = io.ReadFull(f, head)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil || string(head) != "SQLite format 3\x00" {
		return nil, &Error{What: whatDatabase, Where: path, Err: ErrFormat, Reason: "it is no SQLite file"}
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if full = filepath.ToSlash(full); !strings.HasPrefix(full, "/") {
		full = "/" + full // C:/...
	}
	u := url.URL{Scheme: "file", Path: full, RawQuery: "mode=ro&_pragma=query_only(1)&_pragma=trusted_schema(0)&_pragma=busy_timeout(5000)"}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

func unreadable(path string, err error) error {
	return &Error{What: whatDatabase, Where: path, Err: ErrFormat, Reason: fmt.Sprintf("it cannot be read: %v", err)}
}

// version looks which tables there are, and whether they are Intel's.
func (m *migration) version() error {
	m.columns = map[string]map[string]bool{}
	err := m.each(func(rows *sql.Rows) error {
		var table, column string
		if err := m.scan(rows, &table, &column); err != nil {
			return err
		}
		if m.columns[table] == nil {
			m.columns[table] = map[string]bool{}
		}
		m.columns[table][column] = true
		return nil
	}, `SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' LIMIT 10000`)
	if err != nil {
		return err
	}
	bad := func(reason string) error { return &Error{What: whatDatabase, Err: ErrFormat, Reason: reason} }
	if m.columns["pcs_version"] == nil || m.columns["fmspc_tcbs"] == nil || m.columns["pck_cert"] == nil {
		return bad("it is a SQLite file of something else")
	}
	if !m.columns["pcs_version"]["db_version"] {
		return bad("it is older than version 1: let Intel's PCCS of DCAP 1.9 or later start on it once, which brings it up to date")
	}
	err = m.tx.QueryRowContext(m.ctx, `SELECT coalesce(max(db_version), 0), coalesce(max(api_version), 0) FROM pcs_version`).Scan(&m.report.DBVersion, &m.report.APIVersion)
	if err != nil {
		return m.broken(err)
	}
	if v := m.report.DBVersion; v < minDBVersion || v > maxDBVersion {
		return bad(fmt.Sprintf("it is of version %d: %d to %d are read", v, minDBVersion, maxDBVersion))
	}
	return nil
}

// has reports whether there is a table, of Intel's columns.
func (m *migration) has(table string, columns ...string) bool {
	for _, c := range columns {
		if !m.columns[table][c] {
			return false
		}
	}
	return m.columns[table] != nil
}

// or is a column that older versions of a table do not have, or what it is for
// them.
func (m *migration) or(table, column, otherwise string) string {
	if m.columns[table][column] {
		return column
	}
	return otherwise
}

// atMost is the value of a column, or NULL if it has more bytes.
func atMost(column string, bytes int) string {
	return fmt.Sprintf("CASE WHEN length(CAST(%[1]s AS BLOB)) <= %[2]d THEN %[1]s END", column, bytes)
}

// each calls f for each row.
func (m *migration) each(f func(*sql.Rows) error, query string) error {
	rows, err := m.tx.QueryContext(m.ctx, query)
	if err != nil {
		return m.broken(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return m.broken(rows.Err())
}

// scan reads a row.
func (m *migration) scan(rows *sql.Rows, into ...any) error { return m.broken(rows.Scan(into...)) }

// broken is the error of a file that cannot be read on, or nil.
func (m *migration) broken(err error) error {
	switch {
	case err == nil:
		return nil
	case m.ctx.Err() != nil:
		return m.ctx.Err()
	}
	return unreadable(m.path, err)
}

// sequelizeTime is how Intel's service writes times.
const sequelizeTime = "2006-01-02 15:04:05.999 -07:00"

// updated reads a time of Intel's service. One that is none or in the future
// gives the Unix epoch, so that what has it is looked at as old.
func (m *migration) updated(s string) time.Time {
	t, err := time.Parse(sequelizeTime, s)
	if err != nil || t.After(m.o.At) || t.Year() < 1970 {
		return time.Unix(0, 0).UTC()
	}
	return t.UTC()
}
