package sealedfs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/seal"
)

// full returns a host's directory after every operation, and what it holds
// after each.
func full(t testing.TB) (states []content, trees []tree) {
	t.Helper()
	d := newMemDisk()
	f := mustOpen(t, d)
	holds := tree{".": "/"}
	states, trees = append(states, d.content()), append(trees, maps.Clone(holds))
	for _, op := range operations {
		if err := op.do(f); err != nil {
			t.Fatal(err)
		}
		op.to(holds)
		states, trees = append(states, d.content()), append(trees, maps.Clone(holds))
	}
	return states, trees
}

// small is a state with files of all kinds.
func small(t testing.TB) (content, tree) {
	t.Helper()
	d := newMemDisk()
	f := mustOpen(t, d)
	holds := tree{".": "/"}
	for _, op := range []operation{
		write("a", "alpha"), write("zero", ""), operations[2], write("d/b", text(1, 300)), write("big", text(2, 2*chunkSize+100)),
	} {
		if err := op.do(f); err != nil {
			t.Fatal(err)
		}
		op.to(holds)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return d.content(), holds
}

// judge opens a changed state. Every file must read as in want, or not at all,
// for a reason that blames the host.
func judge(t *testing.T, what string, c content, want tree) (failed bool) {
	t.Helper()
	blame := func(err error) {
		var p *fs.PathError
		if !isFault(err) && !errors.Is(err, seal.ErrFormat) && !errors.Is(err, seal.ErrRequest) && !errors.Is(err, seal.ErrAuth) ||
			!errors.As(err, &p) || strings.Contains(err.Error(), "\n") || errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("%s: error %q", what, err)
		}
		failed = true
	}
	f, err := open(c.disk(), sealer, new(Options))
	if err != nil {
		blame(pathError("open", ".", err))
		return failed
	}
	defer f.Close()
	if err := f.Check(); err != nil && !isFault(err) {
		t.Fatalf("%s: Check: %v", what, err)
	}
	names := tree{}
	err = fs.WalkDir(f, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if names[name] = "/"; d.IsDir() {
			return nil
		}
		names[name] = want[name] // if it has an error
		b, err := f.ReadFile(name)
		if err != nil {
			blame(err)
		} else {
			names[name] = string(b)
		}
		// A reader gives no more than what is right before it fails.
		file, err := f.Open(name)
		if err != nil {
			blame(err)
			return nil
		}
		b, err = io.ReadAll(file)
		if err != nil {
			blame(err)
		}
		if !strings.HasPrefix(want[name], string(b)) || err == nil && string(b) != want[name] {
			t.Fatalf("%s: %s reads as %d other bytes, %v", what, name, len(b), err)
		}
		return nil
	})
	if err != nil || !equal(names, want) {
		t.Fatalf("%s:%v, %v, want%v", what, names, err, want)
	}
	return failed
}

// TestEveryByte changes a bit of each byte of each host file; of the large one,
// of the bytes at the edges of chunks and some in between.
func TestEveryByte(t *testing.T) {
	state, holds := small(t)
	if judge(t, "unchanged", state, holds) {
		t.Fatal("does not read")
	}
	unnoticed, changes := 0, 0
	for name, data := range state {
		for i := range len(data) {
			place := i % (chunkSize + tagSize)
			if place > 2 && place < chunkSize-2 && len(data)-i > 18 && len(data) > chunkSize && i%4001 != 0 {
				continue
			}
			b := []byte(data)
			b[i] ^= 1 << (i % 8)
			c := maps.Clone(state)
			c[name] = string(b)
			changes++
			if !judge(t, name, c, holds) {
				t.Errorf("byte %d of %s is not protected", i, name)
				unnoticed++
			}
		}
	}
	t.Logf("%d changes, %d unnoticed", changes, unnoticed)
}

