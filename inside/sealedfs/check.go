package sealedfs

import "errors"

// Check reads every file and returns what is wrong with each, joined, or nil.
func (f *FS) Check() error {
	f.mu.RLock()
	err := f.check()
	x := f.index
	f.mu.RUnlock()
	if err != nil {
		return pathError("check", ".", err)
	}
	var found []error
	for i := range x.entries {
		if e := &x.entries[i]; !e.dir {
			found = append(found, f.checkFile(e))
		}
	}
	return errors.Join(found...)
}

// checkFile reads a file of a state that may be a past one by now: what was
// removed meanwhile is not missing.
func (f *FS) checkFile(e *entry) error {
	f.mu.RLock()
	err := f.check()
	if now, lerr := f.index.lookup(e.name); err == nil && (lerr != nil || now.id != e.id) {
		f.mu.RUnlock()
		return nil
	}
	var file *File
	if err == nil {
		file, err = f.open(e)
	}
	f.mu.RUnlock()
	if err != nil {
		return pathError("check", e.name, err)
	}
	defer file.r.Close()
	buf := make([]byte, min(e.size, chunkSize))
	for n := range lastChunk(e.size) + 1 {
		if err := file.chunk(buf, n); err != nil {
			return pathError("check", e.name, err)
		}
	}
	return nil
}
