package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/feidi-dev/feidi/internal/mistake"
)

// maxNesting is how deep the brackets of a TOML file may nest, in whatever
// way: a configuration has none.
const maxNesting = 100

// ParseTOML reads a configuration of at most MaxFile bytes in TOML, and checks
// it as Validate does. What the file leaves out has its default. An error is
// of type Errors, and has everything that is wrong.
//
// The keys are the XML names in snake case, all at the top level; AppendTOML
// shows every one. Sizes may have a unit, as in "64MiB"; switches are false or
// true; pkru and amx are "off", "on" or "loader"; tcs_policy is "bind" or
// "unbind". The numbers of the XML file are taken, too, and as strings if they
// are above what TOML holds, as in "0xFFFFFFFFFFFF0000".
func ParseTOML(b []byte) (*Config, error) {
	if len(b) > MaxFile {
		return nil, Errors{{Line: 1, Column: 1, Kind: ErrInvalid, Reason: fmt.Sprintf("the file has more than %d bytes", MaxFile)}}
	}
	r := newReader(inTOML)
	if mistake.Nested(b, maxNesting) {
		r.report(position{1, 1}, "", "its brackets nest too deep")
		return nil, r.errs
	}
	order := r.keys(b)
	values := map[string]any{}
	if err := toml.Unmarshal(b, &values); err != nil {
		if len(r.errs) == 0 {
			line, column, reason := mistake.NoTOML(err)
			r.report(position{line, column}, "", reason)
		}
		return nil, r.errs.Err()
	}
	for _, f := range order {
		if !r.given[f] {
			continue
		}
		v, reason := parseTOMLValue(f, values[f.key])
		if reason != "" {
			r.fail(f, reason)
			continue
		}
		r.value(f, v)
	}
	return r.finish()
}

// keys finds the settings of a file, and reports what is none. It stops at
// what is no TOML, for the decoder to tell.
func (r *reader) keys(b []byte) (order []*field) {
	var p unstable.Parser
	p.Reset(b)
	for p.NextExpression() && !r.full() {
		e := p.Expression()
		var path []string
		var at position
		for keys := e.Key(); keys.Next(); {
			n := keys.Node()
			if path == nil {
				start := p.Shape(n.Raw).Start
				at = position{start.Line, start.Column}
			}
			path = append(path, string(n.Data))
		}
		switch name := strings.Join(path, "."); {
		case e.Kind != unstable.KeyValue:
			r.report(at, name, "settings are in no table: leave this line out")
			return order // all that follows is in it
		case len(path) > 1:
			r.report(at, name, "settings are in no table: write a name without dots")
		default:
			if f := r.begin(name, byKey, at); f != nil {
				order = append(order, f)
			}
		}
	}
	return order
}

var (
	featureNames = []string{FeatureOff: "off", FeatureOn: "on", FeatureLoader: "loader"}
	policyNames  = []string{"bind", "unbind"}
	units        = []struct {
		name  string
		shift int
	}{{"TiB", 40}, {"GiB", 30}, {"MiB", 20}, {"KiB", 10}}
)

// parseTOMLValue is the number for a decoded value of f.
func parseTOMLValue(f *field, value any) (v uint64, reason string) {
	switch value := value.(type) {
	case bool:
		if f.kind == toggle {
			return number01(value), ""
		}
	case int64:
		if value < 0 {
			return 0, fmt.Sprintf("%d has a minus sign: no setting is negative", value)
		}
		return uint64(value), ""
	case string:
		for i, name := range f.kind.names() {
			if value == name {
				return uint64(i), ""
			}
		}
		digits, shift := value, 0
		if f.kind == size {
			digits, shift = cutUnit(value)
		}
		v, err := parseDigits(digits)
		if err == nil && v > ^uint64(0)>>shift || errors.Is(err, strconv.ErrRange) {
			return 0, quote(value) + " is out of range: a number has at most 64 bits"
		}
		if err == nil {
			return v << shift, ""
		}
		return 0, fmt.Sprintf("%s is no value of it: write %s", quote(value), f.kind.example())
	}
	return 0, "it is no value of this kind: write " + f.kind.example()
}

// parseDigits reads a decimal number, or a hexadecimal one after 0x.
func parseDigits(s string) (uint64, error) {
	if hex, ok := strings.CutPrefix(s, "0x"); ok {
		return strconv.ParseUint(hex, 16, 64)
	}
	if len(s) > 1 && s[0] == '0' {
		return 0, strconv.ErrSyntax // octal to one reader, decimal to another
	}
	return strconv.ParseUint(s, 10, 64)
}

// cutUnit takes the unit from a size, with one space at most before it.
func cutUnit(s string) (digits string, shift int) {
	for _, u := range units {
		if digits, ok := strings.CutSuffix(s, u.name); ok {
			return strings.TrimSuffix(digits, " "), u.shift
		}
	}
	return s, 0
}

// names are the words for the values of a kind, from 0.
func (k kind) names() []string {
	switch k {
	case feature:
		return featureNames
	case policy:
		return policyNames
	}
	return nil
}

func (k kind) example() string {
	switch k {
	case toggle:
		return "false or true"
	case size:
		return `a size like "64KiB", "16MiB" or 4096`
	case word, address:
		return `a number like 0x1000, or "0xFFFFFFFFFFFF0000" if it has 64 bits`
	case feature:
		return `"off", "on" or "loader"`
	case policy:
		return `"bind" or "unbind"`
	}
	return "a number like 10"
}

// tomlValue is v as the value of f in TOML.
func tomlValue(f *field, v uint64) string {
	names := f.kind.names()
	switch {
	case f.kind == toggle && v <= 1:
		return strconv.FormatBool(v == 1)
	case v < uint64(len(names)):
		return strconv.Quote(names[v])
	case f.kind == size && v > 0:
		for _, u := range units {
			if v&(1<<u.shift-1) == 0 {
				return fmt.Sprintf(`"%d%s"`, v>>u.shift, u.name)
			}
		}
	case f.kind == word || f.kind == address:
		if v > 1<<63-1 {
			return fmt.Sprintf(`"%#x"`, v)
		}
		return fmt.Sprintf("%#x", v)
	}
	return strconv.FormatUint(v, 10)
}
