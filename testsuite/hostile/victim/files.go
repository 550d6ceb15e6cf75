//go:build linux && amd64

package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// files reads and writes files.
func files() {
	dir, err := os.MkdirTemp(".", "files-")
	if err != nil {
		return
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "file")
	_ = os.WriteFile(name, bytes.Repeat([]byte("what is written "), 10000), 0o600)
	if f, err := os.OpenFile(name, os.O_RDWR, 0); err == nil {
		b, intact := fenced(1000)
		_, _ = f.Read(b)
		_, _ = f.ReadAt(b, 500)
		_, _ = f.WriteAt(b[:10], 5000)
		_, _ = f.Seek(-3, io.SeekEnd)
		_, _ = io.ReadFull(f, b)
		_, _ = f.Stat()
		_ = f.Truncate(3000)
		_ = f.Sync()
		intact()
		_ = f.Close()
	}
	if b, err := os.ReadFile(name); err == nil && len(b) > 1<<20 {
		_ = os.WriteFile(name, b[:10], 0o600)
	}
	out, err := os.Create(filepath.Join(dir, "copy"))
	if err != nil {
		return
	}
	defer out.Close()
	if in, err := os.Open(name); err == nil {
		_, _ = io.Copy(out, io.LimitReader(in, 1<<20))
		if m, err := syscall.Mmap(int(in.Fd()), 0, 5000, syscall.PROT_READ, syscall.MAP_PRIVATE); err == nil {
			if len(m) != 5000 {
				fail("the length of a mapping")
			}
			_ = syscall.Munmap(m)
		}
		_ = in.Close()
	}
}

// names makes directories and links, and lists them.
func names() {
	dir, err := os.MkdirTemp(".", "names-")
	if err != nil {
		return
	}
	defer os.RemoveAll(dir)
	sub := filepath.Join(dir, "a")
	_ = os.Mkdir(sub, 0o755)
	for _, n := range []string{"x", "y", "z"} {
		_ = os.WriteFile(filepath.Join(sub, n), []byte(n), 0o644)
	}
	_ = os.Symlink("x", filepath.Join(sub, "link"))
	_, _ = os.Readlink(filepath.Join(sub, "link"))
	_, _ = os.Lstat(filepath.Join(sub, "link"))
	_, _ = os.Stat(sub)
	_, _ = os.ReadDir(sub)
	_ = os.Rename(filepath.Join(sub, "y"), filepath.Join(dir, "y"))
	_ = os.Chmod(filepath.Join(dir, "y"), 0o600)
	_, _ = os.Getwd()
	b, intact := fenced(300)
	_, _ = syscall.Getcwd(b)
	if f, err := os.Open(sub); err == nil {
		_, _ = syscall.ReadDirent(int(f.Fd()), b)
		_ = f.Close()
	}
	_, _ = syscall.Getxattr(sub, "user.none", nil)
	_, _ = syscall.Listxattr(sub, b)
	intact()
	var st syscall.Statfs_t
	_ = syscall.Statfs(sub, &st)
	var u syscall.Utsname
	_ = syscall.Uname(&u)
	var ru syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &ru)
}
