package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
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

// TestTypedCallCorpus calls enclaves of others by name: with the interface of
// their EDL files, as far as it is called here.
func TestTypedCallCorpus(t *testing.T) {
	if len(engines()) == 0 {
		t.Skip("no engine on this platform")
	}
	// gap stands for n functions that are not called.
	unused := 0
	gap := func(n int) (s string) {
		for range n {
			unused++
			s += fmt.Sprintf("public void unused%d(void); ", unused)
		}
		return s
	}
	for _, c := range []struct {
		file, trusted, untrusted string
		args                     []string
		want                     string // of standard output
	}{
		{
			"libsgx_pce.signed.so.1.25.100.1",
			gap(2) + "public uint32_t get_pc_info_without_ppid([out] pce_info_t *pce_info);", "",
			[]string{"get_pc_info_without_ppid()", "--type", "pce_info_t=struct { uint16_t isv_svn; uint16_t pce_id; }"},
			"get_pc_info_without_ppid() = 0\n  pce_info = {isv_svn: 16, pce_id: 0}\n",
		}, {
			"SGX_PBC_test__enclave.signed.so",
			"public void printf_helloworld(void);", "void ocall_print_string([in, string] const char *str);",
			[]string{"printf_helloworld()"},
			"Hello World\nprintf_helloworld(): done\n",
		}, {
			"test_hash_SGX__enclave.signed.so", // hashes eight bytes, and passes the hash to an OCALL
			"public int ecall_test([in, size=n] const char *message, size_t n);", "void ocall_print([in] int *hash);",
			[]string{`ecall_test("attested")`},
			"ecall_test(\"attested\") = 31337 (0x7a69)\n",
		}, {
			"MEE_Overhead_SGX__enclave.signed.so",
			gap(13) + "public void ecall_pointer_out([out] int *val); " + gap(1) + "public void ecall_pointer_string([in, out, string] char *str); " +
				gap(8) + "public void ecall_array_in_out([in, out] int arr[4]);", "",
			[]string{"ecall_pointer_out()", `ecall_pointer_string("abc")`, "ecall_array_in_out([0, 1, 2, 3])"},
			"ecall_pointer_out(): done\n  val = 1234 (0x4d2)\necall_pointer_string(\"abc\"): done\n  str = \"098\"\n" +
				"ecall_array_in_out([0, 1, 2, 3]): done\n  arr = [3, 2, 1, 0]\n",
		},
	} {
		t.Run(c.file, func(t *testing.T) {
			for _, args := range enclaveFiles(t) {
				if !strings.HasSuffix(args[0], c.file) {
					continue
				}
				file := filepath.Join(t.TempDir(), "enclave.edl")
				text := "enclave { trusted { " + c.trusted + " }; untrusted { " + c.untrusted + " }; };"
				if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				var out, errs bytes.Buffer
				code := Main(append([]string{"call", args[0], "--edl", file}, c.args...), strings.NewReader(""), &out, &errs)
				if code != exitOK || out.String() != c.want {
					t.Errorf("exit code %d\n%s%s\nwant\n%s", code, &out, &errs, c.want)
				}
				return
			}
			t.Skip("no " + c.file + " in FEIDI_ENCLAVES")
		})
	}
}
