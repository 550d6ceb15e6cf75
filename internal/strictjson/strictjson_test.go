package strictjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/feidi-dev/feidi/internal/strictjson"
)

// tree reads any value, as encoding/json makes it with UseNumber.
func tree(r *strictjson.Reader, doc []byte) any {
	switch r.Peek() {
	case '{':
		object := map[string]any{}
		for r.Object(); r.NextKey(); {
			key := r.Key()
			object[key] = tree(r, doc)
		}
		return object
	case '[':
		array := []any{}
		for r.Array(); r.NextElement(); {
			array = append(array, tree(r, doc))
		}
		return array
	case '"':
		return r.String()
	case 'n':
		if r.Null() {
			return nil
		}
	}
	start := r.Start()
	r.Skip()
	if r.Err() != nil {
		return nil
	}
	switch text := string(doc[start:r.Pos()]); text {
	case "true", "false":
		return text == "true"
	default:
		return json.Number(text)
	}
}

// read reads a document in two ways, which must agree.
func read(t *testing.T, doc []byte) (any, error) {
	t.Helper()
	var r, skip strictjson.Reader
	r.Init(doc)
	v := tree(&r, doc)
	r.End()
	skip.Init(doc)
	skip.Skip()
	skip.End()
	if !reflect.DeepEqual(r.Err(), skip.Err()) {
		t.Fatalf("%q: read %v, skipped %v", doc, r.Err(), skip.Err())
	}
	return v, r.Err()
}

// standard is what encoding/json makes of a document.
func standard(doc []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("trailing")
	}
	return v, nil
}

var surrogate = regexp.MustCompile(`(?i)\\ud[89a-f]`)

// compare checks that a document that is accepted means the same to
// encoding/json, and that one that is refused is refused there, too, or for one
// of the reasons that this package exists for.
func compare(t *testing.T, doc []byte) {
	got, err := read(t, doc)
	want, stdErr := standard(doc)
	switch {
	case err == nil && stdErr != nil:
		t.Errorf("%q accepted, encoding/json: %v", doc, stdErr)
	case err == nil && !reflect.DeepEqual(got, want):
		t.Errorf("%q read as %v, encoding/json: %v", doc, got, want)
	case err != nil && stdErr == nil:
		if errors.Is(err, strictjson.ErrDuplicate) || errors.Is(err, strictjson.ErrDepth) || !utf8.Valid(doc) || surrogate.Match(doc) {
			return
		}
		t.Errorf("%q refused, and encoding/json takes it: %v", doc, err)
	}
}

var documents = []string{
	`{}`, `[]`, `""`, `0`, `-0`, `true`, `false`, `null`, " \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } } \n",
	`[0,-1,12,0.5,-0.5e10,1E+2,1e-2,12345678901234567890123]`,
	`"\"\\\/\b\f\n\r\t\u0041\u00e9\u98de\ud83d\ude00 é 飞 😀"`,
	`{"a":{"a":{"a":[{"a":1},{"a":2}]}},"b":1}`,
	`{"":0,"a":1}`, "\"\u007f\u2028\"", `{"\u0061":1,"b":2}`,
	strings.Repeat("[", 32) + strings.Repeat("]", 32),
	`{"k00":0,"k01":0,"k02":0,"k03":0,"k04":0,"k05":0,"k06":0,"k07":0,"k08":0,"k09":0,"k10":0,"k11":0,"k12":0,"k13":0,"k14":0,"k15":0,"k16":0,"k17":0,"k18":0,"k19":{"k00":0}}`,
}

