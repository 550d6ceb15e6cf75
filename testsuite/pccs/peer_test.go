package pccs

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// peer is a service under test.
type peer struct {
	name        string
	addr        string
	tls         *tls.Config
	user, admin string // tokens
	ours        bool
}

// intel returns Intel's service if there is one to ask.
func intel(t *testing.T, variable string) *peer {
	t.Helper()
	address := os.Getenv(variable)
	if address == "" {
		t.Skipf("%s names none of Intel's services", variable)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	admin, _ := u.User.Password()
	return &peer{name: "intel", addr: u.Host, tls: insecure(), user: u.User.Username(), admin: admin}
}

// insecure is for certificates that services make for themselves. As there, HTTP
// is 1.1 unless a test says otherwise.
func insecure() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

// request is one, without what all have.
type request struct {
	method, target string
	header         []string // lines
	body           []byte
}

// reply is an answer as it came.
type reply struct {
	status int
	lines  []string // of the header, as spelled
	header http.Header
	body   []byte
}

// patience is the longest that one exchange may take.
const patience = 20 * time.Second

// do sends a request on a connection of its own, and says what came back.
func (p *peer) do(t testing.TB, r request) *reply {
	t.Helper()
	head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\n", r.method, r.target, p.addr)
	for _, h := range r.header {
		head += h + "\r\n"
	}
	if r.body != nil {
		head += fmt.Sprintf("Content-Length: %d\r\n", len(r.body))
	}
	return p.raw(t, r.method, append([]byte(head+"\r\n"), r.body...))
}

// raw sends bytes. The answer is read as one to that method.
func (p *peer) raw(t testing.TB, method string, b []byte) *reply {
	t.Helper()
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", p.addr, p.tls)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	go func() { _, _ = c.Write(b) }() // a server may answer before it has read all
	got, err := readReply(bufio.NewReader(c), method)
	if err != nil {
		t.Fatalf("%s: %.100q: %v", p.name, b, err)
	}
	return got
}

// readReply reads one answer, and keeps how its header is spelled.
func readReply(r *bufio.Reader, method string) (*reply, error) {
	var head bytes.Buffer
	for {
		line, err := r.ReadSlice('\n')
		head.Write(line)
		if err != nil {
			return nil, fmt.Errorf("after %q: %w", head.Bytes(), err)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			break
		}
	}
	lines := strings.Split(strings.TrimSpace(head.String()), "\r\n")
	res, err := http.ReadResponse(bufio.NewReader(io.MultiReader(&head, r)), &http.Request{Method: method})
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	got := &reply{status: res.StatusCode, lines: lines[1:], header: res.Header}
	got.body, err = io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return got, err
}
