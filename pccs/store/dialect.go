package store

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// dialect is in what a kind of database differs from the others. Statements are
// written for SQLite, with ? for parameters.
type dialect struct {
	kind string

	// The words of the migrations.
	text, bytes, hash, id, clustered string

	numbered bool // parameters are $1, $2
	onKey    bool // ON DUPLICATE KEY, in place of ON CONFLICT
	prepare  bool // statements that run often in a transaction are prepared for it

	tables string // counts the tables of a name
	ddl    bool   // tables are made in transactions
	lock   string // in the transaction of the migration; "" if that is a lock itself
	unlock string
	row    string // after a SELECT: others may read its row, and change it only after this transaction
	own    string // nor do others that want the same

	mistake func(error) bool // the database answered: it is the statement that is wrong
	again   func(error) bool // the transaction was the victim of others, and may be tried again
	done    func(error) bool // what a migration is to make is there
}

func never(error) bool { return false }

var textWord = regexp.MustCompile(`\$TEXT\((\d+)\)`)

// words replaces the words of a migration.
func (d *dialect) words(sql string) string {
	sql = textWord.ReplaceAllString(sql, d.text)
	return strings.NewReplacer("$BYTES", d.bytes, "$HASH", d.hash, "$ID", d.id, "$CLUSTERED", d.clustered).Replace(sql)
}

// sql gives parameters the form of the database. No statement of this package has
// a question mark of another meaning.
func (d *dialect) sql(query string) string {
	if !d.numbered || strings.IndexByte(query, '?') < 0 {
		return query
	}
	var b strings.Builder
	b.Grow(len(query) + 32)
	for n := 1; ; n++ {
		before, after, found := strings.Cut(query, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
		query = after
	}
}

// put is the statement that puts rows into a table, in place of those of the same
// keys. Without columns beside the keys, what is there stays.
func (d *dialect) put(table string, rows int, keys, columns []string) string {
	all := append(append([]string{}, keys...), columns...)
	row := "(" + marks(len(all)) + ")"
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES %s", table, strings.Join(all, ", "), row)
	b.WriteString(strings.Repeat(", "+row, rows-1))
	set := make([]string, len(columns))
	switch {
	case d.onKey && len(columns) == 0:
		fmt.Fprintf(&b, " ON DUPLICATE KEY UPDATE %s = %s", keys[0], keys[0])
	case d.onKey:
		for i, c := range columns {
			set[i] = c + " = VALUES(" + c + ")"
		}
		fmt.Fprintf(&b, " ON DUPLICATE KEY UPDATE %s", strings.Join(set, ", "))
	case len(columns) == 0:
		b.WriteString(" ON CONFLICT DO NOTHING")
	default:
		for i, c := range columns {
			set[i] = c + " = excluded." + c
		}
		fmt.Fprintf(&b, " ON CONFLICT (%s) DO UPDATE SET %s", strings.Join(keys, ", "), strings.Join(set, ", "))
	}
	return b.String()
}

// marks are n parameters.
func marks(n int) string { return strings.Repeat("?, ", n-1) + "?" }