func TestAgainstEncodingJSON(t *testing.T) {
	for _, doc := range documents {
		if _, err := read(t, []byte(doc)); err != nil {
			t.Errorf("%q: %v", doc, err)
		}
		compare(t, []byte(doc))
		for i := range doc {
			if _, err := read(t, []byte(doc[:i])); err == nil && strings.ContainsAny(doc, `{["`) && strings.TrimSpace(doc[i:]) != "" {
				t.Errorf("%q cut off at %d is accepted", doc, i)
			}
			compare(t, []byte(doc[:i]))
			for _, b := range []byte("\x00\x1f \"\\{}[],:0-.eEu\x7f\x80\xff") {
				for _, other := range []string{doc[:i] + string([]byte{b}) + doc[i+1:], doc[:i] + string([]byte{b}) + doc[i:]} {
					compare(t, []byte(other))
				}
			}
		}
	}
}

func TestErrors(t *testing.T) {
	manyKeys := func(n int, last string) string {
		b := []byte(`{"x":{`)
		for i := range n {
			b = append(strictjson.AppendString(b, "key"+strings.Repeat("-", i)), ":0,"...)
		}
		return string(b) + last + ":1}}"
	}
	for _, c := range []struct {
		doc    string
		kind   error
		path   string
		offset int
	}{
		{``, strictjson.ErrTruncated, "", 0},
		{`{"a":[1,{"b":`, strictjson.ErrTruncated, "a[1].b", 13},
		{`{"a":tru`, strictjson.ErrTruncated, "a", 8},
		{`{"a":"\u00`, strictjson.ErrTruncated, "a", 10},
		{`{"a":trux}`, strictjson.ErrSyntax, "a", 5},
		{`{"a":[1,2,]}`, strictjson.ErrSyntax, "a[2]", 10},
		{`{"a":[1 2]}`, strictjson.ErrSyntax, "a[0]", 8},
		{`{"a":1,}`, strictjson.ErrSyntax, "", 7},
		{`{a:1}`, strictjson.ErrSyntax, "", 1},
		{`{"a" 1}`, strictjson.ErrSyntax, "a", 5},
		{`{"a":01}`, strictjson.ErrSyntax, "a", 6},
		{`{"a":1.}`, strictjson.ErrSyntax, "a", 7},
		{`{"a":+1}`, strictjson.ErrSyntax, "a", 5},
		{`{"a":NaN}`, strictjson.ErrSyntax, "a", 5},
		{"\xEF\xBB\xBF{}", strictjson.ErrSyntax, "", 0},
		{"{\"a\":\"\xC0\x80\"}", strictjson.ErrSyntax, "", 6},
		{"{\"a\":\"\t\"}", strictjson.ErrSyntax, "a", 6},
		{`{"a":"\x"}`, strictjson.ErrSyntax, "a", 7},
		{`{"a":"x\ud83d"}`, strictjson.ErrSyntax, "a", 7},
		{`{"a":"x\ud83d\ud83d"}`, strictjson.ErrSyntax, "a", 7},
		{`{"a":"x\ude00\ud83d"}`, strictjson.ErrSyntax, "a", 7},
		{`{} {}`, strictjson.ErrTrailing, "", 3},
		{`{"a":1,"b":2,"a":3}`, strictjson.ErrDuplicate, "a", 13},
		{`{"a":1,"\u0061":3}`, strictjson.ErrDuplicate, "a", 7},
		{`{"b":{"":1,"":1}}`, strictjson.ErrDuplicate, `b.""`, 11},
		{manyKeys(16, `"key"`), strictjson.ErrDuplicate, "x.key", 254},
		{manyKeys(40, `"key---"`), strictjson.ErrDuplicate, "x.key---", 1106},
		{manyKeys(40, `"key`+strings.Repeat("-", 39)+`"`), strictjson.ErrDuplicate, "x.key" + strings.Repeat("-", 39), 1106},
		{`[` + strings.Repeat(`{"a":`, 32), strictjson.ErrDepth, "[0]" + strings.Repeat(".a", 31), 156},
		{`{"evil\u001b[2J":}`, strictjson.ErrSyntax, `"evil\x1b[2J"`, 17},
	} {
		_, err := read(t, []byte(c.doc))
		var e *strictjson.Error
		if !errors.As(err, &e) || !errors.Is(err, c.kind) || e.Path != c.path || e.Offset != c.offset {
			t.Errorf("%q: %v, want %v at %q, %d", c.doc, err, c.kind, c.path, c.offset)
		}
		if err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) {
			t.Errorf("%q in a message", err)
		}
	}
}

