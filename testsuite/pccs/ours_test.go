package pccs

import (
	"context"
	"crypto/tls"
	"net"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/server"
	"github.com/feidi-dev/feidi/pccs/store"
	"github.com/feidi-dev/feidi/testsuite/pccs/fleet"
)

// TestOurs runs the tables against ours.
func TestOurs(t *testing.T) {
	f := fleet.New()
	differential(t, ours(t, f, pccs.Offline, nil), f)
}

// TestQCNL replays Intel's client against ours.
func TestQCNL(t *testing.T) {
	f := fleet.New()
	p := ours(t, f, pccs.Offline, nil)
	p.fill(t, f)
	p.qcnl(t, f)
	p.retrievalTool(t, f)
}

// TestLibrary has Intel's client itself ask ours, by HTTP/1.1 and HTTP/2: it
// takes what it is offered.
func TestLibrary(t *testing.T) {
	f := fleet.New()
	p := ours(t, f, pccs.Offline, nil)
	p.fill(t, f)
	p.nineCalls(t, f)
}

// ours starts our service with SQLite and TLS, which trusts the fleet's root.
func ours(t *testing.T, f *fleet.Fleet, mode pccs.Mode, upstream *collateral.Client) *peer {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "pccs.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	check, err := collateral.NewChecker(f.PKI.Root.DER)
	if err != nil {
		t.Fatal(err)
	}
	service, err := pccs.New(pccs.Options{Store: db, Upstream: upstream, Checker: check, Mode: mode})
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{name: "ours", user: "user-secret", admin: "admin-secret", ours: true, tls: insecure()}
	srv, err := server.New(service, server.Options{
		UserTokenHash: sha512Hex(p.user), AdminTokenHash: sha512Hex(p.admin),
		Store: db, TLS: &tls.Config{Certificates: []tls.Certificate{selfSigned()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.addr = l.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return p
}

// selfSigned is a server certificate.
func selfSigned() tls.Certificate {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	return s.TLS.Certificates[0]
}
