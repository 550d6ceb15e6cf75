package process

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/internal/goabi"
	"golang.org/x/sys/unix"
)

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	th := serverFor(t, Config{Dir: dir}, 1).threads[0]
	fd := must(t, th, unix.SYS_OPENAT, atCWD, "a", unix.O_RDWR|unix.O_CREAT, 0o600)
	if fd != 3 {
		t.Fatalf("first descriptor is %d", fd)
	}
	if n := must(t, th, unix.SYS_WRITE, fd, "hello", 5); n != 5 {
		t.Fatalf("wrote %d", n)
	}
	if s := readFile(t, filepath.Join(dir, "a")); s != "hello" {
		t.Fatalf("file has %q", s)
	}
	must(t, th, unix.SYS_LSEEK, fd, 1, 0)
	if n := must(t, th, unix.SYS_READ, fd, make([]byte, 10), 10); n != 4 || string(th.bytes(1, 4)) != "ello" {
		t.Fatalf("read %d: %q", n, th.bytes(1, 4))
	}
	if n := must(t, th, unix.SYS_PREAD64, fd, make([]byte, 2), 2, 2); n != 2 || string(th.bytes(1, 2)) != "ll" {
		t.Fatalf("pread %d: %q", n, th.bytes(1, 2))
	}
	must(t, th, unix.SYS_FSTAT, fd, make([]byte, 144))
	if size := le.Uint64(th.bytes(1, 144)[48:]); size != 5 {
		t.Fatalf("size %d", size)
	}
	must(t, th, unix.SYS_RENAME, "a", "b")
	must(t, th, unix.SYS_MKDIR, "d", 0o755)
	must(t, th, unix.SYS_CHDIR, "d")
	must(t, th, unix.SYS_SYMLINK, "../b", "l")
	if n := must(t, th, unix.SYS_READLINK, "l", make([]byte, 20), 20); string(th.bytes(1, int(n))) != "../b" {
		t.Fatalf("link to %q", th.bytes(1, int(n)))
	}
	must(t, th, unix.SYS_TRUNCATE, "../b", 2) // by way of /proc
	if s := readFile(t, filepath.Join(dir, "b")); s != "he" {
		t.Fatalf("truncated to %q", s)
	}
	must(t, th, unix.SYS_STATFS, ".", make([]byte, 120))
	want(t, unix.ENOENT, th, unix.SYS_STATFS, "", make([]byte, 120))
	must(t, th, unix.SYS_STAT, "l", make([]byte, 144))
	must(t, th, unix.SYS_LSTAT, "l", make([]byte, 144))
	must(t, th, unix.SYS_CHMOD, "l", 0o640)
	must(t, th, unix.SYS_LINK, "../b", "hard")
	must(t, th, unix.SYS_ACCESS, "hard", unix.R_OK)
	must(t, th, unix.SYS_UNLINK, "hard")
	want(t, unix.ENOENT, th, unix.SYS_ACCESS, "hard", unix.R_OK)
	must(t, th, unix.SYS_CLOSE, fd)
	want(t, unix.EBADF, th, unix.SYS_CLOSE, fd)
}

func TestFaults(t *testing.T) {
	th := serverFor(t, Config{}, 1).threads[0]
	for _, c := range []struct {
		off, n uint64
	}{
		{1, 1}, {goabi.OffData - 1, 1}, {goabi.BlockSize, 1}, {goabi.BlockSize - 1, 2}, {goabi.OffData, goabi.DataSize + 1},
		{1 << 63, 8}, {goabi.OffData, 1 << 63}, {^uint64(0), 2},
	} {
		want(t, unix.EFAULT, th, unix.SYS_WRITE, 1, c.off, c.n)
		want(t, unix.EFAULT, th, unix.SYS_READ, 0, c.off, c.n)
		want(t, unix.EFAULT, th, unix.SYS_PWRITE64, 1, c.off, c.n, 0)
	}
	want(t, unix.EFAULT, th, unix.SYS_UNLINK, uint64(goabi.BlockSize))
	want(t, unix.EFAULT, th, unix.SYS_FSTAT, 0, uint64(goabi.BlockSize-143))
	want(t, unix.EBADF, th, unix.SYS_WRITE, 3, "x", 1)
	want(t, unix.EBADF, th, unix.SYS_WRITE, goabi.MaxFD, "x", 1)
	want(t, unix.ENOSYS, th, 400)
	want(t, unix.ENOSYS, th, 1<<40)
	long := bytes.Repeat([]byte{'a'}, goabi.MaxPath)
	want(t, unix.ENAMETOOLONG, th, unix.SYS_UNLINK, long)
}

