package inside

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/enclave/process"
	"github.com/feidi-dev/feidi/gobuild"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/seal"
)

// opener is who may open what an agent with SVN 5 has sealed.
type opener struct {
	name           string
	on             *enclave.Machine
	img            *image.Image
	signers, selfs bool // by the policy of the signer, and of the enclave
}

func openers(t testing.TB) (m *enclave.Machine, img *image.Image, all []opener) {
	fuses := cpu.Fuses{RootSealKey: [16]byte{7}}
	m = powerOn(t, cpu.Config{Fuses: fuses})
	made := func(change func(*gobuild.Options)) *image.Image {
		return build(t, "agent", func(o *gobuild.Options) {
			o.ISVSVN, o.Debug = 5, true
			change(o)
		})
	}
	img = made(func(*gobuild.Options) {})
	return m, img, []opener{
		{"the next run", m, img, true, true},
		{"after power off", powerOn(t, cpu.Config{Fuses: fuses}), img, true, true},
		{"a newer SVN", m, made(func(o *gobuild.Options) { o.ISVSVN = 6 }), true, true},
		{"an older SVN", m, made(func(o *gobuild.Options) { o.ISVSVN = 4 }), false, false},
		{"another heap", m, made(func(o *gobuild.Options) { o.Heap += 1 << 20 }), true, false},
		{"another signer", m, made(func(o *gobuild.Options) { o.Key = keys()[1] }), false, true},
		{"another product", m, made(func(o *gobuild.Options) { o.ISVProdID = 9 }), false, false},
		{"another machine", powerOn(t, cpu.Config{}), img, false, false},
	}
}

var policies = map[string][]byte{"signer": {byte(isa.PolicyMRSigner)}, "enclave": {byte(isa.PolicyMREnclave)}}

func (o *opener) may(policy string) bool {
	return policy == "signer" && o.signers || policy == "enclave" && o.selfs
}

func TestSeal(t *testing.T) {
	m, img, all := openers(t)
	plaintext, additional := bytes.Repeat([]byte("secret "), 1000), []byte("what everybody may read")
	g := start(t, m, img, process.Config{})
	blobs := map[string][]byte{}
	for name, p := range policies {
		blob := g.must(t, "seal", p, plaintext, additional)[0]
		blobs[name] = blob
		// It is Intel's sgx_sealed_data_t, of the enclave's key request.
		s, err := seal.Parse(blob)
		if err != nil {
			t.Fatal(err)
		}
		q := s.Request()
		if q.KeyPolicy != isa.KeyPolicy(p[0]) || q.KeyName != isa.KeySeal || q.ISVSVN != 5 || s.PlaintextLen() != len(plaintext) || s.AdditionalLen() != len(additional) {
			t.Errorf("%s: request %+v, %d and %d bytes", name, q, s.PlaintextLen(), s.AdditionalLen())
		}
		if len(blob) != seal.Size(len(additional), len(plaintext)) || bytes.Contains(blob, []byte("secret")) || !bytes.Contains(blob, additional) {
			t.Errorf("%s: a blob of %d bytes", name, len(blob))
		}
		if bytes.Equal(blob, g.must(t, "seal", p, plaintext, additional)[0]) {
			t.Errorf("%s: two blobs of the same are the same", name)
		}
		// Who has the key by EGETKEY opens it with package seal.
		request, err := q.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		key := g.must(t, "getkey", request)[0]
		if got, more, err := s.Open([isa.KeySize]byte(key)); err != nil || !bytes.Equal(got, plaintext) || !bytes.Equal(more, additional) {
			t.Errorf("%s: opened with the key: %d and %d bytes, %v", name, len(got), len(more), err)
		}
		for _, at := range []int{len(blob) - 1, len(blob) / 2, len(blob) - len(additional) - 1} {
			forged := bytes.Clone(blob)
			forged[at] ^= 1
			if _, err := g.ask("unseal", forged); err == nil {
				t.Errorf("%s: a blob with another byte %d opens", name, at)
			}
		}
		g.refused(t, "", "unseal", blob[:len(blob)-1])
	}
	for _, o := range all {
		g := start(t, o.on, o.img, process.Config{})
		for name, blob := range blobs {
			got, err := g.ask("unseal", blob)
			switch {
			case o.may(name) && (err != nil || !bytes.Equal(got[0], plaintext) || !bytes.Equal(got[1], additional)):
				t.Errorf("%s, sealed for the %s: %v", o.name, name, err)
			case !o.may(name) && err == nil:
				t.Errorf("%s, sealed for the %s: it opens", o.name, name)
			}
		}
	}
	// Nothing, and nothing with a word beside it.
	for _, additional := range [][]byte{nil, []byte("x")} {
		blob := g.must(t, "seal", policies["signer"], []byte("y"), additional)[0]
		if got := g.must(t, "unseal", blob); string(got[0]) != "y" || !bytes.Equal(got[1], additional) {
			t.Errorf("%q and %q", got[0], got[1])
		}
	}
}

func TestSealedDirectory(t *testing.T) {
	m, img, all := openers(t)
	content := bytes.Repeat([]byte("the content of a file. "), 10000)
	for name, p := range policies {
		dir := filepath.Join(t.TempDir(), "sealed")
		g := start(t, m, img, process.Config{})
		g.must(t, "write", p, []byte(dir), []byte("name"), content)
		for _, o := range all {
			g := start(t, o.on, o.img, process.Config{})
			got, err := g.ask("read", p, []byte(dir), []byte("name"))
			switch {
			case o.may(name) && (err != nil || !bytes.Equal(got[0], content)):
				t.Errorf("%s, for the %s: %v", o.name, name, err)
			case !o.may(name) && err == nil:
				t.Errorf("%s, for the %s: it opens", o.name, name)
			}
		}
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("files %q, %v", files, err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(b, []byte("the content")) || bytes.Contains([]byte(filepath.Base(f)), []byte("name")) {
				t.Errorf("%s shows what is in it", f)
			}
		}
		// By another policy than it was made with, it does not open.
		other := policies["signer"]
		if name == "signer" {
			other = policies["enclave"]
		}
		g.refused(t, "policy", "read", other, []byte(dir), []byte("name"))
		// A changed byte in any file is noticed.
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if len(b) == 0 {
				continue
			}
			b[len(b)/2] ^= 1
			if err := os.WriteFile(f, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := g.ask("read", p, []byte(dir), []byte("name")); err == nil {
				t.Errorf("a changed %s is not noticed", filepath.Base(f))
			}
			b[len(b)/2] ^= 1
			if err := os.WriteFile(f, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := g.must(t, "read", p, []byte(dir), []byte("name")); !bytes.Equal(got[0], content) {
			t.Error("the file is not what it was")
		}
	}
}
