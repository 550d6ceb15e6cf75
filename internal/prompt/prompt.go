// Package prompt reads lines: from a terminal with editing, completion and
// history, and plainly from what is none. It keeps no history in files.
package prompt

import (
	"bufio"
	"io"
	"os"

	"golang.org/x/term"
)

// MaxLine is the longest line that is read from what is no terminal, in bytes.
const MaxLine = 4 << 20

// Reader reads lines.
type Reader interface {
	// ReadLine returns a line without its end, or io.EOF.
	ReadLine() (string, error)
}

// Options are for a terminal.
type Options struct {
	Prompt string
	// History has the earlier lines, and takes those that are read.
	History *History
	// Complete returns the word before the cursor, and what it may become. All
	// choices begin with the word.
	Complete func(before string) (word string, choices []string)
}

// New returns a reader of in, and whether that is a terminal.
func New(in io.Reader, o Options) (Reader, bool) {
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return newTerminal(f, o), true
	}
	s := bufio.NewScanner(in)
	s.Buffer(nil, MaxLine)
	return plain{s}, false
}

// plain reads from what is no terminal.
type plain struct{ *bufio.Scanner }

// ReadLine implements Reader.
func (p plain) ReadLine() (string, error) {
	if p.Scan() {
		return p.Text(), nil
	}
	if err := p.Err(); err != nil {
		return "", err
	}
	return "", io.EOF
}
