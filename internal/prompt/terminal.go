package prompt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"golang.org/x/term"
)

// console is the terminal to write the prompt to. A terminal is mostly open for
// both on every platform but one.
func console(in *os.File) io.ReadWriter {
	if runtime.GOOS != "windows" {
		return in
	}
	return struct {
		io.Reader
		io.Writer
	}{in, os.Stdout}
}

// terminal is a terminal that is in raw mode while it reads a line, and only
// then: calls print as usual, and Ctrl-C interrupts them.
type terminal struct {
	*term.Terminal
	fd       int
	complete func(before string) (word string, choices []string)
	console  io.ReadWriter
	width    int
	partial  string // what was completed last, to list the choices on a second Tab
}

func newTerminal(in *os.File, o Options) *terminal {
	t := &terminal{fd: int(in.Fd()), complete: o.Complete, console: console(in), width: 80}
	t.Terminal = term.NewTerminal(&keys{ReadWriter: t.console}, o.Prompt) // the results may go elsewhere
	t.History = o.History
	t.AutoCompleteCallback = t.tab
	return t
}

// keys is the input of a terminal in raw mode. Ctrl-C drops the line, as it does
// in other shells: it becomes Ctrl-E, Ctrl-U and Enter.
type keys struct {
	io.ReadWriter
	rest []byte
}

func (k *keys) Read(b []byte) (int, error) {
	if len(k.rest) == 0 {
		n, err := k.ReadWriter.Read(b)
		if n == 0 || bytes.IndexByte(b[:n], 0x03) < 0 {
			return n, err
		}
		k.rest = bytes.ReplaceAll(b[:n], []byte{0x03}, []byte{0x05, 0x15, '\r'})
	}
	n := copy(b, k.rest)
	k.rest = k.rest[n:]
	return n, nil
}

// ReadLine implements Reader. Ctrl-D is the end.
func (t *terminal) ReadLine() (string, error) {
	state, err := term.MakeRaw(t.fd)
	if err != nil {
		return "", err
	}
	defer func() { _ = term.Restore(t.fd, state) }()
	if w, h, err := term.GetSize(t.fd); err == nil && w > 0 {
		_ = t.SetSize(w, h)
		t.width = w
	}
	line, err := t.Terminal.ReadLine()
	if errors.Is(err, term.ErrPasteIndicator) {
		err = nil
	}
	if err == io.EOF {
		_, _ = io.WriteString(t.console, "\r\n") // the prompt stands there
	}
	return line, err
}

// tab completes the word before the cursor as far as it is certain. A second
// Tab lists the choices.
func (t *terminal) tab(line string, pos int, key rune) (string, int, bool) {
	if key != '\t' || pos > len(line) {
		t.partial = ""
		return "", 0, false
	}
	word, list := t.complete(line[:pos])
	if len(list) == 0 {
		return line, pos, true
	}
	if rest := common(list)[len(word):]; rest != "" {
		t.partial = ""
		return line[:pos] + rest + line[pos:], pos + len(rest), true
	}
	if t.partial == line {
		const most = 60
		text := columns(list[:min(len(list), most)], t.width)
		if more := len(list) - most; more > 0 {
			text += fmt.Sprintf("and %d more\n", more)
		}
		_, _ = t.Write([]byte(text)) // above the line
	}
	t.partial = line
	return line, pos, true
}
