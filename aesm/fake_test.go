package aesm_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/isa"
)

// fakeQuotes makes quotes that are the report behind a word. The report data
// may ask for trouble.
type fakeQuotes struct {
	keys  []aesm.AttKeyID
	inits atomic.Int32
	ready atomic.Bool // if lazy
	lazy  bool        // a quote needs an InitQuote before it
	block chan struct{}
	begun chan struct{}
}

const fakePrefix = "fake quote: "

func newFakeQuotes() *fakeQuotes {
	return &fakeQuotes{keys: []aesm.AttKeyID{aesm.DefaultECDSAKeyID(), aesm.ECDSAKeyID([32]byte{1, 2, 3})}}
}

func (f *fakeQuotes) AttKeyIDs() []aesm.AttKeyID { return f.keys }

func (f *fakeQuotes) InitQuote(_ context.Context, key *aesm.AttKeyID) (*isa.TargetInfo, []byte, error) {
	f.inits.Add(1)
	f.ready.Store(true)
	id := sha256.Sum256(key.MRSigner[:])
	return &isa.TargetInfo{Measurement: [32]byte{0xA1, 0xA2}, ConfigSVN: 7}, id[:], nil
}

func (f *fakeQuotes) QuoteSize(context.Context, *aesm.AttKeyID) (uint32, error) {
	if f.lazy && !f.ready.Load() {
		return 0, aesm.ErrAttKeyNotInitialized
	}
	return uint32(len(fakePrefix) + isa.ReportSize), nil
}

func (f *fakeQuotes) Quote(ctx context.Context, _ *aesm.AttKeyID, r *isa.Report, info *aesm.QEReportInfo) ([]byte, error) {
	if f.lazy && !f.ready.Load() {
		return nil, aesm.ErrAttKeyNotInitialized
	}
	switch string(r.ReportData[:8]) {
	case "panic!!!":
		panic("a plug-in has a bug")
	case "errorful":
		return nil, errors.New("no more ink")
	case "strange!":
		return nil, aesm.Code(1 << 31)
	case "invalid!":
		return nil, aesm.ErrInvalidReport
	case "full\x00\x00\x00\x00":
		return make([]byte, 4700), nil // as large as an ECDSA quote with its certificates
	case "giant!!!":
		return make([]byte, aesm.MaxFrame), nil
	case "block!!!":
		f.begun <- struct{}{}
		select {
		case <-f.block:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if info != nil {
		info.QEReport.ReportData = [64]byte(append(info.Nonce[:], make([]byte, 48)...))
	}
	return r.AppendBinary([]byte(fakePrefix))
}

// fakeLaunch signs nothing but says what it was asked.
type fakeLaunch struct{ list []byte }

func (*fakeLaunch) LaunchToken(_ context.Context, mrEnclave [32]byte, modulus *[384]byte, a isa.Attributes) (*isa.EinitToken, error) {
	if modulus[383] == 0 {
		return nil, aesm.ErrGetLicenseToken
	}
	return &isa.EinitToken{Valid: 1, MREnclave: mrEnclave, MRSigner: sha256.Sum256(modulus[:]), Attributes: a}, nil
}

func (f *fakeLaunch) WhiteList(context.Context) ([]byte, error) { return f.list, nil }

func (f *fakeLaunch) RegisterWhiteList(_ context.Context, list []byte) error {
	f.list = list
	return nil
}

// fakeEPID knows one group.
type fakeEPID struct{ group uint32 }

func (*fakeEPID) InitQuote(context.Context) (*isa.TargetInfo, [4]byte, error) {
	return &isa.TargetInfo{Measurement: [32]byte{0xE1}}, [4]byte{1, 2, 3, 4}, nil
}

func (*fakeEPID) Quote(_ context.Context, q *aesm.EPIDQuote) ([]byte, *isa.Report, error) {
	b := append([]byte("epid "), q.SPID[:]...)
	if q.Linkable {
		b = append(b, '!')
	}
	if q.Nonce == nil {
		return append(b, q.SigRL...), nil, nil
	}
	return append(b, q.SigRL...), &isa.Report{ReportBody: isa.ReportBody{ReportData: [64]byte(append(q.Nonce[:], make([]byte, 48)...))}}, nil
}

func (*fakeEPID) ReportAttestationError(_ context.Context, info *aesm.PlatformInfo, code uint32) (*aesm.UpdateInfo, error) {
	if code == 0 {
		return nil, nil
	}
	return &aesm.UpdateInfo{Microcode: info[0] == 1, Software: true}, nil
}

func (*fakeEPID) CheckUpdateStatus(_ context.Context, info *aesm.PlatformInfo, config uint32) (uint32, *aesm.UpdateInfo, error) {
	if info == nil {
		return config + 1, nil, nil
	}
	return config, &aesm.UpdateInfo{Firmware: true}, nil
}

func (f *fakeEPID) ExtendedGroupID(context.Context) (uint32, error) { return f.group, nil }

func (f *fakeEPID) SwitchExtendedGroup(_ context.Context, group uint32) error {
	f.group = group
	return nil
}

func newServices() aesm.Services {
	return aesm.Services{Quote: []aesm.QuoteService{newFakeQuotes()}, Launch: &fakeLaunch{list: []byte("white list")}, EPID: &fakeEPID{}}
}

// start serves at a socket of its own until the test ends, and checks that it
// stops well.
func start(t testing.TB, s *aesm.Server) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "s")
	l, err := aesm.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, s, l)
	return path
}

// serve serves at l until the test ends or the returned function is called,
// which returns what Serve returned.
func serve(t testing.TB, s *aesm.Server, l net.Listener) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	var result error
	stopped := false
	stop = func() error {
		cancel()
		if !stopped {
			stopped = true
			select {
			case result = <-done:
			case <-time.After(20 * time.Second):
				t.Fatal("the server does not stop")
			}
		}
		return result
	}
	t.Cleanup(func() {
		if err := stop(); err != nil && !t.Failed() {
			t.Logf("Serve: %v", err)
		}
	})
	return stop
}

func dialer(t testing.TB, path string) net.Conn {
	t.Helper()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

func report(word string) *isa.Report {
	r := new(isa.Report)
	copy(r.ReportData[:], word)
	return r
}
