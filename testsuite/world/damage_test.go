package world_test

import (
	"bytes"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A damaged file is reported by every verb that needs it, by its name and with
// what is wrong. Nothing is repaired, and no new world takes the place of the old.
func TestDamage(t *testing.T) {
	h := newWorld(t, "laptop")
	needEngine(t)
	h.run("machine", "new", "server", "--packages", "2")
	p := h.pcs() // the daemon that is running when it happens
	const identity = "/sgx/certification/v4/qe/identity"

	all := [][]string{
		{"world", "show"}, {"world", "root"}, {"machine", "new", "more"}, {"machine", "new", "--adopt", "laptop"}, {"machine", "list"},
		{"machine", "show", "laptop"}, {"machine", "recover", "laptop"}, {"machine", "register", "server"},
		{"machine", "register", "server", "--pcs", p.Address}, {"pcs", "serve", "--listen", "127.0.0.1:0"}, {"pcs", "revoke", "laptop"},
		{"aesmd", "--machine", "laptop", "--socket", h.socket("laptop")},
	}
	laptops := [][]string{
		{"world", "show"}, {"machine", "new", "laptop"}, {"machine", "new", "--adopt", "laptop"}, {"machine", "list"}, {"machine", "show", "laptop"},
		{"machine", "recover", "laptop"}, {"machine", "register", "laptop"}, {"pcs", "revoke", "laptop"},
		{"aesmd", "--machine", "laptop", "--socket", h.socket("laptop")},
	}
	// These build before they look, which takes long enough to do it but once.
	hello := filepath.Join("..", "..", "examples", "hello")
	runs := [][]string{{"run", "--machine", "laptop", hello}, {"run", "--attest", "--machine", "laptop", hello}}

	keys, factory, laptop := h.state("world", "keys.json"), h.state("world", "factory.json"), h.state("machines", "laptop.json")
	for _, c := range []struct {
		what   string
		file   string
		damage func([]byte) []byte // nil if the file is to be missing
		want   string
		verbs  [][]string
	}{
		{"truncated", keys, half, "is damaged: it ends too early", append(all, runs[1])},
		{"a digit of a key", keys, digitOf("root_key"), "is damaged: ", all},
		{"a digit of a hash", keys, digitOf("root_sha256"), "is damaged: ", all},
		{"empty", keys, nothing, "is damaged: it ends too early", all},
		{"missing", keys, nil, "is damaged: it is missing", all},
		{"not JSON", keys, garbage, "is damaged: invalid character", all},
		{"truncated", factory, half, "is damaged: it ends too early", all},
		{"a digit", factory, digitOf("root_provisioning_key"), "is damaged: its SHA-256 is not the one in it", all},
		{"missing", factory, nil, "is damaged: it is missing", all},
		{"something behind", factory, more, "is damaged: something follows its end", all},
		{"truncated", laptop, half, "is damaged: it ends too early", append(laptops, runs...)},
		{"a digit", laptop, digitOf("cpu_svn"), "is damaged: its SHA-256 is not the one in it", laptops},
		{"not JSON", laptop, garbage, "is damaged: invalid character", laptops},
		{"empty", laptop, nothing, "is damaged: it ends too early", laptops},
	} {
		t.Run(filepath.Base(c.file)+" "+c.what, func(t *testing.T) {
			h := &home{t, h.command, h.dir}
			whole := h.read(c.file)
			defer h.write(c.file, whole)
			if c.damage == nil {
				if err := os.Remove(c.file); err != nil {
					t.Fatal(err)
				}
			} else {
				h.write(c.file, c.damage(whole))
			}
			before := h.files("development-key.pem") // which run makes
			for _, verb := range c.verbs {
				h.refuses(3, c.file+" "+c.want, verb...)
			}
			h.refuses(1, "there is a world already", "world", "init")
			if c.damage == nil && c.file == factory {
				if status := get(t, p.Address+identity); status != http.StatusInternalServerError || !p.logs(c.file, c.want) {
					t.Errorf("the service that is running answers %d\n%s", status, p.log.String())
				}
			}
			if after := h.files("development-key.pem"); !maps.Equal(before, after) {
				t.Errorf("the files were %q, and are %q", slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after)))
			}
		})
	}
	if status := get(t, p.Address+identity); status != http.StatusOK {
		t.Errorf("the service answers %d when all is as it was", status)
	}
	h.run("machine", "recover", "laptop")
	h.run("machine", "register", "server", "--pcs", p.Address)

	// The way out is to say so.
	h.write(keys, nil)
	h.run("world", "reset", "--yes")
	h.refuses(3, "there is no world: run `feidi world init`", "world", "show")
	h.run("world", "init")
}

func half(b []byte) []byte    { return b[:len(b)/2] }
func nothing([]byte) []byte   { return nil }
func more(b []byte) []byte    { return append(bytes.Clone(b), "{}"...) }
func garbage(b []byte) []byte { return bytes.Repeat([]byte{0xA5}, len(b)) }

// digitOf changes a digit of a value, which stays well-formed.
func digitOf(name string) func([]byte) []byte {
	return func(b []byte) []byte {
		b = bytes.Clone(b)
		at := bytes.Index(b, []byte(name)) + len(name) + len(`": "`) + 4
		if b[at]++; b[at]-1 == '9' || b[at]-1 == 'f' || b[at]-1 == 'z' || b[at]-1 == 'Z' {
			b[at] -= 2
		}
		return b
	}
}

// get asks a service, and returns the status of its answer.
func get(t testing.TB, url string) int {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
	return resp.StatusCode
}

// files are the files of the state directory, with what is in them, but for those
// of these names. That of the lock has nothing.
func (h *home) files(but ...string) map[string]string {
	h.Helper()
	m := map[string]string{}
	err := filepath.WalkDir(h.state(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "lock" || slices.Contains(but, d.Name()) {
			return err
		}
		b, err := os.ReadFile(path)
		m[strings.TrimPrefix(path, h.state())] = string(b)
		return err
	})
	if err != nil {
		h.Fatal(err)
	}
	return m
}