func TestUint(t *testing.T) {
	for _, c := range []struct {
		text  string
		limit uint64
		want  uint64
		kind  error
	}{
		{"0", 0, 0, nil}, {"1", 0, 0, strictjson.ErrType},
		{"255", 255, 255, nil}, {"256", 255, 0, strictjson.ErrType}, {"2550", 255, 0, strictjson.ErrType},
		{"4294967295", math.MaxUint32, math.MaxUint32, nil}, {"4294967296", math.MaxUint32, 0, strictjson.ErrType},
		{"18446744073709551615", math.MaxUint64, math.MaxUint64, nil}, {"18446744073709551616", math.MaxUint64, 0, strictjson.ErrType},
		{"184467440737095516150", math.MaxUint64, 0, strictjson.ErrType},
		{"-1", 9, 0, strictjson.ErrType}, {"-0", 9, 0, strictjson.ErrType}, {"1.0", 9, 0, strictjson.ErrType}, {"1e0", 9, 0, strictjson.ErrType},
		{`"1"`, 9, 0, strictjson.ErrType}, {"null", 9, 0, strictjson.ErrType}, {"[1]", 9, 0, strictjson.ErrType}, {"{}", 9, 0, strictjson.ErrType},
		{"01", 9, 0, strictjson.ErrSyntax}, {"x", 9, 0, strictjson.ErrSyntax}, {"", 9, 0, strictjson.ErrTruncated}, {"-", 9, 0, strictjson.ErrTruncated},
	} {
		var r strictjson.Reader
		r.Init([]byte(c.text))
		got := r.Uint(c.limit)
		r.End()
		if got != c.want || !errors.Is(r.Err(), c.kind) {
			t.Errorf("%s up to %d: %d, %v; want %d, %v", c.text, c.limit, got, r.Err(), c.want, c.kind)
		}
	}
}

// What OnlyUint reads is an object with one key to everybody else.
func TestOnlyUint(t *testing.T) {
	for _, c := range []struct {
		doc   string
		limit uint32
		want  uint32
		ok    bool
	}{
		{`{"n":0}`, 0, 0, true}, {`{"n":255}`, 255, 255, true}, {`{"n":4294967295}`, math.MaxUint32, math.MaxUint32, true},
		{`{"n":1}`, 0, 0, false}, {`{"n":256}`, 255, 0, false}, {`{"n":4294967296}`, math.MaxUint32, 0, false}, {`{"n":184467440737095516170}`, math.MaxUint32, 0, false},
		{`{"n":01}`, 9, 0, false}, {`{"n":00}`, 9, 0, false}, {`{"n":-0}`, 9, 0, false}, {`{"n":1.0}`, 9, 0, false}, {`{"n":1e0}`, 9, 0, false}, {`{"n":}`, 9, 0, false},
		{`{"n":1,"n":2}`, 9, 0, false}, {`{"n":1 }`, 9, 0, false}, {`{ "n":1}`, 9, 0, false}, {`{"m":1}`, 9, 0, false}, {`{"n":1`, 9, 0, false}, {`{"n":`, 9, 0, false}, {``, 9, 0, false},
	} {
		var r strictjson.Reader
		r.Init([]byte(c.doc))
		got, ok := r.OnlyUint(`{"n":`, c.limit)
		if got != c.want || ok != c.ok || r.Err() != nil {
			t.Errorf("%s up to %d: %d, %v, %v", c.doc, c.limit, got, ok, r.Err())
		}
		var std map[string]uint32
		if ok && (r.Pos() != len(c.doc) || json.Unmarshal([]byte(c.doc), &std) != nil || std["n"] != got) {
			t.Errorf("%s: read up to %d, encoding/json %v", c.doc, r.Pos(), std)
		}
		if !ok && r.Pos() != 0 {
			t.Errorf("%s: something was read", c.doc)
		}
	}
	var r strictjson.Reader
	r.Init([]byte(strings.Repeat("[", strictjson.MaxDepth) + `{"n":1}`))
	for range strictjson.MaxDepth {
		r.Array()
		r.NextElement()
	}
	if _, ok := r.OnlyUint(`{"n":`, 9); ok {
		t.Error("an object deeper than the bound")
	}
}

