package world_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/aesm"
	_ "github.com/feidi-dev/feidi/cpu/native" // the engine, where there is one
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/rig"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
)

// computer is a machine of the world that is at work in the test, too: what makes
// enclaves those of a machine are its fuses, and any process may have them.
type computer struct {
	*enclave.Machine
	t   testing.TB
	app *enclave.Enclave // an application, not under debug
}

// powerOn switches a machine on, with an application.
func (h *home) powerOn(name string) *computer {
	h.Helper()
	m, err := h.world().Machine(name)
	if err != nil {
		h.Fatal(err)
	}
	c := &computer{t: h.TB}
	if c.Machine, err = rig.PowerOn(m, nil); errors.Is(err, enclave.ErrNoEngine) {
		h.Skip(err)
	} else if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() {
		if err := c.Close(); err != nil {
			h.Error(err)
		}
	})
	c.app = c.load()
	return c
}

// needEngine skips a test whose daemons need an engine to run enclaves.
func needEngine(t testing.TB) {
	t.Helper()
	m, err := enclave.PowerOn(enclave.MachineConfig{})
	if errors.Is(err, enclave.ErrNoEngine) {
		t.Skip(err)
	}
	if err == nil {
		err = m.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// appKey is who signs applications.
var appKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return sign.GenerateKey(rand.Reader) })

// load loads the application.
func (c *computer) load(options ...enclave.Option) *enclave.Enclave {
	c.t.Helper()
	key, err := appKey()
	if err != nil {
		c.t.Fatal(err)
	}
	file, err := toy.Build(toy.Options{Key: key, Debug: true, Threads: 8, ISVProdID: 7, ISVSVN: 2})
	if err != nil {
		c.t.Fatal(err)
	}
	img, err := image.Parse(file)
	if err != nil {
		c.t.Fatal(err)
	}
	e, err := c.Load(context.Background(), img, options...)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		if err := e.Destroy(); err != nil {
			c.t.Error(err)
		}
	})
	return e
}

// report has an enclave make a REPORT for a target.
func report(e *enclave.Enclave, target *isa.TargetInfo) (*isa.Report, error) {
	in, err := target.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	b, err := e.Alloc(isa.TargetInfoSize + 64 + isa.ReportSize)
	if err != nil {
		return nil, err
	}
	defer b.Free()
	copy(b.Bytes(), in)
	at := b.Addr()
	block := toy.Encode(toy.MSReport{TargetInfo: at, ReportData: at + isa.TargetInfoSize, Report: at + isa.TargetInfoSize + 64})
	if err := e.ECall(context.Background(), int(toy.ECallReport), block); err != nil {
		return nil, err
	}
	r := new(isa.Report)
	return r, r.UnmarshalBinary(bytes.Clone(b.Bytes()[isa.TargetInfoSize+64:]))
}

