package cli

import (
	"testing"

	"github.com/feidi-dev/feidi/edl/value"
	"github.com/feidi-dev/feidi/enclave/invoke"
)

// TestRecordIsBounded has an enclave make OCALLs without end, whose arguments
// are short as text and long in memory.
func TestRecordIsBounded(t *testing.T) {
	many := value.Value{Kind: value.List, List: make([]value.Value, 1<<14)}
	for name, v := range map[string]value.Value{"large": many, "small": value.OfInt(1)} {
		const calls = 2 * maxOCalled
		s := &session{}
		o := &invoke.OCall{Func: ocallsOf(t, someOCalls).plan.OCalls[0], Args: []value.Field{{Name: "p", Value: v}}}
		for range calls {
			s.record(o, nil, false)
		}
		memory := 0
		for _, r := range s.ocalls {
			memory += r.Args.Memory()
		}
		if len(s.ocalls) == 0 || len(s.ocalls) > maxOCalled || memory > maxOCalledBytes || len(s.ocalls)+s.leftOut != calls {
			t.Errorf("%s: %d OCALLs with %d bytes, %d left out", name, len(s.ocalls), memory, s.leftOut)
		}
	}
}
