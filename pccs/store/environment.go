package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Bind says of which environment what is put from now on is, by a text of at most
// 255 bytes. The first document or platform settles it: for any other text the error
// is ErrEnvironment as long as there is one, because what is genuine below one root
// is nothing below another. Until then anybody may say another.
func (s *Store) Bind(ctx context.Context, environment string) error {
	const doing = "open"
	l := limits{of: "a database"}
	if l.text("environment", environment, maxHolder); l.err != nil {
		return s.fail(ctx, doing, l.err)
	}
	err := s.change(ctx, doing, func(t *tx) error {
		if _, err := t.exec(t.d.put("pccs_environment", 1, []string{"id", "roots"}, nil), int64(1), environment); err != nil {
			return err
		}
		// Who is putting something has the row until that is there.
		err := t.isOf(environment, t.d.own)
		if !errors.Is(err, ErrEnvironment) {
			return err
		}
		var n int
		if e := t.get("SELECT CASE WHEN EXISTS (SELECT 1 FROM pccs_documents) OR EXISTS (SELECT 1 FROM pccs_platforms) THEN 1 ELSE 0 END", nil, &n); e != nil {
			return e
		}
		if n > 0 {
			return err
		}
		_, err = t.exec("UPDATE pccs_environment SET roots = ? WHERE id = 1", environment)
		return err
	})
	if err == nil {
		s.environment.Store(&environment)
	}
	return err
}

// Bound is ErrEnvironment if something of another environment was put since Bind, and
// nil if Bind was not called.
func (s *Store) Bound(ctx context.Context) error {
	environment := s.environment.Load()
	if environment == nil {
		return nil
	}
	err := s.view(ctx, "look whose the database is", func(t *tx) error { return t.isOf(*environment, "") })
	if errors.Is(err, ErrEnvironment) {
		return s.Bind(ctx, *environment)
	}
	return err
}

// isOf looks of which environment the database is, and with a lock of the dialect
// keeps it so until the transaction ends.
func (t *tx) isOf(environment, lock string) error {
	var have string
	err := t.get("SELECT roots FROM pccs_environment WHERE id = 1"+lock, nil, &have)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		have = "nothing"
	case err != nil:
		return err
	}
	if have == environment {
		return nil
	}
	return fmt.Errorf("%w: it is filled below %.80s, and here %.80s is trusted: trust the same (--root, --world, or the roots of the settings), or take another database (--database)", ErrEnvironment, have, environment)
}
