package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// A database is of one environment: that of the first thing in it, also where
// several come at once.
func testEnvironment(t *testing.T, b backend) {
	ctx := t.Context()
	address := b.address(t)
	errs := make([]error, 8)
	together(len(errs), func(i int) {
		s, err := Open(ctx, address)
		if err == nil {
			err = s.Bind(ctx, fmt.Sprintf("world %d", i%2))
			if err == nil {
				err = s.PutDocuments(ctx, document(fmt.Sprint(i)))
			}
			err = errors.Join(err, s.Close())
		}
		errs[i] = err
	})
	s := reopen(t, address)
	docs, err := s.Documents(ctx)
	must(t, err)
	if len(docs) == 0 {
		t.Fatalf("nobody put anything: %v", errs)
	}
	first := int(docs[0].Name[0]-'0') % 2
	for i, err := range errs {
		if i%2 == first && err == nil {
			continue
		}
		isErr(t, err, ErrEnvironment, fmt.Sprintf("world %d", first), fmt.Sprintf("world %d", 1-first), "--root", "--database")
	}
	for _, d := range docs {
		if int(d.Name[0]-'0')%2 != first {
			t.Errorf("document %s is of another world than %s", d.Name, docs[0].Name)
		}
	}
	must(t, s.Bind(ctx, fmt.Sprintf("world %d", first)))
	isErr(t, s.Bind(ctx, strings.Repeat("x", 256)), ErrInvalid)
}

// Who named another environment, and put nothing, is in nobody's way.
func testRebound(t *testing.T, b backend) {
	ctx := t.Context()
	address := b.address(t)
	wrong, right, other := reopen(t, address), reopen(t, address), reopen(t, address)
	must(t, other.Bound(ctx)) // who named none
	must(t, right.Bind(ctx, "world"))
	must(t, wrong.Bind(ctx, "Intel"))
	must(t, right.Bound(ctx))
	must(t, wrong.Bound(ctx))
	must(t, right.PutPlatforms(ctx, []*Platform{platform(1, 3)})) // a platform is enough
	isErr(t, wrong.Bound(ctx), ErrEnvironment, "below world")
	isErr(t, wrong.PutDocuments(ctx, document("d")), ErrEnvironment)
	isErr(t, wrong.PutPlatforms(ctx, []*Platform{platform(1, 3)}), ErrEnvironment)
	isErr(t, wrong.Bind(ctx, "Intel"), ErrEnvironment, "below world")
	must(t, right.Bound(ctx))
	must(t, right.PutDocuments(ctx, document("d")))
}

// While something is put, nobody makes the database another environment's.
func testBindWaits(t *testing.T, b backend) {
	ctx := t.Context()
	address := b.address(t)
	s, late := reopen(t, address), reopen(t, address)
	must(t, s.Bind(ctx, "world"))
	must(t, s.change(ctx, "test", func(tx *tx) error {
		if err := tx.isOf("world", tx.d.row); err != nil {
			return err
		}
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		isErr(t, late.Bind(short, "Intel"), context.DeadlineExceeded)
		return tx.putDocument(document("d"))
	}))
	isErr(t, late.Bind(ctx, "Intel"), ErrEnvironment, "below world")
}
