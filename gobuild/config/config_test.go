package config_test

import (
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/gobuild/config"
)

func TestParse(t *testing.T) {
	heap, threads, prodID, svn, yes, key := config.Size(512<<20), 64, uint16(7), uint16(65535), true, "release.pem"
	for text, want := range map[string]config.Config{
		"": {},
		"heap = '512M'\nthreads = 64\nprod_id = 7\nsvn = 65535\ndebug = true\ngodebug = true\ntags = ['a', 'b']\nkey = 'release.pem'\n": {
			Heap: &heap, Threads: &threads, ProdID: &prodID, SVN: &svn, Debug: &yes, GoDebug: &yes, Tags: []string{"a", "b"}, Key: &key,
		},
		"heap = '512 MiB'\r\n":     {Heap: &heap},
		"heap = 536870912 # bytes": {Heap: &heap},
	} {
		c, err := config.Parse([]byte(text))
		if err != nil || !reflect.DeepEqual(*c, want) {
			t.Errorf("%q is %+v, %v", text, c, err)
		}
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		"# first\nheep = '1M'\n":          `2:1: there is no option "heep": they are debug, godebug, heap, `,
		"threads = 8\n[heap]\nsize = 1":   `2:2: `,
		"[go]\nheap = '1M'\n":             `"go"`,
		"svn = 65536\n":                   "1:7: no value of this option: write a number up to 65535",
		"\n\nsvn = 'x'\n":                 "3:7: ",
		"heap = 'much'\n":                 `1:8: `,
		"heap = '0'\n":                    `1:8: no value of this option: write a size like "512M"`,
		"heap = true\n":                   `1:1: "true" is no size`,
		"heAp = '1M'\n":                   `1:1: there is no option "heAp"`,
		"heap = 0\n":                      `1:1: a heap of 0 bytes`,
		"heap = -1\n":                     `1:`,
		"heap.x = 0\n":                    `1:`,
		"heap = 'a\n":                     "1:10: no TOML: ",
		"threads = 8\nthreads = 9\n":      "2:1: ",
		"tags = 'a'\n":                    `1:8: no value of this option: write a list like ["purego"]`,
		"x = " + strings.Repeat("[", 200): "too many brackets",
		strings.Repeat("#", 70000):        "more than 65536 bytes",
	} {
		c, err := config.Parse([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || !errors.Is(err, config.ErrInvalid) {
			t.Errorf("%.40q: %+v, %v, want %q", text, c, err, want)
		}
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]string{
		"1": "1", "1024": "1K", "64m": "64M", "64MiB": "64M", "64MB": "64M", "2G": "2G", "1T": "1024G", "1536M": "1536M", "8388608T": "8589934592G",
		"": "", "M": "", "-1": "", "1.5G": "", "16777217T": "", "1X": "",
	} {
		var s config.Size
		err := s.UnmarshalText([]byte(text))
		if want == "" && err == nil || want != "" && (err != nil || s.String() != want) {
			t.Errorf("%q is %v, %v", text, s, err)
		}
	}
}

// The example in the documentation is a valid file, and has every option.
func TestExample(t *testing.T) {
	b, err := os.ReadFile("../../docs/feidi.toml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	v := reflect.ValueOf(*c)
	for i := range v.NumField() {
		if v.Field(i).IsNil() {
			t.Errorf("it lacks %s", v.Type().Field(i).Tag.Get("toml"))
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("heap = '512M'\nthreads = 64\nprod_id = 7\nsvn = 1\ndebug = true\ntags = ['a', 'b']\nkey = 'release.pem'\n"))
	f.Add([]byte("heap = 0x10\n[x]\ny = {z = [1, 2]}"))
	f.Add([]byte("heap = 1979-05-27"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := config.Parse(b)
		if err != nil && (!errors.Is(err, config.ErrInvalid) || strings.ContainsAny(err.Error(), "\n\r")) {
			t.Errorf("%q", err)
		}
		if err == nil && c.Heap != nil && *c.Heap == 0 {
			t.Error("a heap of nothing")
		}
	})
}
