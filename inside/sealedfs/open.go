package sealedfs

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
)

// Options change how Open works. The zero value is for everyday use.
type Options struct {
	// Exist makes Open fail with fs.ErrNotExist where there is no sealed
	// directory, instead of making one.
	Exist bool

	// MinGeneration is the least generation to accept, as FS.Generation
	// returned it: with a counter that the host cannot turn back, rollback is
	// detected across runs, too. Anything older is ErrRolledBack.
	MinGeneration uint64

	// NoSync leaves it to the operating system when to write to the disk.
	// Changes become much faster. When the program stops, still nothing is
	// lost; when the machine does, the directory may not open any more.
	NoSync bool
}

// FS is an open directory. It is safe for concurrent use.
type FS struct {
	disk   disk
	lock   io.Closer
	sync   bool
	change sync.Mutex // held while a change is made

	// mu guards what follows. Who holds it for reading knows, too, that this
	// process does not replace the host's index meanwhile.
	mu     sync.RWMutex
	closed bool
	master [masterSize]byte
	index  *index
	stamp  stamp // of index
}

// Open opens the sealed directory in a directory of the host, which it makes
// if there is none. Sealer protects the master key; it is used by Open only,
// and by Reseal.
//
// Open removes what an interrupted change left behind. It leaves alone what
// has not the names of this package.
func Open(dir string, s Sealer, opts *Options) (*FS, error) {
	if opts == nil {
		opts = new(Options)
	}
	if !opts.Exist {
		if err := makeDir(dir); err != nil {
			return nil, err
		}
	} else if _, err := os.Stat(osDisk{dir}.path(headerName)); err != nil {
		return nil, err // and no lock file where nothing is
	}
	f, err := open(osDisk{dir}, s, opts)
	return f, pathError("open", dir, err)
}

func open(d disk, s Sealer, opts *Options) (f *FS, err error) {
	lock, err := d.lock()
	if err != nil {
		return nil, err
	}
	f = &FS{disk: d, lock: lock, sync: !opts.NoSync}
	defer func() {
		if err != nil {
			lock.Close()
			f = nil
		}
	}()
	names, err := d.list()
	if err != nil {
		return f, err
	}
	if slices.Contains(names, headerName) {
		err = f.load(s)
	} else {
		err = f.make(s, names, opts)
	}
	if err != nil {
		return f, err
	}
	if f.index.generation < opts.MinGeneration {
		return f, fmt.Errorf("%w: generation %d, and %d is known", ErrRolledBack, f.index.generation, opts.MinGeneration)
	}
	// What Open found is what everybody goes on from: it must not turn into an
	// older state, least of all one whose files are swept away.
	if err := f.flush(); err != nil {
		return f, hostError(indexName, err)
	}
	f.sweep(names)
	return f, nil
}

// load reads the header and the index.
func (f *FS) load(s Sealer) error {
	file, err := slurp(f.disk, headerName, int64(offBlob+maxBlob))
	if err != nil {
		return err
	}
	if f.master, err = openHeader(s, file); err != nil {
		return err
	}
	file, err = slurp(f.disk, indexName, int64(stampSize+maxPlain+indexBlock))
	if err != nil {
		return err
	}
	if f.index, err = openIndex(&f.master, file); err != nil {
		return err
	}
	f.stamp = stamp(file)
	return nil
}

// make writes an empty directory. The header comes last and says that the
// index is there. Where the header is missing but files are, it was lost, and
// with it the key of the files: nothing is overwritten then.
func (f *FS) make(s Sealer, names []string, opts *Options) error {
	if slices.ContainsFunc(names, isData) {
		return tampered(headerName, "missing, but there are files")
	}
	if opts.MinGeneration > 0 {
		return fmt.Errorf("%w: there is nothing, and generation %d is known", ErrRolledBack, opts.MinGeneration)
	}
	if opts.Exist {
		return fs.ErrNotExist
	}
	rand.Read(f.master[:])
	f.index = &index{generation: 1}
	x, err := sealIndex(&f.master, f.index)
	if err != nil {
		return err
	}
	f.stamp = stamp(x)
	h, err := sealHeader(s, &f.master)
	if err != nil {
		return err
	}
	if err := f.replace(indexName, x); err != nil {
		return err
	}
	return f.replace(headerName, h)
}

// replace puts new content in the place of a host file, durably.
func (f *FS) replace(name string, content []byte) error {
	err := prepare(f.disk, name, content, f.sync)
	if err == nil {
		err = f.disk.rename(name+tmpSuffix, name)
	}
	if err == nil {
		err = f.flush()
	}
	if err != nil {
		return hostError(name, err)
	}
	return nil
}

// flush makes the names in the host's directory durable.
func (f *FS) flush() error {
	if !f.sync {
		return nil
	}
	return f.disk.sync()
}

// isData reports whether a host file is a data file, by its name.
func isData(name string) bool {
	id, ok := strings.CutSuffix(name, dataSuffix)
	if !ok || len(id) != 2*len(fileID{}) {
		return false
	}
	_, err := hex.DecodeString(id)
	return err == nil
}

// sweep removes what interrupted changes left: data files that the index does
// not name, and temporary files. What cannot be removed does no harm.
func (f *FS) sweep(names []string) {
	known := make(map[string]bool, len(f.index.entries))
	for i := range f.index.entries {
		if e := &f.index.entries[i]; !e.dir {
			known[e.id.host()] = true
		}
	}
	for _, name := range names {
		if isData(name) && !known[name] || name == headerName+tmpSuffix || name == indexName+tmpSuffix {
			_ = f.disk.remove(name)
		}
	}
}
