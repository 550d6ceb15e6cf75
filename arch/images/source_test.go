package images

import (
	"archive/zip"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/measure"
)

func TestRoot(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "arch", "images", "source.go")
	if _, ok := root(file); ok {
		t.Error("no go.mod")
	}
	for text, want := range map[string]bool{
		"module " + module + "\n\ngo 1.26\n": true, "module " + module + "\r\n": true,
		"module " + module + "/x\n": false, "module example.com/vendor\n": false,
	} {
		if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, ok := root(file); ok != want || ok && got != dir {
			t.Errorf("%q: %s, %v", text, got, ok)
		}
	}
	if got, ok := root(module + "/arch/images/source.go"); ok {
		t.Errorf("-trimpath's name is in %s", got)
	}
}

func TestPublished(t *testing.T) {
	mod := func(path, version string) *debug.Module { return &debug.Module{Path: path, Version: version} }
	fork := mod(module, "v1.0.0")
	fork.Replace = mod("example.com/fork", "v1.0.1")
	local := mod(module, "v1.0.0")
	local.Replace = mod("../feidi", "")
	for _, c := range []struct {
		name string
		info debug.BuildInfo
		want string
	}{
		{"go install", debug.BuildInfo{Main: *mod(module, "v1.2.3")}, module + "@v1.2.3"},
		{"a commit", debug.BuildInfo{Main: *mod(module, "v0.0.0-20260102030405-0123456789ab")}, module + "@v0.0.0-20260102030405-0123456789ab"},
		{"a changed checkout", debug.BuildInfo{Main: *mod(module, "v1.2.4-0.20260102030405-0123456789ab+dirty")}, ""},
		{"no version control", debug.BuildInfo{Main: *mod(module, "(devel)")}, ""},
		{"a dependency", debug.BuildInfo{Main: *mod("example.com/a", "v9.0.0"), Deps: []*debug.Module{mod("example.com/b", "v8.0.0"), mod(module, "v1.2.3")}}, module + "@v1.2.3"},
		{"a fork", debug.BuildInfo{Deps: []*debug.Module{fork}}, "example.com/fork@v1.0.1"},
		{"a folder", debug.BuildInfo{Deps: []*debug.Module{local}}, ""},
		{"another program", debug.BuildInfo{Main: *mod(module+"/x", "v1.0.0")}, ""},
		{"none", debug.BuildInfo{}, ""},
	} {
		got := ""
		if m := published(&c.info); m != nil {
			got = m.Path + "@" + m.Version
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

const testVersion = "v1.0.0-test"

// publish makes a folder that serves this module as a proxy would, and sets the
// environment so that the go command has nothing else.
func publish(t *testing.T) {
	t.Helper()
	proxy := t.TempDir()
	dir := filepath.Join(proxy, filepath.FromSlash(module), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, testVersion+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	tree := os.DirFS("../..")
	err = fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == ".":
			return nil
		case d.IsDir():
			if _, err := fs.Stat(tree, path+"/go.mod"); err == nil || strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
			return nil
		case !d.Type().IsRegular() || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/fuzz/"):
			return nil
		}
		b, err := fs.ReadFile(tree, path)
		if err != nil {
			return err
		}
		w, err := z.Create(module + "@" + testVersion + "/" + path)
		if err != nil {
			return err
		}
		_, err = w.Write(b)
		return err
	})
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		testVersion + ".mod": mod, testVersion + ".info": []byte(`{"Version":"` + testVersion + `"}`), "list": []byte(testVersion + "\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range map[string]string{
		"GOPROXY": "file://" + filepath.ToSlash(proxy), "GOSUMDB": "off", "GOMODCACHE": t.TempDir(), "GOWORK": "off",
		"GOFLAGS": "-modcacherw", // or else the test could not remove it
	} {
		t.Setenv(name, value)
	}
}

// A program that was installed from a proxy builds the enclaves that a checkout
// builds, wherever it is started, though -trimpath hid where its source is.
func TestInstalled(t *testing.T) {
	needsGo(t)
	img, err := Image(t.Context(), build.PCE, newKey(t), time.Time{}, Options{Cache: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%x  pce\n", measure.Image(img))
	publish(t)
	for name, flags := range map[string][]string{"install": nil, "install -trimpath": {"-trimpath"}} {
		bin := t.TempDir()
		t.Setenv("GOBIN", bin)
		args := append(append([]string{"install"}, flags...), module+"/arch/images/testdata/show@"+testVersion)
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", args, err, out)
		}
		cmd := exec.Command(filepath.Join(bin, "show"), t.TempDir(), "pce")
		cmd.Dir = t.TempDir()
		var stderr strings.Builder
		cmd.Stderr = &stderr
		if out, err := cmd.Output(); err != nil || string(out) != want {
			t.Errorf("%s: %q, %v, want %q\n%s", name, out, err, want, &stderr)
		}
	}
	// Another source of the same version is not taken for the one.
	sum := &debug.Module{Path: module, Version: testVersion, Sum: "h1:another"}
	if dir, err := download(t.Context(), "go", sum); err == nil || !strings.Contains(err.Error(), "h1:another when this program was built") {
		t.Errorf("another sum: %s, %v", dir, err)
	}
	sum.Version = "v9.9.9"
	if dir, err := download(t.Context(), "go", sum); err == nil || !strings.Contains(err.Error(), "@v9.9.9") || !strings.Contains(err.Error(), "releases") {
		t.Errorf("no such version: %s, %v", dir, err)
	}
}
