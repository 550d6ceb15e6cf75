package store

import (
	"context"
	"fmt"
)

// Bind says of which environment what is kept here is, by a text of at most 255
// bytes. The first time counts: for any other text the error is ErrEnvironment from
// then on, because what is genuine below one root is nothing below another.
func (s *Store) Bind(ctx context.Context, environment string) error {
	const doing = "open"
	l := limits{of: "a database"}
	if l.text("environment", environment, maxHolder); l.err != nil {
		return s.fail(ctx, doing, l.err)
	}
	return s.change(ctx, doing, func(t *tx) error {
		if _, err := t.exec(t.d.put("pccs_environment", 1, []string{"id", "roots"}, nil), int64(1), environment); err != nil {
			return err
		}
		var have string
		if err := t.get("SELECT roots FROM pccs_environment WHERE id = 1", nil, &have); err != nil {
			return err
		}
		if have != environment {
			return fmt.Errorf("%w: it was filled below %.80s, and here %.80s is trusted: give this service a database of its own, or trust the same roots", ErrEnvironment, have, environment)
		}
		return nil
	})
}
