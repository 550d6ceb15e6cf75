package cli

import (
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/edl/value"
)

// TestShow shows values that take more than a line.
func TestShow(t *testing.T) {
	for _, x := range []struct{ src, want string }{
		{"5", "5"}, {"255", "255 (0xff)"}, {"-255", "-255"}, {"null", "null"}, {"hex:61620000", `"ab", of 4 bytes`}, {"hex:6100ff", "hex:6100ff"},
		{"zero:40", "zero:40"}, {"zero:4", "hex:00000000"}, {"{a: 1}", "{a: 1}"},
		{"hex:" + strings.Repeat("ff", 40), "40 bytes\n    00000000  ff ff ff ff ff ff ff ff  ff ff ff ff ff ff ff ff  |................|\n    *\n    00000020  ff ff ff ff ff ff ff ff                           |........|"},
		{"{a: hex:" + strings.Repeat("fe", 33) + ", bb: 3}", "{\n    a: 33 bytes\n      00000000  fe fe fe fe fe fe fe fe  fe fe fe fe fe fe fe fe  |................|\n      *\n      00000020  fe                                                |.|\n    bb: 3\n  }"},
		{"[" + strings.Repeat("100000000, ", 20) + "]", "[\n" + wrapped("100000000", 20) + "  ]"},
	} {
		v, err := value.ParseValue(x.src, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := showValue(v, "  "); got != x.want {
			t.Errorf("%.40s:\n%s\nwant\n%s", x.src, got, x.want)
		}
	}
}

// wrapped is n times an element, as many to a line as fit.
func wrapped(element string, n int) string {
	var b strings.Builder
	for i := 0; i < n; {
		b.WriteString("    ")
		line := ""
		for ; i < n && len(line)+len(element) <= inlineWidth; i++ {
			line += element + ", "
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}
