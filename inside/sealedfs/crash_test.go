package sealedfs

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestCrash stops the program, the machine, or first one and then the other,
// after every step of every operation. Whatever is left opens and holds all of the state before the
// operation or all of the state after it, and what had been done before stays
// done.
func TestCrash(t *testing.T) {
	d := newMemDisk()
	want := tree{}
	points, states := 0, 0
	run := func(name string, do func() error, after tree) {
		seen := map[string]bool{}
		verify := func(c content, allowed ...tree) {
			key := fmt.Sprint(c)
			if seen[key] {
				return
			}
			seen[key] = true
			states++
			disk := c.disk()
			f, err := open(disk, sealer, new(Options)) // makes what is not there
			if err != nil {
				t.Fatalf("%s: does not open: %v", name, err)
			}
			got, err := read(f)
			ok := false
			for _, a := range allowed {
				ok = ok || equal(got, a)
			}
			if err != nil || !ok {
				t.Fatalf("%s: holds%v, %v; before:%v; after:%v", name, got, err, want, after)
			}
			// It is in working order, and no rubbish is left.
			if err := errors.Join(f.WriteFile("later", []byte("x")), f.Remove("later"), f.Check()); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			files := 2
			for _, data := range got {
				if data != "/" {
					files++
				}
			}
			if have := disk.content(); len(have) != files {
				t.Fatalf("%s: %d host files, want %d", name, len(have), files)
			}
		}
		d.step = func() {
			points++
			for _, c := range d.crashes() {
				verify(c, want, after)
			}
			// The program is killed and runs again, and then the power fails.
			next := d.clone()
			next.step = func() {
				for _, c := range next.crashes() {
					verify(c, want, after)
				}
			}
			f, err := open(next, sealer, new(Options))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got, err := read(f) // is what holds from now on
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			seen = map[string]bool{}
			for _, c := range next.crashes() {
				verify(c, got)
			}
			seen = map[string]bool{}
		}
		err := do()
		d.step = nil
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		seen = map[string]bool{}
		for _, c := range d.crashes() {
			verify(c, after)
		}
		want = after
	}

	var f *FS
	want = tree{".": "/"} // an interrupted Open leaves nothing, which opens as empty
	run("open", func() (err error) { f, err = open(d, sealer, new(Options)); return err }, want)
	for _, op := range operations {
		after := maps.Clone(want)
		op.to(after)
		run(op.name, func() error { return op.do(f) }, after)
	}
	t.Logf("%d steps, %d states", points, states)
	if points < 100 || states < 200 {
		t.Error("too few to mean anything")
	}
}

// TestFaults makes every operation of the disk fail, once without and once
// with being done. The directory is then as before or as after, the open one
// and the one on the disk agree on it, and work goes on.
func TestFaults(t *testing.T) {
	faults := 0
	for _, kind := range []fate{fails, failsDone} {
		start := newMemDisk()
		f := mustOpen(t, start)
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		now, before := start.content(), tree{".": "/"}
		for _, op := range operations {
			after := maps.Clone(before)
			op.to(after)
			for at := 0; ; at++ {
				d := now.disk()
				f := mustOpen(t, d)
				n, hit := 0, ""
				d.fail = func(op string) fate {
					n++
					if n == at+1 {
						hit = op
						return kind
					}
					return succeeds
				}
				err := op.do(f)
				d.fail = nil
				if hit == "" {
					if err != nil {
						t.Fatal(op.name, err)
					}
					now = d.content()
					break
				}
				faults++
				where := fmt.Sprintf("%s, %s %d fails (%d)", op.name, hit, at, kind)
				if err != nil && !errors.Is(err, errDisk) {
					t.Fatalf("%s: %v", where, err)
				}
				got, rerr := read(f)
				if rerr != nil || !equal(got, before) && !equal(got, after) || err == nil && !equal(got, after) {
					t.Fatalf("%s: holds%v, %v, %v", where, got, err, rerr)
				}
				if err := f.Close(); err != nil {
					t.Fatal(err)
				}
				again, rerr := readBack(d)
				if rerr != nil || !equal(again, got) {
					t.Fatalf("%s: opened again:%v, %v, was%v", where, again, rerr, got)
				}
			}
			before = after
		}
	}
	t.Logf("%d faults", faults)
	if faults < 200 {
		t.Error("too few to mean anything")
	}
}

