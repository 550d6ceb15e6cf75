// Package tools is not to be imported: the module has the tools that packages are
// made with, and this test of what they make.
package tools

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb"
	_ "github.com/goreleaser/nfpm/v2/rpm"
	"gopkg.in/yaml.v3"
)

const deploy = "../deploy"

// stage makes the folder that deploy/build.sh makes, with a command that is none.
func stage(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"feidi", "man/feidi.1.gz", "man/feidi-pccs-serve.1.gz", "completion/feidi.bash", "completion/feidi.fish", "completion/_feidi", "LICENSE"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(name+"\n"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(dir, "deploy"), os.DirFS(deploy)); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	t.Setenv("ARCH", "amd64")
	t.Setenv("VERSION", "1.2.3")
	t.Setenv("SOURCE_DATE_EPOCH", "1790000000")
}

// files are those that matter, with their modes, in packages of both kinds.
var files = map[string]string{
	"/usr/bin/feidi": "-rwxr-xr-x", "/etc/feidi/pccs.toml": "-rw-r-----",
	"/usr/lib/systemd/system/feidi-pccs.service": "-rw-r--r--", "/usr/lib/systemd/system/feidi-pccs.socket": "-rw-r--r--",
	"/usr/lib/sysusers.d/feidi-pccs.conf": "-rw-r--r--", "/usr/share/man/man1/feidi-pccs-serve.1.gz": "-rw-r--r--",
	"/usr/share/bash-completion/completions/feidi": "-rw-r--r--",
}

func TestPackages(t *testing.T) {
	stage(t)
	for _, c := range []struct {
		packager, name string
		list           []string
	}{
		{"deb", "feidi_1.2.3_amd64.deb", []string{"dpkg-deb", "-c"}},
		{"rpm", "feidi-1.2.3-1.x86_64.rpm", []string{"rpm", "-qlvp"}},
	} {
		made := pack(t, c.packager)
		if again := pack(t, c.packager); !bytes.Equal(made, again) {
			t.Errorf("%s: not the same bytes again", c.packager)
		}
		if err := os.WriteFile(c.name, made, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := exec.LookPath(c.list[0]); err != nil {
			t.Logf("no %s here to look into the package", c.list[0])
			continue
		}
		out, err := exec.Command(c.list[0], append(c.list[1:], c.name)...).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", c.list, err, out)
		}
		for path, mode := range files {
			if !slices.ContainsFunc(strings.Split(string(out), "\n"), func(line string) bool {
				return strings.HasPrefix(line, mode) && strings.HasSuffix(strings.Replace(line, " ./", " /", 1), " "+path)
			}) {
				t.Errorf("%s: no %s %s in\n%s", c.packager, mode, path, out)
			}
		}
		if strings.Contains(string(out), "drw-r") {
			t.Errorf("%s: a folder that nobody can enter:\n%s", c.packager, out)
		}
	}
}

// pack makes a package as deploy/build.sh does.
func pack(t *testing.T, packager string) []byte {
	t.Helper()
	c, err := nfpm.ParseFileWithEnvMapping("deploy/nfpm.yaml", os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	info, err := c.Get(packager)
	if err != nil {
		t.Fatal(err)
	}
	info = nfpm.WithDefaults(info)
	if err := nfpm.Validate(info); err != nil {
		t.Fatal(err)
	}
	p, err := nfpm.Get(packager)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := p.Package(info, &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What the unit starts, and with which settings, is packaged.
func TestUnitIsPackaged(t *testing.T) {
	unit, err := os.ReadFile(filepath.Join(deploy, "feidi-pccs.service"))
	if err != nil {
		t.Fatal(err)
	}
	_, command, _ := strings.Cut(string(unit), "\nExecStart=")
	command, _, _ = strings.Cut(command, "\n")
	n := 0
	for _, word := range strings.Fields(command) {
		if !strings.HasPrefix(word, "/") {
			continue
		}
		n++
		if files[word] == "" {
			t.Errorf("%s is not in the packages", word)
		}
	}
	if n != 2 {
		t.Errorf("ExecStart is %q", command)
	}
}

// Every manifest is YAML, of documents that say what they are, and no key is
// there twice.
func TestYAML(t *testing.T) {
	var paths []string
	for _, pattern := range []string{"*.yaml", "kubernetes/*.yaml"} {
		m, err := filepath.Glob(filepath.Join(deploy, pattern))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, m...)
	}
	if len(paths) < 8 {
		t.Fatalf("only %v", paths)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for d := yaml.NewDecoder(bytes.NewReader(b)); ; {
			var doc struct {
				APIVersion string         `yaml:"apiVersion"`
				Kind       string         `yaml:"kind"`
				Rest       map[string]any `yaml:",inline"`
			}
			if err := d.Decode(&doc); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%s: %v", path, err)
				break
			}
			if filepath.Base(path) != "nfpm.yaml" && (doc.APIVersion == "" || doc.Kind == "") {
				t.Errorf("%s: a document of no kind", path)
			}
		}
	}
}
