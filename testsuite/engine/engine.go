// Package engine is the conformance suite of engines: what enclave code, and
// the host around it, must observe on every cpu.Engine. A test of an engine
// is one call:
//
//	func TestEngine(t *testing.T) { engine.Run(t, open) }
//
// The suite drives an engine as a driver and a runtime would, through
// package cpu alone, with enclaves that it assembles itself: probes. What a
// leaf checks is package cpu's own business and is tested there; the suite
// looks at what only execution shows: registers, exceptions, extended state,
// interrupts, and mappings that follow the EPCM.
package engine

import (
	"flag"
	"slices"
	"testing"

	"github.com/feidi-dev/feidi/cpu"
)

// A Limit is a test that an engine cannot pass, with the reason. The test is
// named by its path below the one that called Run, as in
// "Memory/abort_page_of_another_enclave".
type Limit struct{ Test, Reason string }

// Run tests the engine that open powers on. What it cannot do by its nature
// is skipped with the reason that limits give; a limit that names no test is
// an error.
func Run(t *testing.T, open func(cpu.Config) (cpu.Engine, error), limits ...Limit) {
	s := &suite{limits: map[string]string{}}
	for _, l := range limits {
		s.limits[l.Test] = l.Reason
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			m := powerOn(t, open)
			for _, c := range g.tests {
				s.run(t, g.name+"/"+c.name, c, m)
			}
		})
	}
	for l := range s.limits { // all groups have run, unless -run chose some
		if flag := flag.Lookup("test.run"); flag != nil && flag.Value.String() != "" {
			break
		}
		if !slices.Contains(s.seen, l) {
			t.Errorf("a limit names %q, which is no test of the suite", l)
		}
	}
}

// groups are the tests of the suite, by subject.
var groups = []struct {
	name  string
	tests []test
}{
	{"Entry", entryTests},
	{"Exception", exceptionTests()},
	{"State", stateTests},
	{"XSave", xsaveTests},
	{"Interrupt", interruptTests},
	{"Threads", threadTests},
	{"Leaf", leafTests},
	{"Dynamic", dynamicTests},
	{"Notify", notifyTests},
	{"Memory", memoryTests},
}

// A test is given a machine, on which it loads its own enclaves.
type test struct {
	name string
	f    func(t *testing.T, m *machine)
}

type suite struct {
	limits map[string]string
	seen   []string
}

func (s *suite) run(t *testing.T, path string, c test, m *machine) {
	s.seen = append(s.seen, path)
	t.Run(c.name, func(t *testing.T) {
		if reason, ok := s.limits[path]; ok {
			t.Skip(reason)
		}
		c.f(t, m)
	})
}
