package status

import (
	"errors"
	"fmt"
	"testing"
)

// Every code has a name of its own, by which it is found.
func TestNames(t *testing.T) {
	for c, name := range names {
		if got, ok := Lookup(name); !ok || got != c || c.String() != name || c.Error() != name {
			t.Errorf("%#x is %v, and %s is %#x", uint32(c), c, name, uint32(got))
		}
	}
	if c, ok := Lookup("SGX_ERROR_NONE"); ok {
		t.Errorf("found %v", c)
	}
	if got := Code(0x5555).String(); got != "status 0x5555" {
		t.Error(got)
	}
}

func TestErr(t *testing.T) {
	if err := Success.Err(); err != nil {
		t.Error(err)
	}
	if err := fmt.Errorf("call: %w", ErrOutOfTCS.Err()); !errors.Is(err, ErrOutOfTCS) || errors.Is(err, ErrUnexpected) {
		t.Error(err)
	}
}
