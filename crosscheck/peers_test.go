package crosscheck

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
)

// TestPeers compares every peer with ours on every set, and fails on a
// difference that the table does not explain, and on an explanation of what is
// no difference (any more).
func TestPeers(t *testing.T) {
	peers := findPeers(t)
	var compared atomic.Int32
	t.Cleanup(func() { // the sets are compared side by side, after this returns
		if compared.Load() == 0 {
			t.Error("nothing was compared")
		}
		t.Logf("%d answers compared", compared.Load())
	})
	for _, s := range allSets(t) {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			ours, err := Ours(s)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range peers {
				if !p.Reads(s) {
					continue
				}
				theirs, err := p.Verify(s)
				if err != nil {
					t.Errorf("%s: %v", p.Name(), err)
					continue
				}
				compared.Add(1)
				if err := judge(s.Name, p, theirs, ours); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// judge returns an error unless the answers agree, or differ as the table
// says.
func judge(set string, p Peer, theirs, ours Answer) error {
	reason, want := explanation(set, p.Name())
	switch agree := Agree(p, theirs, ours); {
	case agree && want == nil:
		return nil
	case agree:
		return fmt.Errorf("%s: agrees with us; the table says that it does not: %s", p.Name(), reason.Why)
	case want == nil:
		return fmt.Errorf("%s: differs, and nothing explains it\n  theirs: %v\n  ours:   %v (%s)", p.Name(), theirs, ours, ours.Reason)
	case !strings.HasPrefix(theirs.String(), want.Theirs):
		return fmt.Errorf("%s: differs otherwise than the table says\n  theirs: %v\n  table:  %s", p.Name(), theirs, want.Theirs)
	case ours.Status() != want.Ours:
		return fmt.Errorf("ours differs from %s otherwise than the table says\n  ours:  %v (%s)\n  table: %s", p.Name(), ours, ours.Reason, want.Ours)
	}
	return nil
}

// TestTable: the table names peers and sets that there are, each once.
func TestTable(t *testing.T) {
	sets := map[string]bool{}
	for _, s := range allSets(t) {
		sets[s.Name] = true
	}
	seen := map[string]bool{}
	for _, d := range differences {
		if !knownPeers[d.Peer] {
			t.Errorf("no peer is called %s", d.Peer)
		}
		for _, c := range d.Cases {
			if id := d.Peer + ", " + c.Set; seen[id] {
				t.Errorf("%s: twice", id)
			} else {
				seen[id] = true
			}
			if !sets[c.Set] && (haveVectors() || strings.HasPrefix(c.Set, "made/")) {
				t.Errorf("no set is called %s", c.Set)
			}
		}
	}
}

// TestJudge: the test above can fail in each of its ways.
func TestJudge(t *testing.T) {
	d := differences[0]
	c := d.Cases[0]
	ours := Answer{Accepted: true, TCB: dcap.UpToDate, Steps: []string{"STATUS_OK", "STATUS_OK", "STATUS_OK", c.Ours}}
	same := Answer{Accepted: true}
	theirs := Answer{Reason: strings.TrimPrefix(c.Theirs, "rejected ")}
	peer := stub(d.Peer)
	for _, k := range []struct {
		name         string
		set          string
		theirs, ours Answer
		want         string // part of the error
	}{
		{"agreement", "any", same, ours, ""},
		{"explained difference", c.Set, theirs, ours, ""},
		{"unexplained difference", "any", theirs, ours, "nothing explains it"},
		{"needless explanation", c.Set, same, ours, "agrees with us"},
		{"another answer of theirs", c.Set, Answer{Reason: "I am tired"}, ours, "differs otherwise"},
		{"another answer of ours", c.Set, theirs, Answer{Accepted: true, TCB: dcap.UpToDate, Steps: []string{"STATUS_X"}}, "ours differs"},
		{"another status", "any", Answer{Accepted: true, TCB: dcap.OutOfDate}, ours, "nothing explains it"},
		{"one of four codes", "any", Answer{Steps: []string{"STATUS_OK", "STATUS_OK", "STATUS_X", c.Ours}}, ours, "nothing explains it"},
	} {
		err := judge(k.set, peer, k.theirs, k.ours)
		if (err == nil) != (k.want == "") || err != nil && !strings.Contains(err.Error(), k.want) {
			t.Errorf("%s: %v", k.name, err)
		}
	}
}

// stub is a peer that only has a name.
type stub string

func (s stub) Name() string              { return string(s) }
func (stub) Reads(*Set) bool             { return true }
func (stub) Takes(t dcap.TCBStatus) bool { return upToDate(t) }
func (stub) Verify(*Set) (Answer, error) { return Answer{}, nil }

// knownPeers are all that findPeers may find.
var knownPeers = map[string]bool{
	"go-tdx-guest": true, "dcap-qvl-js": true, "qvl": true, "oasis-core": true, "go-tdx-guest-main": true,
}

// findPeers returns all peers that are there, and says which are not.
func findPeers(t testing.TB) []Peer {
	t.Helper()
	all := func(*Set) bool { return true }
	tdx := func(s *Set) bool { return s.TEE() == dcap.TEETDX }
	upTo4 := func(s *Set) bool { return s.Version() <= dcap.QuoteV4 }
	hardened := func(s dcap.TCBStatus) bool { return s == dcap.UpToDate || s == dcap.SWHardeningNeeded }

	peers := []Peer{goTDXGuest{}}
	add := func(p *program, missing string) {
		switch {
		case missing == "":
			p.dir = t.TempDir
			peers = append(peers, p)
		case strings.Contains(","+os.Getenv("FEIDI_PEERS")+",", ","+p.name+","):
			t.Fatalf("%s: %s", p.name, missing)
		default:
			t.Logf("without %s: %s", p.name, missing)
		}
	}
	node, missing := findNode()
	add(&program{name: "dcap-qvl-js", command: []string{node, "js/verify.js"}, reads: all, takes: notRevoked}, missing)
	for _, p := range []struct {
		variable string
		program
	}{
		{"FEIDI_QVL", program{name: "qvl", reads: all, takes: notRevoked}},
		{"FEIDI_OASIS", program{name: "oasis-core", reads: upTo4, takes: hardened}},
		{"FEIDI_GO_TDX_GUEST", program{name: "go-tdx-guest-main", reads: tdx, takes: upToDate}},
	} {
		path := os.Getenv(p.variable)
		p.command = []string{path}
		missing := ""
		if path == "" {
			missing = p.variable + " names no program"
		}
		add(&p.program, missing)
	}
	return peers
}

// findNode returns the path of node, or says what is missing.
func findNode() (path, missing string) {
	if _, err := os.Stat("js/node_modules/@phala/dcap-qvl"); err != nil {
		return "", "its package is not installed (cd js && npm ci --ignore-scripts)"
	}
	path, err := exec.LookPath("node")
	if err != nil {
		return "", "there is no node"
	}
	return path, ""
}
