package crosscheck

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// testPrograms has clients of AESM that others wrote get quotes. The environment
// variable FEIDI_AESM_CLIENT names them: a program, or several with colons between.
// Each is some lines around such a client, with this command line:
//
//	PROGRAM target SOCKET           writes the quoting enclave's target info, 512
//	                                bytes, to its output
//	PROGRAM quote SOCKET            reads a REPORT of 432 bytes from its input, and
//	                                writes the quote to its output
//
// It exits with 0, or says why not on its error output. The quote may have zeros
// behind it, as those have that Intel's libraries return.
func (d *daemons) testPrograms(t *testing.T, app application) {
	programs := filepath.SplitList(os.Getenv("FEIDI_AESM_CLIENT"))
	if len(programs) == 0 {
		t.Skip("FEIDI_AESM_CLIENT names no program")
	}
	for i, program := range programs {
		t.Run(filepath.Base(program), func(t *testing.T) {
			run := func(verb string, input []byte) []byte {
				cmd := exec.CommandContext(t.Context(), program, verb, d.socket)
				var stderr bytes.Buffer
				cmd.Stdin, cmd.Stderr = bytes.NewReader(input), &stderr
				out, err := cmd.Output()
				if err != nil {
					t.Fatalf("%s: %v: %s", verb, err, oneLine(stderr.String()))
				}
				return out
			}
			target := run("target", nil)
			if len(target) != aesmTargetSize {
				t.Fatalf("a target of %d bytes", len(target))
			}
			data := [64]byte{0: byte(i), 1: 0xC1}
			d.verify(t, run("quote", app.report(t, target, data)), app, data)
		})
	}
}
