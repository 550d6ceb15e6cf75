package cli

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/feidi-dev/feidi/edl/plan"
	"github.com/feidi-dev/feidi/edl/value"
	"github.com/feidi-dev/feidi/enclave/invoke"
	"github.com/feidi-dev/feidi/internal/cpuid"
)

const answersHelp = `OCALLs are shown on standard error (--quiet: not). One that passes a string, and
that nobody answers, prints it on standard output, as an application would.
--ocall, once or more often, says what an OCALL returns:

  --ocall ocall_time=1700000000                      its result
  --ocall 'ocall_read={ret: 3, buf: "abc"}'          and buffers that come back
  --ocall 'ocall_open={ret: -1, errno: 2}'           with propagate_errno
  --ocall 'ocall_x={status: SGX_ERROR_UNEXPECTED}'   the call itself fails

or --ocalls, a file with one NAME = VALUE a line, and comments after #. If a
name is there several times, these are the answers to the first call, the
second and so on; the last one stays. OCALLs without an answer return zeros.`

// ocalled is an OCALL in the JSON object of call.
type ocalled struct {
	Name     string       `json:"name"`
	Args     value.Value  `json:"args"`
	Answered bool         `json:"answered"`
	Answer   *value.Value `json:"answer,omitempty"`
}

// Limits of the OCALLs of a call that the JSON object lists, in number and in
// bytes of memory.
const (
	maxOCalled      = 10000
	maxOCalledBytes = 64 << 20
)

// serve answers an OCALL, shows it, and prints its strings if nobody answers.
func (s *session) serve(_ context.Context, o *invoke.OCall) invoke.Answer {
	a := s.answers.Next(o.Func.Name)
	note := ""
	var r invoke.Answer
	switch {
	case a != nil:
		r, note = a.Answer, "answered with "+printable(clip(a.Text))
	case o.Func.Name == "sgx_oc_cpuidex":
		if r = askCPUID(o); len(r.Out) > 0 {
			note = "answered by this processor"
		}
	default:
		note = s.print(o)
	}
	if s.a.json {
		s.record(o, a, note != "")
	}
	if !s.typing.quiet {
		if note == "" {
			note = "not answered: zeros"
		}
		call := value.Call{Name: o.Func.Name, Args: brief(o.Args)}
		fmt.Fprintf(s.a.err, "feidi: OCALL %s: %s\n", clip(call.String()), note)
	}
	return r
}

// record keeps an OCALL for JSON.
func (s *session) record(o *invoke.OCall, a *invoke.Written, answered bool) {
	record := ocalled{Name: o.Func.Name, Args: value.Value{Kind: value.Struct, Fields: o.Args}, Answered: answered}
	s.kept += record.Args.Memory()
	if a != nil {
		record.Answer = &a.Value
		s.kept += a.Value.Memory()
	}
	if s.leftOut > 0 || len(s.ocalls) == maxOCalled || s.kept > maxOCalledBytes {
		s.leftOut++
		return
	}
	s.ocalls = append(s.ocalls, record)
}

// brief cuts arguments to what clip leaves of them, before they are written.
func brief(args []value.Field) []value.Field {
	const most = 400
	args = slices.Clone(args)
	for i := range args {
		v := &args[i].Value
		if len(bytes.TrimLeft(v.Bytes, "\x00")) > 0 { // zeros are short
			v.Bytes = v.Bytes[:min(len(v.Bytes), most)]
		}
		v.Wide = v.Wide[:min(len(v.Wide), most)]
		v.List = v.List[:min(len(v.List), most)]
	}
	return args
}

// print prints the strings that the enclave passes.
func (s *session) print(o *invoke.OCall) (note string) {
	for i, p := range o.Func.Params {
		v := &o.Args[i].Value
		switch {
		case p.Pass == plan.String && v.Kind == value.Text && !s.a.json:
			s.a.printf("%s", v.Bytes)
		case p.Pass == plan.WString && v.Kind == value.Wide && !s.a.json:
			s.a.printf("%s", string(v.Wide))
		case p.Pass != plan.String && p.Pass != plan.WString:
			continue
		}
		note = "printed"
	}
	return note
}

// askCPUID answers the OCALL by which the SDK's runtime asks for CPUID.
func askCPUID(o *invoke.OCall) invoke.Answer {
	v := value.Value{Kind: value.Struct, Fields: o.Args}
	leaf, ok := v.Field("leaf")
	subleaf, ok2 := v.Field("subleaf")
	if _, ok3 := v.Field("cpuinfo"); !ok || !ok2 || !ok3 {
		return invoke.Answer{}
	}
	word := func(v value.Value) uint32 {
		if v.Negative {
			return -uint32(v.Int)
		}
		return uint32(v.Int)
	}
	r := cpuid.Leaf(word(leaf), word(subleaf))
	list := value.OfList()
	for _, x := range []uint32{r.EAX, r.EBX, r.ECX, r.EDX} {
		list.List = append(list.List, value.OfInt(int64(int32(x))))
	}
	return invoke.Answer{Out: []value.Field{{Name: "cpuinfo", Value: list}}}
}
