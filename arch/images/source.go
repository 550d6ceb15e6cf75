package images

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/feidi-dev/feidi/gobuild"
)

const module = "github.com/feidi-dev/feidi"

// source returns the folder of this module's source. It is the main module of what
// is built there even if it lies in the module cache: as somebody's dependency it
// would have other paths in it, and another MRENCLAVE.
func source(ctx context.Context, goCommand string) (string, error) {
	// The compiler has written down where it has read this file: in a checkout, a
	// folder that a replace directive names, or the module cache. With -trimpath
	// it has not.
	if _, file, _, ok := runtime.Caller(0); ok {
		if dir, ok := root(file); ok {
			return dir, nil
		}
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = new(debug.BuildInfo)
	}
	if m := published(info); m != nil {
		return download(ctx, goCommand, m)
	}
	return "", fmt.Errorf("%w, and this program does not know its version: use `go run ./cmd/feidi` in a checkout, or `go install %s/cmd/feidi@latest`; %s", ErrNoSource, module, orRelease)
}

// root returns the folder of the module that a file of this package belongs to, if
// it is there as a whole; a vendor folder has no commands of dependencies. What is
// there is signed as a system enclave, so it must not be anybody's: the path is that
// of another machine if the program was built there. Who works in the folder means it,
// whoever owns it, as in a container.
func root(file string) (string, bool) {
	if !filepath.IsAbs(file) {
		return "", false
	}
	dir := filepath.Dir(filepath.Dir(filepath.Dir(filepath.FromSlash(file))))
	b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	first, _, _ := bytes.Cut(b, []byte("\n"))
	return dir, err == nil && string(bytes.TrimSpace(first)) == "module "+module && (workingIn(dir) || ours(dir) && ours(filepath.Join(dir, "go.mod")))
}

// published returns this module as what a program was built with, or nil if that
// has no version that others can get.
func published(info *debug.BuildInfo) *debug.Module {
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m.Path != module {
			continue
		}
		if m.Replace != nil {
			m = m.Replace
		}
		if !strings.HasPrefix(m.Version, "v") || strings.HasSuffix(m.Version, "+dirty") {
			return nil
		}
		return m
	}
	return nil
}

// download has the go command put a version into the module cache, if it is not
// there, and returns its folder. The go command compares it with the public checksum
// database, as it did when it built this program.
func download(ctx context.Context, goCommand string, m *debug.Module) (string, error) {
	tmp, err := os.MkdirTemp("", "feidi-source-") // where no go.mod is
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	cmd := exec.CommandContext(ctx, goCommand, "mod", "download", "-json", m.Path+"@"+m.Version)
	var stderr strings.Builder
	cmd.Dir, cmd.Env, cmd.Stderr = tmp, append(gobuild.Environment(), "GOWORK=off"), &stderr
	out, err := cmd.Output()
	var got struct{ Dir, Sum, Error string }
	if jerr := json.Unmarshal(out, &got); jerr == nil && got.Error != "" {
		err = fmt.Errorf("%s", got.Error)
	} else if err == nil {
		err = jerr
	} else {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	switch {
	case err != nil:
		return "", fmt.Errorf("%w, and `go mod download %s@%s` does not get it: %w; %s", ErrNoSource, m.Path, m.Version, err, orRelease)
	case m.Sum != "" && m.Sum != got.Sum:
		return "", fmt.Errorf("%w: that of %s@%s was %s when this program was built, and is %s now", ErrNoSource, m.Path, m.Version, m.Sum, got.Sum)
	}
	return got.Dir, nil
}

// workingIn reports whether the working directory is a folder, or in it.
func workingIn(dir string) bool {
	wd, err := os.Getwd()
	return err == nil && strings.HasPrefix(wd+string(filepath.Separator), dir+string(filepath.Separator))
}