func TestDescriptors(t *testing.T) {
	p := serverFor(t, Config{}, 1)
	th := p.threads[0]
	if fd := must(t, th, unix.SYS_DUP, 0); fd != 3 {
		t.Fatalf("dup is %d", fd)
	}
	if fd := must(t, th, unix.SYS_DUP2, 1, 7); fd != 7 {
		t.Fatalf("dup2 is %d", fd)
	}
	if fd := must(t, th, unix.SYS_DUP, 0); fd != 4 {
		t.Fatalf("lowest is %d", fd)
	}
	must(t, th, unix.SYS_CLOSE, 3)
	if fd := must(t, th, goabi.OpFcntl, 0, unix.F_DUPFD_CLOEXEC, 4); fd != 5 {
		t.Fatalf("F_DUPFD from 4 is %d", fd)
	}
	if fd := must(t, th, unix.SYS_DUP, 0); fd != 3 {
		t.Fatalf("lowest is %d", fd)
	}
	if fl := must(t, th, goabi.OpFcntl, 5, unix.F_GETFD); fl != unix.FD_CLOEXEC {
		t.Fatalf("F_GETFD is %d", fl)
	}
	must(t, th, goabi.OpFcntl, 5, unix.F_SETFD, 0)
	if fl := must(t, th, goabi.OpFcntl, 5, unix.F_GETFD); fl != 0 {
		t.Fatalf("F_GETFD is %d", fl)
	}
	if fd := must(t, th, unix.SYS_DUP3, 0, 9, unix.O_CLOEXEC); fd != 9 {
		t.Fatalf("dup3 is %d", fd)
	}
	want(t, unix.EINVAL, th, unix.SYS_DUP3, 0, 0, 0)
	want(t, unix.EBADF, th, unix.SYS_DUP2, 0, goabi.MaxFD)
	want(t, unix.EBADF, th, unix.SYS_DUP2, 100, 101)
	want(t, unix.EBADF, th, unix.SYS_CLOSE, 100)
	// What is used stays open although its number goes to another.
	f := p.files.get(9)
	must(t, th, unix.SYS_DUP2, 1, 9)
	if _, err := unix.FcntlInt(uintptr(f.fd), unix.F_GETFD, 0); err != nil {
		t.Errorf("closed under a request: %v", err)
	}
	fd := f.fd
	f.drop()
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != unix.EBADF {
		t.Errorf("not closed after the request: %v", err)
	}
}

func TestDescriptorsRunOut(t *testing.T) {
	var tab table
	f := newFile(-1, modeFile, false)
	for i := range goabi.MaxFD {
		f.hold()
		if v := tab.add(f, 0); v != int64(i) {
			t.Fatalf("descriptor %d is %d", i, v)
		}
	}
	f.hold()
	if v := tab.add(f, 0); v != -int64(unix.EMFILE) {
		t.Fatalf("one too many is %d", v)
	}
	tab.remove(12345)
	f.hold()
	if v := tab.add(f, 100); v != 12345 {
		t.Fatalf("the free one is %d", v)
	}
}

