package server

import (
	"bufio"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pccs/web"
)

var sample = regexp.MustCompile(`^([a-z_]+)(?:\{([^{}]*)\})? (-?[0-9.e+-]+|\+Inf)$`)

// TestMetrics reads the metrics as Prometheus does, and compares them with what
// was asked.
func TestMetrics(t *testing.T) {
	f := newFixture(t)
	for range 4 { // the first has it fetched, the second made anew
		ask(t, f, "GET", sgx4+"qe/identity", "")
	}
	ask(t, f, "GET", sgx4+"qe/identity", "", "If-None-Match", "*")
	ask(t, f, "GET", sgx4+"tcb?fmspc=xx", "")
	ask(t, f, "GET", sgx4+"tcb?fmspc=AAAAAAAAAAAA", "")
	ask(t, f, "GET", "/%22{}%0a", "")
	if g := ask(t, f, "GET", sgx4+"pckcert?"+f.pckQuery().Encode(), ""); g.status != 200 {
		t.Fatalf("%d %v", g.status, g.header)
	}
	g := ask(t, f, "GET", "/metrics", "")
	if g.status != 200 || g.first("Content-Type") != "text/plain; version=0.0.4; charset=utf-8" || g.first("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", g.status, g.header)
	}
	values, types := map[string]float64{}, map[string]string{}
	last := map[string]float64{}
	for in := bufio.NewScanner(strings.NewReader(g.body)); in.Scan(); {
		if name, ok := strings.CutPrefix(in.Text(), "# TYPE "); ok {
			name, kind, _ := strings.Cut(name, " ")
			if types[name] != "" {
				t.Errorf("%s is described twice", name)
			}
			types[name] = kind
			continue
		}
		if strings.HasPrefix(in.Text(), "# HELP ") {
			continue
		}
		m := sample.FindStringSubmatch(in.Text())
		if m == nil {
			t.Fatalf("not a sample: %q", in.Text())
		}
		family := m[1]
		if types[family] == "" {
			family = regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(family, "")
		}
		v, err := strconv.ParseFloat(m[3], 64)
		if types[family] == "" || err != nil {
			t.Errorf("%q: type %q, %v", in.Text(), types[family], err)
		}
		key := m[1] + "{" + m[2] + "}"
		if _, twice := values[key]; twice {
			t.Errorf("%s is there twice", key)
		}
		values[key] = v
		if route, _, ok := strings.Cut(m[2], ",le="); ok {
			if v < last[route] {
				t.Errorf("%q: the bucket before has more", in.Text())
			}
			last[route] = v
		}
	}
	for key, want := range map[string]float64{
		`feidi_pccs_requests_total{route="/sgx/certification/v4/qe/identity",status="200"}`:       4,
		`feidi_pccs_requests_total{route="/sgx/certification/v4/qe/identity",status="304"}`:       1,
		`feidi_pccs_requests_total{route="/sgx/certification/v4/tcb",status="400"}`:               1,
		`feidi_pccs_requests_total{route="/sgx/certification/v4/tcb",status="404"}`:               1,
		`feidi_pccs_requests_total{route="other",status="404"}`:                                   1,
		`feidi_pccs_request_duration_seconds_count{route="/sgx/certification/v4/qe/identity"}`:    5,
		`feidi_pccs_request_duration_seconds_bucket{route="/sgx/certification/v4/tcb",le="+Inf"}`: 2,
		`feidi_pccs_cache_total{from="memory"}`:                                                   3,
		`feidi_pccs_cache_total{from="database"}`:                                                 5,
		`feidi_pccs_upstream_requests_total{kind="qe/identity",outcome="ok"}`:                     1,
		`feidi_pccs_upstream_requests_total{kind="tcb",outcome="UpstreamNotFound"}`:               1,
		`feidi_pccs_up{}`: 1,
		`feidi_pccs_info{mode="LAZY",database="sqlite"}`:             1,
		`feidi_pccs_documents{kind="qe/identity",tee="sgx"}`:         1,
		`feidi_pccs_documents_expired{kind="qe/identity",tee="sgx"}`: 0,
		`feidi_pccs_platforms{}`:                                     1,
		`feidi_pccs_registrations_waiting{}`:                         0,
	} {
		if got, ok := values[key]; !ok || got != want {
			t.Errorf("%s is %v (%v), want %v", key, got, ok, want)
		}
	}
	// The identity of the fake Intel is good for 30 days, of which 12 are past.
	left := values[`feidi_pccs_document_expiry_seconds{kind="qe/identity",tee="sgx"}`]
	d, err := f.db.Document(t.Context(), "sgx/v4/qe/identity?update=standard")
	if err != nil {
		t.Fatal(err)
	}
	if want := d.NextUpdate.Sub(f.pki.Now) / time.Second; left != float64(want) || left <= 0 {
		t.Errorf("%v seconds are left, want %d", left, want)
	}
}

