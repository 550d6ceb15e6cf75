package config

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/internal/strictjson"
)

// jsonEntries flattens a file in JSON, which may have comments, and a comma
// behind the last of its values: Intel's has both.
func (r *reader) jsonEntries(b []byte) (entries []entry, ok bool) {
	plain, open := plainJSON(b)
	lineAt := func(offset int) int { return 1 + bytes.Count(b[:min(offset, len(b))], []byte("\n")) }
	if open >= 0 {
		r.at.line = lineAt(open)
		r.fail("this comment does not end")
		return nil, false
	}
	var doc strictjson.Reader
	doc.Init(plain)
	entries = flattenJSON(&doc, plain, nil, "", lineAt)
	doc.End()
	var e *strictjson.Error
	if errors.As(doc.Err(), &e) {
		r.at = entry{key: e.Path, line: lineAt(e.Offset)}
		r.fail(fmt.Sprintf("%v: %s", e.Kind, e.Reason))
		return nil, false
	}
	return entries, true
}

// flattenJSON reads the next value, which is an object at the top.
func flattenJSON(doc *strictjson.Reader, plain []byte, entries []entry, key string, lineAt func(int) int) []entry {
	if key != "" && doc.Peek() != '{' {
		at := lineAt(doc.Start())
		return append(entries, entry{key, at, jsonValue(doc, plain)})
	}
	for doc.Object(); doc.NextKey(); {
		entries = flattenJSON(doc, plain, entries, join(key, jsonKey(doc.Key())), lineAt)
	}
	return entries
}

// jsonKey is a key that is taken for no path, and is not empty.
func jsonKey(key string) string {
	if key == "" || bytes.ContainsAny([]byte(key), `."`) {
		return quote(key)
	}
	return key
}

func jsonValue(doc *strictjson.Reader, plain []byte) value {
	switch c := doc.Peek(); c {
	case '"':
		return value{kind: textual, text: doc.String()}
	case '[':
		v := value{kind: list}
		for doc.Array(); doc.NextElement(); {
			v.items = append(v.items, jsonValue(doc, plain))
		}
		return v
	default:
		start := doc.Start()
		doc.Skip()
		text := string(plain[min(start, len(plain)):max(start, min(doc.Pos(), len(plain)))])
		switch {
		case c == 't' || c == 'f':
			return value{kind: boolean, text: text}
		case c == '-' || c >= '0' && c <= '9':
			return value{kind: number, text: text}
		}
		return value{text: text}
	}
}

// plainJSON puts spaces in place of comments, and of commas that nothing
// follows, so that offsets stay. open is where a comment begins that does not
// end, or -1.
func plainJSON(b []byte) (plain []byte, open int) {
	plain = bytes.Clone(b)
	comma := -1 // the last thing was one, there
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			comma = -1
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case c == '/' && i+1 < len(b) && (b[i+1] == '/' || b[i+1] == '*'):
			end := "\n"
			if b[i+1] == '*' {
				end = "*/"
			}
			n := bytes.Index(b[i+2:], []byte(end))
			switch {
			case n >= 0:
				n += 2 + len(end)
			case end == "\n":
				n = len(b) - i
			default:
				return nil, i
			}
			for j := i; j < i+n; j++ {
				if b[j] != '\n' {
					plain[j] = ' '
				}
			}
			i += n - 1
		case c == ',':
			comma = i
		case c == '}' || c == ']':
			if comma >= 0 {
				plain[comma] = ' '
			}
			comma = -1
		case c != ' ' && c != '\t' && c != '\n' && c != '\r':
			comma = -1
		}
	}
	return plain, -1
}
