package crosscheck

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/testpki"
)

// TestRandomTCB compares us with Intel's library on random TCBs: levels of
// platforms, modules and quoting enclaves in any order and number, some equal,
// and quotes whose SVNs are near them. FEIDI_RANDOM is how many (200 by
// default). A set that fails has a number, and is the same again.
func TestRandomTCB(t *testing.T) {
	outcomes := map[string]int{}
	compareQVL(t, randomSet, func(s *Set, qvl Peer, theirs, ours Answer) {
		outcomes[theirs.Status()]++
		if !Agree(qvl, theirs, ours) {
			t.Errorf("%s\n  theirs: %v\n  ours:   %v (%s)", s.Name, theirs, ours, ours.Reason)
		}
	})
	t.Logf("%v", outcomes)
}

// TestRandomBytes compares us with Intel's library on sets with one byte
// changed, inserted or missing, in any document. Codes may differ where both
// refuse, and we may refuse more; we must not take what it refuses.
func TestRandomBytes(t *testing.T) {
	sets := allSets(t)
	made := func(seed uint64) *Set {
		r := rand.New(rand.NewPCG(seed, 2))
		s := *sets[r.IntN(len(sets))]
		document := s.mutate(r)
		s.Name = fmt.Sprintf("random %d: %s of %s", seed, document, s.Name)
		return &s
	}
	same, stricter, otherwise := 0, 0, 0
	compareQVL(t, made, func(s *Set, qvl Peer, theirs, ours Answer) {
		lax := false
		for i := range theirs.Steps {
			us, them := rank(ours.Steps[i]), rank(theirs.Steps[i])
			lax = lax || us < them || us == them && us < refused && ours.Steps[i] != theirs.Steps[i]
		}
		switch {
		case lax:
			t.Errorf("%s\n  theirs: %v\n  ours:   %v (%s)", s.Name, theirs, ours, ours.Reason)
		case slices.Equal(theirs.Steps, ours.Steps):
			same++
		case rank(ours.Steps...) > rank(theirs.Steps...):
			stricter++
			t.Logf("stricter: %s\n  theirs: %v\n  ours:   %v (%s)", s.Name, theirs, ours, ours.Reason)
		default:
			otherwise++
		}
	})
	t.Logf("%d the same, %d where we are stricter, %d that both refuse with other codes", same, stricter, otherwise)
}

const refused = 2

// rank is how far codes are from good: 0 for a genuine quote of any TCB, 1 for
// what is out of its time, refused for all else. The worst counts.
func rank(codes ...string) int {
	worst := 0
	for _, code := range codes {
		switch s, err := verify.ParseStatus(code); {
		case err != nil || !s.TCB() && !s.Expired():
			worst = refused
		case s.Expired():
			worst = max(worst, 1)
		}
	}
	return worst
}

// compareQVL makes sets and has them verified by Intel's library and by us.
func compareQVL(t *testing.T, set func(seed uint64) *Set, compare func(s *Set, qvl Peer, theirs, ours Answer)) {
	t.Helper()
	var qvl Peer
	for _, p := range findPeers(t) {
		if p.Name() == "qvl" {
			qvl = p
		}
	}
	if qvl == nil {
		t.Skip("only Intel's library is to be compared with, and FEIDI_QVL names none")
	}
	n, err := strconv.Atoi(os.Getenv("FEIDI_RANDOM"))
	if err != nil {
		n = 200
	}
	for i := range n {
		s := set(uint64(i))
		ours, err := Ours(s)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := qvl.Verify(s)
		if err != nil {
			t.Fatalf("%s: %v", s.Name, err)
		}
		compare(s, qvl, theirs, ours)
	}
}

// mutate changes one byte of one document, of which it returns the name. The
// root and the time stay.
func (s *Set) mutate(r *rand.Rand) string {
	var at []byte
	files := s.files(&at)
	for _, name := range []string{
		"verify_at.txt", "root.pem",
		"pckcrl_chain.pem",         // Intel's functions do not take it
		"pck.pem", "pck_chain.pem", // these are in the quote
	} {
		delete(files, name)
	}
	names := slices.Sorted(maps.Keys(files))
	name := names[r.IntN(len(names))]
	b := slices.Clone(*files[name])
	i := r.IntN(len(b))
	pem := len(b)
	if name == "quote.bin" {
		if at := bytes.Index(b, []byte("-----BEGIN")); at >= 0 {
			pem = at
		}
	}
	switch how := r.IntN(4); {
	case how == 0 && i < pem:
		b = slices.Delete(b, i, i+1)
	case how == 1 && i < pem:
		b = slices.Insert(b, i, byte(r.IntN(256)))
	default:
		b[i] ^= 1 << r.IntN(8)
	}
	*files[name] = b
	if i >= pem { // Intel's functions take the chain from a file
		chain := bytes.TrimRight(b[pem:], "\x00")
		s.Collateral.PCKChain = chain
		end := []byte("-----END CERTIFICATE-----\n")
		s.PCK, _, _ = bytes.Cut(chain, end)
		s.PCK = append(slices.Clone(s.PCK), end...)
		return "chain in the quote"
	}
	return name
}

