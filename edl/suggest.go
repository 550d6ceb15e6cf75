package edl

import (
	"strings"

	"github.com/feidi-dev/feidi/internal/text"
)

// suggest returns "did you mean `x`?" if one of the candidates is close to a
// name, else another hint.
func suggest(name string, candidates []string, other string) string {
	if len(name) > 64 || len(candidates) > 4096 {
		return other
	}
	best, distance := "", (len(name)+1)/3+1
	for _, c := range candidates {
		if strings.EqualFold(c, name) {
			return "did you mean `" + c + "`?"
		}
		if d := text.Distance(name, c, distance); d < distance {
			best, distance = c, d
		}
	}
	if best == "" {
		return other
	}
	return "did you mean `" + best + "`?"
}
