package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// enclaveFiles are the arguments for each enclave in the folder that
// FEIDI_ENCLAVES names. A stream's SIGSTRUCT lies beside it, in a file that
// ends in .sig.
func enclaveFiles(t *testing.T) [][]string {
	dir := os.Getenv("FEIDI_ENCLAVES")
	if dir == "" {
		t.Skip("FEIDI_ENCLAVES names no folder with enclave files")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var files [][]string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if stem, ok := strings.CutSuffix(path, ".sgxs"); ok {
			if _, err := os.Stat(stem + ".sig"); err == nil {
				files = append(files, []string{path, "--sigstruct", stem + ".sig"})
				continue
			}
		}
		if !strings.HasSuffix(path, ".sig") {
			files = append(files, []string{path})
		}
	}
	return files
}

// TestInspectCorpus inspects enclaves that others built and signed: what they
// claim must be what is computed.
func TestInspectCorpus(t *testing.T) {
	for _, args := range enclaveFiles(t) {
		t.Run(filepath.Base(args[0]), func(t *testing.T) {
			var out, errs bytes.Buffer
			code := Main(append([]string{"inspect", "--json"}, args...), strings.NewReader(""), &out, &errs)
			if code != exitOK {
				t.Fatalf("exit code %d: %s", code, &errs)
			}
			var r inspected
			if err := json.Unmarshal(out.Bytes(), &r); err != nil {
				t.Fatal(err)
			}
			t.Logf("%s %s SDK %q, MRENCLAVE %s, %d pages", r.Format, r.Mode, r.SDKVersion, r.MREnclave, r.Pages)
			if r.Mode == "hardware" && (r.MREnclaveClaimed == nil || r.MREnclave != *r.MREnclaveClaimed || !*r.SignatureValid) {
				t.Errorf("claimed %s, signature error %q", or(r.MREnclaveClaimed), r.SignatureError)
			}
		})
	}
}