// The first error stays, whatever is read after it.
func TestErrorStays(t *testing.T) {
	var r strictjson.Reader
	r.Init([]byte(`{"a":"x"}`))
	r.Object()
	r.NextKey()
	r.Uint(9)
	first := r.Err()
	r.Recast(io.ErrNoProgress)
	if r.Object(); r.NextKey() || r.NextElement() || r.String() != "" || r.Uint(9) != 0 || r.Null() || r.Peek() != 0 {
		t.Error("something is read after an error")
	}
	r.Array()
	r.Skip()
	r.End()
	r.Fail(io.EOF, 0, "")
	if r.Err() != first || !errors.Is(first, io.ErrNoProgress) || !strings.Contains(first.Error(), "a: ") {
		t.Errorf("error is %v, was %v", r.Err(), first)
	}
}

// A value that is read late is read like at once, whatever keys it has.
func TestFork(t *testing.T) {
	var keys []byte
	for i := range 100 {
		keys = fmt.Appendf(keys, `,"\u006b%d":0`, i)
	}
	doc := []byte(`{"\u0061":0` + string(keys) + `,"later":[{"x":1` + string(keys) + `},{"x":2}],"\u0062":7` + `}`)
	var r strictjson.Reader
	r.Init(doc)
	var later *strictjson.Reader
	b := 0
	for r.Object(); r.NextKey(); {
		switch r.Key() {
		case "later":
			later = r.Fork()
			r.Skip()
		case "b":
			b++
			r.Skip()
		default:
			r.Skip()
		}
	}
	var got []string
	for later.Array(); later.NextElement(); {
		for later.Object(); later.NextKey(); {
			got = append(got, later.Key())
			later.Skip()
		}
	}
	if r.Err() != nil || later.Err() != nil || b != 1 {
		t.Fatal(r.Err(), later.Err(), b)
	}
	if len(got) != 102 || got[0] != "x" || got[1] != "k0" || got[100] != "k99" || got[101] != "x" {
		t.Errorf("keys %q", got)
	}
}

func TestAppendString(t *testing.T) {
	for _, s := range []string{"", "OS/VMM", "a\"b\\c", "\x00\x1f\n\t\x7f", "é 飞 😀", "\xff\xc0x", "\u2028</script>"} {
		b := strictjson.AppendString(nil, s)
		var got string
		if err := json.Unmarshal(b, &got); err != nil || got != strings.ToValidUTF8(s, "\uFFFD") && got != string([]rune(s)) {
			t.Errorf("%q became %s: %q, %v", s, b, got, err)
		}
		var r strictjson.Reader
		if r.Init(b); r.String() != got || r.Err() != nil {
			t.Errorf("%s is not read back", b)
		}
	}
}

// Strings without escapes and keys cost no allocation.
func TestAllocations(t *testing.T) {
	doc := []byte(`{"a":"some text that is longer than any small buffer would be","b":[{"c":"d"},{"c":"e"}]}`)
	var r strictjson.Reader
	n := testing.AllocsPerRun(100, func() {
		r.Init(doc)
		tcb := 0
		for r.Object(); r.NextKey(); {
			switch r.Key() {
			case "a":
				tcb += len(r.String())
			default:
				r.Skip()
			}
		}
	})
	if n > 1 || r.Err() != nil {
		t.Errorf("%v allocations, want that of the copy: %v", n, r.Err())
	}
}

func FuzzReader(f *testing.F) {
	for _, doc := range documents {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) { compare(t, doc) })
}
