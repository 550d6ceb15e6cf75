package invoke

import (
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/edl/plan"
)

// Signature is a function as EDL declares it.
func Signature(f *plan.Call) string {
	params := make([]string, len(f.Params))
	for i, p := range f.Params {
		params[i] = p.Declaration()
	}
	s := fmt.Sprintf("%s %s(%s)", f.Func.Result, f.Name, strings.Join(params, ", "))
	if f.PropagateErrno {
		s += " propagate_errno"
	}
	return s
}
