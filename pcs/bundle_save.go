package pcs

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/internal/atomicfile"
)

// SaveBundle writes a bundle that LoadBundle reads: one file if path ends in
// ".json", else a folder. It is written whole or not at all. A folder that is
// there is replaced if it is empty or a bundle; the error is one of
// os.ErrExist if there is anything else in it.
func SaveBundle(path string, b *Bundle) error {
	if strings.HasSuffix(path, ".json") {
		text, err := appendBundle(nil, b)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return atomicfile.Write(path, text, 0o644)
	}
	path = filepath.Clean(path)
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // what a link points to is replaced, not the link
	}
	old, err := isBundle(path)
	if err != nil {
		return err
	}
	temp := path + "." + rand.Text()[:8] + ".tmp"
	if err := os.Mkdir(temp, 0o755); err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	if err := fillFolder(temp, b); err != nil {
		return err
	}
	if !old {
		return os.Rename(temp, path)
	}
	// No rename replaces a folder that has files. Between these two nothing
	// is there; whoever reads then sees no bundle, but never half of one.
	aside := temp + ".old"
	if err := os.Rename(path, aside); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return errors.Join(err, os.Rename(aside, path))
	}
	return os.RemoveAll(aside)
}

// isBundle reports whether a folder is there. It may be replaced if nothing
// else is in it than what a bundle has.
func isBundle(path string) (bool, error) {
	files, err := os.ReadDir(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if here, err := os.Stat("."); err == nil {
		if info, err := os.Stat(path); err == nil && os.SameFile(here, info) {
			return false, fmt.Errorf("%s is where you are, which cannot be replaced: %w; name a new folder", path, os.ErrExist)
		}
	}
	own := map[string]bool{bundleTime: true, "pckcrl.hex": true, "rootcrl.hex": true}
	for _, f := range bundleFiles {
		own[f.name] = true
	}
	for _, f := range files {
		if !own[f.Name()] || !f.Type().IsRegular() {
			return false, fmt.Errorf("%s has other files, such as %s: %w; name a new folder, or a file that ends in .json", path, f.Name(), os.ErrExist)
		}
	}
	return true, nil
}

func fillFolder(dir string, b *Bundle) error {
	for _, f := range bundleFiles {
		content := *f.part(b)
		if len(content) == 0 {
			if f.optional {
				continue
			}
			return fmt.Errorf("the bundle has no %s", f.name)
		}
		if err := os.WriteFile(filepath.Join(dir, f.name), content, 0o644); err != nil {
			return err
		}
	}
	if b.At.IsZero() {
		return nil
	}
	return os.WriteFile(filepath.Join(dir, bundleTime), []byte(b.At.UTC().Format(time.RFC3339)+"\n"), 0o644)
}
