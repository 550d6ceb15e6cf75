// Package picture makes the pictures of the documentation out of texts: charts of
// who says what to whom, and boxes with arrows, as SVG. A text is read and
// reviewed as easily as the page that its picture is on.
//
//	sequence Title                  boxes Title
//	alt What it shows, in words.    alt What it shows, in words.
//	actor a Alice                   gap 90 40
//	actor b Bob | a neighbour       group 0,0 2x1 At home
//	a -> b Hello, | Bob             box a 0,0 Alice | a person
//	b --> a Hello                   box b 1,0 1x2 Bob
//	note b thinks                   a -> b letters
//	part The next day               a <-> b calls
//
// A line is a statement; # begins a comment, | a new line of text. `alt` may be
// repeated, and the lines are put together: it is what those get who do not see.
// Arrows are -> or, for an answer, -->; <-> has two heads. Names stand for actors
// and boxes. A box has a place, column and row from 0, and may be so many columns
// and rows large; arrows are straight where boxes face each other, and have a
// corner where not. `gap` is the space between columns and between rows.
//
// Pictures are 900 units wide, have their own background, and are light or dark as
// who looks at them prefers. The same text always gives the same bytes. Text that
// has no room is an error, not a bad picture; how wide text is can only be
// estimated, as fonts differ.
package picture

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ErrText: there is something in the text that cannot be drawn.
var ErrText = errors.New("not a picture")

// Limits of a picture, so that a mistake in a number is one.
const (
	maxLines = 200
	maxCells = 12 // columns and rows; actors
)

// Draw draws a picture. The error wraps ErrText and names the line.
func Draw(text string) ([]byte, error) {
	p := &picture{}
	var kind statement
	for i, s := range strings.Split(text, "\n") {
		word, rest, _ := strings.Cut(strings.TrimSpace(s), " ")
		rest = strings.TrimSpace(rest)
		l := statement{i + 1, word, rest}
		switch {
		case i >= maxLines:
			return nil, l.wrong("it has more than %d lines", maxLines)
		case word == "" || strings.HasPrefix(word, "#"):
		case kind.word == "":
			kind, p.title = l, rest
		case word == "alt":
			p.alt = strings.TrimSpace(p.alt + " " + rest)
		default:
			p.statements = append(p.statements, l)
		}
	}
	if p.title == "" || p.alt == "" {
		return nil, kind.wrong("it has no title, or no alt")
	}
	switch kind.word {
	case "sequence":
		return p.sequence()
	case "boxes":
		return p.boxes()
	}
	return nil, kind.wrong("%q is not sequence or boxes", kind.word)
}

// picture is a text that was split into its statements.
type picture struct {
	title, alt string
	statements []statement
}

type statement struct {
	line       int
	word, rest string
}

func (s *statement) wrong(format string, args ...any) error {
	return fmt.Errorf("line %d: %w: %s", s.line, ErrText, fmt.Sprintf(format, args...))
}

var name = regexp.MustCompile(`^[a-z][a-z0-9]*$`)

// named reads a name and what follows it. The name must be new.
func (s *statement) named(taken []string) (string, string, error) {
	n, rest, _ := strings.Cut(s.rest, " ")
	switch {
	case !name.MatchString(n):
		return "", "", s.wrong("%q is not a name of small letters and digits", n)
	case slices.Contains(taken, n):
		return "", "", s.wrong("%s is there already", n)
	}
	return n, strings.TrimSpace(rest), nil
}

// arrow is an arrow between two of the names, given by their numbers.
type arrow struct {
	from, to     int
	answer, both bool
	text         []string
	statement
}

// arrow reads `a -> b text`.
func (s *statement) arrow(names []string) (*arrow, error) {
	kind, rest, _ := strings.Cut(s.rest, " ")
	to, text, _ := strings.Cut(strings.TrimSpace(rest), " ")
	if !slices.Contains([]string{"->", "-->", "<->"}, kind) {
		return nil, s.wrong("%q is no statement", s.word)
	}
	a := &arrow{slices.Index(names, s.word), slices.Index(names, to), kind == "-->", kind == "<->", lines(text), *s}
	if a.from < 0 || a.to < 0 || a.from == a.to {
		return nil, s.wrong("an arrow goes from one that is there to another one")
	}
	return a, nil
}

// lines splits text at its bars. No text has no lines.
func lines(text string) []string {
	if text == "" {
		return nil
	}
	all := strings.Split(text, "|")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

// pair reads two numbers up to maxCells with something between them, at the
// beginning of a text.
func pair(text, between string) (a, b int, rest string, ok bool) {
	word, rest, _ := strings.Cut(text, " ")
	x, y, ok := strings.Cut(word, between)
	a, err := strconv.Atoi(x)
	b, err2 := strconv.Atoi(y)
	if !ok || err != nil || err2 != nil || min(a, b) < 0 || max(a, b) > maxCells {
		return 0, 0, text, false
	}
	return a, b, strings.TrimSpace(rest), true
}
