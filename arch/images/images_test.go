package images

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/gobuild"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/elf64"
	"github.com/feidi-dev/feidi/measure"
	"github.com/feidi-dev/feidi/sign"
)

// needsGo skips the test where there is no go command, or no time for it.
func needsGo(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds enclaves")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command")
	}
}

func newKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// An enclave is the same one whoever signs it and when, and what `feidi build` makes
// of the same package.
func TestImage(t *testing.T) {
	needsGo(t)
	ctx, o, keys := t.Context(), Options{Cache: t.TempDir()}, []*rsa.PrivateKey{newKey(t), newKey(t)}
	tc, err := gobuild.FindToolchain(ctx, o.Cache)
	if err != nil {
		t.Fatal(err)
	}
	b, err := tc.Build(ctx, "../..", build.PCE.Package, nil, build.PCE.Options(keys[0], time.Unix(0, 0)), nil)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := image.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range keys {
		date := time.Date(2026, 1, 1+i, 0, 0, 0, 0, time.UTC)
		img, err := Image(ctx, build.PCE, key, date, o)
		if err != nil {
			t.Fatal(err)
		}
		s := img.SigStruct
		if measure.Image(img) != measure.Image(plain) || s.EnclaveHash != measure.Image(img) {
			t.Errorf("key %d: MRENCLAVE %x, signed %x, want %x", i, measure.Image(img), s.EnclaveHash, measure.Image(plain))
		}
		if s.ISVSVN != build.PCE.SVN || s.Date != sign.Date(date) || s.Attributes.Flags&build.PCE.Attributes != build.PCE.Attributes {
			t.Errorf("key %d: SIGSTRUCT %+v", i, s)
		}
		if err := sign.Verify(s); err != nil || sign.MRSigner(s) == sign.MRSigner(plain.SigStruct) != (i == 0) {
			t.Errorf("key %d: MRSIGNER %x, %v", i, sign.MRSigner(s), err)
		}
	}
}

// What is cleared is a third of the file, and none of it is loaded.
func TestClearUnloaded(t *testing.T) {
	needsGo(t)
	ctx, cache := t.Context(), t.TempDir()
	tc, err := gobuild.FindToolchain(ctx, cache)
	if err != nil {
		t.Fatal(err)
	}
	before, err := tc.Compile(ctx, "../..", build.PCE.Package, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	after, err := Program(ctx, build.PCE, Options{Cache: cache})
	if err != nil || len(after) != len(before) {
		t.Fatal(err)
	}
	f, err := elf64.Parse(before)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range f.Segments {
		if end := s.Offset + s.FileSize; !bytes.Equal(before[s.Offset:end], after[s.Offset:end]) {
			t.Errorf("the segment at %#x has changed", s.Offset)
		}
	}
	if !bytes.Contains(after, []byte(".debug_info\x00")) || bytes.Count(after, []byte{0})-bytes.Count(before, []byte{0}) < len(before)/5 {
		t.Error("little was cleared, or names of sections were")
	}
	if err := gobuild.Scan(after); err != nil {
		t.Error(err)
	}
	if err := clearUnloaded([]byte("no program")); err == nil {
		t.Error("no program was cleared")
	}
}

func TestNoToolchain(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Image(t.Context(), build.QE, nil, time.Time{}, Options{Cache: t.TempDir()})
	if !errors.Is(err, gobuild.ErrToolchain) || !strings.Contains(err.Error(), "install go1.26") || !strings.Contains(err.Error(), "release") {
		t.Errorf("no go command: %v", err)
	}
}

func TestErrors(t *testing.T) {
	if _, err := Program(t.Context(), build.QE, Options{}); err == nil || !strings.Contains(err.Error(), "cache") {
		t.Errorf("no cache: %v", err)
	}
	needsGo(t)
	o := Options{Cache: t.TempDir()}
	if _, err := Program(t.Context(), build.Enclave{Name: "x", Package: module + "/arch/nowhere"}, o); !errors.Is(err, gobuild.ErrCompile) || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("no such package: %v", err)
	}
	if _, err := Image(t.Context(), build.PCE, nil, time.Time{}, o); err == nil || !strings.Contains(err.Error(), "no key") {
		t.Errorf("no key: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Program(ctx, build.PCE, o); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestProgress(t *testing.T) {
	var quick, slow bytes.Buffer
	p := newProgress(&quick, time.Hour, "building")
	p.Write([]byte("go: downloading\n"))
	p.stop()
	p.Write([]byte("too late"))
	if quick.String() != "go: downloading\n" {
		t.Errorf("%q", &quick)
	}
	p = newProgress(&slow, 0, "building")
	for text := ""; text != "building\n"; {
		time.Sleep(time.Millisecond)
		p.mu.Lock()
		text = slow.String()
		p.mu.Unlock()
	}
	p.stop()
	if n, err := newProgress(nil, time.Hour, "").Write([]byte("abc")); n != 3 || err != nil {
		t.Error(n, err)
	}
}

// BenchmarkImage is how long an enclave takes of which all is in the caches.
func BenchmarkImage(b *testing.B) {
	needsGo(b)
	key, o := newKey(b), Options{Cache: b.TempDir()}
	for b.Loop() {
		if _, err := Image(b.Context(), build.QE, key, time.Time{}, o); err != nil {
			b.Fatal(err)
		}
	}
}
