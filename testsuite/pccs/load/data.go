package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/feidi-dev/feidi/pccs/store"
	"github.com/feidi-dev/feidi/testpki"
	"github.com/feidi-dev/feidi/testsuite/pccs/fleet"
)

// writeData writes what services are filled with, and asked for.
func writeData(ctx context.Context, dir, database string, platforms int) error {
	f := fleet.New(testpki.At(time.Now()))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	const v4 = "/sgx/certification/v4/"
	targets := "tcb " + v4 + "tcb?fmspc=" + f.Multi.FMSPC() + "\n" +
		"pckcert " + v4 + "pckcert?" + f.Multi.Query(f.Multi.Seen[0]) + "\n" +
		"qe/identity " + v4 + "qe/identity\n" +
		"rootcacrl " + v4 + "rootcacrl\n"
	for name, b := range map[string][]byte{"root.pem": f.PKI.RootPEM(), "collateral.json": f.Body(4), "targets": []byte(targets)} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return err
		}
	}
	if (database == "") != (platforms == 0) {
		return errors.New("-platforms and -database go together")
	}
	if database == "" {
		return nil
	}
	db, err := store.Open(ctx, database)
	if err != nil {
		return err
	}
	return errors.Join(fill(ctx, db, f, platforms), db.Close())
}

// fill puts copies of the fleet's two machines, by turns, into a database: with QE
// IDs of their own, and ten certificates each.
func fill(ctx context.Context, db *store.Store, f *fleet.Fleet, n int) error {
	models := []store.Platform{model(f.Multi, "platform"), model(f.Single, "processor")}
	for i := 0; i < n; {
		var list []*store.Platform
		for ; len(list) < 1000 && i < n; i++ {
			p := models[i%2]
			p.QEID = qeID(i)
			// The one that is asked for, and now and then another, which may be
			// an older one.
			p.TCBs = p.TCBs[:1:1]
			if i%8 >= 6 {
				p.TCBs = append(p.TCBs, models[i%2].TCBs[i/8%2+1])
			}
			list = append(list, &p)
		}
		if err := db.PutPlatforms(ctx, list); err != nil {
			return err
		}
	}
	return nil
}

// model is what all copies of a machine have.
func model(m *fleet.Machine, ca string) store.Platform {
	_, pceID := m.ID()
	p := store.Platform{
		PlatformID: store.PlatformID{PCEID: pceID}, EncryptedPPID: m.EncryptedPPID[:], FMSPC: m.FMSPC(), CA: ca,
		Issuers: m.Issuers(), Updated: time.Now().UTC(),
	}
	const certs = 10 // as many as a processor of three years has
	for i := range certs {
		c := &m.Certs[min(i, len(m.Certs)-1)]
		tcbm := c.TCBm()
		if i >= len(m.Certs) {
			tcbm = fmt.Sprintf("%032X%s", i, tcbm[32:]) // the same once more, for no TCB that is asked for
		}
		p.Certs = append(p.Certs, store.PCKCert{TCBm: tcbm, Cert: string(c.PEM)})
	}
	for i, t := range m.Seen {
		p.TCBs = append(p.TCBs, store.RawTCB{CPUSVN: t.CPUSVN, PCESVN: t.PCESVN, TCBm: m.Certs[i].TCBm()})
	}
	return p
}

// qeID is that of the i-th copy: by chance, but the same each time.
func qeID(i int) string {
	rng := rand.New(rand.NewPCG(7, uint64(i)))
	return fmt.Sprintf("%016X%016X", rng.Uint64(), rng.Uint64())
}
