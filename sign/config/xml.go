package config

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/feidi-dev/feidi/internal/text"
)

// MaxFile is the size of the largest configuration file, in bytes.
const MaxFile = 1 << 20

// rootName is the element around the settings.
const rootName = "EnclaveConfiguration"

// ParseXML reads an Enclave.config.xml of at most MaxFile bytes, and checks it
// as Validate does. What the file leaves out has its default. An error is of
// type Errors, and has everything that is wrong.
//
// Like the signing tool it refuses unknown, repeated and empty elements,
// attributes of settings, and values that strtoull of C does not take as a
// whole, or that have a minus sign. It also refuses what the tool would pass
// over: elements beside the root, inside a setting, and text between them.
func ParseXML(b []byte) (*Config, error) {
	if len(b) > MaxFile {
		return nil, Errors{{Line: 1, Column: 1, Kind: ErrInvalid, Reason: fmt.Sprintf("the file has more than %d bytes", MaxFile)}}
	}
	p := &xmlReader{reader: newReader(inXML)}
	p.run(b)
	return p.finish()
}

type xmlReader struct {
	*reader
	space  string
	rooted bool // the root was there
	depth  int
	skip   bool // the text and the end of this setting mean nothing
	field  *field
	start  position
	text   string
	texts  int
}

func (p *xmlReader) run(b []byte) {
	d := xml.NewDecoder(strings.NewReader(plainComments(strings.TrimPrefix(string(b), "\uFEFF"))))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for {
		var at position
		at.line, at.column = d.InputPos()
		// Token checks that elements nest, and limits nothing but depth to
		// the file's size; only two levels are let through.
		t, err := d.Token()
		if err != nil {
			if err != io.EOF {
				line, column := d.InputPos()
				p.report(position{line, max(column, 1)}, "", syntaxReason(err))
			} else if !p.rooted {
				p.report(at, "", "the file has no <"+rootName+">")
			}
			return
		}
		switch t := t.(type) {
		case xml.StartElement:
			p.open(t, at)
		case xml.CharData:
			p.chars(string(t), at)
		case xml.Comment:
			p.comment()
		case xml.EndElement:
			p.close()
		}
		if p.full() {
			return
		}
	}
}

func syntaxReason(err error) string {
	var e *xml.SyntaxError
	if errors.As(err, &e) {
		return "no XML: " + e.Msg
	}
	return "no XML: " + strings.TrimPrefix(err.Error(), "xml: ")
}

func (p *xmlReader) open(t xml.StartElement, at position) {
	p.depth++
	name := t.Name.Local
	switch p.depth {
	case 1:
		// The name space of all, as the root says, is nothing to the tool; a
		// prefix is part of the name.
		for _, a := range t.Attr {
			if a.Name == (xml.Name{Local: "xmlns"}) {
				p.space = a.Value
			}
		}
	}
	if t.Name.Space != p.space {
		name = t.Name.Space + ":" + name
	}
	switch p.depth {
	case 1:
		switch {
		case name != rootName:
			p.report(at, name, "the root element is <"+rootName+">")
		case p.rooted:
			p.report(at, name, "a file has one <"+rootName+">")
		}
		p.rooted = true
	case 2:
		p.start, p.text, p.texts, p.skip = at, "", 0, false
		if p.field = p.begin(name, byName, at); p.field == nil {
			p.skip = true
			return
		}
		if len(t.Attr) > 0 {
			p.fail(p.field, fmt.Sprintf("it has the attribute %q: write <%s>…</%[2]s>", text.Line(t.Attr[0].Name.Local, 40), name))
			p.skip = true
		}
	default:
		if !p.skip {
			p.fail(p.field, fmt.Sprintf("<%s> is inside it: a setting has a number", text.Line(name, 40)))
			p.skip = true
		}
	}
}

func (p *xmlReader) chars(s string, at position) {
	if strings.Trim(s, " \t\r\n") == "" && (p.depth < 2 || p.text == "") {
		return
	}
	switch {
	case p.depth < 2:
		p.report(at, "", "text is between the elements: "+quote(strings.Trim(s, " \t\r\n")))
	case p.depth == 2:
		p.text += s
		p.texts++
	}
}

// comment refuses what would hide a setting's value from the signing tool.
func (p *xmlReader) comment() {
	if p.depth == 2 && p.texts == 0 && !p.skip {
		p.fail(p.field, "a comment is before its value: write it elsewhere")
		p.skip = true
	}
}

func (p *xmlReader) close() {
	p.depth--
	if p.depth != 1 || p.skip {
		return
	}
	f := p.field
	switch {
	case p.texts == 0:
		p.fail(f, fmt.Sprintf("it has no value: write <%s>%s</%[1]s>, or leave it out", f.name, xmlValue(f, f.get(p.def))))
	case p.texts > 1:
		p.fail(f, "its value is in pieces: write one number")
	default:
		v, reason := parseC(p.text)
		if reason != "" {
			p.fail(f, reason)
			return
		}
		p.value(f, v)
	}
}

// parseC reads what strtoull of C reads with base 0, as a whole, and without
// a minus sign.
func parseC(s string) (v uint64, reason string) {
	digits := strings.TrimPrefix(strings.TrimLeft(s, " \t\n\v\f\r"), "+")
	base := 10
	switch {
	case strings.HasPrefix(digits, "0x") || strings.HasPrefix(digits, "0X"):
		base, digits = 16, digits[2:]
	case strings.HasPrefix(digits, "0"):
		base = 8
	}
	v, err := strconv.ParseUint(digits, base, 64)
	switch {
	case err == nil:
		return v, ""
	case errors.Is(err, strconv.ErrRange):
		return 0, quote(s) + " is out of range: a number has at most 64 bits"
	case strings.Contains(s, "-"):
		return 0, quote(s) + " has a minus sign: no setting is negative"
	case base == 8:
		return 0, quote(s) + " is no number: with a 0 in front it is octal, so write it without"
	case strings.TrimRight(s, " \t\r\n") != s:
		return 0, quote(s) + " is no number: nothing may follow it, not even a space"
	}
	return 0, quote(s) + " is no number: write it like 4096, 0x1000 or 010000"
}

// plainComments takes from comments what the signing tool allows in them and
// XML does not: two hyphens, and bytes that are no UTF-8. Nothing moves.
func plainComments(s string) string {
	var b []byte
	for at := 0; ; {
		i := strings.Index(s[at:], "<!--")
		if i < 0 {
			break
		}
		at += i + len("<!--")
		n := strings.Index(s[at:], "-->")
		if n < 0 {
			break
		}
		if b == nil {
			b = []byte(s)
		}
		for j := at; j < at+n; j++ {
			if b[j] == '-' || b[j] >= 0x80 {
				b[j] = '='
			}
		}
		at += n + len("-->")
	}
	if b == nil {
		return s
	}
	return string(b)
}