// TestSurgery cuts, lengthens, swaps, copies and removes host files and chunks.
func TestSurgery(t *testing.T) {
	state, holds := small(t)
	names := slices.Sorted(maps.Keys(state))
	n := 0
	try := func(what, name, data string) {
		c := maps.Clone(state)
		c[name] = data
		n++
		if data != state[name] && !judge(t, what+" "+name, c, holds) {
			t.Errorf("%s %s: nobody notices", what, name)
		}
	}
	for _, name := range names {
		data := state[name]
		for _, k := range []int{0, 1, 2, 15, 16, 17, 55, 56, 57, 100, len(data) / 2, len(data) - 17, len(data) - 16, len(data) - 1,
			chunkSize, chunkSize + tagSize, 2 * (chunkSize + tagSize)} {
			if k >= 0 && k < len(data) {
				try("cut", name, data[:k])
			}
		}
		try("one byte more", name, data+"\x00")
		try("many bytes more", name, data+strings.Repeat("x", 200000))
		try("twice", name, data+data)
		for _, other := range names {
			try("copied from "+other+" to", name, state[other])
		}
		c := maps.Clone(state)
		delete(c, name)
		if !judge(t, "removed "+name, c, holds) {
			t.Errorf("removed %s: nobody notices", name)
		}
		if len(data) > 2*chunkSize {
			const k = chunkSize + tagSize
			try("chunks swapped", name, data[k:2*k]+data[:k]+data[2*k:])
			try("chunk repeated", name, data[:k]+data[:k]+data[2*k:])
			try("chunk left out", name, data[:k]+data[2*k:])
			try("last chunk left out", name, data[:2*k])
		}
	}
	t.Logf("%d changes", n)
}

// TestMixedTimes puts together host files of different times. Whatever index
// is there decides; all else reads as at its time or fails.
func TestMixedTimes(t *testing.T) {
	states, trees := full(t)
	mixed := 0
	for i := range states {
		for j := range states {
			for _, base := range []content{{}, states[i], states[j]} {
				c := maps.Clone(base)
				maps.Copy(c, states[j])
				c[indexName] = states[i][indexName]
				judge(t, "mixture", c, trees[i])
				mixed++
			}
		}
		// The newest content of every file under its oldest name, and so on.
		data := slices.DeleteFunc(slices.Sorted(maps.Keys(states[i])), func(n string) bool { return !isData(n) })
		for _, other := range states {
			c := maps.Clone(states[i])
			for k, name := range data {
				for _, n := range slices.Sorted(maps.Keys(other)) {
					if isData(n) && n != name && k%2 == 0 {
						c[name] = other[n]
					}
				}
			}
			judge(t, "contents under other names", c, trees[i])
			mixed++
		}
	}
	t.Logf("%d mixtures", mixed)
}

