package sdk_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/feidi-dev/feidi/sign/sdk"
)

// TestConfiguration takes from a signed file the configuration that it was
// signed with.
func TestConfiguration(t *testing.T) {
	file := unsigned(t)
	if _, err := sdk.Configuration(file); !errors.Is(err, sdk.ErrObject) {
		t.Errorf("of an enclave that was never signed: %v", err)
	}
	for name, change := range configurations {
		c := with(change)
		got, err := sdk.Configuration(signedFile(t, file, c))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !reflect.DeepEqual(*got, c) {
			t.Errorf("%s: %+v, want %+v", name, *got, c)
		}
	}
	for _, release := range [][2]uint64{{1488, 0}, {1632, 0}, {1648, 0}, {1656, 13}, {1680, 15}, {1688, 17}, {1720, 19}, {1760, 24}, {1768, 25}} {
		o := edit(t, unsigned(t))
		o.release(release[0], 2, release[1], 100)
		c := with(configurations["threads"])
		got, err := sdk.Configuration(signedFile(t, o.Bytes, c))
		if err != nil {
			t.Errorf("%d bytes: %v", release[0], err)
		} else if !reflect.DeepEqual(*got, c) {
			t.Errorf("%d bytes: %+v, want %+v", release[0], *got, c)
		}
	}
}

// TestConfigurationCorpus signs enclaves of others again without being told
// their configurations.
func TestConfigurationCorpus(t *testing.T) {
	dir := os.Getenv("FEIDI_ENCLAVES")
	files, err := filepath.Glob(filepath.Join(dir, "*.so*"))
	if dir == "" || err != nil || len(files) == 0 {
		t.Skip("FEIDI_ENCLAVES names no folder with enclave files")
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			file, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			c, err := sdk.Configuration(file)
			if err != nil {
				t.Fatal(err)
			}
			resign(t, file, c)
		})
	}
}
