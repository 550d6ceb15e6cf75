// Package vectors reads the sets of real quotes that the project keeps beside
// its tree: a folder a set, with the quote, its collateral, and the verdicts
// of Intel's Quote Verification Library. They are not ours to publish, so tests
// that need them skip where they are absent. FEIDI_VECTORS names the folder; by
// default it is shared/vectors next to the module's root.
package vectors

import (
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

// Set is one quote with all that belongs to it.
type Set struct {
	Name       string
	Dir        string
	Quote      []byte
	Padded     []byte // the quote as it was found, with zeros after its end; nil if it had none
	Collateral *dcap.Collateral
	Root       []byte // certificate to trust, DER
	At         time.Time
	Want       Verdicts
	Others     map[string]string // what other verifiers said, by their names
}

// Verdicts are the results of Intel's library, step by step.
type Verdicts struct {
	PCKChain   string `json:"pck_chain"`
	TCBInfo    string `json:"tcb_info"`
	QEIdentity string `json:"qe_identity"`
	Quote      string `json:"quote"`
}

// Dir returns the folder of the sets, whether it is there or not.
func Dir() string {
	if dir := os.Getenv("FEIDI_VECTORS"); dir != "" {
		return dir
	}
	return filepath.Join(root(), "..", "shared", "vectors")
}

// All returns all sets, or skips the test.
func All(tb testing.TB) []*Set {
	tb.Helper()
	dir := Dir()
	entries, err := os.ReadDir(dir)
	if err != nil {
		tb.Skip("no real quotes here: FEIDI_VECTORS can name a folder of them")
	}
	var sets []*Set
	for _, e := range entries {
		if e.IsDir() {
			sets = append(sets, load(tb, filepath.Join(dir, e.Name())))
		}
	}
	if len(sets) == 0 {
		tb.Fatal("a folder of real quotes without any set")
	}
	return sets
}

// Named returns the set whose name begins so, or skips the test.
func Named(tb testing.TB, prefix string) *Set {
	tb.Helper()
	for _, s := range All(tb) {
		if strings.HasPrefix(s.Name, prefix) {
			return s
		}
	}
	tb.Fatalf("no set %s", prefix)
	return nil
}

func load(tb testing.TB, dir string) *Set {
	tb.Helper()
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			tb.Fatal(err)
		}
		return b
	}
	s := &Set{Name: filepath.Base(dir), Dir: dir, Quote: read("quote.bin")}
	s.Padded, _ = os.ReadFile(filepath.Join(dir, "quote_with_trailing.bin"))
	s.Collateral = &dcap.Collateral{
		PCKChain: read("pck_chain.pem"), RootCRL: read("rootcrl.der"), PCKCRL: read("pckcrl.der"), PCKCRLChain: read("pckcrl_chain.pem"),
		TCBInfo: read("tcbinfo.json"), TCBInfoChain: read("tcb_chain.pem"), QEIdentity: read("qeid.json"), QEIdentityChain: read("qeid_chain.pem"),
	}
	block, _ := pem.Decode(read("root.pem"))
	if block == nil {
		tb.Fatalf("%s: root.pem is not PEM", s.Name)
	}
	s.Root = block.Bytes
	var err error
	if s.At, err = time.Parse(time.RFC3339, strings.TrimSpace(string(read("verify_at.txt")))); err != nil {
		tb.Fatal(err)
	}
	var want struct {
		Intel  Verdicts          `json:"intel_qvl_2026_07"`
		Others map[string]string `json:"others"`
	}
	if err := json.Unmarshal(read("expected.json"), &want); err != nil {
		tb.Fatal(err)
	}
	s.Want, s.Others = want.Intel, want.Others
	return s
}

// root finds the project above the working folder, where tests run: the
// outermost module, since crosscheck is one of its own.
func root() (found string) {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			found = dir
		}
		if dir == filepath.Dir(dir) {
			return found
		}
	}
}
