// Package host finds out what the machine offers that the software SGX
// processor needs or could use. It asks the processor, the kernel and /proc;
// it changes nothing that outlives the call.
package host

import (
	"runtime"
)

// Verdict says what a fact means for running enclaves here.
type Verdict string

// Verdicts.
const (
	OK      Verdict = "ok"      // as the native engine needs it
	Missing Verdict = "missing" // the native engine cannot work without it
	Warn    Verdict = "warn"    // works, with a drawback that the note tells
	Info    Verdict = "info"    // no influence
)

// Fact is one thing found out about the machine.
type Fact struct {
	ID      string  `json:"id"` // stable: a group, a dot and a name
	Label   string  `json:"label"`
	Value   string  `json:"value"`
	Verdict Verdict `json:"verdict"`
	Note    string  `json:"note,omitempty"`
}

// Survey is what is known about a machine.
type Survey struct {
	Platform string `json:"platform"` // GOOS/GOARCH
	Facts    []Fact `json:"facts"`
}

// Blockers are the facts without which the native engine cannot work.
func (s *Survey) Blockers() []Fact {
	var b []Fact
	for _, f := range s.Facts {
		if f.Verdict == Missing {
			b = append(b, f)
		}
	}
	return b
}

// Fact returns the fact with the given ID.
func (s *Survey) Fact(id string) (Fact, bool) {
	for _, f := range s.Facts {
		if f.ID == id {
			return f, true
		}
	}
	return Fact{}, false
}

func (s *Survey) add(id, label, value string, v Verdict, note string) {
	s.Facts = append(s.Facts, Fact{ID: id, Label: label, Value: value, Verdict: v, Note: note})
}

// Look surveys the machine that the program runs on. It is not for a thread
// on which enclaves run, because it switches syscall user dispatch off.
func Look() *Survey {
	s := &Survey{Platform: runtime.GOOS + "/" + runtime.GOARCH}
	s.processor()
	s.system()
	return s
}
