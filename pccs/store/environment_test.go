package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// A database is of one environment: that of the first who says so, also of those
// who come at once.
func testEnvironment(t *testing.T, b backend) {
	address := b.address(t)
	errs := make([]error, 6)
	together(len(errs), func(i int) {
		s, err := Open(t.Context(), address)
		if err == nil {
			err = errors.Join(s.Bind(t.Context(), fmt.Sprintf("world %d", i%2)), s.Close())
		}
		errs[i] = err
	})
	first := 0
	if errs[0] != nil {
		first = 1
	}
	for i, err := range errs {
		if i%2 == first {
			must(t, err)
			continue
		}
		isErr(t, err, ErrEnvironment, fmt.Sprintf("world %d", first), fmt.Sprintf("world %d", 1-first), "a database of its own")
	}
	s := reopen(t, address)
	must(t, s.Bind(t.Context(), fmt.Sprintf("world %d", first)))
	isErr(t, s.Bind(t.Context(), strings.Repeat("x", 256)), ErrInvalid)
}