// TestRollbackWithinARun puts back older states while the directory is open.
func TestRollbackWithinARun(t *testing.T) {
	d := newMemDisk()
	f := mustOpen(t, d)
	for _, op := range operations[:3] {
		if err := op.do(f); err != nil {
			t.Fatal(err)
		}
	}
	old := d.content()
	if err := f.WriteFile("a", []byte("new")); err != nil {
		t.Fatal(err)
	}
	reader, err := f.Open("a")
	if err != nil {
		t.Fatal(err)
	}
	writer, err := f.Create("w")
	if err != nil {
		t.Fatal(err)
	}
	now := d.content()

	calls := map[string]func() error{
		"read":    func() error { _, err := f.ReadFile("a"); return err },
		"open":    func() error { _, err := f.Open("a"); return err },
		"stat":    func() error { _, err := f.Stat("a"); return err },
		"readdir": func() error { _, err := f.ReadDir("."); return err },
		"write":   func() error { return f.WriteFile("a", nil) },
		"create":  func() error { _, err := f.Create("a"); return err },
		"mkdir":   func() error { return f.Mkdir("m") },
		"remove":  func() error { return f.Remove("a") },
		"rename":  func() error { return f.Rename("a", "b") },
		"reseal":  func() error { return f.Reseal(sealer) },
		"check":   f.Check,
	}
	with := func(change func(c content)) content {
		c := maps.Clone(now)
		change(c)
		return c
	}
	for _, c := range []struct {
		name string
		c    content
		want error
	}{
		{"all is old", old, ErrRolledBack},
		{"the index is old", with(func(c content) { c[indexName] = old[indexName] }), ErrRolledBack},
		{"the index is gone", with(func(c content) { delete(c, indexName) }), ErrTampered},
		{"the index is empty", with(func(c content) { c[indexName] = "" }), ErrTampered},
		{"the index is nonsense", with(func(c content) { c[indexName] = strings.Repeat("x", 5000) }), ErrTampered},
		{"all is gone", content{}, ErrTampered},
	} {
		d.set(c.c)
		for name, call := range calls {
			if err := call(); !errors.Is(err, c.want) || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %s: %v, want %v", c.name, name, err, c.want)
			}
		}
		if have := d.content(); !maps.Equal(have, c.c) {
			t.Errorf("%s: calls changed the host's files", c.name)
		}
	}

	// A file is old: its old content is under another name, or under its own.
	var oldFile, newFile string
	for name := range now {
		if _, ok := old[name]; !ok && len(now[name]) == len("new")+tagSize {
			newFile = name
		}
	}
	for name := range old {
		if _, ok := now[name]; !ok {
			oldFile = name
		}
	}
	if oldFile == "" || newFile == "" {
		t.Fatalf("%q and %q", oldFile, newFile)
	}
	for name, c := range map[string]content{
		"old content": with(func(c content) { c[newFile] = old[oldFile] }),
		"old file":    with(func(c content) { delete(c, newFile); c[oldFile] = old[oldFile] }),
	} {
		d.set(c)
		if b, err := f.ReadFile("a"); !errors.Is(err, ErrTampered) {
			t.Errorf("%s: %q, %v", name, b, err)
		}
		if err := f.Check(); !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), "check a: ") {
			t.Errorf("%s: %v", name, err)
		}
	}

	// All is well again when the host behaves; what was open works.
	d.set(now)
	if b, err := io.ReadAll(reader); err != nil || string(b) != "new" {
		t.Errorf("%q, %v", b, err)
	}
	if err := writer.Close(); err != nil {
		t.Error(err)
	}
	if b, err := f.ReadFile("a"); err != nil || string(b) != "new" {
		t.Errorf("%q, %v", b, err)
	}
}

// Of two processes that both think that they are alone, one notices.
func TestForked(t *testing.T) {
	d := newMemDisk()
	f := mustOpen(t, d)
	d.locked = false // the host lies
	g := mustOpen(t, d)
	if err := f.WriteFile("x", []byte("f")); err != nil {
		t.Fatal(err)
	}
	if err := g.WriteFile("x", []byte("g")); !errors.Is(err, ErrRolledBack) {
		t.Errorf("overwrites what it does not know: %v", err)
	}
	if b, err := f.ReadFile("x"); err != nil || !bytes.Equal(b, []byte("f")) {
		t.Errorf("%q, %v", b, err)
	}
}

// The host cannot make a program read without end.
func TestLimit(t *testing.T) {
	d := content{"f": "12345"}.disk()
	if b, err := slurp(d, "f", 5); err != nil || string(b) != "12345" {
		t.Errorf("%q, %v", b, err)
	}
	if b, err := slurp(d, "f", 4); !errors.Is(err, ErrTampered) || len(b) > 0 {
		t.Errorf("%q, %v", b, err)
	}
}

// Another secret of the same program is no master key, nor is a short one.
func TestOtherSecret(t *testing.T) {
	state, holds := small(t)
	for name, s := range map[string][2]string{
		"purpose": {strings.Repeat("k", 32), "something else"},
		"length":  {strings.Repeat("k", 31), headerPurpose},
	} {
		blob, err := sealer.Seal([]byte(s[0]), []byte(s[1]))
		if err != nil {
			t.Fatal(err)
		}
		c := maps.Clone(state)
		c[headerName] = headerMagic + string([]byte{byte(len(blob)), byte(len(blob) >> 8), 0, 0}) + string(blob)
		if _, err := openHeader(sealer, []byte(c[headerName])); !errors.Is(err, ErrTampered) {
			t.Errorf("accepts a secret of another %s: %v", name, err)
		}
		judge(t, name, c, holds)
	}
	// Nor does one directory's master key open another's index.
	other, _ := small(t)
	c := maps.Clone(state)
	c[headerName] = other[headerName]
	if !judge(t, "another header", c, holds) {
		t.Error("accepts another directory's header")
	}
}
