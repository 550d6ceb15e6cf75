// Release makes the files of a release: the feidi command for each platform, the
// one for linux/amd64 with the system enclaves in it; MRENCLAVE, with what these
// measure; and SHA256SUMS. The same commit and Go release give the same bytes, in
// any folder (docs/release.md). It is run in a checkout:
//
//	go run ./internal/release -o DIR
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/images"
	"github.com/feidi-dev/feidi/gobuild"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/measure"
	"github.com/feidi-dev/feidi/sign"
)

// A release has the system enclaves in it, and those that the command uses besides.
var (
	enclaves = build.All
	others   = []build.Enclave{{Name: "vault", Package: "github.com/feidi-dev/feidi/internal/demo/vault"}}
)

// environment is what of the user's would get into the files, `go env -w` included.
// VCS stamping stays: the version is the commit's.
var environment = map[string]string{"GOENV": "off", "GOFLAGS": "", "GOWORK": "off", "GOAMD64": "v1", "GOARM64": "v8.0", "GOEXPERIMENT": "", "GOFIPS140": "off"}

// release says what to make.
type release struct {
	root      string // of the checkout
	out       string // folder for the files
	pkg       string // the command
	platforms []string
	cache     string
	log       io.Writer
}

func main() {
	r := release{log: os.Stderr}
	flag.StringVar(&r.out, "o", "", "write the files to this `folder`")
	flag.StringVar(&r.pkg, "pkg", "./cmd/feidi", "of this `package`")
	platforms := flag.String("platforms", "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64", "for these `platforms`")
	flag.Parse()
	r.platforms = strings.Split(*platforms, ",")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, r); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, r release) error {
	if r.out == "" {
		return errors.New("no folder for the files: give -o")
	}
	for name, value := range environment {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	gomod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return fmt.Errorf("go env: %w", err)
	}
	r.root = filepath.Dir(strings.TrimSpace(string(gomod)))
	if r.out, err = filepath.Abs(r.out); err != nil {
		return err
	}
	if r.cache, err = os.MkdirTemp("", "feidi-release-"); err != nil {
		return err
	}
	defer os.RemoveAll(r.cache)
	return r.make(ctx)
}

// make makes all files.
func (r *release) make(ctx context.Context) error {
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	overlay, measured, err := r.programs(ctx)
	if err != nil {
		return err
	}
	files := map[string][]byte{"MRENCLAVE": measured}
	for _, platform := range r.platforms {
		name, err := r.command(ctx, platform, overlay)
		if err != nil {
			return err
		}
		if files[name], err = os.ReadFile(filepath.Join(r.out, name)); err != nil {
			return err
		}
	}
	var sums bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(files[name]), name)
		fmt.Fprintf(r.log, "%s: %d bytes\n", name, len(files[name]))
	}
	return errors.Join(
		os.WriteFile(filepath.Join(r.out, "MRENCLAVE"), measured, 0o644),
		os.WriteFile(filepath.Join(r.out, "SHA256SUMS"), sums.Bytes(), 0o644))
}

// programs builds all enclaves. It returns an overlay for the go command that has
// their programs where package images embeds them, and a list of what the system
// enclaves measure.
func (r *release) programs(ctx context.Context) (overlay string, measured []byte, err error) {
	programs := map[string][]byte{}
	for _, e := range slices.Concat(enclaves, others) {
		fmt.Fprintf(r.log, "building %s\n", e.Package)
		b, err := images.Program(ctx, e, images.Options{Cache: r.cache, Log: r.log})
		if err != nil {
			return "", nil, err
		}
		programs[e.Name] = b
	}
	for _, e := range enclaves {
		hash, err := mrenclave(e, programs[e.Name])
		if err != nil {
			return "", nil, err
		}
		measured = fmt.Appendf(measured, "%x  %s\n", hash, e.Name)
	}
	files, err := images.Pack(programs)
	if err != nil {
		return "", nil, err
	}
	replace := map[string]string{}
	for name, b := range files {
		fmt.Fprintf(r.log, "%s: %d bytes\n", name, len(b))
		path := filepath.Join(r.cache, name)
		if err := os.WriteFile(path, b, 0o644); err != nil {
			return "", nil, err
		}
		replace[filepath.Join(r.root, "arch", "images", "programs", name)] = path
	}
	b, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		return "", nil, err
	}
	overlay = filepath.Join(r.cache, "overlay.json")
	return overlay, measured, os.WriteFile(overlay, b, 0o644)
}

// mrenclave measures a program as an enclave. Key and date do not matter.
func mrenclave(e build.Enclave, program []byte) (hash [32]byte, err error) {
	key, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		return hash, err
	}
	b, err := gobuild.Link(program, e.Options(key, time.Unix(0, 0)))
	if err != nil {
		return hash, err
	}
	img, err := image.Parse(b)
	if err != nil {
		return hash, err
	}
	return measure.Image(img), nil
}

// command builds the command for a platform, and returns the file's name.
func (r *release) command(ctx context.Context, platform, overlay string) (string, error) {
	goos, goarch, _ := strings.Cut(platform, "/")
	name := filepath.Base(r.pkg) + "-" + goos + "-" + goarch
	if goos == "windows" {
		name += ".exe"
	}
	fmt.Fprintf(r.log, "building %s\n", name)
	cmd := exec.CommandContext(ctx, "go", "build", "-C", r.root, "-trimpath", "-tags=feidi_release", "-overlay="+overlay,
		"-ldflags=-s -w", "-o", filepath.Join(r.out, name), r.pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
	cmd.Stdout, cmd.Stderr = r.log, r.log
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("go build for %s: %w", platform, err)
	}
	return name, nil
}
