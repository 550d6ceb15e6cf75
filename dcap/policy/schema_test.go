package policy

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write schema.json and the tables of the guide")

// upToDate compares a file with what it should be, or writes it.
func upToDate(t *testing.T, file string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not up to date: run `go test ./dcap/policy -update`", file)
	}
}

// TestSchemaIsUpToDate makes the schema of the rules that files are read with.
func TestSchemaIsUpToDate(t *testing.T) {
	want := append(appendValue(nil, makeSchema(), "\n"), '\n')
	upToDate(t, "schema.json", want)
	if !*update && !bytes.Equal(Schema(), want) {
		t.Error("Schema is not the file")
	}
	if !json.Valid(want) {
		t.Error("it is no JSON")
	}
}

func str(key, s string) *node { return &node{kind: textual, key: key, text: s} }
func num(key string, n uint64) *node {
	return &node{kind: number, key: key, text: strconv.FormatUint(n, 10)}
}
func obj(key string, items ...*node) *node { return &node{kind: object, key: key, items: items} }
func arr(key string, items ...*node) *node { return &node{kind: array, key: key, items: items} }

func makeSchema() *node {
	needs := func(keys ...string) *node {
		n := arr("anyOf")
		for _, k := range keys {
			n.items = append(n.items, obj("", arr("required", str("", k))))
		}
		return n
	}
	list := func(key, about string, item *node, identity ...string) *node {
		item.key = "items"
		item.items = append(item.items, needs(identity...))
		return obj(key, str("description", about), str("type", "array"), num("minItems", 1), item)
	}
	section := func(n *node, key, about string) *node {
		n.key = key
		n.items = append([]*node{str("description", about)}, n.items...)
		return n
	}
	top := schemaTable(topRules)
	properties := top.member("properties")
	properties.items = append(properties.items,
		section(schemaTable(tcbRules), "tcb", "What Intel may say of the platform."),
		section(schemaTable(collateralRules), "collateral", "How old what Intel says may be."),
		section(schemaTable(platformRules), "platform", "Which platforms are accepted."),
		list("sgx", "Enclaves that are accepted.", schemaTable(enclaveRules), "mrenclave", "mrsigner", "any"),
		list("tdx", "TDs that are accepted.", schemaTable(tdRules), "mrtd", "any"),
	)
	top.items = append([]*node{
		str("$schema", "https://json-schema.org/draft/2020-12/schema"),
		str("title", "Feidi attestation policy"),
		str("description", "Which quotes of SGX enclaves and TDX guests are accepted. See docs/policy.md."),
	}, append(top.items, needs("sgx", "tdx"))...)
	return top
}

func schemaTable[S, F any](rules []rule[S, F]) *node {
	properties := obj("properties")
	for _, r := range rules {
		properties.items = append(properties.items, schemaKey(r.key, r.about, r.form))
	}
	return obj("", str("type", "object"), &node{kind: boolean, key: "additionalProperties", text: "false"}, properties)
}

func schemaKey(key, about string, f form) *node {
	value := obj("")
	kinds := map[kind]string{textual: "string", number: "integer", boolean: "boolean"}
	value.items = append(value.items, str("type", kinds[f.kind]))
	switch {
	case f.words != nil:
		words := arr("enum")
		for _, w := range f.words {
			words.items = append(words.items, &node{kind: f.kind, text: w})
		}
		value.items = append(value.items, words)
	case f.pattern != "":
		value.items = append(value.items, str("pattern", f.pattern))
	case f.kind == number:
		value.items = append(value.items, num("minimum", 0), num("maximum", f.max))
	case f.kind == textual:
		value.items = append(value.items, num("minLength", 1), num("maxLength", 64))
	}
	about = strings.ToUpper(about[:1]) + about[1:] + "."
	if !f.list {
		return obj(key, append([]*node{str("description", about)}, value.items...)...)
	}
	least := uint64(1)
	if f.empty {
		least = 0
	}
	value.key = "items"
	many := obj("", str("type", "array"), num("minItems", least), value)
	return obj(key, str("description", about), arr("anyOf", obj("", value.items...), many))
}

// TestGuide compares the guide's tables of keys with the rules.
func TestGuide(t *testing.T) {
	const guide, begin, end = "../../docs/policy.md", "<!-- keys -->\n", "<!-- end of keys -->\n"
	b, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(b), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the keys", guide)
	}
	upToDate(t, guide, []byte(head+begin+guideTables()+end+tail))
	blocks := strings.Split(string(b), "```toml\n")[1:]
	for _, block := range blocks {
		example, _, _ := strings.Cut(block, "```")
		if _, err := ParseTOML([]byte(example)); err != nil {
			t.Errorf("an example of the guide: %v", err)
		}
	}
	if len(blocks) < 2 {
		t.Error("the guide has no examples")
	}
}

func guideTables() string {
	var s strings.Builder
	guideTable(&s, "In no section", topRules)
	guideTable(&s, "`[tcb]`: what Intel may say of the platform", tcbRules)
	guideTable(&s, "`[collateral]`: how old what Intel says may be", collateralRules)
	guideTable(&s, "`[platform]`: which platforms", platformRules)
	guideTable(&s, "`[[sgx]]`: an enclave; there may be several", enclaveRules)
	guideTable(&s, "`[[tdx]]`: a TD; there may be several", tdRules)
	s.WriteString("\n")
	return s.String()
}

func guideTable[S, F any](s *strings.Builder, title string, rules []rule[S, F]) {
	fmt.Fprintf(s, "\n### %s\n\n| key | value | meaning |\n|---|---|---|\n", title)
	for _, r := range rules {
		what := strings.ReplaceAll(r.what, "|", `\|`)
		if r.list {
			what = "one or more: " + what
		}
		fmt.Fprintf(s, "| `%s` | %s | %s |\n", r.key, what, r.about)
	}
}
