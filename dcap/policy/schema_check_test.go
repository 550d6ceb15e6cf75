package policy_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"

	"github.com/feidi-dev/feidi/dcap/policy"
)

// TestSchema puts files to the schema, by a reader of schemas that knows
// nothing of policies: what the schema refuses the parser refuses, too, and for
// faults of the form the other way round.
func TestSchema(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(policy.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	valid := func(file string) error {
		var doc map[string]any
		if err := toml.Unmarshal([]byte(file), &doc); err != nil {
			t.Fatalf("%v in\n%s", err, file)
		}
		return conforms(schema, plain(t, doc), "")
	}
	good := []string{everythingTOML, anySGX, anyTDX}
	for _, c := range slices.Concat(tcbCases, collateralCases, platformCases, enclaveCases, tdCases) {
		good = append(good, c.policy)
	}
	for _, file := range good {
		if err := valid(file); err != nil {
			t.Errorf("the parser takes it, the schema does not: %v\n%s", err, file)
		}
	}
	for _, c := range tomlErrors {
		if valid(c.file) == nil {
			t.Errorf("the schema takes it, the parser does not (%s)\n%s", c.want, c.file)
		}
	}
}

// plain is what decoded TOML is in JSON; dates become text, as the schema has
// them.
func plain(t *testing.T, doc any) (out any) {
	b, err := json.Marshal(doc)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// conforms checks a document by a JSON Schema that has no more keywords than
// ours.
func conforms(schema map[string]any, doc any, path string) error {
	for keyword, arg := range schema {
		ok := true
		switch keyword {
		case "$schema", "title", "description", "properties":
		case "type":
			ok = isType(doc, arg.(string))
		case "enum":
			ok = slices.ContainsFunc(arg.([]any), func(v any) bool { return reflect.DeepEqual(v, doc) })
		case "pattern":
			s, isText := doc.(string)
			ok = !isText || regexp.MustCompile(arg.(string)).MatchString(s)
		case "minLength", "maxLength":
			s, isText := doc.(string)
			n := float64(utf8.RuneCountInString(s))
			ok = !isText || keyword == "minLength" && n >= arg.(float64) || keyword == "maxLength" && n <= arg.(float64)
		case "minimum":
			v, isNumber := doc.(float64)
			ok = !isNumber || v >= arg.(float64)
		case "maximum":
			v, isNumber := doc.(float64)
			ok = !isNumber || v <= arg.(float64)
		case "minItems":
			v, isArray := doc.([]any)
			ok = !isArray || float64(len(v)) >= arg.(float64)
		case "required":
			v, isObject := doc.(map[string]any)
			for _, key := range arg.([]any) {
				if _, has := v[key.(string)]; isObject && !has {
					ok = false
				}
			}
		case "items":
			v, _ := doc.([]any)
			for i, e := range v {
				if err := conforms(arg.(map[string]any), e, fmt.Sprintf("%s[%d]", path, i)); err != nil {
					return err
				}
			}
		case "anyOf":
			ok = slices.ContainsFunc(arg.([]any), func(s any) bool { return conforms(s.(map[string]any), doc, path) == nil })
		case "additionalProperties":
			properties := schema["properties"].(map[string]any)
			v, _ := doc.(map[string]any)
			for key, e := range v {
				p, known := properties[key]
				if !known {
					return fmt.Errorf("%s has no key %q", path, key)
				}
				if err := conforms(p.(map[string]any), e, strings.TrimPrefix(path+"."+key, ".")); err != nil {
					return err
				}
			}
		default:
			return fmt.Errorf("the keyword %q is not known here", keyword)
		}
		if !ok {
			return fmt.Errorf("%s: %v: not %s %v", path, doc, keyword, arg)
		}
	}
	return nil
}

func isType(doc any, name string) bool {
	switch v := doc.(type) {
	case string:
		return name == "string"
	case bool:
		return name == "boolean"
	case float64:
		return name == "integer" && v == float64(int64(v))
	case []any:
		return name == "array"
	case map[string]any:
		return name == "object"
	}
	return false
}
