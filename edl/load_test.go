package edl_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/edl"
)

// open returns a function that opens files of a map.
func open(files map[string]string) func(string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		s, ok := files[path]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return []byte(s), nil
	}
}

func names(fs []*edl.Func) string {
	var list []string
	for _, f := range fs {
		list = append(list, f.Name)
	}
	return strings.Join(list, " ")
}

func load(t *testing.T, path string, o edl.Options) *edl.Interface {
	t.Helper()
	i, _, err := edl.Load(path, o)
	var ds edl.Diagnostics
	if errors.As(err, &ds) {
		t.Fatalf("\n%s", ds.Text())
	} else if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestLoad(t *testing.T) {
	i := load(t, "a.edl", edl.Options{Open: open(map[string]string{"a.edl": `
enclave {
	include "x.h"
	enum color { red, green = 4, blue = green };
	struct point { uint32_t x; unsigned long long y[2][3]; [size=x, count=4] char *buf; };
	union u { int a; double b; };
	trusted {
		include "t.h"
		public int f([in, size=n] const void *p, size_t n, [user_check] struct point *q);
	};
};`})})
	_ = i
}
