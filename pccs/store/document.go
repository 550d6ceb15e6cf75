package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Document is a cached document.
type Document struct {
	Name       string // of a collateral.Item
	Body       []byte
	Chain      []byte // PEM
	Issued     time.Time
	NextUpdate time.Time
	Evaluation uint32
	Fetched    time.Time // when the body was had, or last confirmed
	Origin     string    // "pcs", "admin" or "import"
}

const documentQuery = `SELECT d.issued, d.next_update, d.evaluation, d.fetched, d.origin, c.pem, d.body
	FROM pccs_documents d LEFT JOIN pccs_chains c ON c.sha256 = d.chain WHERE d.name = ?`

// Document returns a document, or ErrNotFound.
func (s *Store) Document(ctx context.Context, name string) (*Document, error) {
	if !isKey(name, MaxName) {
		return nil, ErrNotFound
	}
	d := &Document{Name: name}
	var issued, next, fetched int64
	err := s.row(ctx, &s.document, name).Scan(&issued, &next, &d.Evaluation, &fetched, &d.Origin, &d.Chain, &d.Body)
	if err != nil {
		return nil, s.fail(ctx, "get a document", err)
	}
	d.Issued, d.NextUpdate, d.Fetched = moment(issued), moment(next), moment(fetched)
	return d, nil
}

// PutDocuments puts documents in one transaction. One that was issued earlier than
// what is there under its name, or has a lower Evaluation, does not replace it; one
// that is the same does, and thus confirms it. In either case the state of its
// fetches is cleared.
func (s *Store) PutDocuments(ctx context.Context, docs ...*Document) error {
	return s.PutAll(ctx, docs, nil)
}

// PutAll is PutDocuments and PutPlatforms in one transaction. After Bind the error is
// ErrEnvironment if something of another environment is there.
func (s *Store) PutAll(ctx context.Context, docs []*Document, platforms []*Platform) error {
	const doing = "put documents and platforms"
	for _, d := range docs {
		if err := d.valid(); err != nil {
			return s.fail(ctx, doing, err)
		}
	}
	for _, p := range platforms {
		if err := p.valid(); err != nil {
			return s.fail(ctx, doing, err)
		}
	}
	if len(docs)+len(platforms) == 0 {
		return nil
	}
	// In the same order everywhere: so transactions wait for each other in a row.
	docs, platforms = slices.Clone(docs), slices.Clone(platforms)
	slices.SortStableFunc(docs, func(a, b *Document) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortStableFunc(platforms, func(a, b *Platform) int { return comparePlatforms(a.PlatformID, b.PlatformID) })
	environment := s.environment.Load()
	put := func(t *tx) error {
		if environment != nil {
			if err := t.isOf(*environment, t.d.row); err != nil {
				return err
			}
		}
		for _, d := range docs {
			if err := t.putDocument(d); err != nil {
				return err
			}
		}
		for _, p := range platforms {
			if err := t.putPlatform(p); err != nil {
				return err
			}
		}
		return nil
	}
	err := s.change(ctx, doing, put)
	if errors.Is(err, ErrEnvironment) { // that somebody named, and perhaps put nothing of
		if err = s.Bind(ctx, *environment); err == nil {
			err = s.change(ctx, doing, put)
		}
	}
	return err
}

func (d *Document) valid() error {
	l := limits{of: fmt.Sprintf("document %.100q", d.Name)}
	l.text("name", d.Name, MaxName)
	l.text("origin", d.Origin, maxOrigin)
	l.bytes("body", d.Body, MaxBody)
	l.bytes("chain", d.Chain, MaxChain)
	l.time("time of issue", d.Issued)
	l.time("next update", d.NextUpdate)
	l.time("time of the fetch", d.Fetched)
	return l.err
}

func (t *tx) putDocument(d *Document) error {
	chain, err := t.chain(d.Chain)
	if err != nil {
		return err
	}
	body := d.Body
	if body == nil {
		body = []byte{} // not NULL
	}
	keys := []string{"name"}
	columns := []string{"issued", "next_update", "evaluation", "fetched", "origin", "chain", "body"}
	values := []any{micros(d.Issued), micros(d.NextUpdate), int64(d.Evaluation), micros(d.Fetched), d.Origin, chain, body}
	// The row is made if there is none. Then there is one for sure, and the newer of
	// those who came at the same time stays.
	if _, err := t.exec(t.d.put("pccs_documents", 1, append(keys, columns...), nil), append([]any{d.Name}, values...)...); err != nil {
		return err
	}
	const replace = `UPDATE pccs_documents SET issued = ?, next_update = ?, evaluation = ?, fetched = ?, origin = ?, chain = ?, body = ?
		WHERE name = ? AND issued <= ? AND evaluation <= ?`
	if _, err := t.exec(replace, append(values, d.Name, micros(d.Issued), int64(d.Evaluation))...); err != nil {
		return err
	}
	_, err = t.exec("DELETE FROM pccs_fetches WHERE name = ?", d.Name)
	return err
}

// Documents lists all documents, without Body and Chain, by name.
func (s *Store) Documents(ctx context.Context) ([]Document, error) {
	var list []Document
	err := each(ctx, s.reads, s.d, "SELECT name, issued, next_update, evaluation, fetched, origin FROM pccs_documents ORDER BY name", nil, func(scan func(...any) error) error {
		var d Document
		var issued, next, fetched int64
		if err := scan(&d.Name, &issued, &next, &d.Evaluation, &fetched, &d.Origin); err != nil {
			return err
		}
		d.Issued, d.NextUpdate, d.Fetched = moment(issued), moment(next), moment(fetched)
		list = append(list, d)
		return nil
	})
	return list, s.fail(ctx, "list the documents", err)
}

// DeleteDocument deletes a document and the state of its fetches. It is no error if
// there is none.
func (s *Store) DeleteDocument(ctx context.Context, name string) error {
	if !isKey(name, MaxName) {
		return nil
	}
	return s.change(ctx, "delete a document", func(t *tx) error {
		if _, err := t.exec("DELETE FROM pccs_documents WHERE name = ?", name); err != nil {
			return err
		}
		_, err := t.exec("DELETE FROM pccs_fetches WHERE name = ?", name)
		return err
	})
}
