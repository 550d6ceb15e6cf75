package measure_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/measure"
	"github.com/feidi-dev/feidi/sign"
)

// TestCorpus measures every file of the folder FEIDI_ENCLAVES and compares
// the result with what its signer computed.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("FEIDI_ENCLAVES")
	if dir == "" {
		t.Skip("FEIDI_ENCLAVES names no folder of enclave files")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FILE\tFORMAT\tMODE\tSDK\tMETADATA\tPAGES\tTCS\tMRENCLAVE\tMATCH\tSIGNATURE")
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || strings.HasSuffix(name, ".sig") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		var opts []image.Option
		if sig, err := os.ReadFile(filepath.Join(dir, strings.TrimSuffix(name, filepath.Ext(name))+".sig")); err == nil {
			opts = append(opts, image.WithSigStruct(sig))
		}
		t.Run(name, func(t *testing.T) {
			m, err := image.Parse(b, opts...)
			if err != nil {
				t.Fatal(err)
			}
			got := measure.Image(m)
			var pages uint64
			for _, r := range m.Runs {
				pages += r.Pages
			}
			if pages < 4096 { // the stream holds every page
				if want := viaSGXS(m); got != want {
					t.Errorf("MRENCLAVE %x, through SGXS %x", got, want)
				}
			}
			match, signature := "-", "none"
			if s := m.SigStruct; s != nil {
				match, signature = "yes", "ok"
				if got != s.EnclaveHash {
					match = "NO"
					t.Errorf("MRENCLAVE %x, signed %x", got, s.EnclaveHash)
				}
				if err := sign.Verify(s); err != nil {
					signature = err.Error()
					t.Error(err)
				}
				for _, v := range m.Versions { // the other blocks describe the same enclave
					other, err := image.Parse(onlyVersion(b, v), opts...)
					if err != nil {
						t.Error(err)
					} else if h := measure.Image(other); other.Version != v || h != s.EnclaveHash {
						t.Errorf("metadata %#x: MRENCLAVE %x with version %#x, signed %x", v, h, other.Version, s.EnclaveHash)
					}
				}
			} else if m.Format == image.FormatIntel {
				t.Error("SDK image without SIGSTRUCT")
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%x…\t%s\t%s\n", name, m.Format, m.Mode, m.SDK, versions(m), pages, len(m.Threads), got[:4], match, signature)
		})
	}
	w.Flush()
	t.Logf("\n%s", table.String())
}

// onlyVersion returns the file with every metadata block of another version
// than v made one that nobody knows.
func onlyVersion(file []byte, v uint64) []byte {
	out := bytes.Clone(file)
	magic := binary.LittleEndian.AppendUint64(nil, image.MetadataMagic)
	for at := 0; ; at++ {
		i := bytes.Index(out[at:], magic)
		if i < 0 || at+i+16 > len(out) {
			return out
		}
		at += i
		if version := out[at+8 : at+16]; binary.LittleEndian.Uint64(version) != v {
			version[4] = 99 // the major version
		}
	}
}

func versions(m *image.Image) string {
	var out []string
	for _, v := range m.Versions {
		s := fmt.Sprintf("%d.%d", v>>32, uint32(v))
		if v == m.Version {
			s = "[" + s + "]"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

// viaSGXS measures by another path: an SGXS stream without its unmeasured
// chunks is what the processor hashes.
func viaSGXS(m *image.Image) [32]byte {
	const unmeasured = 0x44525341454D4E55
	h := sha256.New()
	for b := image.AppendSGXS(nil, m); len(b) > 0; {
		tag, n := binary.LittleEndian.Uint64(b), 64
		if tag == unmeasured || tag == binary.LittleEndian.Uint64([]byte("EEXTEND\x00")) {
			n += 256
		}
		if tag != unmeasured {
			h.Write(b[:n])
		}
		b = b[n:]
	}
	return [32]byte(h.Sum(nil))
}
