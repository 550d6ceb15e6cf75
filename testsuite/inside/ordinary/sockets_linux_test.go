package ordinary

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// connected returns the ends of a connection.
func connected(t *testing.T, network, address string) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		server = c
		accepted <- err
	}()
	client, err = net.Dial(network, l.Addr().String())
	if err = errors.Join(err, <-accepted); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		server.Close()
	})
	return client, server
}

func TestConnections(t *testing.T) {
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(t.TempDir(), "s"), "unixpacket": filepath.Join(t.TempDir(), "p")} {
		client, server := connected(t, network, address)
		if client.RemoteAddr().String() != server.LocalAddr().String() {
			t.Errorf("%s: to %v, and there it is %v", network, client.RemoteAddr(), server.LocalAddr())
		}
		if _, err := client.Write([]byte("hello")); err != nil {
			t.Error(err)
		}
		b := make([]byte, 100)
		if n, err := server.Read(b); err != nil || string(b[:n]) != "hello" {
			t.Errorf("%s: %q, %v", network, b[:n], err)
		}
		_ = server.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if _, err := server.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: %v", network, err)
		}
		client.Close()
		_ = server.SetReadDeadline(time.Time{})
		if _, err := server.Read(b); err != io.EOF {
			t.Errorf("%s: %v", network, err)
		}
	}
	if _, err := net.Dial("tcp", "127.0.0.1:1"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("nobody listens: %v", err)
	}
}

// TestBuffers writes many pieces by writev.
func TestBuffers(t *testing.T) {
	client, server := connected(t, "tcp", "127.0.0.1:0")
	var buffers net.Buffers
	var want []byte
	for i := range 3000 {
		b := bytes.Repeat([]byte{byte(i)}, i%300)
		buffers = append(buffers, b)
		want = append(want, b...)
	}
	go func() {
		_, _ = buffers.WriteTo(client)
		client.Close()
	}()
	if got, err := io.ReadAll(server); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes of %d, %v", len(got), len(want), err)
	}
}

// TestSendfile copies a file to a connection, and a connection to a file.
func TestSendfile(t *testing.T) {
	content := bytes.Repeat([]byte("the quick brown fox "), 100_000)
	path := filepath.Join(t.TempDir(), "sent")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	client, server := connected(t, "tcp", "127.0.0.1:0")
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Seek(20, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = io.Copy(client, io.LimitReader(f, 1_500_000))
		_, _ = io.Copy(client, f)
		client.Close()
	}()
	to, err := os.Create(path + ".copy")
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if n, err := io.Copy(to, server); err != nil || n != int64(len(content)-20) {
		t.Errorf("%d bytes, %v", n, err)
	}
	if got, err := os.ReadFile(path + ".copy"); err != nil || sha256.Sum256(got) != sha256.Sum256(content[20:]) {
		t.Errorf("%d bytes arrived, %v", len(got), err)
	}
}

// TestRights passes a descriptor by a unix socket.
func TestRights(t *testing.T) {
	client, server := connected(t, "unix", filepath.Join(t.TempDir(), "s"))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n, oob, err := client.(*net.UnixConn).WriteMsgUnix([]byte("take it"), syscall.UnixRights(int(w.Fd())), nil)
	if n != 7 || oob == 0 || err != nil {
		t.Fatalf("WriteMsgUnix: %d, %d, %v", n, oob, err)
	}
	w.Close()
	b, control := make([]byte, 100), make([]byte, 100)
	n, oob, _, _, err = server.(*net.UnixConn).ReadMsgUnix(b, control)
	if err != nil || string(b[:n]) != "take it" {
		t.Fatalf("ReadMsgUnix: %q, %v", b[:n], err)
	}
	messages, err := syscall.ParseSocketControlMessage(control[:oob])
	if err != nil || len(messages) != 1 {
		t.Fatalf("%d messages, %v", len(messages), err)
	}
	fds, err := syscall.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		t.Fatalf("descriptors %v, %v", fds, err)
	}
	received := os.NewFile(uintptr(fds[0]), "received")
	if _, err := received.WriteString("through both"); err != nil {
		t.Error(err)
	}
	received.Close()
	if got, err := io.ReadAll(r); err != nil || string(got) != "through both" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestDatagrams(t *testing.T) {
	a, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := net.Dial("udp", a.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, n := range []int{0, 1, 1400, 60_000} {
		sent := bytes.Repeat([]byte{byte(n)}, n)
		if _, err := b.Write(sent); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 65536)
		m, from, err := a.ReadFrom(got)
		if err != nil || !bytes.Equal(got[:m], sent) || from.String() != b.LocalAddr().String() {
			t.Errorf("%d of %d bytes from %v, %v", m, n, from, err)
		}
		if _, err := a.WriteTo(sent, from); err != nil {
			t.Error(err)
		}
		if m, err := b.Read(got); err != nil || m != n {
			t.Errorf("back: %d of %d bytes, %v", m, n, err)
		}
	}
}

// TestManyConnections has more connections than an enclave has threads.
func TestManyConnections(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c)
				c.Close()
			}()
		}
	}()
	var wait sync.WaitGroup
	for i := range 200 {
		wait.Go(func() {
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			text := strings.Repeat(string(rune('a'+i%26)), 1000)
			for range 10 {
				if _, err := io.WriteString(c, text); err != nil {
					t.Error(err)
				}
				b := make([]byte, len(text))
				if _, err := io.ReadFull(c, b); err != nil || string(b) != text {
					t.Errorf("connection %d: %v", i, err)
				}
			}
		})
	}
	wait.Wait()
}
