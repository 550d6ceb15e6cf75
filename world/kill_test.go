package world

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

// The process that is killed.
const childDir = "FEIDI_TEST_WORLD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		fmt.Println(changeForever(dir, os.Getenv(childDir+"_PREFIX")))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// changeForever changes a world in all ways, and says what is done after it is.
func changeForever(dir, prefix string) error {
	w, err := Open(dir, Options{})
	if err != nil {
		return err
	}
	fmt.Println("open")
	for i := 0; ; i++ {
		name := fmt.Sprintf("%s-%d", prefix, i)
		m, err := w.NewMachine(name, MachineOptions{Packages: 1 + i%3})
		if err != nil {
			return err
		}
		fmt.Println("made", name)
		if m.Packages > 1 {
			if _, err := w.Register(m.Manifest()); err != nil {
				return err
			}
			fmt.Println("registered", name)
		}
		switch i % 4 {
		case 1:
			svn := m.CPUSVN
			svn[8+i%8]++
			if _, err := w.Recover(name, RecoverOptions{CPUSVN: svn}); err != nil {
				return err
			}
			fmt.Printf("recovered %s %x\n", name, svn)
		case 2:
			if err := w.RevokeMachine(name, KeyCompromise); err != nil {
				return err
			}
			fmt.Println("revoked", name)
		case 3:
			free := name + "-free"
			if _, err := UseMachine(dir, free); err != nil {
				return err
			}
			fmt.Println("used", free)
			if _, err := w.Adopt(free); err != nil {
				return err
			}
			fmt.Println("registered", free)
		}
	}
}

// What a process has done that was killed at any moment is there, and the world is
// whole.
func TestKill(t *testing.T) {
	kills := 100
	if testing.Short() {
		kills = 10
	}
	w, _ := newWorld(t)
	var dones, before int
	for i := range kills {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+w.dir, fmt.Sprintf("%s_PREFIX=p%d", childDir, i))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
		var done []string // lines, each of one write
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if lines.Text() == "open" {
				timer.Reset(time.Duration(rand.Int64N(int64(60 * time.Millisecond))))
				continue
			}
			done = append(done, lines.Text())
		}
		timer.Stop()
		_ = cmd.Process.Kill() // it may have ended
		if err := cmd.Wait(); err == nil || cmd.ProcessState.Exited() {
			t.Fatalf("it ended by itself: %v, %q", err, done)
		}
		acknowledged(t, w, done)
		dones += len(done)
		if len(done) == 0 {
			before++
		}
	}
	if dones < kills || before == kills {
		t.Errorf("killed %d times, %d before it did anything, %d changes: too few to mean anything", kills, before, dones)
	}
	if _, err := w.reopen(t).Machines(); err != nil {
		t.Error(err)
	}
}

// acknowledged checks that what was done is there for who opens the world now.
func acknowledged(t *testing.T, old *World, done []string) {
	t.Helper()
	w, err := Open(old.dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := w.state()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range done {
		what, name, _ := strings.Cut(line, " ")
		name, svn, _ := strings.Cut(name, " ")
		m, err := w.Machine(name)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		switch what {
		case "recovered":
			if got := fmt.Sprintf("%x", m.CPUSVN); got != svn {
				t.Errorf("%s: CPUSVN %s", line, got)
			}
			if l := s.family(m.FMSPC[:]).newest(); !atMost(m.CPUSVN[:], l.CPUSVN) {
				t.Errorf("%s: the newest level has CPUSVN %x", line, []byte(l.CPUSVN))
			}
		case "registered":
			if _, err := w.PCKs(ppidOf(w, m), 0); err != nil {
				t.Errorf("%s: %v", line, err)
			}
		case "revoked":
			if n := s.index[ppidOf(w, m)]; n.platform == nil || n.platform.Revoked == nil {
				t.Errorf("%s: it is not", line)
			}
		}
	}
	if _, err := w.TCBInfo(dcap.TEESGX, DefaultFMSPC, Selection{}); err != nil && len(done) > 0 {
		t.Error(err)
	}
}
