package verify_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/testsuite/vectors"
)

// The tests of this file change a valid quote and its collateral in every way
// that is one bit, and cut each part off at every length: nothing of it may be
// accepted. FEIDI_MUTATIONS=all tries all; without it there is a sample, which
// is the same each time.

// everyMutation reports whether all are to be tried.
var everyMutation = os.Getenv("FEIDI_MUTATIONS") == "all"

// sample is the distance of bytes that are changed.
func sample(stride int) int {
	if everyMutation {
		return 1
	}
	return stride
}

// subject is what is changed.
type subject struct {
	name    string
	quote   []byte
	c       *dcap.Collateral
	at      time.Time
	options []verify.Option
}

func (w *world) subject(name string) *subject {
	w.make()
	return &subject{name, w.raw, w.c, w.at, w.options}
}

// part is a part of a subject.
type part struct {
	name string
	of   func(quote *[]byte, c *dcap.Collateral) *[]byte
}

var parts = []part{
	{"quote", func(q *[]byte, _ *dcap.Collateral) *[]byte { return q }},
	{"PCK chain", func(_ *[]byte, c *dcap.Collateral) *[]byte { return &c.PCKChain }},
	{"PCK CRL chain", func(_ *[]byte, c *dcap.Collateral) *[]byte { return &c.PCKCRLChain }},
	{"root CRL", func(_ *[]byte, c *dcap.Collateral) *[]byte { return &c.RootCRL }},
	{"PCK CRL", func(_ *[]byte, c *dcap.Collateral) *[]byte { return &c.PCKCRL }},
	{"TCB info", func(_ *[]byte, c *dcap.Collateral) *[]byte { return &c.TCBInfo }},
	{"TCB info chain", func(_ *[]byte, c *dcap.Collateral) *[]byte { return &c.TCBInfoChain }},
	{"QE identity", func(_ *[]byte, c *dcap.Collateral) *[]byte { return &c.QEIdentity }},
	{"QE identity chain", func(_ *[]byte, c *dcap.Collateral) *[]byte { return &c.QEIdentityChain }},
}

// unused are parts that a quote of that certification data does not ask for:
// they may be anything, and are checked to be so.
func unused(name string, kind dcap.CertificationType) bool {
	return name == "PCK chain" && kind >= dcap.CertPCKLeaf || name == "PCK CRL chain" && kind != dcap.CertPCKLeaf
}

// mutant is a change: of one bit, or, if bit is -1, the end before a byte.
type mutant struct {
	part    int
	at, bit int
}

func (m mutant) String() string {
	if m.bit < 0 {
		return fmt.Sprintf("%s cut off at %d", parts[m.part].name, m.at)
	}
	return fmt.Sprintf("%s, byte %d, bit %d", parts[m.part].name, m.at, m.bit)
}

// mutants lists the changes of a subject: of every stride-th byte all bits, and
// the end before it.
func (s *subject) mutants(stride int) (list []mutant) {
	q, err := dcap.ParseQuote(s.quote)
	if err != nil {
		panic(err)
	}
	for i, p := range parts {
		quote, c := s.quote, *s.c
		n := len(*p.of(&quote, &c))
		if unused(p.name, q.Certification.Type()) {
			continue
		}
		for at := range n {
			if at%stride == 0 {
				list = append(list, mutant{i, at, -1})
				for bit := range 8 {
					list = append(list, mutant{i, at, bit})
				}
			}
		}
	}
	return list
}

// apply returns the changed quote and collateral.
func (s *subject) apply(m mutant) ([]byte, *dcap.Collateral) {
	quote, c := s.quote, *s.c
	b := parts[m.part].of(&quote, &c)
	if m.bit < 0 {
		*b = (*b)[:m.at:m.at]
	} else {
		*b = bytes.Clone(*b)
		(*b)[m.at] ^= 1 << m.bit
	}
	return quote, &c
}

// try verifies all mutants, of which every compare-th also without a cache, and
// returns those that were accepted.
func (s *subject) try(t *testing.T, list []mutant, compare int) (accepted []mutant) {
	t.Helper()
	warm, err1 := verify.New(s.options...)
	cold, err2 := verify.New(append(slices.Clone(s.options), verify.WithCache(0))...)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	for range 2 {
		if r, err := warm.Verify(s.quote, s.c, s.at); !r.Authentic() {
			t.Fatalf("%s: what is not changed is not accepted: %v", s.name, err)
		}
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(list); i = int(next.Add(1)) - 1 {
				quote, c := s.apply(list[i])
				r, _ := warm.Verify(quote, c, s.at)
				if r.Status == verify.StatusOK || r.Authentic() {
					mu.Lock()
					accepted = append(accepted, list[i])
					mu.Unlock()
				}
				if i%compare == 0 {
					if r2, _ := cold.Verify(quote, c, s.at); verdictOf(r2) != verdictOf(r) {
						t.Errorf("%s: %v: with a cache %v, without %v", s.name, list[i], verdictOf(r), verdictOf(r2))
					}
				}
			}
		})
	}
	wg.Wait()
	if r, err := warm.Verify(s.quote, s.c, s.at); !r.Authentic() {
		t.Errorf("%s: after all changes, what is not changed is not accepted: %v", s.name, err)
	}
	return accepted
}

