package launch

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/feidi-dev/feidi/arch/le/whitelist"
)

// read returns what is in the file; nil if there is none.
func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("launch: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, whitelist.MaxSize+1)) // one more cannot be a list
	if err != nil {
		return nil, fmt.Errorf("launch: %w", err)
	}
	return b, nil
}

// write writes the file whole or not at all, and returns when it is on the disk.
// Several processes may do so at the same time.
func write(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*") // mode 0600
	if err != nil {
		return err
	}
	temp := f.Name()
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		_ = os.Remove(temp) // what is left of it does no harm
		return err
	}
	if runtime.GOOS == "windows" {
		return nil // has names on the disk when it renames
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