func TestReaddir(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint("file", i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	th := serverFor(t, Config{Dir: dir}, 1).threads[0]
	fd := must(t, th, unix.SYS_OPEN, ".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	n := must(t, th, unix.SYS_GETDENTS64, fd, make([]byte, 4096), 4096)
	names, _, _ := parseDirents(th.bytes(1, int(n)))
	if len(names) != 3 {
		t.Fatalf("names %q", names)
	}
}

func parseDirents(b []byte) (names []string, consumed, count int) {
	consumed, count, names = unix.ParseDirent(b, -1, nil)
	return names, consumed, count
}

func TestDirectory(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	host, _ := os.Getwd()
	th := serverFor(t, Config{Dir: dir}, 1).threads[0]
	cwd := func() string {
		n := must(t, th, unix.SYS_GETCWD, make([]byte, 4096), 4096)
		b := th.bytes(0, int(n))
		if b[n-1] != 0 {
			t.Fatalf("getcwd without NUL: %q", b)
		}
		return string(b[:n-1])
	}
	if got := cwd(); got != dir {
		t.Fatalf("began in %s, want %s", got, dir)
	}
	must(t, th, unix.SYS_MKDIRAT, atCWD, "sub", 0o755)
	must(t, th, unix.SYS_CHDIR, "sub")
	if got := cwd(); got != dir+"/sub" {
		t.Fatalf("in %s", got)
	}
	want(t, unix.ERANGE, th, unix.SYS_GETCWD, make([]byte, 4), 4)
	fd := must(t, th, unix.SYS_OPEN, "..", unix.O_RDONLY, 0)
	must(t, th, unix.SYS_FCHDIR, fd)
	if got := cwd(); got != dir {
		t.Fatalf("in %s", got)
	}
	want(t, unix.ENOENT, th, unix.SYS_CHDIR, "")
	want(t, unix.ENOENT, th, unix.SYS_CHDIR, "none")
	file := must(t, th, unix.SYS_OPEN, "f", unix.O_CREAT|unix.O_RDWR, 0o644)
	want(t, unix.ENOTDIR, th, unix.SYS_FCHDIR, file)
	want(t, unix.ENOTDIR, th, unix.SYS_CHDIR, "f")
	want(t, unix.EBADF, th, unix.SYS_FCHDIR, 99)
	must(t, th, unix.SYS_CHDIR, dir+"/sub")
	must(t, th, unix.SYS_RMDIR, dir+"/sub")
	want(t, unix.ENOENT, th, unix.SYS_GETCWD, make([]byte, 4096), 4096)
	if now, _ := os.Getwd(); now != host {
		t.Fatalf("the host program is in %s now", now)
	}
	// The program's descriptors by name.
	must(t, th, unix.SYS_WRITE, file, "text", 4)
	for _, path := range []string{"/proc/self/fd/%d", "/dev/fd/%d", "/proc/thread-self/fd/%d"} {
		again := must(t, th, unix.SYS_OPEN, fmt.Sprintf(path, file), unix.O_RDONLY, 0)
		if n := must(t, th, unix.SYS_READ, again, make([]byte, 8), 8); string(th.bytes(1, int(n))) != "text" {
			t.Fatalf("%s has %q", path, th.bytes(1, int(n)))
		}
	}
	want(t, unix.ENOENT, th, unix.SYS_OPEN, "/proc/self/fd/99", 0, 0)
	n := must(t, th, unix.SYS_READLINK, "/dev/stdin", make([]byte, 100), 100)
	if string(th.bytes(1, int(n))) != "/dev/null" {
		t.Fatalf("/dev/stdin is %q", th.bytes(1, int(n)))
	}
}

// A directory may be deeper than its path can be long.
func TestDeepDirectory(t *testing.T) {
	th := serverFor(t, Config{}, 1).threads[0]
	name := strings.Repeat("d", 200)
	for range 25 {
		must(t, th, unix.SYS_MKDIR, name, 0o700)
		must(t, th, unix.SYS_CHDIR, name)
	}
	want(t, unix.ENAMETOOLONG, th, unix.SYS_GETCWD, make([]byte, 8192), 8192)
	must(t, th, unix.SYS_OPEN, "f", unix.O_CREAT, 0o600)
	must(t, th, unix.SYS_TRUNCATE, "f", 5)
}

func TestUmask(t *testing.T) {
	dir := t.TempDir()
	th := serverFor(t, Config{Dir: dir}, 1).threads[0]
	host := int64(unix.Umask(0o022))
	unix.Umask(int(host))
	if old := must(t, th, unix.SYS_UMASK, 0); old != host {
		t.Fatalf("umask was %o, the host program's is %o", old, host)
	}
	mode := func(path string) os.FileMode {
		st, err := os.Stat(filepath.Join(dir, path))
		if err != nil {
			t.Fatal(err)
		}
		return st.Mode().Perm()
	}
	must(t, th, unix.SYS_OPEN, "a", unix.O_CREAT|unix.O_RDWR, 0o666)
	must(t, th, unix.SYS_MKDIR, "d", 0o777)
	s := must(t, th, unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM, 0)
	must(t, th, unix.SYS_BIND, s, "\x01\x00sock", 6)
	if old := must(t, th, unix.SYS_UMASK, 0o77); old != 0 {
		t.Fatalf("umask was %o", old)
	}
	must(t, th, unix.SYS_OPEN, "b", unix.O_CREAT|unix.O_RDWR, 0o666)
	for path, want := range map[string]os.FileMode{"a": 0o666, "d": 0o777, "sock": 0o777, "b": 0o600} {
		if got := mode(path); got != want {
			t.Errorf("mode of %s is %o, want %o", path, got, want)
		}
	}
	if now := int64(unix.Umask(int(host))); now != host {
		t.Errorf("the host program's umask is %o now, was %o", now, host)
	}
}

func TestFIFO(t *testing.T) {
	dir := t.TempDir()
	p := serverFor(t, Config{Dir: dir}, 2)
	a, b := p.threads[0], p.threads[1]
	must(t, a, unix.SYS_MKNODAT, atCWD, "f", unix.S_IFIFO|0o600, 0)
	got := make(chan int64)
	go func() { got <- a.do(unix.SYS_OPEN, "f", unix.O_RDONLY, 0) }()
	w := must(t, b, unix.SYS_OPEN, "f", unix.O_WRONLY, 0)
	r := <-got
	if r < 0 {
		t.Fatal(r)
	}
	must(t, b, unix.SYS_WRITE, w, "x", 1)
	if n := must(t, a, unix.SYS_READ, r, make([]byte, 4), 4); n != 1 {
		t.Fatalf("read %d", n)
	}
	must(t, a, unix.SYS_CLOSE, r)
	must(t, a, unix.SYS_CLOSE, w)
	go func() { got <- a.do(unix.SYS_OPEN, "f", unix.O_WRONLY, 0) }()
	time.Sleep(10 * time.Millisecond)
	p.end(State{}, nil)
	<-got // and does not hang
}