func randomSet(seed uint64) *Set {
	r := rand.New(rand.NewPCG(seed, 1))
	p := testpki.New(testpki.Seed("random"))
	m := p.Platform(digits, func(m *testpki.Platform) { randomSVNs(r, m) })
	tee := []dcap.TEEType{dcap.TEESGX, dcap.TEETDX}[r.IntN(2)]
	randomInfo(r, m.TCBInfo(tee))
	id := p.TDQE
	if tee == dcap.TEESGX {
		id = p.QE
	}
	id.Levels = nil
	for _, svn := range someSVNs(r) {
		id.Levels = append(id.Levels, dcap.IdentityLevel{ISVSVN: svn, Date: day(r), Status: enclaveStatus(r)})
	}

	var q *testpki.Quote
	if tee == dcap.TEESGX {
		q = m.SGXQuote()
	} else {
		q = m.TDXQuote()
		if r.IntN(2) == 0 {
			q.Header.Version = 5
			q.BodyType = []dcap.BodyType{dcap.BodyTD10, dcap.BodyTD15, dcap.BodyTD15, dcap.BodyTD15Ex}[r.IntN(4)]
			q.TD.TEETCBSVN2 = q.TD.TEETCBSVN
			q.TD.TEETCBSVN2[0] += uint8(r.IntN(3))
			q.TD.TEETCBSVN2[2] += uint8(r.IntN(2))
			if r.IntN(8) == 0 {
				q.TD.TEETCBSVN2[1] = uint8(r.IntN(3))
			}
		}
	}
	q.QEReport.ISVSVN = uint16(1 + r.IntN(5))
	return &Set{
		Name: fmt.Sprintf("random %d", seed), Quote: q.Bytes(), PCK: m.PCK.PEM(),
		Collateral: *q.Collateral(), Root: p.RootPEM(), At: p.Now,
	}
}

// randomSVNs gives the platform SVNs that levels of randomInfo are about.
func randomSVNs(r *rand.Rand, m *testpki.Platform) {
	for i := range 3 {
		m.SGX.TCB[i] = uint8(3 + r.IntN(4))
	}
	m.SGX.CPUSVN = m.SGX.TCB
	m.SGX.PCESVN = uint16(10 + r.IntN(3))
	m.TEETCBSVN = [16]uint8{0: uint8(1 + r.IntN(4)), 1: uint8(r.IntN(3)), 2: uint8(3 + r.IntN(4)), 3: 1}
}

func randomInfo(r *rand.Rand, info *dcap.TCBInfo) {
	full := info.Levels[0] // has what is the same in all levels
	info.Levels = nil
	for range 1 + r.IntN(8) {
		l := full
		for i := range 3 {
			l.SGX[i].SVN = uint8(1 + r.IntN(5))
		}
		if info.ID == dcap.TCBInfoTDX {
			l.TDX[0].SVN, l.TDX[1].SVN, l.TDX[2].SVN = uint8(r.IntN(3)), uint8(r.IntN(2)), uint8(1+r.IntN(5))
		}
		l.PCESVN = uint16(8 + r.IntN(4))
		l.Date = day(r)
		l.Status = dcap.UpToDate + dcap.TCBStatus(r.IntN(int(dcap.Revoked)))
		same := func(o dcap.TCBLevel) bool { return o.SGX == l.SGX && o.TDX == l.TDX && o.PCESVN == l.PCESVN }
		if !slices.ContainsFunc(info.Levels, same) || r.IntN(40) == 0 {
			info.Levels = append(info.Levels, l)
		}
	}
	for i := range info.TDXModuleIdentities {
		id := &info.TDXModuleIdentities[i]
		id.ID, id.Levels = fmt.Sprintf("TDX_%02X", i+1), nil
		for _, svn := range someSVNs(r) {
			id.Levels = append(id.Levels, dcap.TDXModuleLevel{ISVSVN: svn, Date: day(r), Status: enclaveStatus(r)})
		}
	}
}

// someSVNs returns one to four SVNs from 1 to 4 in any order, seldom one twice.
func someSVNs(r *rand.Rand) []uint16 {
	var svns []uint16
	for _, i := range r.Perm(4)[:1+r.IntN(4)] {
		svns = append(svns, uint16(i+1))
	}
	if r.IntN(40) == 0 {
		svns = append(svns, svns[0])
	}
	return svns
}

func enclaveStatus(r *rand.Rand) dcap.TCBStatus {
	return []dcap.TCBStatus{dcap.UpToDate, dcap.UpToDate, dcap.UpToDate, dcap.OutOfDate, dcap.OutOfDate, dcap.Revoked}[r.IntN(6)]
}

func day(r *rand.Rand) time.Time {
	return time.Date(2020+r.IntN(5), time.Month(1+r.IntN(12)), 1+r.IntN(28), 0, 0, 0, 0, time.UTC)
}
