package pccs

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/feidi-dev/feidi/internal/cli" // so that go test knows what the command is made of
	"github.com/feidi-dev/feidi/pccs"
)

// Tests that do harm to a service do it to `feidi pccs serve` as a process. With
// FEIDI_PCCS_FAULTS=all they take some minutes.
var thorough = os.Getenv("FEIDI_PCCS_FAULTS") == "all"

// built is the folder of the command.
var built string

func TestMain(m *testing.M) {
	// Tests that do harm wait most of the time: for timeouts and for others.
	flag.Parse()
	if n := flag.Lookup("test.parallel"); n != nil && n.Value.String() == n.DefValue {
		_ = flag.Set(n.Name, "6") // it is a number
	}
	dir, err := os.MkdirTemp("", "feidi-pccs-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// command is the path of the command, which is built when it is first used.
var command = sync.OnceValues(func() (string, error) {
	path := filepath.Join(built, "feidi")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/feidi")
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// site is what a service is started from, and what it keeps.
type site struct {
	testing.TB
	command  string
	dir      string // $XDG_STATE_HOME
	database string // its address

	Mode     pccs.Mode
	Upstream string   // URL
	Root     []byte   // PEM
	Settings []string // lines of TOML with dotted keys, before all others
}

// newSite returns a site with a SQLite file of its own.
func newSite(t testing.TB, s site) *site {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the command and runs daemons")
	}
	if runtime.GOOS == "windows" {
		t.Skip("no SIGTERM")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command")
	}
	var err error
	if s.command, err = command(); err != nil {
		t.Fatal(err)
	}
	s.TB, s.dir = t, t.TempDir()
	if s.database == "" {
		s.database = "sqlite:" + filepath.Join(s.dir, "pccs.db")
	}
	return &s
}

// file is the SQLite file, if there is one.
func (s *site) file() string { return strings.TrimPrefix(s.database, "sqlite:") }

// daemon is a service that runs.
type daemon struct {
	*site
	cmd    *exec.Cmd
	log    logged
	ready  chan error    // one, once it has said where it serves, or that it never will
	dying  chan struct{} // closed when somebody kills it
	once   sync.Once
	ended  bool
	client *http.Client

	Address string // URL, as it said
}

// patienceToStart is the longest that a service may take to start on a machine
// that has much else to do.
const patienceToStart = time.Minute

// launch starts the service, and does not wait for it.
func (s *site) launch() *daemon {
	s.Helper()
	root, config := filepath.Join(s.dir, "root.pem"), filepath.Join(s.dir, "pccs.toml")
	text := strings.Join(s.Settings, "\n") + fmt.Sprintf("\nmode = %q\nlisten = [\"127.0.0.1:0\"]\ndatabase.address = %q\nupstream.roots = [%q]\ntokens.user_sha512 = %q\ntokens.admin_sha512 = %q\n",
		s.Mode, s.database, root, sha512Hex("user-secret"), sha512Hex("admin-secret"))
	if s.Upstream != "" {
		text += fmt.Sprintf("upstream.url = %q\n", s.Upstream)
	}
	for path, b := range map[string][]byte{root: s.Root, config: []byte(text)} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			s.Fatal(err)
		}
	}
	d := &daemon{site: s, ready: make(chan error, 1), dying: make(chan struct{}), client: newHTTP()}
	d.cmd = exec.Command(s.command, "pccs", "serve", "--config", config, "--json")
	d.cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+s.dir)
	d.cmd.Stderr = &d.log
	stdout, err := d.cmd.StdoutPipe()
	if err != nil {
		s.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		s.Fatal(err)
	}
	go func() {
		d.ready <- json.NewDecoder(stdout).Decode(d)
		_, _ = io.Copy(io.Discard, stdout)
	}()
	s.Cleanup(func() {
		d.client.CloseIdleConnections()
		if !d.ended {
			d.stop()
		}
	})
	return d
}

