package crosscheck

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	realquotes "github.com/feidi-dev/feidi/testsuite/vectors"
)

// vectorsDir has quotes of real platforms and what Intel's library says of
// them. It is no part of the project.
var vectorsDir = realquotes.Dir()

func haveVectors() bool {
	_, err := os.Stat(vectorsDir)
	return err == nil
}

// allSets returns the sets of real platforms, if they are there, and those
// that testpki makes.
func allSets(t testing.TB) []*Set {
	t.Helper()
	return append(madeSets(t), vectors(t)...)
}

func replaceOnce(s, old, new string) string {
	if !strings.Contains(s, old) {
		panic("no " + old)
	}
	return strings.Replace(s, old, new, 1)
}

func vectors(t testing.TB) []*Set {
	t.Helper()
	if !haveVectors() {
		t.Log("without quotes of real platforms: no " + vectorsDir)
		return nil
	}
	dirs, err := filepath.Glob(filepath.Join(vectorsDir, "*", "quote.bin"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no set in %s (%v)", vectorsDir, err)
	}
	var sets []*Set
	for _, quote := range dirs {
		s, err := Load(filepath.Dir(quote))
		if err != nil {
			t.Fatal(err)
		}
		sets = append(sets, s)
	}
	return sets
}

// TestSetFolder: what is written is what was read.
func TestSetFolder(t *testing.T) {
	for _, s := range allSets(t) {
		dir := filepath.Join(t.TempDir(), s.Name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := s.Write(dir); err != nil {
			t.Fatal(err)
		}
		again, err := Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		again.Name = s.Name
		if !reflect.DeepEqual(s, again) {
			t.Errorf("%s: not the same after Write and Load", s.Name)
		}
	}
}

// TestParseAnswer: the outcomes that a program may print.
func TestParseAnswer(t *testing.T) {
	for _, c := range []struct{ out, want string }{
		{"accepted\n", "accepted"},
		{"accepted UpToDate\n", "accepted UpToDate"},
		{"a word of the program's own\nrejected no such level\n", "rejected no such level"},
		{"pck_chain STATUS_OK\ntcb_info A\nqe_identity B\nquote C\n", "STATUS_OK A B C"},
		{"accepted Fine\n", ""},
		{"pck_chain STATUS_OK\n", ""},
		{"", ""},
	} {
		a, err := parseAnswer(c.out)
		if (err == nil) != (c.want != "") || err == nil && a.String() != c.want {
			t.Errorf("%q: %v, %v", c.out, a, err)
		}
	}
}
