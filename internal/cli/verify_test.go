package cli

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/testsuite/vectors"
)

// TestVerifyVectors verifies each set of real quotes from its folder as it is,
// and compares each of the four steps with the verdict of Intel's library.
func TestVerifyVectors(t *testing.T) {
	accepted := 0
	for _, set := range vectors.All(t) {
		t.Run(set.Name, func(t *testing.T) {
			args := []string{
				"verify", filepath.Join(set.Dir, "quote.bin"), "--collateral", set.Dir, "--root", filepath.Join(set.Dir, "root.pem"),
				"--at", set.At.Format(time.RFC3339), "--json", "--explain",
			}
			var out, errs bytes.Buffer
			code := Main(args, strings.NewReader(""), &out, &errs)
			if set.Want.PCKChain == "STATUS_TRUSTED_ROOT_CA_INVALID" {
				// The set's root.pem is no root. Intel's library, and
				// package verify, say so of each quote; the command says
				// that the flag is wrong, which is no verdict.
				if code != exitUnsure || !strings.Contains(errs.String(), "is no root: it is issued by \"Intel SGX Root CA\"") {
					t.Errorf("exit code %d\n%s%s", code, &out, &errs)
				}
				return
			}
			var got judged
			if err := json.Unmarshal(out.Bytes(), &got); err != nil {
				t.Fatalf("exit code %d: %v\n%s%s", code, err, &out, &errs)
			}
			s, w := &got.Steps, set.Want
			if found := (vectors.Verdicts{PCKChain: s.PCKChain.Status.String(), TCBInfo: s.TCBInfo.Status.String(), QEIdentity: s.QEIdentity.Status.String(), Quote: s.Quote.Status.String()}); found != w {
				t.Errorf("%+v, want %+v", found, w)
			}
			const good = "STATUS_OK"
			ok := w == vectors.Verdicts{PCKChain: good, TCBInfo: good, QEIdentity: good, Quote: good} && !strings.Contains(set.Name, "debug")
			if got.Accepted != ok || (code == exitOK) != ok || code > exitNo {
				t.Errorf("accepted %v, exit code %d: %s", got.Accepted, code, got.Reason)
			}
			if ok {
				accepted++
			}
			if got.Explanation == "" {
				t.Error("no explanation")
			}
		})
	}
	if accepted < 3 {
		t.Errorf("only %d are accepted", accepted)
	}
}

// TestVerifyVectorsUnasked: without flags neither the root nor the time of a
// folder is obeyed, and what would help is said.
func TestVerifyVectorsUnasked(t *testing.T) {
	for prefix, synthetic := range map[string]bool{"02-tdx": false, "16-sgx": true} {
		dir := vectors.Named(t, prefix).Dir
		var out, errs bytes.Buffer
		args := []string{"verify", filepath.Join(dir, "quote.bin"), "--collateral", dir}
		if synthetic {
			args = append(args, "--at", "2020-01-01")
		}
		code := Main(args, strings.NewReader(""), &out, &errs)
		want := "--at 2025-07-01T00:00:00Z does so"
		if synthetic {
			want = "It is trusted only if --root names it"
		}
		if code != exitNo || !strings.Contains(out.String(), want) {
			t.Errorf("%s: exit code %d\n%s", dir, code, &out)
		}
	}
}

// TestVerifyOthersCollateral: collateral of another platform does not make a
// quote false, and the command says what would help.
func TestVerifyOthersCollateral(t *testing.T) {
	quote := filepath.Join(vectors.Named(t, "02-tdx").Dir, "quote.bin")
	for prefix, at := range map[string]string{"05-tdx": "2026-02-25", "01-sgx": "2025-07-01"} {
		code, out, _ := feidi("verify", quote, "--collateral", vectors.Named(t, prefix).Dir, "--at", at)
		if code != exitNo || !strings.HasPrefix(out, "Rejected: could not be authenticated with this collateral: ") ||
			!strings.Contains(out, "\nHint: the collateral may be of another platform. `feidi collateral save "+quote+" -o PLACE`") || strings.Contains(out, "not authentic") {
			t.Errorf("%s: exit code %d\n%s", prefix, code, out)
		}
	}
}

// TestVerifyParts: a part of collateral is known for what it is.
func TestVerifyParts(t *testing.T) {
	dir := vectors.Named(t, "02-tdx").Dir
	for file, want := range map[string]string{
		"tcbinfo.json": "this is TCB info, which is one part of collateral: name the folder", "qeid.json": "this is an enclave identity",
		"quote.bin": "this is no collateral", "pckcrl.der": "this is no collateral", "root.pem": "this is no collateral",
	} {
		code, _, errs := feidi("verify", filepath.Join(dir, "quote.bin"), "--collateral", filepath.Join(dir, file))
		if code != exitUnsure || !strings.Contains(errs, want) {
			t.Errorf("%s: exit code %d: %s", file, code, errs)
		}
	}
}

