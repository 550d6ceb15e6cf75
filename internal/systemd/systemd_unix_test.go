//go:build unix

package systemd

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain is the process that systemd starts, too.
func TestMain(m *testing.M) {
	if os.Getenv("FEIDI_TEST_ACTIVATED") == "" {
		os.Exit(m.Run())
	}
	ls, err := Activated()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	if again, err := Activated(); len(again) != 0 || err != nil || os.Getenv("LISTEN_FDS") != "" {
		fmt.Println("they can be had twice:", again, err)
	}
	fmt.Println(len(ls))
	for i, l := range ls {
		c, err := l.Accept()
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Fprintf(c, "socket %d", i)
		c.Close()
	}
	os.Exit(0)
}

// activated starts this program as systemd does, with files as descriptors from 3 on.
func activated(t *testing.T, pid, fds string, files ...*os.File) *exec.Cmd {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell")
	}
	cmd := exec.Command(sh, "-c", `LISTEN_PID=`+pid+` LISTEN_FDS=`+fds+` exec "$0"`, os.Args[0]) // which keeps its process ID
	cmd.Env = append(os.Environ(), "FEIDI_TEST_ACTIVATED=1")
	cmd.ExtraFiles = files
	return cmd
}

func TestActivated(t *testing.T) {
	var files []*os.File
	var sockets []net.Listener
	unix, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []interface {
		net.Listener
		File() (*os.File, error)
	}{tcp.(*net.TCPListener), unix.(*net.UnixListener)} {
		f, err := l.File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		defer l.Close()
		files, sockets = append(files, f), append(sockets, l)
	}
	cmd := activated(t, "$$", "2", files...)
	var out strings.Builder
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for i, l := range sockets {
		c, err := net.Dial(l.Addr().Network(), l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		if b, err := io.ReadAll(c); err != nil || string(b) != fmt.Sprintf("socket %d", i) {
			t.Errorf("%q, %v", b, err)
		}
		c.Close()
	}
	if err := cmd.Wait(); err != nil || out.String() != "2\n" {
		t.Errorf("%v: %q", err, &out)
	}
}

func TestNotActivated(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for name, c := range map[string]struct{ pid, fds, out string }{
		"not by systemd":       {"", "", "0\n"},
		"for another process":  {"1", "1", "0\n"},
		"no number":            {"$$", "many", "not a number up to 64"},
		"too many":             {"$$", "65", "not a number up to 64"},
		"a file, not a socket": {"$$", "1", "descriptor 3 is no socket"},
		"fewer than it says":   {"$$", "60", "is no socket"},
	} {
		out, _ := activated(t, c.pid, c.fds, null).Output()
		if !strings.Contains(string(out), c.out) {
			t.Errorf("%s: %q, want %q", name, out, c.out)
		}
	}
}

func TestNotify(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if err := Notify(Ready); err != nil {
		t.Errorf("to nobody: %v", err)
	}
	name := filepath.Join(t.TempDir(), "n")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	t.Setenv("NOTIFY_SOCKET", name)
	b := make([]byte, 100)
	for _, state := range []string{Ready, Stopping} {
		if err := Notify(state); err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		if n, err := c.Read(b); err != nil || string(b[:n]) != state {
			t.Errorf("%q, %v, want %q", b[:n], err, state)
		}
	}
	t.Setenv("NOTIFY_SOCKET", name+"-none")
	if err := Notify(Ready); err == nil || !strings.Contains(err.Error(), Ready) {
		t.Errorf("to a socket that is not there: %v", err)
	}
}
