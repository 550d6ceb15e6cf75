package atomicfile

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// childFile names the file that the process writes which is killed.
const childFile = "FEIDI_TEST_ATOMICFILE"

func TestMain(m *testing.M) {
	if path := os.Getenv(childFile); path != "" {
		fmt.Println("writing")
		for i := byte(0); ; i++ {
			if err := Write(path, content(i), 0o600); err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
		}
	}
	os.Exit(m.Run())
}

// content is large enough that writing it takes several steps of the system.
func content(i byte) []byte { return bytes.Repeat([]byte{i}, 1<<20) }

// A file is one of those that were written, whenever its writer is killed.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := Write(path, content(0), 0o600); err != nil {
		t.Fatal(err)
	}
	var changed, left int
	last := byte(0)
	for range 30 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childFile+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		first := make([]byte, len("writing\n"))
		if _, err := out.Read(first); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.Int64N(int64(20 * time.Millisecond))))
		_ = cmd.Process.Kill()
		if err := cmd.Wait(); err == nil || cmd.ProcessState.Exited() {
			t.Fatalf("it ended by itself: %v", err)
		}
		b, err := os.ReadFile(path)
		if err != nil || len(b) == 0 || !bytes.Equal(b, content(b[0])) {
			t.Fatalf("%d bytes, %v: no whole file", len(b), err)
		}
		if b[0] != last {
			changed++
		}
		last = b[0]
		for _, name := range names(t, dir) {
			if strings.HasPrefix(name, Temporary) {
				left++
			}
		}
		Clean(dir, 0)
		if got := names(t, dir); len(got) != 1 {
			t.Fatalf("after cleaning there are %q", got)
		}
	}
	if changed == 0 || left == 0 {
		t.Errorf("%d writers changed the file, and %d left something: too few to mean anything", changed, left)
	}
}
