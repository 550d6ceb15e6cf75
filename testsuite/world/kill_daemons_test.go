package world_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/world"
)

// registered is what a registration service has acknowledged.
type registered struct {
	machine      *world.Machine
	ppid         [16]byte
	request      []byte   // to add a package; nil if that was not acknowledged
	certificates [][]byte // of its membership
}

// The certification service is killed while platforms are registered and packages
// are added. What it has acknowledged, the next one knows.
func TestKillPCS(t *testing.T) {
	h := newWorld(t)
	r := chance(t)
	w := h.world()
	d := h.pcs() // is left alone once, to see how long things take
	start := time.Now()
	all := register(h, w, d, 3)
	pace := time.Since(start)
	d.stop()
	for range killedPCSs {
		d := h.launch("pcs", "serve", "--listen", "127.0.0.1:0")
		if r.IntN(10) == 0 { // while it starts
			time.Sleep(upTo(r, 30*time.Millisecond))
		} else if err := <-d.ready; err != nil {
			t.Fatalf("%v\n%s", err, d.log.String())
		} else {
			d.killAfter(upTo(r, 2*pace))
			all = append(all, register(h, w, d, 0)...)
		}
		if !d.kill() {
			t.Fatalf("it ended by itself\n%s", d.log.String())
		}
		now := h.world()
		for _, a := range all {
			if certs, err := now.PCKs(a.ppid, a.machine.PCEID); err != nil || len(certs) == 0 {
				t.Fatalf("%s was registered, and has no certificates: %v", a.machine.Name, err)
			}
		}
	}

	time.Sleep(time.Second) // or else one that joins now seems to have joined then
	p := h.pcs()
	service, err := pcs.New(pcs.Config{URL: p.Address})
	if err != nil {
		t.Fatal(err)
	}
	added := 0
	for _, a := range all {
		if ppid, err := service.RegisterPlatform(t.Context(), a.machine.Manifest()); err != nil || ppid != a.ppid {
			t.Errorf("%s is %x, and was %x: %v", a.machine.Name, ppid, a.ppid, err)
		}
		if a.certificates == nil {
			continue
		}
		added++
		if again, err := service.AddPackage(t.Context(), a.request); err != nil || !bytes.Equal(bytes.Join(again, nil), bytes.Join(a.certificates, nil)) {
			t.Errorf("%s: the membership of a package is another than it was: %v", a.machine.Name, err)
		}
	}
	t.Logf("%d platforms registered and %d packages added, between %d kills", len(all), added, killedPCSs)
	if added < killedPCSs/14 {
		t.Fatal("too few to mean anything")
	}
	last := all[len(all)-1].machine.Name
	c := h.powerOn(last)
	h.accepted("a quote of a machine that was registered then", mustQuote(h.aesmd(last, "--pcs", p.Address), c.app), p.Address)
}

// serial numbers machines.
var serial atomic.Int64

// broken checks that an answer is missing only because the daemon was killed.
func (d *daemon) broken(err error) {
	d.h.Helper()
	select {
	case <-d.dying:
	case <-time.After(10 * time.Second):
		d.h.Fatalf("%v, though nobody has killed it\n%s", err, d.log.String())
	}
}

// register makes machines, registers them and adds packages to them until there are
// n, if that is not 0, or the service is no more. It returns what was acknowledged.
func register(h *home, w *world.World, d *daemon, n int) (done []*registered) {
	h.Helper()
	service, err := pcs.New(pcs.Config{URL: d.Address, Attempts: 1, Timeout: 10 * time.Second})
	if err != nil {
		h.Fatal(err)
	}
	for n == 0 || len(done) < n {
		m, err := w.NewMachine(fmt.Sprintf("m%d", serial.Add(1)), world.MachineOptions{Packages: 2})
		if err != nil {
			h.Fatal(err)
		}
		a := &registered{machine: m}
		if a.ppid, err = service.RegisterPlatform(h.Context(), m.Manifest()); err != nil {
			d.broken(err)
			return done
		}
		done = append(done, a)
		if a.request, err = w.NewPackage(m.Name); err != nil {
			h.Fatal(err)
		}
		if a.certificates, err = service.AddPackage(h.Context(), a.request); err != nil {
			d.broken(err)
			return done
		}
	}
	return done
}

// AESM is killed at any moment, also while it starts and certifies its key. The
// next one has the key that applications were told of, and all quotes are good.
func TestKillAESM(t *testing.T) {
	h := newWorld(t, "laptop")
	r := chance(t)
	c, p := h.powerOn("laptop"), h.pcs()
	d := h.aesmd("laptop") // builds what is to be built
	d.stop()
	start := time.Now()
	d = h.aesmd("laptop")
	life := time.Since(start)
	h.accepted("a quote", mustQuote(d, c.app), p.Address)
	pace := time.Since(start) - life
	d.stop()
	saved := filepath.Join(h.dir, "collateral")
	h.run("collateral", "save", filepath.Join(h.dir, "quote.bin"), "--pccs", p.Address, "--no-cache", "-o", saved)
	root := h.root()

	quotes, silent := 0, 0
	var key [64]byte // that quotes are signed with, since the files are there
	for range killedAESMs {
		if r.IntN(3) == 0 { // as on a new machine
			if err := os.RemoveAll(h.state("machines", "laptop.d")); err != nil {
				t.Fatal(err)
			}
			key = [64]byte{}
		}
		d := h.launch("aesmd", "--machine", "laptop", "--pcs", p.Address, "--socket", h.socket("laptop"))
		starting := r.IntN(3) == 0
		if starting {
			d.killAfter(upTo(r, life))
		}
		var last []byte
		if err := <-d.ready; err == nil {
			if !starting {
				d.killAfter(upTo(r, 2*pace))
			}
			for {
				q, err := quote(d, c.app)
				if err != nil {
					d.broken(err)
					break
				}
				last = q
				quotes++
			}
		}
		if !d.kill() {
			t.Fatalf("it ended by itself\n%s", d.log.String())
		}
		if last == nil {
			silent++
			continue
		}
		if v := h.verify(last, "--root", root, "--collateral", saved); !v.Accepted {
			t.Errorf("the last quote before it was killed: %s", v)
		}
		if now := h.parse(last).AttestationKey; key == [64]byte{} {
			key = now
		} else if key != now {
			t.Errorf("the attestation key is not the one that it was before\n%s", d.log.String())
		}
	}
	t.Logf("%d quotes between %d kills, %d of which came before the first", quotes, killedAESMs, silent)
	if silent > killedAESMs-5 {
		t.Error("too few quotes to mean anything")
	}
	h.accepted("a quote afterwards", mustQuote(h.aesmd("laptop", "--pcs", p.Address), c.app), p.Address)
}
