package serve

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// write makes a certificate of a name with a key of its own, and writes what it is
// told to of both.
func write(t *testing.T, dir, name string, withCert, withKey bool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(30 * 24 * time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []struct {
		name  string
		block pem.Block
		wrong bool
	}{{"cert.pem", pem.Block{Type: "CERTIFICATE", Bytes: cert}, !withCert}, {"key.pem", pem.Block{Type: "PRIVATE KEY", Bytes: der}, !withKey}} {
		if f.wrong {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, f.name), pem.EncodeToMemory(&f.block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// log is a log that may be read meanwhile.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), what)
}

func pair(t *testing.T, dir, name string) (*Certificate, *log) {
	t.Helper()
	write(t, dir, name, true, true)
	l := &log{}
	c, err := LoadCertificate(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), slog.New(slog.NewTextHandler(l, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return c, l
}

// served is the name in the certificate that a client is shown.
func served(t *testing.T, address string) string {
	t.Helper()
	c := tls.Client(dial(t, address), &tls.Config{InsecureSkipVerify: true})
	defer c.Close()
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName
}

func TestReload(t *testing.T) {
	dir := t.TempDir()
	cert, log := pair(t, dir, "first")
	at, stop, ended := start(t, &Server{Handler: hello, TLS: cert.Config()}, 1)
	check := func(step, want string, err error, fails bool) {
		t.Helper()
		if (err != nil) != fails {
			t.Errorf("%s: %v", step, err)
		}
		if got := served(t, at[0]); got != want {
			t.Errorf("%s: %s is served, want %s", step, got, want)
		}
	}
	check("at first", "first", nil, false)
	write(t, dir, "second", true, true)
	check("before it is told", "first", nil, false)
	check("a new pair", "second", cert.Reload(), false)
	write(t, dir, "third", true, false) // without its key
	check("no pair", "second", cert.Reload(), true)
	if err := os.WriteFile(filepath.Join(dir, "cert.pem"), make([]byte, MaxPEM+1), 0o600); err != nil {
		t.Fatal(err)
	}
	check("a giant", "second", cert.Reload(), true)
	if err := os.Remove(filepath.Join(dir, "cert.pem")); err != nil {
		t.Fatal(err)
	}
	check("no file", "second", cert.Reload(), true)
	if n := log.count("the one before stays"); n != 3 {
		t.Errorf("the log has %d failures, want 3", n)
	}
	write(t, dir, "fourth", true, true)
	check("a pair again", "fourth", cert.Reload(), false)
	if got := cert.Leaf().Subject.CommonName; got != "fourth" {
		t.Errorf("the leaf is %s", got)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Changes are found without being told, and a pair that is not one yet is told of
// once, not at each look.
func TestWatch(t *testing.T) {
	dir := t.TempDir()
	cert, log := pair(t, dir, "first")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		cert.Watch(ctx, time.Millisecond)
		close(ended)
	}()
	until := func(what string, is func() bool) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal(what)
			}
		}
	}
	write(t, dir, "second", true, false)
	until("a pair that is none is not told of", func() bool { return log.count("level=ERROR") > 0 })
	time.Sleep(20 * time.Millisecond)
	if n := log.count("level=ERROR"); n != 1 {
		t.Errorf("it is told of %d times", n)
	}
	write(t, dir, "third", true, true)
	until("a new pair is not found", func() bool { return cert.Leaf().Subject.CommonName == "third" })
	before := log.count("level=ERROR") // it may have seen half of the pair
	if err := os.Remove(filepath.Join(dir, "key.pem")); err != nil {
		t.Fatal(err)
	}
	until("a file that is missing is not told of", func() bool { return log.count("level=ERROR") > before })
	time.Sleep(20 * time.Millisecond)
	if n := log.count("level=ERROR"); n != before+1 {
		t.Errorf("it is told of %d times", n-before)
	}
	cancel()
	<-ended
}

func TestLoadFails(t *testing.T) {
	dir := t.TempDir()
	_, err := LoadCertificate(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), nil)
	if err == nil || !strings.Contains(err.Error(), "cert.pem") {
		t.Errorf("without files: %v", err)
	}
}

func TestConcern(t *testing.T) {
	cert, l := pair(t, t.TempDir(), "a")
	day := 24 * time.Hour
	for after, want := range map[time.Duration]string{
		-day: "not valid before", 0: "", 22 * day: "", 24 * day: "expires at", 31 * day: "clients refuse it",
	} {
		err := cert.Concern(time.Now().Add(after))
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("after %v: %v, want %q", after, err, want)
		}
	}
	if n := l.count("TLS certificate"); n != 0 {
		t.Errorf("a good certificate is spoken of %d times", n)
	}
	for range 2 {
		cert.warn(time.Now().Add(31 * day))
	}
	if n := l.count("expired at"); n != 1 {
		t.Errorf("%d warnings in a day", n)
	}
}
