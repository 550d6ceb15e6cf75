// Package config reads the options that a Go enclave is built with from a file
// in TOML. It reads and checks the file's form; what values are possible, package
// gobuild says. It knows nothing of the files that the options name.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/feidi-dev/feidi/internal/mistake"
)

// MaxFile is the size of the largest file, in bytes.
const MaxFile = 64 << 10

// maxBrackets bounds how deep a file can nest. It needs two.
const maxBrackets = 100

// Config are the options that a file has; nil is one that it has not.
type Config struct {
	Heap    *Size    `toml:"heap"`    // "512M", or bytes
	Threads *int     `toml:"threads"` //
	ProdID  *uint16  `toml:"prod_id"` // ISVPRODID
	SVN     *uint16  `toml:"svn"`     // ISVSVN
	Debug   *bool    `toml:"debug"`   // may be loaded as a debug enclave
	GoDebug *bool    `toml:"godebug"` // GODEBUG reaches the program
	Tags    []string `toml:"tags"`    // build tags
	Key     *string  `toml:"key"`     // PEM file
}

// ErrInvalid is wrapped by the errors of this package.
var ErrInvalid = errors.New("invalid options for a Go enclave")

// Error says in one line what is wrong with a file, and where: Line and Column
// are from 1, or 0 for the whole file. It wraps ErrInvalid.
type Error = mistake.Error

// Parse reads a file. A key that it does not know is an error.
func Parse(b []byte) (*Config, error) {
	switch {
	case len(b) > MaxFile:
		return nil, &Error{Kind: ErrInvalid, Reason: fmt.Sprintf("the file has more than %d bytes", MaxFile)}
	case bytes.Count(b, []byte("["))+bytes.Count(b, []byte("{")) > maxBrackets:
		return nil, &Error{Kind: ErrInvalid, Reason: "the file has too many brackets"}
	}
	at, unknown := keys(b)
	c := new(Config)
	if err := toml.Unmarshal(b, c); err != nil {
		e := &Error{Kind: ErrInvalid, Reason: strings.TrimPrefix(err.Error(), "toml: ")}
		var d *toml.DecodeError
		if !errors.As(err, &d) { // heap, which is decoded here
			e.Line, e.Column = at["heap"].Line, at["heap"].Column
			return nil, e
		}
		e.Line, e.Column = d.Position()
		if o, ok := options[strings.Join(d.Key(), ".")]; ok {
			e.Reason = "no value of this option: write " + o
		} else {
			e.Reason = "no TOML: " + e.Reason
		}
		return nil, e
	}
	switch {
	case unknown != nil:
		return nil, unknown
	case c.Heap != nil && *c.Heap == 0:
		return nil, &Error{Line: at["heap"].Line, Column: at["heap"].Column, Kind: ErrInvalid, Reason: "a heap of 0 bytes"}
	}
	return c, nil
}

// options are the keys, and what a value of each looks like.
var options = map[string]string{
	"heap": `a size like "512M"`, "threads": "a number like 32", "prod_id": "a number up to 65535", "svn": "a number up to 65535",
	"debug": "true or false", "godebug": "true or false", "tags": `a list like ["purego"]`, "key": `a file's name like "key.pem"`,
}

// keys finds where the options of a file are, and the first key that is none.
// It stops at what is no TOML, for the decoder to tell.
func keys(b []byte) (at map[string]unstable.Position, unknown error) {
	at = map[string]unstable.Position{}
	var p unstable.Parser
	for p.Reset(b); p.NextExpression(); {
		e := p.Expression()
		var path []string
		var start unstable.Position
		for keys := e.Key(); keys.Next(); {
			n := keys.Node()
			if path == nil {
				start = p.Shape(n.Raw).Start
			}
			path = append(path, string(n.Data))
		}
		name := strings.Join(path, ".")
		if e.Kind != unstable.KeyValue || options[name] == "" {
			return at, &Error{Line: start.Line, Column: start.Column, Kind: ErrInvalid, Reason: fmt.Sprintf("there is no option %.60q: they are %s", name, strings.Join(slices.Sorted(maps.Keys(options)), ", "))}
		}
		at[name] = start
	}
	return at, nil
}

// Size is a number of bytes. Its text may have a unit, as in 64M, 64MB and
// 64MiB, which are the same.
type Size uint64

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Size) UnmarshalText(b []byte) error {
	number, unit := strings.TrimRight(strings.ToUpper(string(b)), "IB"), uint64(1)
	for i, letter := range "KMGT" {
		if n, ok := strings.CutSuffix(number, string(letter)); ok {
			number, unit = n, 1<<(10*(i+1))
			break
		}
	}
	n, err := strconv.ParseUint(strings.TrimSuffix(number, " "), 10, 64)
	if err != nil || n == 0 || n > 1<<63/unit {
		return fmt.Errorf("%.60q is no size such as 64M or 2G", b)
	}
	*s = Size(n * unit)
	return nil
}

// String returns the size with the largest unit that leaves a whole number.
func (s Size) String() string {
	n, unit := uint64(s), ""
	for _, u := range []string{"K", "M", "G"} {
		if n == 0 || n%1024 != 0 {
			break
		}
		n, unit = n/1024, u
	}
	return strconv.FormatUint(n, 10) + unit
}
