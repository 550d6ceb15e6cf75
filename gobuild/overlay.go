package gobuild

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed overlay/*.go overlay/*.s
var overlayFiles embed.FS

// overlay returns the files that replace those of GOROOT or join them: paths
// below GOROOT/src, and texts.
func overlay(goroot string) (map[string][]byte, error) {
	files := map[string][]byte{"runtime/zencl_abi.go": abiSource()}
	for _, e := range edits {
		if files[e.file] != nil {
			continue
		}
		b, err := os.ReadFile(filepath.Join(goroot, "src", filepath.FromSlash(e.file)))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrToolchain, err)
		}
		text, err := apply(e.file, string(b))
		if err != nil {
			return nil, err
		}
		files[e.file] = []byte(text)
	}
	entries, err := overlayFiles.ReadDir("overlay")
	if err != nil {
		return nil, err
	}
	for _, f := range entries {
		b, err := overlayFiles.ReadFile("overlay/" + f.Name())
		if err != nil {
			return nil, err
		}
		files["runtime/"+f.Name()] = b
	}
	return files, nil
}

// writeOverlay writes the files below dir, in a folder that is named by their
// contents, and returns the path of the list that `go build -overlay` reads.
func writeOverlay(dir, goroot string) (list string, err error) {
	files, err := overlay(goroot)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n", goroot)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(h, "%s %d\n%s", name, len(files[name]), files[name])
	}
	dir = filepath.Join(dir, "overlay-"+hex.EncodeToString(h.Sum(nil))[:16])
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	replace := map[string]string{}
	for name, b := range files {
		path := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		if err := ensureFile(path, b); err != nil {
			return "", err
		}
		replace[filepath.Join(goroot, "src", filepath.FromSlash(name))] = path
	}
	b, err := json.MarshalIndent(map[string]any{"Replace": replace}, "", "\t")
	if err != nil {
		return "", err
	}
	list = filepath.Join(dir, "overlay.json")
	return list, ensureFile(list, b)
}
