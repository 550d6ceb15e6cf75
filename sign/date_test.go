package sign_test

import (
	"testing"
	"time"

	"github.com/feidi-dev/feidi/sign"
)

func TestDate(t *testing.T) {
	east := time.FixedZone("", 3600)
	for want, day := range map[uint32]time.Time{
		0x20260131: time.Date(2026, 1, 31, 23, 59, 0, 0, time.UTC),
		0x19991231: time.Date(2000, 1, 1, 0, 30, 0, 0, east),
	} {
		if got := sign.Date(day); got != want {
			t.Errorf("%v: %#x, want %#x", day, got, want)
		}
	}
}