// subjects are sets of the three versions, whose PCK chain is in the quote, and
// two whose chain is not, or not all of it.
func subjects() []*subject {
	leaf := newWorld(tdx4)
	leaf.q.CertType = dcap.CertPCKLeaf
	aside := newWorld(sgx5)
	aside.q.CertType = dcap.CertPPIDClear
	return []*subject{
		newWorld(sgx3).subject("SGX v3"), newWorld(tdx4).subject("TDX v4"), newWorld(tdx15).subject("TDX v5"),
		leaf.subject("TDX v4, PCK certificate alone"), aside.subject("SGX v5, PCK chain aside"),
	}
}

// harmless reports whether a change is one that changes nothing: it cuts off
// ends of lines after a chain or a document, which need none. They are in no
// signature, and the verifier goes by what is before them.
func (s *subject) harmless(m mutant) bool {
	quote, c := s.quote, *s.c
	b := *parts[m.part].of(&quote, &c)
	text := bytes.HasPrefix(b, []byte("-----BEGIN")) || bytes.HasPrefix(b, []byte("{"))
	return m.bit < 0 && text && len(bytes.TrimRight(b[m.at:], "\r\n\x00")) == 0
}

// none tries the changes of a subject and reports those that are accepted. It
// returns how many it tried.
func (s *subject) none(t *testing.T, stride int) int {
	t.Helper()
	list := slices.DeleteFunc(s.mutants(stride), s.unsigned)
	start, bad, same := time.Now(), 0, 0
	for _, m := range s.try(t, list, 8) {
		if s.harmless(m) {
			same++
			continue
		}
		t.Errorf("%s: accepted: %v", s.name, m)
		bad++
	}
	t.Logf("%s: %d mutations, %d accepted; %d change nothing (%v)", s.name, len(list), bad, same, time.Since(start).Round(time.Millisecond))
	return len(list)
}

func TestMutations(t *testing.T) {
	tried := 0
	for _, s := range subjects() {
		tried += s.none(t, sample(17))
	}
	t.Logf("%d mutations of testpki's sets", tried)
}

// unsigned reports whether a change is one of a bit of what a PCK certificate is
// asked for with (certification data of types 1 to 3), which is at the end of
// the quote.
func (s *subject) unsigned(m mutant) bool {
	q, err := dcap.ParseQuote(s.quote)
	if err != nil {
		panic(err)
	}
	p, ok := q.Certification.(*dcap.PPID)
	return ok && parts[m.part].name == "quote" && m.bit >= 0 && m.at >= len(s.quote)-len(p.PPID)-18-len(p.PCEID)
}

// That is in no signature: no verifier can tell that it was changed, and it says
// nothing that a result depends on. It is all of a quote of which that is true.
func TestMutationsUnsigned(t *testing.T) {
	s := subjects()[4]
	list := slices.DeleteFunc(s.mutants(1), func(m mutant) bool { return !s.unsigned(m) })
	if len(list) != 34*8 {
		t.Fatalf("%d bits", len(list))
	}
	if n := len(s.try(t, list, 1)); n != len(list) {
		t.Errorf("%d of %d bits are of no effect", n, len(list))
	}
}

// Parts that are not asked for are not looked at.
func TestMutationsUnused(t *testing.T) {
	w := newWorld(tdx4)
	w.make()
	w.c.PCKChain, w.c.PCKCRLChain = garbage, garbage
	w.check(t, verdict{})
}

// TestMutationsOfVectors does the same to real quotes.
func TestMutationsOfVectors(t *testing.T) {
	tried := 0
	for _, set := range vectors.All(t) {
		s := &subject{set.Name, set.Quote, set.Collateral, set.At, []verify.Option{verify.WithRoots(set.Root)}}
		v, err := verify.New(s.options...)
		if err != nil {
			t.Fatal(err)
		}
		if r, _ := v.Verify(s.quote, s.c, s.at); !r.Authentic() {
			t.Logf("%s: not genuine by itself: %v", s.name, r.Status)
			continue
		}
		tried += s.none(t, sample(131))
	}
	t.Logf("%d mutations of real sets", tried)
}

// TestMutationsColdAndWarm compares each of a sample with and without a cache:
// the cache turns nothing bad into good, and nothing good into bad.
func TestMutationsColdAndWarm(t *testing.T) {
	w := newWorld(tdx15)
	s := w.subject("TDX v5")
	list := s.mutants(sample(211))
	s.try(t, list, 1)
	t.Logf("%d mutations", len(list))
}
