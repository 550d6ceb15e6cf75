package pcs

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/testsuite/vectors"
)

// testBundle is a bundle with something in every place.
func testBundle(t *testing.T) *Bundle {
	cert, crl := newPKI(t)
	two := append(bytes.Clone(cert), cert...)
	sign := func(s string) []byte {
		return []byte(strings.Replace(s, `"signature":"00"`, `"signature":"`+strings.Repeat("0a", 64)+`"`, 1))
	}
	return &Bundle{
		Collateral: dcap.Collateral{
			PCKChain: two, RootCRL: crl, PCKCRL: crl, PCKCRLChain: two,
			TCBInfo: sign(tcbInfo("SGX", "00906ED50000", nextTime)), TCBInfoChain: cert,
			QEIdentity: sign(identity("QE", nextTime)), QEIdentityChain: two,
		},
		Root: cert, At: testTime,
	}
}

func TestBundleRoundTrip(t *testing.T) {
	full := testBundle(t)
	bare := *full
	bare.Root, bare.At, bare.PCKChain, bare.PCKCRLChain = nil, time.Time{}, nil, nil
	for name, b := range map[string]*Bundle{"full": full, "bare": &bare} {
		for _, file := range []string{"folder", "file.json"} {
			path := filepath.Join(t.TempDir(), file)
			for range 2 { // the second replaces the first
				if err := SaveBundle(path, b); err != nil {
					t.Fatal(err)
				}
				got, err := LoadBundle(path)
				if err != nil {
					t.Fatal(err)
				}
				if len(got.Root) == 0 {
					got.Root = nil
				}
				if !reflect.DeepEqual(got, b) {
					t.Errorf("%s %s: got %+v", name, file, got)
				}
			}
			left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
			if len(left) != 1 {
				t.Errorf("left behind: %q", left)
			}
		}
	}
}

