package store

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// childFile names the database of the process that is killed.
const childFile = "FEIDI_TEST_STORE"

func TestMain(m *testing.M) {
	if path := os.Getenv(childFile); path != "" {
		fmt.Println(putForEver(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// putForEver puts one version after the other, and says so when it is acknowledged.
func putForEver(path string) error {
	ctx := context.Background()
	s, err := Open(ctx, path)
	if err != nil {
		return err
	}
	d, err := s.Document(ctx, "d")
	if err != nil {
		d = document("d")
	}
	for n := int(d.Evaluation) + 1; ; n++ {
		d := document("d")
		d.Evaluation = uint32(n)
		d.Body = make([]byte, 100<<10)
		p := platform(1, 2+n%50)
		p.Manifest = strconv.AppendInt(nil, int64(n), 10)
		if err := s.PutAll(ctx, []*Document{d}, []*Platform{p}); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// What was acknowledged is there, whole, whenever the process is killed. FEIDI_KILLS
// says how often it is.
func TestSQLiteKill(t *testing.T) {
	kills := 8
	if n, err := strconv.Atoi(os.Getenv("FEIDI_KILLS")); err == nil {
		kills = n
	}
	path := sqliteFile(t)
	total := 0
	for range kills {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childFile+"="+path)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		r := bufio.NewReader(out)
		first, err := r.ReadString('\n')
		must(t, err)
		time.Sleep(rand.N(20 * time.Millisecond))
		_ = cmd.Process.Kill()
		rest, err := io.ReadAll(r)
		must(t, err)
		_ = cmd.Wait()
		acknowledged := 0
		for _, line := range append([]string{first}, slices.Collect(strings.Lines(string(rest)))...) {
			if _, err := fmt.Sscanf(line, "%d\n", &acknowledged); err != nil {
				t.Fatalf("it says %q", line)
			}
		}
		s := reopen(t, path)
		d, err := s.Document(t.Context(), "d")
		must(t, err)
		p, err := s.Platform(t.Context(), platform(1, 1).PlatformID)
		must(t, err)
		n := int(d.Evaluation)
		if n < acknowledged || n > acknowledged+1 {
			t.Fatalf("%d was acknowledged, and there is %d", acknowledged, n)
		}
		want := platform(1, 2+n%50)
		want.Manifest = strconv.AppendInt(nil, int64(n), 10)
		samePlatform(t, p, want)
		var ok string
		must(t, s.reads.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&ok))
		if ok != "ok" {
			t.Fatal(ok)
		}
		must(t, s.Close())
		total = n
	}
	t.Logf("%d transactions, %d kills", total, kills)
}
