package aesm_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/isa"
)

func TestQuote(t *testing.T) {
	quotes := newFakeQuotes()
	path := start(t, &aesm.Server{Services: aesm.Services{Quote: []aesm.QuoteService{quotes}}})
	c := aesm.New(aesm.Options{Path: path})
	quote, err := c.Quote(t.Context(), func(target *isa.TargetInfo) (*isa.Report, error) {
		if target.Measurement[1] != 0xA2 || target.ConfigSVN != 7 {
			t.Errorf("target %+v", target)
		}
		return report("hello"), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want, _ := report("hello").AppendBinary([]byte(fakePrefix))
	if !bytes.Equal(quote, want) {
		t.Errorf("quote %q", quote)
	}
	broken := errors.New("the enclave is busy")
	if _, err := c.Quote(t.Context(), func(*isa.TargetInfo) (*isa.Report, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestQuoteEx(t *testing.T) {
	quotes := newFakeQuotes()
	path := start(t, &aesm.Server{Services: aesm.Services{Quote: []aesm.QuoteService{quotes}}})
	c, ctx := aesm.New(aesm.Options{Path: path}), t.Context()

	keys, err := c.GetSupportedAttKeyIDs(ctx)
	if err != nil || !slices.Equal(keys, quotes.keys) {
		t.Fatalf("keys %v, %v", keys, err)
	}
	if k, err := c.SelectAttKeyID(ctx, nil); err != nil || *k != keys[0] {
		t.Errorf("selected %v, %v", k, err)
	}
	if k, err := c.SelectAttKeyID(ctx, keys[1:]); err != nil || *k != keys[1] {
		t.Errorf("selected %v, %v", k, err)
	}
	stranger := aesm.ECDSAKeyID([32]byte{9})
	if _, err := c.SelectAttKeyID(ctx, []aesm.AttKeyID{stranger}); !errors.Is(err, aesm.ErrUnsupportedAttKeyID) {
		t.Error(err)
	}
	if _, _, err := c.InitQuoteEx(ctx, &stranger); !errors.Is(err, aesm.ErrUnsupportedAttKeyID) {
		t.Error(err)
	}
	_, id, err := c.InitQuoteEx(ctx, &keys[1])
	if want := sha256.Sum256(keys[1].MRSigner[:]); err != nil || !bytes.Equal(id, want[:]) {
		t.Errorf("ID %x, %v", id, err)
	}
	size, err := c.GetQuoteSizeEx(ctx, &keys[1])
	if err != nil || size != 12+432 {
		t.Errorf("size %d, %v", size, err)
	}
	info := &aesm.QEReportInfo{Nonce: [16]byte{7, 8, 9}}
	if _, err := c.GetQuoteEx(ctx, &keys[1], report("x"), size, info); err != nil || info.QEReport.ReportData != [64]byte{7, 8, 9} {
		t.Errorf("QE report data %x, %v", info.QEReport.ReportData, err)
	}
	for word, want := range map[string]error{"invalid!": aesm.ErrInvalidReport, "errorful": aesm.ErrUnexpected, "panic!!!": aesm.ErrUnexpected, "giant!!!": aesm.ErrUnexpected} {
		if _, err := c.GetQuoteEx(ctx, &keys[0], report(word), aesm.MaxFrame, nil); !errors.Is(err, want) {
			t.Errorf("%s: %v", word, err)
		}
	}
	if _, err := c.GetQuoteEx(ctx, &keys[0], report("x"), size-1, nil); !errors.Is(err, aesm.ErrParameter) {
		t.Error(err)
	}
}

// A service that was started anew knows no key until InitQuoteEx.
func TestKeyNotInitialized(t *testing.T) {
	quotes := newFakeQuotes()
	quotes.lazy = true
	path := start(t, &aesm.Server{Services: aesm.Services{Quote: []aesm.QuoteService{quotes}}})
	c := aesm.New(aesm.Options{Path: path})
	if size, err := c.GetQuoteSizeEx(t.Context(), &quotes.keys[0]); err != nil || size == 0 {
		t.Fatal(size, err)
	}
	quotes.ready.Store(false)
	if _, err := c.GetQuoteEx(t.Context(), &quotes.keys[0], report("x"), 1000, nil); err != nil {
		t.Fatal(err)
	}
	if got := quotes.inits.Load(); got != 4 { // two requests each time
		t.Errorf("%d requests of InitQuoteEx", got)
	}
}

func TestLaunch(t *testing.T) {
	launch := &fakeLaunch{list: []byte("white list")}
	path := start(t, &aesm.Server{Services: aesm.Services{Launch: launch}})
	c, ctx := aesm.New(aesm.Options{Path: path}), t.Context()
	modulus, attributes := [384]byte{1, 383: 2}, isa.Attributes{Flags: isa.AttrMode64Bit, XFRM: 3}
	token, err := c.GetLaunchToken(ctx, [32]byte{5}, &modulus, attributes)
	if want := sha256.Sum256(modulus[:]); err != nil || token.Valid != 1 || token.MREnclave != [32]byte{5} || token.MRSigner != want || token.Attributes != attributes {
		t.Errorf("%+v, %v", token, err)
	}
	if _, err := c.GetLaunchToken(ctx, [32]byte{5}, new([384]byte), attributes); !errors.Is(err, aesm.ErrGetLicenseToken) {
		t.Error(err)
	}
	if n, err := c.GetWhiteListSize(ctx); err != nil || n != 10 {
		t.Error(n, err)
	}
	// The largest list of the launch enclave: 2048 signers, and what is around them.
	list := bytes.Repeat([]byte{7}, 2048*32+1024)
	if err := c.RegisterWhiteList(ctx, list); err != nil {
		t.Error(err)
	}
	if got, err := c.GetWhiteList(ctx); err != nil || !bytes.Equal(got, list) {
		t.Error(len(got), err)
	}
	if err := c.RegisterWhiteList(ctx, make([]byte, aesm.MaxFrame)); !errors.Is(err, aesm.ErrTooLarge) {
		t.Error(err)
	}
	if _, _, err := c.InitQuote(ctx); !errors.Is(err, aesm.ErrServiceUnavailable) {
		t.Error(err)
	}
	if _, err := c.GetSupportedAttKeyIDs(ctx); !errors.Is(err, aesm.ErrServiceUnavailable) {
		t.Error(err)
	}
}

func TestEPID(t *testing.T) {
	path := start(t, &aesm.Server{Services: aesm.Services{EPID: &fakeEPID{}}})
	c, ctx := aesm.New(aesm.Options{Path: path}), t.Context()
	if target, gid, err := c.InitQuote(ctx); err != nil || target.Measurement[0] != 0xE1 || gid != [4]byte{1, 2, 3, 4} {
		t.Error(target, gid, err)
	}
	q := &aesm.EPIDQuote{SPID: [16]byte([]byte("0123456789abcdef")), SigRL: []byte("RL")}
	if quote, r, err := c.GetQuote(ctx, q, 2000); err != nil || string(quote) != "epid 0123456789abcdefRL" || r != nil {
		t.Errorf("%q %v %v", quote, r, err)
	}
	q.Linkable, q.Nonce, q.WantQEReport = true, &[16]byte{3}, true
	if quote, r, err := c.GetQuote(ctx, q, 2000); err != nil || string(quote) != "epid 0123456789abcdef!RL" || r.ReportData != [64]byte{3} {
		t.Errorf("%q %v %v", quote, r, err)
	}
	if _, _, err := c.GetQuote(ctx, q, 10); !errors.Is(err, aesm.ErrParameter) {
		t.Error(err)
	}
	info := &aesm.PlatformInfo{1}
	if u, err := c.ReportAttestationError(ctx, info, 0); u != nil || err != nil {
		t.Error(u, err)
	}
	if u, err := c.ReportAttestationError(ctx, info, 1); err != nil || *u != (aesm.UpdateInfo{Microcode: true, Software: true}) {
		t.Error(u, err)
	}
	if status, u, err := c.CheckUpdateStatus(ctx, nil, 4); status != 5 || u != nil || err != nil {
		t.Error(status, u, err)
	}
	if status, u, err := c.CheckUpdateStatus(ctx, info, 4); err != nil || status != 4 || *u != (aesm.UpdateInfo{Firmware: true}) {
		t.Error(status, u, err)
	}
	if g, err := c.GetExtendedGroupID(ctx); g != 0 || err != nil {
		t.Error(g, err)
	}
	if err := c.SwitchExtendedGroup(ctx, 7); err != nil {
		t.Error(err)
	}
	if g, err := c.GetExtendedGroupID(ctx); g != 7 || err != nil {
		t.Error(g, err)
	}
	if err := c.RegisterWhiteList(ctx, []byte("x")); !errors.Is(err, aesm.ErrServiceUnavailable) {
		t.Error(err)
	}
}

// answering is a client whose service answers every request with this.
func answering(t *testing.T, answer func(net.Conn)) *aesm.Client {
	t.Helper()
	return aesm.New(aesm.Options{Timeout: time.Second, Dial: func(context.Context) (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			defer there.Close()
			if _, err := aesm.ReadFrame(there); err == nil {
				answer(there)
			}
		}()
		return here, nil
	}})
}

func TestBadAnswers(t *testing.T) {
	key := aesm.DefaultECDSAKeyID()
	frame := func(m aesm.Response) func(net.Conn) {
		return func(c net.Conn) { _ = aesm.WriteFrame(c, aesm.AppendResponse(nil, m)) }
	}
	raw := func(s string) func(net.Conn) { return func(c net.Conn) { _, _ = io.WriteString(c, s) } }
	for _, c := range []struct {
		name   string
		answer func(net.Conn)
		want   error
	}{
		{"nothing", raw(""), aesm.ErrNoAnswer},
		{"half a frame", raw("\x05\x00\x00\x00\x01"), aesm.ErrNoAnswer},
		{"giant frame", raw("\xff\xff\xff\xff"), aesm.ErrTooLarge},
		{"garbage", raw("\x02\x00\x00\x00\xff\xff"), aesm.ErrFormat},
		{"another message", frame(&aesm.GetQuoteSizeExResponse{}), aesm.ErrFormat},
		{"unsupported", frame(&aesm.UnsupportedResponse{ErrorCode: 30}), aesm.ErrServiceUnavailable},
		{"unsupported, successfully", frame(&aesm.UnsupportedResponse{}), aesm.ErrFormat},
		{"no quote", frame(&aesm.GetQuoteExResponse{}), aesm.ErrFormat},
		{"too large a quote", frame(&aesm.GetQuoteExResponse{Quote: make([]byte, 101)}), aesm.ErrFormat},
		{"no QE report", frame(&aesm.GetQuoteExResponse{Quote: make([]byte, 100)}), aesm.ErrFormat},
		{"unknown code", frame(&aesm.GetQuoteExResponse{ErrorCode: 1234}), aesm.Code(1234)},
		{"silence", func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, context.DeadlineExceeded},
	} {
		_, err := answering(t, c.answer).GetQuoteEx(t.Context(), &key, report(""), 100, new(aesm.QEReportInfo))
		if !errors.Is(err, c.want) || !strings.HasPrefix(err.Error(), "aesm: ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	c := answering(t, frame(&aesm.GetQuoteSizeExResponse{}))
	if _, err := c.Do(t.Context(), new(aesm.GetWhiteListRequest)); !errors.Is(err, aesm.ErrFormat) {
		t.Error(err)
	}
	c = answering(t, frame(&aesm.InitQuoteExResponse{PubKeyIDSize: 1 << 40}))
	if _, _, err := c.InitQuoteEx(t.Context(), &key); !errors.Is(err, aesm.ErrFormat) {
		t.Error(err)
	}
	c = answering(t, frame(&aesm.InitQuoteExResponse{TargetInfo: make([]byte, 511)}))
	if _, _, err := c.InitQuoteEx(t.Context(), &key); !errors.Is(err, aesm.ErrFormat) {
		t.Error(err)
	}
	c = answering(t, frame(&aesm.GetSupportedAttKeyIDNumResponse{Num: 1 << 30}))
	if _, err := c.GetSupportedAttKeyIDs(t.Context()); !errors.Is(err, aesm.ErrFormat) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c = answering(t, func(c net.Conn) { cancel(); _, _ = io.Copy(io.Discard, c) })
	if _, err := c.GetWhiteListSize(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestUnreachable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nobody")
	_, err := aesm.New(aesm.Options{Path: path}).GetWhiteListSize(t.Context())
	if !errors.Is(err, aesm.ErrUnreachable) || !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "start the AESM service") || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
}

func TestLegacyName(t *testing.T) {
	if os.PathSeparator != '/' {
		t.Skip("no abstract names")
	}
	l, err := aesm.Listen(aesm.LegacyPath)
	if err != nil {
		t.Skipf("the name is taken, or there are no abstract names: %v", err)
	}
	serve(t, &aesm.Server{Services: newServices()}, l)
	if _, err := aesm.Listen(aesm.LegacyPath); !errors.Is(err, aesm.ErrInUse) {
		t.Errorf("listening again: %v", err)
	}
	// The name is padded with zeros to 108 bytes, as other clients do it.
	c, err := net.Dial("unix", "@sgx_aesm_socket_base"+strings.Repeat("\x00", 108-21))
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if n, err := aesm.New(aesm.Options{Path: aesm.LegacyPath}).GetWhiteListSize(t.Context()); n != 10 || err != nil {
		t.Error(n, err)
	}
	if _, err := os.Stat(aesm.DefaultPath); err == nil {
		t.Skip("there is a service at the default path")
	}
	if n, err := aesm.New(aesm.Options{}).GetWhiteListSize(t.Context()); n != 10 || err != nil {
		t.Errorf("without a path: %d, %v", n, err)
	}
}
