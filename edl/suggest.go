package edl

import "strings"

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
		if d := edits(name, c, distance); d < distance {
			best, distance = c, d
		}
	}
	if best == "" {
		return other
	}
	return "did you mean `" + best + "`?"
}

// edits is the Levenshtein distance of two names, or bound if it is larger.
func edits(a, b string, bound int) int {
	if len(a)-len(b) >= bound || len(b)-len(a) >= bound {
		return bound
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := corner
			if a[i] != b[j] {
				d++
			}
			corner = row[j+1]
			row[j+1] = min(d, row[j]+1, corner+1)
		}
	}
	return min(row[len(b)], bound)
}
