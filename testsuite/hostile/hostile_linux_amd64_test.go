package hostile

import (
	"flag"
	"os"
	"slices"
	"testing"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil { // most of the time a lie waits
		panic(err)
	}
	os.Exit(m.Run())
}

// A host that does not lie: what the others are compared with.
func TestHonest(t *testing.T) {
	h, r := run(t, lie{name: "none", jobs: "all", want: goesOn, rounds: 2}, 1)
	h.judge(t, r)
	if n := h.count.Load(); n < 1000 {
		t.Errorf("the victim made %d requests only", n)
	}
}

// Each lie has the outcome that it must have, and none breaks the program or
// has it tell its secret.
func TestLies(t *testing.T) {
	needs(t)
	for _, l := range slices.Concat(results, contents, conduct, boots) {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			h, r := run(t, l, 1)
			h.judge(t, r)
		})
	}
}
