package cli

import (
	"bytes"
	"encoding/json"
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
	block := strings.Split(string(guide), "```\nIntel calls its TCB OutOfDate")
	if ran != 2 || len(block) != 2 {
		t.Fatalf("%d commands, and %d pieces", ran, len(block))
	}
	quoted, _, _ := strings.Cut("Intel calls its TCB OutOfDate"+block[1], "\n```")
	for line := range strings.SplitSeq(quoted, "\n") {
		if line != "  ..." && !strings.Contains(said, "  "+line+"\n") {
			t.Errorf("it does not say %q", line)
		}
	}
}