// sealKey asks the application for the key of what it sealed at a CPUSVN.
func (c *computer) sealKey(cpuSVN [16]byte) (key [16]byte, code isa.ErrorCode) {
	c.t.Helper()
	r := isa.KeyRequest{KeyName: isa.KeySeal, KeyPolicy: isa.PolicyMRSigner, CPUSVN: cpuSVN}
	in, err := r.AppendBinary(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	b, err := c.app.Alloc(len(in) + len(key))
	if err != nil {
		c.t.Fatal(err)
	}
	defer b.Free()
	copy(b.Bytes(), in)
	block := toy.Encode(toy.MSGetKey{Request: b.Addr(), Key: b.Addr() + uint64(len(in))})
	if err := c.app.ECall(context.Background(), int(toy.ECallGetKey), block); err != nil {
		c.t.Fatal(err)
	}
	ms, err := toy.Decode[toy.MSGetKey](block)
	if err != nil {
		c.t.Fatal(err)
	}
	return [16]byte(b.Bytes()[len(in):]), isa.ErrorCode(ms.Error)
}

// client is an application's connection to AESM.
func client(d *daemon) *aesm.Client {
	return aesm.New(aesm.Options{Timeout: time.Minute, Dial: d.dial})
}

// dial connects to a daemon's socket. When more wait there than the kernel lets,
// it waits, too, as Intel's client does.
func (d *daemon) dial(ctx context.Context) (net.Conn, error) {
	for {
		c, err := new(net.Dialer).DialContext(ctx, "unix", d.Sockets[0])
		if !errors.Is(err, syscall.EAGAIN) {
			return c, err
		}
		time.Sleep(time.Millisecond)
	}
}

// quote gets a quote of an enclave through AESM's socket.
func quote(d *daemon, e *enclave.Enclave) ([]byte, error) {
	return client(d).Quote(d.h.within(time.Minute), func(target *isa.TargetInfo) (*isa.Report, error) {
		return report(e, target)
	})
}

// mustQuote is quote, which works.
func mustQuote(d *daemon, e *enclave.Enclave) []byte {
	d.h.Helper()
	q, err := quote(d, e)
	if err != nil {
		d.h.Fatalf("%v\n%s", err, d.log.String())
	}
	return q
}

// codeIs checks what an application is told in place of a quote.
func codeIs(d *daemon, what string, err error, want aesm.Code) {
	d.h.Helper()
	var e *aesm.Error
	if !errors.As(err, &e) || e.Code != want {
		d.h.Errorf("%s: %v, and not %v\n%s", what, err, want, d.log.String())
	}
}

// verdict is what `feidi verify --json` writes, as far as tests look at it.
type verdict struct {
	Accepted  bool   `json:"accepted"`
	Reason    string `json:"reason"`
	Status    string `json:"status"`
	Authentic bool   `json:"authentic"`
	Expired   bool   `json:"expired"`
	Steps     map[string]struct {
		Status string `json:"status"`
		Error  string `json:"error"`
	} `json:"steps"`
	Policy struct {
		Failures []struct {
			Rule string `json:"rule"`
		} `json:"failures"`
	} `json:"policy"`
	TCBStatus   string   `json:"tcb_status"`
	AdvisoryIDs []string `json:"advisory_ids"`
	CA          string   `json:"ca"`
	FMSPC       string   `json:"fmspc"`

	all *result
}

func (v *verdict) String() string {
	return fmt.Sprintf("exit code %d, accepted %v, %s, %s\n%+v", v.all.code, v.Accepted, v.Status, v.Reason, v.Steps)
}

// verify has a relying party verify a quote, who keeps no collateral if it asks a
// service.
func (h *home) verify(quote []byte, args ...string) *verdict {
	h.Helper()
	if i := slices.Index(args, "--collateral"); strings.HasPrefix(args[i+1], "http://") {
		args = append(args, "--no-cache")
	}
	return h.judge(quote, args...)
}

// judge runs `feidi verify`.
func (h *home) judge(quote []byte, args ...string) *verdict {
	h.Helper()
	file := filepath.Join(h.dir, "quote.bin")
	h.write(file, quote)
	r := h.try(append([]string{"verify", file, "--json"}, args...)...)
	v := &verdict{all: r}
	if err := json.Unmarshal([]byte(r.stdout), v); err != nil || r.code == 0 != v.Accepted || r.code > 1 {
		h.Fatalf("%v\n%s", err, r)
	}
	return v
}

// accepted checks that a relying party accepts a quote.
func (h *home) accepted(what string, quote []byte, from string) *verdict {
	h.Helper()
	v := h.verify(quote, "--root", h.root(), "--collateral", from)
	if !v.Accepted || v.Status != "STATUS_OK" || v.TCBStatus != "UpToDate" {
		h.Fatalf("%s: %s", what, v)
	}
	return v
}

// refused checks that a quote was refused, with that status and for that reason.
func (h *home) refused(what string, v *verdict, status string, reasons ...string) {
	h.Helper()
	if v.Accepted || v.Status != status {
		h.Errorf("%s is not refused with %s\n%s", what, status, v)
	}
	for _, r := range reasons {
		if !strings.Contains(v.Reason, r) {
			h.Errorf("%s is not refused because %s\n%s", what, r, v)
		}
	}
}

// copyAll copies the files of a directory.
func (h *home) copyAll(from, to string) {
	h.Helper()
	if err := errors.Join(os.RemoveAll(to), os.CopyFS(to, os.DirFS(from))); err != nil {
		h.Fatal(err)
	}
}

// parse reads a quote.
func (h *home) parse(quote []byte) *dcap.Quote {
	h.Helper()
	q, err := dcap.ParseQuote(quote)
	if err != nil {
		h.Fatal(err)
	}
	return q
}
