package serve

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// A client that takes all places, and has nothing to say or says it slowly, keeps
// nobody out.
func TestCrowd(t *testing.T) {
	const most = 8
	for name, begin := range map[string]string{"silent": "", "in the header": "GET / HTTP/1.1\r\nHost: x\r\nX: ", "idle": ask} {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", TLS ", secure), func(t *testing.T) {
				// No timeout comes to anybody's help.
				s := &Server{Handler: hello, MaxConnections: most, rest: 20 * time.Millisecond, Timeouts: Timeouts{time.Hour, time.Hour, time.Hour, time.Hour}}
				if secure {
					cert, _ := pair(t, t.TempDir(), "localhost")
					s.TLS = cert.Config()
				}
				at, _, _ := start(t, s, 1)
				open := func() net.Conn {
					c := dial(t, at[0])
					if secure {
						return tls.Client(c, &tls.Config{InsecureSkipVerify: true})
					}
					return c
				}
				for range 3 * most {
					c := open()
					go func() { _, _ = io.WriteString(c, begin) }()
				}
				for range 3 {
					c := open()
					fmt.Fprint(c, ask)
					r, err := http.ReadResponse(bufio.NewReader(c), nil)
					if err != nil || r.StatusCode != 200 {
						t.Fatalf("%+v, %v", r, err)
					}
				}
			})
		}
	}
}

// Who gives way is the client that has most, and of it the connection that has
// waited longest; never one whose request is worked at, nor one that has just come.
func TestMakeRoom(t *testing.T) {
	const most = 6
	p := newPlaces(most, time.Minute)
	take := func(client string, waited time.Duration) *place {
		ours, _ := net.Pipe()
		c := &place{Conn: ours, of: p, client: client}
		c.since.Store(int64(time.Since(begun) - waited))
		p.slots <- struct{}{}
		p.taken[c] = true
		return c
	}
	old := take("a", time.Hour)
	worked := take("b", 0)
	worked.since.Store(busy)
	first, second, third := take("b", 30*time.Minute), take("b", 20*time.Minute), take("b", 0)
	p.makeRoom()
	if len(p.taken) != most-1 {
		t.Fatal("there was room, and somebody had to give way")
	}
	late := take("c", 10*time.Minute)
	for i, want := range []*place{first, old, second, late} { // of one each, who has waited longest
		p.makeRoom()
		if p.taken[want] || len(p.taken) != most-1 {
			t.Fatalf("%d: another gave way", i)
		}
		take("d", 0)
	}
	p.makeRoom()
	if !p.taken[worked] || !p.taken[third] || len(p.taken) != most {
		t.Error("who had a right to stay gave way")
	}
	if err := worked.Close(); err != nil || len(p.slots) != most-1 {
		t.Errorf("%d places are taken, %v", len(p.slots), err)
	}
	_ = worked.Close()
	if len(p.slots) != most-1 {
		t.Error("a connection has two places")
	}
}

func TestClient(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1:80": "192.0.2.1", "[::ffff:192.0.2.1]:80": "192.0.2.1", "[2001:db8::1]:80": "2001:db8::/64", "[2001:db8::ffff:1]:1": "2001:db8::/64",
		"[fe80::1%eth0]:1": "fe80::/64", "@": "", "": "", "/run/x.sock": "", "localhost:80": "",
	} {
		if got := Client(address); got != want {
			t.Errorf("%q is %q, want %q", address, got, want)
		}
	}
}
