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
		if e.IsDir() {
			continue
		}
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

// TestRunCorpus starts them: the processor must measure what was signed.
func TestRunCorpus(t *testing.T) {
	if len(engines()) == 0 {
		t.Skip("no engine on this platform")
	}
	for _, args := range enclaveFiles(t) {
		t.Run(filepath.Base(args[0]), func(t *testing.T) {
			var out, errs bytes.Buffer
			code := Main(append([]string{"run", "--json"}, args...), strings.NewReader(""), &out, &errs)
			var r ran
			if err := json.Unmarshal(out.Bytes(), &r); err != nil {
				t.Fatal(err)
			}
			if r.Mode == "simulation" {
				if code != exitNo || r.Initialized {
					t.Errorf("a simulation build: exit code %d, initialised %v", code, r.Initialized)
				}
				return
			}
			if code != exitOK || !r.Initialized || r.InitStatus != "SGX_SUCCESS" {
				t.Fatalf("exit code %d, %s: %s", code, r.InitStatus, &errs)
			}
			t.Logf("%d pages in %.1f ms, %s", r.Pages, r.LoadMS, showCounts(r.Leaves))
		})
	}
}

// TestCallPCE asks Intel's provisioning certification enclave for its
// version: ECALL 2, get_pc_info_without_ppid, fills in two 16-bit numbers.
func TestCallPCE(t *testing.T) {
	if len(engines()) == 0 {
		t.Skip("no engine on this platform")
	}
	const name, svn = "libsgx_pce.signed.so.1.25.100.1", "10000000" // ISVSVN 16, PCE id 0
	for _, args := range enclaveFiles(t) {
		if !strings.HasSuffix(args[0], name) {
			continue
		}
		var out, errs bytes.Buffer
		if code := Main([]string{"call", "--json", args[0], "2", "--in", "0000000000000000 {4}"}, strings.NewReader(""), &out, &errs); code != exitOK {
			t.Fatalf("exit code %d: %s", code, &errs)
		}
		var r called
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if len(r.Buffers) != 1 || r.Buffers[0] != svn || !strings.HasPrefix(r.Block, "00000000") {
			t.Errorf("block %s, buffers %v: want %s", r.Block, r.Buffers, svn)
		}
		return
	}
	t.Skip("no " + name + " in FEIDI_ENCLAVES")
}
