package selection_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs/selection"
)

// svns is a TCB as seventeen numbers.
type svns [17]int

func (a svns) tcbm() string {
	b := make([]byte, 16, 18)
	for i := range b {
		b[i] = byte(a[i])
	}
	return fmt.Sprintf("%X", binary.LittleEndian.AppendUint16(b, uint16(a[16])))
}

// compare returns -1, 0 or 1, and false if neither is above the other.
func (a svns) compare(b svns) (int, bool) {
	lower, higher := false, false
	for i := range a {
		lower = lower || a[i] < b[i]
		higher = higher || a[i] > b[i]
	}
	switch {
	case lower && higher:
		return 0, false
	case lower:
		return -1, true
	case higher:
		return 1, true
	}
	return 0, true
}

func (a svns) atLeast(b svns) bool {
	n, ok := a.compare(b)
	return ok && n >= 0
}

// byBuckets is how Intel's library does it: a bucket for each level and one more,
// each kept in order while certificates are put in, and then searched from the
// first. It returns -1 if there is none.
func byBuckets(raw svns, certs, levels []svns) int {
	buckets := make([][]int, len(levels)+1)
	for i, c := range certs {
		n := slices.IndexFunc(levels, c.atLeast)
		if n < 0 {
			n = len(levels)
		}
		at := slices.IndexFunc(buckets[n], func(j int) bool { return c.atLeast(certs[j]) })
		if at < 0 {
			at = len(buckets[n])
		}
		buckets[n] = slices.Insert(buckets[n], at, i)
	}
	for _, b := range buckets {
		for _, i := range b {
			if raw.atLeast(certs[i]) {
				return i
			}
		}
	}
	return -1
}

// random makes TCBs in which few components differ, so that many compare.
func random(r *rand.Rand, n int) []svns {
	list := make([]svns, n)
	for i := range list {
		for range 1 + r.IntN(4) {
			list[i][r.IntN(3)*8] = r.IntN(5)
		}
	}
	return list
}

func descending(list []svns) {
	slices.SortFunc(list, func(a, b svns) int { return slices.Compare(b[:], a[:]) })
}

func run(t *testing.T, raw svns, certs, levels []svns) int {
	t.Helper()
	tcbms := func(list []svns) (s []string) {
		for _, a := range list {
			s = append(s, a.tcbm())
		}
		return s
	}
	var cpuSVN [16]byte
	for i := range cpuSVN {
		cpuSVN[i] = byte(raw[i])
	}
	i, err := selection.Select(cpuSVN, uint16(raw[16]), [2]byte{}, fmspc, candidates(t, tcbms(certs)...), info(t, tcbms(levels)...))
	if errors.Is(err, selection.ErrNone) {
		return -1
	}
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestSelectProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	found := 0
	for n := range 4000 {
		certs, levels, raw := random(r, r.IntN(12)), random(r, 1+r.IntN(6)), random(r, 1)[0]
		descending(levels)
		shuffled := run(t, raw, certs, levels)

		// In descending order it is Intel's choice.
		sorted := slices.Clone(certs)
		descending(sorted)
		want := byBuckets(raw, sorted, levels)
		if (want < 0) != (shuffled < 0) || want >= 0 && certs[shuffled] != sorted[want] {
			t.Fatalf("case %d: raw %v\ncerts %v\nlevels %v\nchose %d, want %v", n, raw, certs, levels, shuffled, want)
		}
		if shuffled < 0 {
			if slices.ContainsFunc(certs, raw.atLeast) {
				t.Fatalf("case %d: there is one", n)
			}
			continue
		}
		found++
		best := certs[shuffled]
		if !raw.atLeast(best) {
			t.Fatalf("case %d: the platform does not reach %v", n, best)
		}
		// Nothing that the platform reaches is above it.
		for _, c := range certs {
			if order, ok := c.compare(best); ok && order > 0 && raw.atLeast(c) {
				t.Fatalf("case %d: %v is better than %v", n, c, best)
			}
		}
		// And a verifier finds no higher level in any other.
		level := func(c svns) int {
			if i := slices.IndexFunc(levels, c.atLeast); i >= 0 {
				return i
			}
			return len(levels)
		}
		for _, c := range certs {
			if raw.atLeast(c) && level(c) < level(best) {
				t.Fatalf("case %d: %v is at a higher level than %v", n, c, best)
			}
		}
		// Where all compare, the order in which Intel's library gets them
		// makes no difference either.
		if chain(certs) && certs[byBuckets(raw, certs, levels)] != best {
			t.Fatalf("case %d: Intel's library chooses another than %v", n, best)
		}
	}
	if found < 1000 {
		t.Errorf("only %d cases had a certificate", found)
	}
}

// chain reports whether each of a list compares with each other.
func chain(list []svns) bool {
	for _, a := range list {
		for _, b := range list {
			if _, ok := a.compare(b); !ok {
				return false
			}
		}
	}
	return true
}

// FuzzSelect makes certificates and levels of bytes, 18 for each, the first of
// which is the raw TCB. The oracle is byBuckets.
func FuzzSelect(f *testing.F) {
	f.Add(1, 1, []byte{})
	f.Add(2, 1, bytes.Repeat([]byte{3}, 4*18))
	f.Fuzz(func(t *testing.T, nCerts, nLevels int, b []byte) {
		if nCerts < 0 || nLevels < 0 || nCerts > 64 || nLevels > 64 {
			return
		}
		next := func() (a svns) {
			var c [18]byte
			b = b[copy(c[:], b):]
			for i := range 16 {
				a[i] = int(c[i])
			}
			a[16] = int(binary.LittleEndian.Uint16(c[16:]))
			return a
		}
		raw := next()
		var certs, levels []svns
		for range nCerts {
			certs = append(certs, next())
		}
		for range nLevels {
			levels = append(levels, next())
		}
		descending(certs)
		descending(levels)
		if nLevels == 0 {
			_, err := selection.Select([16]byte{}, 0, [2]byte{}, fmspc, nil, &dcap.TCBInfo{FMSPC: fmspc})
			if !errors.Is(err, selection.ErrInput) {
				t.Fatal(err)
			}
			return
		}
		got, want := run(t, raw, certs, levels), byBuckets(raw, certs, levels)
		if (got < 0) != (want < 0) || got >= 0 && certs[got] != certs[want] {
			t.Fatalf("chose %d, want %d", got, want)
		}
	})
}
