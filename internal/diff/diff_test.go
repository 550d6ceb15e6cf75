package diff

import (
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	for _, x := range []struct{ a, b, want string }{
		{"a\nb\nc\n", "a\nB\nc\n", "@@ line 2 @@\n a\n-b\n+B\n c\n"},
		{"a\nb\n", "b\n", "@@ line 1 @@\n-a\n b\n"},
		{"a\n1\nx\n2\n", "a\n3\nx\n4\n", "@@ line 2 @@\n a\n-1\n+3\n x\n-2\n+4\n"},
	} {
		if got := Lines("f", x.a, "g", x.b); got != "--- f\n+++ g\n"+x.want {
			t.Errorf("%q to %q:\n%s", x.a, x.b, got)
		}
	}
	long := strings.Repeat("a\n", maxDiff+1)
	if got := Lines("f", long+"b\n", "g", "c\n"+long); !strings.Contains(got, "-b\n") {
		t.Error("a long text has no difference")
	}
}
