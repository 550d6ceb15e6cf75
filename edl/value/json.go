package value

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// JSON has no bytes, wide texts, NaN or names. They are objects with one key
// that is no C identifier.
const (
	jsonHex    = "$hex"
	jsonBase64 = "$base64" // read only
	jsonWide   = "$wide"
	jsonFloat  = "$float"
	jsonName   = "$name"
	jsonOmit   = "$omitted"
)

// MarshalJSON writes the value as JSON: numbers, texts, lists and structs as
// one expects, and {"$hex": "00ff"} for bytes and for texts that are not
// UTF-8. Numbers have up to 64 bits; addresses are numbers, too, and are read
// back as such. Members keep their order.
func (v Value) MarshalJSON() ([]byte, error) { return v.appendJSON(nil), nil }

func (v Value) appendJSON(b []byte) []byte {
	object := func(key, text string) []byte {
		b = append(appendJSONText(append(b, '{'), key), ':')
		return append(appendJSONText(b, text), '}')
	}
	switch v.Kind {
	case Null:
		return append(b, "null"...)
	case Bool, Int:
		return v.append(b)
	case Address:
		return strconv.AppendUint(b, v.Int, 10)
	case Float:
		if math.IsNaN(v.Float) || math.IsInf(v.Float, 0) {
			return object(jsonFloat, string(appendFloat(nil, v.Float)))
		}
		return appendFloat(b, v.Float)
	case Text:
		if utf8.Valid(v.Bytes) {
			return appendJSONText(b, string(v.Bytes))
		}
		return object(jsonHex, hex.EncodeToString(v.Bytes))
	case Wide:
		return object(jsonWide, string(v.Wide))
	case Bytes:
		return object(jsonHex, hex.EncodeToString(v.Bytes))
	case Name:
		return object(jsonName, v.Name)
	case List:
		b = append(b, '[')
		for i, e := range v.List {
			if i > 0 {
				b = append(b, ',')
			}
			b = e.appendJSON(b)
		}
		return append(b, ']')
	case Struct:
		b = append(b, '{')
		for i, f := range v.Fields {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendJSONText(b, f.Name), ':')
			b = f.Value.appendJSON(b)
		}
		return append(b, '}')
	}
	return object(jsonOmit, "")
}

func appendJSONText(b []byte, s string) []byte {
	var w bytes.Buffer
	e := json.NewEncoder(&w)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string in memory
	return append(b, bytes.TrimSuffix(w.Bytes(), []byte("\n"))...)
}

// UnmarshalJSON reads what MarshalJSON writes, and {"$base64": "AP8="}.
func (v *Value) UnmarshalJSON(b []byte) error {
	if len(b) > MaxSource {
		return fmt.Errorf("%w: %d bytes of JSON, more than %d", ErrLimit, len(b), MaxSource)
	}
	r := jsonReader{d: json.NewDecoder(bytes.NewReader(b))}
	r.d.UseNumber()
	out, err := r.value(0)
	if err != nil {
		return err
	}
	if _, err := r.d.Token(); err != io.EOF {
		return fmt.Errorf("%w: more than one JSON value", ErrSyntax)
	}
	*v = out
	return nil
}

type jsonReader struct {
	d      *json.Decoder
	values int
}

func (r *jsonReader) value(depth int) (Value, error) {
	if r.values++; r.values > MaxValues || depth > MaxDepth {
		return Value{}, fmt.Errorf("%w: JSON of more than %d values or %d levels", ErrLimit, MaxValues, MaxDepth)
	}
	t, err := r.d.Token()
	if err != nil {
		return Value{}, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	switch t := t.(type) {
	case nil:
		return Value{Kind: Null}, nil
	case bool:
		return OfBool(t), nil
	case string:
		return OfText(t), nil
	case json.Number:
		return jsonNumber(string(t))
	case json.Delim:
		if t == '[' {
			return r.list(depth)
		}
		return r.object(depth)
	}
	return Value{}, fmt.Errorf("%w: JSON that is no value", ErrSyntax)
}

func jsonNumber(s string) (Value, error) {
	p := parser{src: s}
	v, err := p.number()
	if err == nil {
		err = p.finish()
	}
	return v, err
}

func (r *jsonReader) list(depth int) (Value, error) {
	v := Value{Kind: List, List: []Value{}}
	for r.d.More() {
		e, err := r.value(depth + 1)
		if err != nil {
			return Value{}, err
		}
		v.List = append(v.List, e)
	}
	_, err := r.d.Token()
	return v, err
}

func (r *jsonReader) object(depth int) (Value, error) {
	v := Value{Kind: Struct}
	seen := map[string]bool{}
	for r.d.More() {
		t, err := r.d.Token()
		if err != nil {
			return Value{}, fmt.Errorf("%w: %w", ErrSyntax, err)
		}
		name, _ := t.(string)
		if seen[name] {
			return Value{}, fmt.Errorf("%w: the key %q is there twice", ErrSyntax, clip(name))
		}
		seen[name] = true
		e, err := r.value(depth + 1)
		if err != nil {
			return Value{}, err
		}
		v.Fields = append(v.Fields, Field{Name: name, Value: e})
	}
	if _, err := r.d.Token(); err != nil {
		return Value{}, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	return special(v)
}

// special makes the value of an object whose only key says what it is.
func special(v Value) (Value, error) {
	for _, f := range v.Fields {
		if IsName(f.Name) {
			continue
		}
		text := string(f.Value.Bytes)
		if len(v.Fields) > 1 || f.Value.Kind != Text {
			return Value{}, fmt.Errorf("%w: the key %q is no name of a member", ErrSyntax, clip(f.Name))
		}
		var err error
		switch f.Name {
		case jsonHex:
			var b []byte
			b, err = hex.DecodeString(text)
			v = OfBytes(b)
		case jsonBase64:
			var b []byte
			b, err = base64.StdEncoding.DecodeString(text)
			v = OfBytes(b)
		case jsonWide:
			v = Value{Kind: Wide, Wide: []rune(text)}
		case jsonName:
			if !IsName(text) {
				err = fmt.Errorf("%q is no name", clip(text))
			}
			v = OfName(text)
		case jsonFloat:
			word, negative := strings.CutPrefix(text, "-")
			if word != "inf" && word != "nan" {
				err = fmt.Errorf("%q is neither inf nor nan", clip(text))
			}
			v = OfFloat(infOrNaN(word, negative).Float)
		case jsonOmit:
			v = Value{}
		default:
			err = fmt.Errorf("there is no such key")
		}
		if err != nil {
			return Value{}, fmt.Errorf("%w: %q: %w", ErrSyntax, clip(f.Name), err)
		}
		return v, nil
	}
	return v, nil
}
