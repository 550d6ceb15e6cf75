package sealedfs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"testing"
)

// memDisk is a host's directory that remembers what a loss of power would
// leave of it, calls a test after every step, and fails on demand.
type memDisk struct {
	mu      sync.Mutex
	names   map[string]*memFile // what programs see
	durable map[string]*memFile // what the last sync of the directory made safe
	pending []nameOp            // what happened to names since
	locked  bool

	step func()               // after every change
	fail func(op string) fate // before every operation
}

// memFile is a file without its name.
type memFile struct{ data, synced []byte }

// nameOp is a change of names: file, if any, appears at to, and leaves from.
type nameOp struct {
	file     *memFile
	from, to string
}

func (o nameOp) apply(names map[string]*memFile) {
	if o.from != "" && (o.file == nil || names[o.from] == o.file) {
		delete(names, o.from)
	}
	if o.to != "" {
		names[o.to] = o.file
	}
}

// fate is what becomes of an operation.
type fate int

const (
	succeeds fate = iota
	fails
	failsDone // is done and reported as failed
)

var errDisk = errors.New("the disk has a fault")

func newMemDisk() *memDisk {
	return &memDisk{names: map[string]*memFile{}, durable: map[string]*memFile{}}
}

// do runs one operation under its fate.
func (d *memDisk) do(op string, change func() error) error {
	f := succeeds
	if d.fail != nil {
		f = d.fail(op)
	}
	if f == fails {
		return errDisk
	}
	d.mu.Lock()
	err := change()
	d.mu.Unlock()
	if d.step != nil && op != "open" && op != "read" && op != "list" {
		d.step()
	}
	if f == failsDone {
		return errDisk
	}
	return err
}

func (d *memDisk) name(o nameOp) {
	o.apply(d.names)
	d.pending = append(d.pending, o)
}

func notExist(op, name string) error { return &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist} }

func (d *memDisk) open(name string) (r diskReader, err error) {
	err = d.do("open", func() error {
		f, ok := d.names[name]
		if !ok {
			return notExist("open", name)
		}
		r = &memReader{d, f}
		return nil
	})
	return r, err
}

func (d *memDisk) create(name string) (w diskWriter, err error) {
	err = d.do("create", func() error {
		f := d.names[name]
		if f == nil {
			f = new(memFile)
			d.name(nameOp{file: f, to: name})
		}
		f.data = nil
		w = &memWriter{d, f}
		return nil
	})
	return w, err
}

func (d *memDisk) rename(from, to string) error {
	return d.do("rename", func() error {
		f, ok := d.names[from]
		if !ok {
			return notExist("rename", from)
		}
		d.name(nameOp{file: f, from: from, to: to})
		return nil
	})
}

func (d *memDisk) remove(name string) error {
	return d.do("remove", func() error {
		if d.names[name] == nil {
			return notExist("remove", name)
		}
		d.name(nameOp{from: name})
		return nil
	})
}

func (d *memDisk) list() (names []string, err error) {
	err = d.do("list", func() error {
		names = slices.Collect(maps.Keys(d.names))
		return nil
	})
	return names, err
}

func (d *memDisk) sync() error {
	return d.do("syncdir", func() error {
		d.durable, d.pending = maps.Clone(d.names), nil
		return nil
	})
}

func (d *memDisk) lock() (io.Closer, error) {
	if d.locked {
		return nil, ErrLocked
	}
	d.locked = true
	return memLock{d}, nil
}

type memLock struct{ d *memDisk }

func (l memLock) Close() error { l.d.locked = false; return nil }

type memReader struct {
	d *memDisk
	f *memFile
}

func (r *memReader) ReadAt(p []byte, off int64) (n int, err error) {
	err = r.d.do("read", func() (err error) {
		n, err = bytes.NewReader(r.f.data).ReadAt(p, off)
		return err
	})
	return n, err
}

func (r *memReader) Close() error { return nil }