func TestSaveBundleRefuses(t *testing.T) {
	b := testBundle(t)
	dir := t.TempDir()
	note := filepath.Join(dir, "quote.bin")
	if err := os.WriteFile(note, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := SaveBundle(dir, b); !errors.Is(err, os.ErrExist) || !strings.Contains(err.Error(), "quote.bin") {
		t.Errorf("a folder with other files: %v", err)
	}
	t.Chdir(t.TempDir())
	if err := SaveBundle(".", b); !errors.Is(err, os.ErrExist) {
		t.Errorf("the current folder: %v", err)
	}
	if err := os.Mkdir("real", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", "link"); err == nil {
		if err := SaveBundle("link", b); err != nil {
			t.Error(err)
		}
		if got, err := LoadBundle("real"); err != nil || !reflect.DeepEqual(got, b) {
			t.Errorf("through a link: %v", err)
		}
	}
	if err := SaveBundle(note, b); err == nil {
		t.Error("a file is taken for a folder")
	}
	b.TCBInfo = nil
	for _, path := range []string{"new", "new.json"} {
		if err := SaveBundle(filepath.Join(dir, path), b); err == nil {
			t.Error("a bundle without TCB info is saved")
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestLoadBundleBad(t *testing.T) {
	b := testBundle(t)
	for name, c := range map[string]struct {
		file, content, want string
	}{
		"missing":      {"tcbinfo.json", "-", "tcbinfo.json missing"},
		"chain":        {"qeid_chain.pem", "x", "certificate 1 is not PEM"},
		"root":         {"root.pem", "", "empty"},
		"time":         {"verify_at.txt", "yesterday", "no time such as"},
		"large":        {"qeid.json", strings.Repeat(" ", dcap.MaxJSONSize+1), "more than"},
		"a long chain": {"tcb_chain.pem", strings.Repeat(" ", dcap.MaxChainSize+1), "more than"},
	} {
		dir := filepath.Join(t.TempDir(), "b")
		if err := SaveBundle(dir, b); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, c.file)
		err := os.WriteFile(path, []byte(c.content), 0o644)
		if c.content == "-" {
			err = os.Remove(path)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := LoadBundle(dir); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.file) {
			t.Errorf("%s: %v", name, err)
		}
	}
	good, err := appendBundle(nil, b)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"no JSON":  "x",
		"no texts": strings.Replace(string(good), `"verify_at":"`, `"verify_at":7,"x":"`, 1),
		"time":     strings.Replace(string(good), `"verify_at":"2026`, `"verify_at":"x`, 1),
		"chain":    strings.Replace(string(good), "-----BEGIN", "-----Begin", 1),
	} {
		path := filepath.Join(t.TempDir(), "b.json")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadBundle(path); err == nil || !strings.Contains(err.Error(), "b.json") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := LoadBundle(filepath.Join(t.TempDir(), "nowhere")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// TestVectors loads real collateral as it lies, also with CRLs in hexadecimal.
func TestVectors(t *testing.T) {
	for _, set := range vectors.All(t) {
		dir := set.Dir
		b, err := LoadBundle(dir)
		if err != nil {
			t.Errorf("%s: %v", dir, err)
			continue
		}
		read := func(name string) []byte {
			content, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			return content
		}
		for name, got := range map[string][]byte{
			"tcbinfo.json": b.TCBInfo, "qeid.json": b.QEIdentity, "pckcrl.der": b.PCKCRL, "rootcrl.der": b.RootCRL,
			"tcb_chain.pem": b.TCBInfoChain, "qeid_chain.pem": b.QEIdentityChain, "pckcrl_chain.pem": b.PCKCRLChain, "root.pem": b.Root,
		} {
			want := read(name)
			if strings.HasSuffix(name, ".pem") {
				want, got = bytes.TrimSpace(want), bytes.TrimSpace(got)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s: %s differs", dir, name)
			}
		}
		if b.At.Format(time.RFC3339) != strings.TrimSpace(string(read("verify_at.txt"))) {
			t.Errorf("%s: at %v", dir, b.At)
		}
		for _, name := range []string{"pckcrl", "rootcrl"} {
			der, err := decodeCRL(read(name + ".hex"))
			if err != nil || !bytes.Equal(der, read(name+".der")) {
				t.Errorf("%s: %s.hex: %v", dir, name, err)
			}
			if _, next, err := readCRL(der); err != nil || next.IsZero() {
				t.Errorf("%s: %s: %v", dir, name, err)
			}
		}
		// What is looked at in replies is there in real documents.
		info, err := dcap.ParseTCBInfo(b.TCBInfo)
		if err != nil {
			t.Errorf("%s: %v", dir, err)
			continue
		}
		tee := map[string]dcap.TEEType{"SGX": dcap.TEESGX, "TDX": dcap.TEETDX}[info.ID]
		if _, next, err := readTCBInfo(tee, info.FMSPC)(b.TCBInfo); err != nil || !next.Equal(info.NextUpdate) {
			t.Errorf("%s: %v, %v", dir, next, err)
		}
		id, err := dcap.ParseEnclaveIdentity(b.QEIdentity)
		if err != nil {
			t.Errorf("%s: %v", dir, err)
			continue
		}
		if _, next, err := readIdentity(id.ID)(b.QEIdentity); err != nil || !next.Equal(id.NextUpdate) {
			t.Errorf("%s: %v, %v", dir, next, err)
		}
		quote, err := dcap.ParseQuote(read("quote.bin"))
		if err != nil {
			t.Errorf("%s: %v", dir, err)
			continue
		}
		r, err := RequestFor(quote)
		if err != nil {
			t.Errorf("%s: %v", dir, err)
		} else if r.TEE != tee || r.PCK == nil && (r.FMSPC != info.FMSPC || r.CA == "") {
			t.Errorf("%s: request %+v for FMSPC %x", dir, r, info.FMSPC)
		}
		path := filepath.Join(t.TempDir(), "b.json")
		if err := SaveBundle(path, b); err != nil {
			t.Errorf("%s: %v", dir, err)
			continue
		}
		again, err := LoadBundle(path)
		// JSON keeps what the signatures cover, and no white space around it.
		b.TCBInfo = dcap.AppendSignedTCBInfo(nil, info.Body, info.Signature)
		b.QEIdentity = dcap.AppendSignedIdentity(nil, id.Body, id.Signature)
		if err != nil || !reflect.DeepEqual(again, b) {
			t.Errorf("%s: does not come back from JSON: %v", dir, err)
		}
	}
}

// A folder that has CRLs in hexadecimal only, as a PCCS serves them.
func TestLoadBundleHex(t *testing.T) {
	b := testBundle(t)
	dir := filepath.Join(t.TempDir(), "b")
	if err := SaveBundle(dir, b); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pckcrl", "rootcrl"} {
		if err := os.Remove(filepath.Join(dir, name+".der")); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".hex"), []byte(strings.ToUpper(hex.EncodeToString(b.RootCRL))+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := LoadBundle(dir)
	if err != nil || !reflect.DeepEqual(got, b) {
		t.Errorf("%v: %+v", err, got)
	}
	if err := os.WriteFile(filepath.Join(dir, "pckcrl.hex"), []byte("zz"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadBundle(dir); err == nil || !strings.Contains(err.Error(), "pckcrl.hex") {
		t.Error(err)
	}
}
