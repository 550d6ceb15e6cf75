package enclave_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/image"
)

// corpus returns the enclave files that FEIDI_ENCLAVES points to.
func corpus(t *testing.T) []string {
	t.Helper()
	dir := os.Getenv("FEIDI_ENCLAVES")
	if dir == "" {
		t.Skip("FEIDI_ENCLAVES does not name a folder of third-party enclaves")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".sgxs") || strings.Contains(e.Name(), ".signed.so") {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return files
}

// open parses an enclave file, with the SIGSTRUCT that lies beside an SGXS
// stream.
func open(t *testing.T, file string) *image.Image {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var opts []image.Option
	if base, ok := strings.CutSuffix(file, ".sgxs"); ok {
		if sig, err := os.ReadFile(base + ".sig"); err == nil {
			opts = append(opts, image.WithSigStruct(sig))
		}
	}
	img, err := image.Parse(b, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestCorpus(t *testing.T) {
	for _, file := range corpus(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			img := open(t, file)
			m := powerOn(t, enclave.MachineConfig{})
			e, err := m.Load(context.Background(), img)
			switch {
			case errors.Is(err, enclave.ErrSimulation) && img.Mode == image.ModeSimulation:
				t.Skip(err)
			case errors.Is(err, enclave.ErrUnsigned) && img.SigStruct == nil:
				t.Skip(err)
			case err != nil:
				t.Fatal(err)
			}
			if got := e.SECS().MREnclave; got != img.SigStruct.EnclaveHash {
				t.Errorf("MRENCLAVE %x, signed %x", got, img.SigStruct.EnclaveHash)
			}
			t.Logf("%s %d pages, SDK %q, version %x", img.Mode, len(img.Runs), img.SDK, img.Version)
			if err := e.Destroy(); err != nil {
				t.Error(err)
			}
		})
	}
}