// object is a JSON object.
type object = map[string]any

// TestOpenAPI compares the description with the routes: each is in it with its
// methods, and nothing else; and all that it refers to is there.
func TestOpenAPI(t *testing.T) {
	f := newFixture(t)
	g := ask(t, f, "GET", "/openapi.json", "")
	var doc object
	if err := json.Unmarshal([]byte(g.body), &doc); err != nil || g.status != 200 {
		t.Fatal(err)
	}
	resolve := func(ref string) object {
		at := doc
		for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			next, ok := at[part].(object)
			if !ok {
				t.Fatalf("%s is not there", ref)
			}
			at = next
		}
		return at
	}
	used := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case object:
			if ref, ok := v["$ref"].(string); ok {
				resolve(ref)
				used[ref] = true
			}
			for _, x := range v {
				walk(x)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(doc)
	for kind, all := range doc["components"].(object) {
		for name := range all.(object) {
			if ref := "#/components/" + kind + "/" + name; !used[ref] && kind != "securitySchemes" {
				t.Errorf("%s is not used", ref)
			}
		}
	}
	paths := doc["paths"].(object)
	for _, at := range inOrder {
		item, ok := paths[at.path].(object)
		if !ok {
			t.Errorf("%s is missing", at.path)
			continue
		}
		if ref, ok := item["$ref"].(string); ok {
			item = resolve(ref)
		}
		for _, m := range at.methods {
			op, ok := item[strings.ToLower(m.name)].(object)
			if !ok {
				t.Errorf("%s %s is missing", m.name, at.path)
				continue
			}
			security := ""
			if list, ok := op["security"].([]any); ok {
				security = strings.Join(slices.Collect(maps.Keys(list[0].(object))), ",")
			}
			if want := map[who]string{users: "userToken", administrators: "adminToken"}[m.by]; security != want {
				t.Errorf("%s %s takes %q, want %q", m.name, at.path, security, want)
			}
		}
		if len(item) != len(at.methods) {
			t.Errorf("%s has other methods: %v", at.path, slices.Sorted(maps.Keys(item)))
		}
	}
	if len(paths) != len(inOrder) {
		t.Errorf("%d paths, want %d", len(paths), len(inOrder))
	}
	var codes []string
	for _, c := range resolve("#/components/headers/Error-Code/schema")["enum"].([]any) {
		codes = append(codes, c.(string))
	}
	if want := reasons(t); !slices.Equal(slices.Sorted(slices.Values(codes)), want) {
		t.Errorf("Error-Code has %q, want %q", codes, want)
	}
}

// reasons are the values of all constants of type pccs.Reason.
func reasons(t *testing.T) (list []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == "Reason" {
			s, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, s)
		}
		return true
	})
	slices.Sort(list)
	return list
}

// The status page is for who has the administrator's token, in the header of
// Intel's tools or as a password.
func TestStatusPage(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct {
		header []string
		status int
	}{
		{nil, 401}, {[]string{adminToken, theUser}, 401}, {[]string{"Authorization", basic("wrong")}, 401},
		{[]string{adminToken, theAdmin}, 200}, {[]string{"Authorization", basic(theAdmin)}, 200},
	} {
		if g := ask(t, f, "GET", web.Prefix, "", c.header...); g.status != c.status {
			t.Errorf("%q: %d, want %d", c.header, g.status, c.status)
		}
	}
	if g := ask(t, f, "GET", strings.TrimSuffix(web.Prefix, "/"), ""); g.status != 302 || g.first("Location") != web.Prefix {
		t.Errorf("without the slash: %d to %q", g.status, g.first("Location"))
	}
}
