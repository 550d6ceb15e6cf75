package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/pccs/config"
)

// TestPCCSGuide compares what the guide to the PCCS lists with what there is.
func TestPCCSGuide(t *testing.T) {
	read := func(path ...string) string {
		b, err := os.ReadFile(filepath.Join(append([]string{"..", ".."}, path...)...))
		if err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(string(b), "\r\n", "\n")
	}
	guide := read("docs", "pccs.md")
	all := func(pattern, text string) (list []string) {
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			list = append(list, m[1])
		}
		slices.Sort(list)
		return slices.Compact(list)
	}

	_, table, _ := strings.Cut(guide, "| `Error-Code` |")
	table, _, _ = strings.Cut(table, "\n\n")
	told := all("(?m)^\\| `(\\w+)` \\|", table)
	if reasons := all(`Reason = "(\w+)"`, read("pccs", "errors.go")); len(reasons) < 20 || !slices.Equal(told, reasons) {
		t.Errorf("reasons in the guide\n%q\nand in package pccs\n%q", told, reasons)
	}

	var verbs []string
	for _, c := range (&app{}).pccs().Commands() {
		verbs = append(verbs, c.Name())
		if !strings.Contains(guide, "`feidi pccs "+c.Name()) {
			t.Errorf("the guide does not name pccs %s", c.Name())
		}
	}
	for _, v := range all(`feidi pccs (\w+)`, guide) {
		if !slices.Contains(verbs, v) {
			t.Errorf("there is no verb pccs %s", v)
		}
	}

	for _, key := range all("`((?:tls|database|upstream|tokens|freshness|limits|log)\\.\\w+)`", guide) {
		if !slices.Contains(config.Keys(), key) {
			t.Errorf("there is no setting %s", key)
		}
	}
	blocks := all("(?s)```toml\n(.*?)```", guide)
	for _, b := range blocks {
		if _, err := config.Parse("pccs.toml", []byte(strings.ReplaceAll(b, "…", strings.Repeat("0", 128)))); err != nil {
			t.Errorf("%v in\n%s", err, b)
		}
	}
	if len(blocks) < 3 {
		t.Errorf("only %d settings files", len(blocks))
	}

	server := read("pccs", "server", "metrics.go") + read("pccs", "server", "gauges.go")
	metrics := all(`(feidi_pccs_\w+)`, guide)
	for _, m := range metrics {
		if !strings.Contains(server, `"`+m+`"`) {
			t.Errorf("there is no metric %s", m)
		}
	}
	if len(metrics) < 3 {
		t.Errorf("only the metrics %q", metrics)
	}
}