// TestDyingDisk fails for good in the middle of an operation, which it may
// have done: then nobody knows. What it holds is all of the state before or all
// of the state after.
func TestDyingDisk(t *testing.T) {
	start := newMemDisk()
	if err := mustOpen(t, start).Close(); err != nil {
		t.Fatal(err)
	}
	now, before := start.content(), tree{".": "/"}
	for _, op := range operations {
		after := maps.Clone(before)
		op.to(after)
		for at, done := 0, false; !done; at++ {
			for _, kind := range []fate{fails, failsDone} {
				d := now.disk()
				f := mustOpen(t, d)
				n := 0
				d.fail = func(op string) fate {
					n++
					switch {
					case n == at+1:
						return kind
					case n > at+1 && op != "remove": // would undo what must stay
						return fails
					}
					return succeeds
				}
				err := op.do(f)
				d.fail = nil
				if done = n <= at; done {
					now = d.content()
					break
				}
				d.locked = false
				if got, rerr := readBack(d); rerr != nil || !equal(got, before) && !equal(got, after) || err == nil && !equal(got, after) {
					t.Fatalf("%s, operation %d (%d): %v; holds%v, %v", op.name, at, kind, err, got, rerr)
				}
			}
		}
		before = after
	}
}

// Opening fails cleanly, too, whatever fails, and never loses what is there.
func TestFaultsAtOpen(t *testing.T) {
	for _, kind := range []fate{fails, failsDone} {
		for _, full := range []bool{false, true} {
			for at := 0; ; at++ {
				d := newMemDisk()
				want := tree{".": "/"}
				if full {
					f := mustOpen(t, d)
					for _, op := range operations {
						op.to(want)
						if err := op.do(f); err != nil {
							t.Fatal(err)
						}
					}
					if err := f.Close(); err != nil {
						t.Fatal(err)
					}
					d.names["index.tmp"] = new(memFile)
				}
				n := 0
				d.fail = func(string) fate {
					if n++; n == at+1 {
						return kind
					}
					return succeeds
				}
				f, err := open(d, sealer, new(Options))
				d.fail = nil
				if err == nil {
					if err := f.Close(); err != nil {
						t.Fatal(err)
					}
				} else if f != nil || d.locked || errors.Is(err, fs.ErrNotExist) {
					t.Fatalf("operation %d: %v, locked %v, %v", at, f, d.locked, err)
				}
				if f, err = open(d, sealer, new(Options)); err != nil {
					t.Fatal(err)
				}
				if got, err := read(f); err != nil || !equal(got, want) {
					t.Fatalf("operation %d:%v, %v", at, got, err)
				}
				if n <= at {
					break
				}
			}
		}
	}
}

// TestKill kills a process that writes, on a real file system, again and
// again. Each of its files holds one whole version, none older than what it
// said to have written.
func TestKill(t *testing.T) {
	if dir := os.Getenv("SEALEDFS_KILL"); dir != "" {
		writeForever(dir)
		return
	}
	if testing.Short() {
		t.Skip("takes seconds")
	}
	dir := t.TempDir()
	last := [2]int{-1, -1}
	for round := range 15 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
		cmd.Env = append(os.Environ(), "SEALEDFS_KILL="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Skip("cannot start a process:", err)
		}
		time.AfterFunc(time.Duration(20+7*round)*time.Millisecond, func() { _ = cmd.Process.Kill() })
		for s := bufio.NewScanner(out); s.Scan(); {
			var file, version int
			if _, err := fmt.Sscanf(s.Text(), "wrote %d %d", &file, &version); err != nil {
				t.Fatalf("the process says %q", s.Text())
			}
			last[file] = version
		}
		_ = cmd.Wait()
		f, err := Open(dir, sealer, nil)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		for i := range last {
			b, err := f.ReadFile(fmt.Sprint(i))
			if errors.Is(err, fs.ErrNotExist) && last[i] < 0 {
				continue
			}
			var version int
			if _, serr := fmt.Sscanf(string(b), "version %d ", &version); err != nil || serr != nil ||
				string(b) != version1(version) || version < last[i] {
				t.Fatalf("round %d, file %d: %d bytes, version %d after %d, %v", round, i, len(b), version, last[i], err)
			}
			last[i] = version
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if last[0] < 2 {
		t.Errorf("only %d versions were written", last[0])
	}
	t.Logf("%d and %d versions", last[0], last[1])
}

func version1(n int) string {
	return fmt.Sprintf("version %d ", n) + strings.Repeat(string(rune('a'+n%26)), n*4999%200000)
}

// writeForever writes versions of two files, each newer than all before, and
// says so.
func writeForever(dir string) {
	f, err := Open(dir, sealer, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for n := int(f.Generation()); ; n++ {
		if err := f.WriteFile(fmt.Sprint(n%2), []byte(version1(n))); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("wrote", n%2, n)
	}
}
