package cli

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/feidi-dev/feidi/sign/config"
)

// badkey KIND FILE makes a key that cannot sign an enclave.
func badKey(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: badkey KIND FILE")
	}
	block := &pem.Block{Type: "PRIVATE KEY"}
	var key any
	var err error
	switch args[0] {
	case "short":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "exponent":
		key, err = rsa.GenerateKey(rand.Reader, 3072)
	case "ec":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		ts.Fatalf("unknown kind %q", args[0])
	}
	ts.Check(err)
	block.Bytes, err = x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), pem.EncodeToMemory(block), 0o600))
}

func privateKey(ts *testscript.TestScript, file string) *rsa.PrivateKey {
	block, _ := pem.Decode([]byte(ts.ReadFile(file)))
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	ts.Check(err)
	return key
}

// convert FORM KEY FILE writes a PKCS #1 key in another form, or what stands in
// for one that cannot be used.
func convertKey(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: convert FORM KEY FILE")
	}
	key := privateKey(ts, args[1])
	var block pem.Block
	var err error
	switch args[0] {
	case "pkcs8":
		block.Type = "PRIVATE KEY"
		block.Bytes, err = x509.MarshalPKCS8PrivateKey(key)
	case "pkix":
		block.Type = "PUBLIC KEY"
		block.Bytes, err = x509.MarshalPKIXPublicKey(&key.PublicKey)
	case "pkcs1-public":
		block.Type = "RSA PUBLIC KEY"
		block.Bytes = x509.MarshalPKCS1PublicKey(&key.PublicKey)
	// What is no key that can be used, of a key that can.
	case "encrypted":
		block.Type, block.Bytes = "ENCRYPTED PRIVATE KEY", []byte{0}
	case "encrypted-pkcs1":
		block.Type, block.Bytes = "RSA PRIVATE KEY", []byte{0}
		block.Headers = map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC,00000000000000000000000000000000"}
	case "damaged":
		block.Type, block.Bytes = "RSA PRIVATE KEY", []byte{0}
	default:
		ts.Fatalf("unknown form %q", args[0])
	}
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), pem.EncodeToMemory(&block), 0o600))
}

// rsasign KEY DATA FILE does what `openssl dgst -sha256 -sign` does.
func rsaSign(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: rsasign KEY DATA FILE")
	}
	digest := sha256.Sum256([]byte(ts.ReadFile(args[1])))
	sig, err := rsa.SignPKCS1v15(nil, privateKey(ts, args[0]), crypto.SHA256, digest[:])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), sig, 0o644))
}

// TestLargeEnclaveAsConfig takes the settings of an enclave that is larger than
// a configuration may be.
func TestLargeEnclaveAsConfig(t *testing.T) {
	dir := t.TempDir()
	if err := writeSamples(dir); err != nil {
		t.Fatal(err)
	}
	large, small := filepath.Join(dir, "large.so"), filepath.Join(dir, "small.so")
	args := []string{"sign", filepath.Join(dir, "unsigned.so"), "--key", filepath.Join(dir, "key.pem"), "-o", small}
	if code := Main(args, nil, io.Discard, io.Discard); code != exitOK {
		t.Fatalf("exit code %d", code)
	}
	b, err := os.ReadFile(small)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(large, append(b, make([]byte, config.MaxFile)...), 0o600); err != nil {
		t.Fatal(err)
	}
	want, err := readConfig(small)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := readConfig(large); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v: want %+v", got, err, want)
	}
}

// An interrupt while a file is written leaves the old one, and nothing else.
func TestWriteInterrupted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot interrupt itself")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "out")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := writeFile(file, 0o666, func(w io.Writer) error {
		self, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = self.Signal(os.Interrupt)
		}
		time.Sleep(100 * time.Millisecond) // until it is there
		return err
	})
	if !errors.Is(err, errInterrupted) {
		t.Errorf("error %v", err)
	}
	entries, _ := os.ReadDir(dir)
	if b, err := os.ReadFile(file); err != nil || string(b) != "old" || len(entries) != 1 {
		t.Errorf("%q, %v, %v: want the old file alone", b, err, entries)
	}
	if err := writeBytes(file, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v: want the permissions of the old file", info.Mode(), err)
	}
}

// A file that cannot be written whole leaves the old one, and nothing else.
func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "out")
	if err := writeBytes(file, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := writeBytes(filepath.Join(dir, "none", "out"), nil); err == nil {
		t.Error("written into a folder that is not there")
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := writeBytes(filepath.Join(dir, "folder"), nil); err == nil {
		t.Error("written over a folder")
	}
	if runtime.GOOS != "windows" {
		link := filepath.Join(dir, "link")
		if err := os.Symlink(file, link); err != nil {
			t.Fatal(err)
		}
		if err := writeBytes(link, []byte("new")); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(file); err != nil || !bytes.Equal(b, []byte("new")) {
			t.Errorf("through a link: %q, %v", b, err)
		}
		if err := os.Remove(link); err != nil {
			t.Fatal(err)
		}
		if err := writeBytes(os.DevNull, []byte("x")); err != nil {
			t.Error(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("%v, %v: want the file and the folder alone", entries, err)
	}
}