// TestVerifyRoots: what --root takes, and what not.
func TestVerifyRoots(t *testing.T) {
	sample := filepath.Join("..", "..", filepath.FromSlash(sampleSet))
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(sample, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	root, quote := read("root.pem"), read("quote.bin")
	block, _ := pem.Decode(root)
	chain := quote[bytes.Index(quote, []byte("-----BEGIN")):]
	second := bytes.Index(chain[1:], []byte("-----BEGIN")) + 1
	for name, c := range map[string]struct {
		file []byte
		want string // empty: accepted
	}{
		"PEM": {root, ""}, "DER": {block.Bytes, ""}, "twice": {append(bytes.Clone(root), root...), ""}, "CR LF": {bytes.ReplaceAll(root, []byte("\n"), []byte("\r\n")), ""},
		"a quote":         {quote, "something else in it than certificates"},
		"text before":     {append([]byte("Root:\n"), root...), "something else in it than certificates"},
		"text after":      {append(bytes.Clone(root), "x"...), "something else in it than certificates"},
		"a broken one":    {append([]byte("-----BEGIN CERTIFICATE-----\nx\n"), root...), "something else in it than certificates"},
		"cut off":         {root[:len(root)/2], "something else in it than certificates"},
		"a key":           {bytes.ReplaceAll(root, []byte("CERTIFICATE"), []byte("PUBLIC KEY")), "no root certificate in PEM or DER"},
		"nothing":         {nil, "no root certificate in PEM or DER"},
		"a PCK":           {chain[:second], "\"Intel SGX PCK Certificate\" is no root: it is issued by"},
		"a root and that": {append(bytes.Clone(root), chain[:second]...), "\"Intel SGX PCK Certificate\" is no root: it is issued by"},
	} {
		file := filepath.Join(t.TempDir(), "root")
		if err := os.WriteFile(file, c.file, 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, errs := feidi("verify", filepath.Join(sample, "quote.bin"), "--collateral", filepath.Join(sample, "collateral.json"), "--at", "2026-06-02", "--root", file)
		if c.want == "" && code != exitOK || c.want != "" && (code != exitUnsure || !strings.Contains(errs, "--root "+file+": ") || !strings.Contains(errs, c.want)) {
			t.Errorf("%s: exit code %d\n%s%s", name, code, out, errs)
		}
	}
}

// TestShowVectors shows real quotes.
func TestShowVectors(t *testing.T) {
	for _, set := range vectors.All(t) {
		dir := set.Name
		var out, errs bytes.Buffer
		if code := Main([]string{"quote", "show", filepath.Join(set.Dir, "quote.bin"), "--json"}, strings.NewReader(""), &out, &errs); code != exitOK {
			t.Errorf("%s: exit code %d: %s", dir, code, &errs)
			continue
		}
		var q shownQuote
		if err := json.Unmarshal(out.Bytes(), &q); err != nil {
			t.Fatal(err)
		}
		// The folder's name has the FMSPC, which the certificate must say.
		certs := q.Certification.Certificates
		if q.Certification.Type == 5 && (len(certs) != 3 || !strings.Contains(dir, certs[0].SGX.FMSPC)) {
			t.Errorf("%s: %+v", dir, q.Certification)
		}
		if strings.Contains(dir, "-tdx-") == (q.TD == nil) || strings.Contains(dir, "-sgx-") == (q.Enclave == nil) || q.Verified {
			t.Errorf("%s: TD %v, enclave %v", dir, q.TD, q.Enclave)
		}
	}
}

// TestVerifyGuide: the guide quotes what the command says of the sample.
func TestVerifyGuide(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "verify.md"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join("..", "..", filepath.FromSlash(sampleSet)))
	ran, said := 0, ""
	for line := range strings.Lines(strings.ReplaceAll(string(guide), "\r\n", "\n")) {
		args, ok := strings.CutPrefix(line, "feidi verify ")
		if !ok || !strings.Contains(args, "--root") {
			continue
		}
		var out, errs bytes.Buffer
		code := Main(append([]string{"verify"}, words(args)...), strings.NewReader(""), &out, &errs)
		if want := strings.Contains(args, "outdated"); (code == exitNo) != want || code > exitNo {
			t.Errorf("feidi verify %s: exit code %d: %s", args, code, &errs)
		}
		ran, said = ran+1, out.String()
	}
	block := strings.Split(string(guide), "```\nThe TCB info calls its TCB OutOfDate")
	if ran != 2 || len(block) != 2 {
		t.Fatalf("%d commands, and %d pieces", ran, len(block))
	}
	quoted, _, _ := strings.Cut("The TCB info calls its TCB OutOfDate"+block[1], "\n```")
	for line := range strings.SplitSeq(quoted, "\n") {
		if line != "  ..." && !strings.Contains(said, "  "+line+"\n") {
			t.Errorf("it does not say %q", line)
		}
	}
}