type memWriter struct {
	d *memDisk
	f *memFile
}

func (w *memWriter) Write(p []byte) (int, error) {
	half := len(p) / 2
	for _, part := range [][]byte{p[:half], p[half:]} { // as a crash may find it
		if err := w.d.do("write", func() error {
			w.f.data = append(w.f.data[:len(w.f.data):len(w.f.data)], part...)
			return nil
		}); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

func (w *memWriter) Sync() error {
	return w.d.do("sync", func() error { w.f.synced = w.f.data; return nil })
}

func (w *memWriter) Close() error { return w.d.do("close", func() error { return nil }) }

// content is what a disk holds, for comparison and for making disks.
type content map[string]string

func (d *memDisk) content() content {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := content{}
	for name, f := range d.names {
		c[name] = string(f.data)
	}
	return c
}

func (c content) disk() *memDisk {
	d := newMemDisk()
	for name, data := range c {
		f := &memFile{data: []byte(data), synced: []byte(data)}
		d.names[name], d.durable[name] = f, f
	}
	return d
}

// set puts a content in the place of what the disk holds.
func (d *memDisk) set(c content) {
	fresh := c.disk()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.names, d.durable, d.pending = fresh.names, fresh.durable, nil
}

// clone returns a disk in the same state, with nobody who uses it: what the
// next program finds when this one is killed and the machine goes on.
func (d *memDisk) clone() *memDisk {
	d.mu.Lock()
	defer d.mu.Unlock()
	copies := map[*memFile]*memFile{nil: nil}
	file := func(f *memFile) *memFile {
		if _, ok := copies[f]; !ok {
			copies[f] = &memFile{data: f.data, synced: f.synced}
		}
		return copies[f]
	}
	c := newMemDisk()
	for name, f := range d.names {
		c.names[name] = file(f)
	}
	for name, f := range d.durable {
		c.durable[name] = file(f)
	}
	for _, o := range d.pending {
		c.pending = append(c.pending, nameOp{file(o.file), o.from, o.to})
	}
	return c
}

// crashes returns what the host may find after the program was killed, and
// after a loss of power: any of the changes of names since the last sync may
// have reached the disk, in any combination; of files that were not synced
// there is the old content, the new, half of it, or zeros.
func (d *memDisk) crashes() []content {
	found := []content{d.content()}
	d.mu.Lock()
	defer d.mu.Unlock()
	for set := range 1 << len(d.pending) {
		names := maps.Clone(d.durable)
		for i, o := range d.pending {
			if set>>i&1 != 0 {
				o.apply(names)
			}
		}
		for _, lost := range []func(f *memFile) []byte{
			func(f *memFile) []byte { return f.synced },
			func(f *memFile) []byte { return f.data },
			func(f *memFile) []byte { return f.data[:len(f.data)/2] },
			func(f *memFile) []byte { return make([]byte, len(f.data)) },
		} {
			c := content{}
			for name, f := range names {
				c[name] = string(f.synced)
				if !bytes.Equal(f.data, f.synced) {
					c[name] = string(lost(f))
				}
			}
			found = append(found, c)
		}
	}
	return found
}

// The model is not kinder than a disk: what was not synced can be lost.
func TestMemDiskForgets(t *testing.T) {
	d := newMemDisk()
	w, _ := d.create("a")
	_, _ = w.Write([]byte("1234"))
	var without, empty, whole bool
	for _, c := range d.crashes() {
		data, ok := c["a"]
		without = without || !ok
		empty = empty || ok && data == ""
		whole = whole || data == "1234"
	}
	if !without || !empty || !whole {
		t.Errorf("no name %v, no content %v, all %v", without, empty, whole)
	}
	_ = w.Sync()
	_ = d.sync()
	for _, c := range d.crashes() {
		if c["a"] != "1234" {
			t.Errorf("synced, but %q", c)
		}
	}
}