// start starts the service, and waits until it serves.
func (s *site) start() *daemon {
	s.Helper()
	d := s.launch()
	select {
	case err := <-d.ready:
		if err != nil {
			s.Fatalf("%v\n%s", err, d.log.String())
		}
	case <-time.After(patienceToStart):
		s.Fatalf("it does not serve after %v\n%s", patienceToStart, d.log.String())
	}
	return d
}

// stop has the service end in good order.
func (d *daemon) stop() {
	d.Helper()
	d.ended = true
	_ = d.cmd.Process.Signal(syscall.SIGTERM) // Wait tells if it has ended by itself
	late := time.AfterFunc(patienceToStart, func() { _ = d.cmd.Process.Kill() })
	defer late.Stop()
	if err := d.cmd.Wait(); err != nil {
		d.Errorf("the service ends with %v\n%s", err, d.log.String())
	}
}

// killAfter kills the service after a time.
func (d *daemon) killAfter(after time.Duration) { time.AfterFunc(after, d.strike) }

func (d *daemon) strike() {
	d.once.Do(func() {
		close(d.dying)
		_ = d.cmd.Process.Kill() // it may have ended
	})
}

// kill ends the service as the kernel ends a process that has no say in it. It is
// an error if it had ended by itself.
func (d *daemon) kill() {
	d.Helper()
	d.ended = true
	d.strike()
	_ = d.cmd.Wait() // as its status tells
	if s, ok := d.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !s.Signaled() || s.Signal() != syscall.SIGKILL {
		d.Fatalf("it ended by itself: %v\n%s", d.cmd.ProcessState, d.log.String())
	}
}

// dead reports whether somebody has killed it.
func (d *daemon) dead() bool {
	select {
	case <-d.dying:
		return true
	default:
		return false
	}
}

// newHTTP returns a client with connections of its own.
func newHTTP() *http.Client {
	return &http.Client{Timeout: patienceToStart, Transport: &http.Transport{TLSClientConfig: insecure(), MaxIdleConnsPerHost: 100}}
}

// The tokens of a site.
const (
	asUser  = "user-token: user-secret"
	asAdmin = "admin-token: admin-secret"
)

// ask asks the service. The error is that of the connection.
func (d *daemon) ask(r request) (*reply, error) {
	req, err := http.NewRequestWithContext(d.Context(), r.method, d.Address+r.target, bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	for _, h := range r.header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := d.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	got := &reply{status: res.StatusCode, header: res.Header}
	got.body, err = io.ReadAll(res.Body)
	return got, err
}

// must asks the service, which is to answer with that status and Error-Code.
func (d *daemon) must(status int, reason pccs.Reason, r request) *reply {
	d.Helper()
	got, err := d.ask(r)
	if err != nil {
		d.Fatalf("%s: %v\n%s", shown(r), err, d.log.String())
	}
	if !got.is(status, reason) {
		d.Errorf("%s: %s, want %d %s", shown(r), got, status, reason)
	}
	return got
}

func shown(r request) string { return fmt.Sprintf("%s %.100s", r.method, r.target) }

func (r *reply) is(status int, reason pccs.Reason) bool {
	return r.status == status && r.header.Get("Error-Code") == string(reason)
}

func (r *reply) String() string {
	return fmt.Sprintf("%d %s %s", r.status, r.header.Get("Error-Code"), r.header.Get("Error-Message"))
}

// memory returns a figure of the process in bytes: VmRSS is the memory that it
// has, VmHWM the most that it ever had.
func (d *daemon) memory(name string) int {
	d.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		return 0 // not Linux
	}
	for line := range strings.Lines(string(b)) {
		var kb int
		if _, err := fmt.Sscanf(line, name+": %d kB", &kb); err == nil {
			return kb << 10
		}
	}
	d.Fatalf("no %s in\n%s", name, b)
	return 0
}

// logged is a log that is written while it is read.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
