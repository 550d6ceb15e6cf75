package demo

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/policy"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/pcs/server"
	"github.com/feidi-dev/feidi/sign"
	"github.com/feidi-dev/feidi/world"
)

// factory makes a world, its certification service, and two machines of one family.
func (d *demo) factory(ctx context.Context) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	url := "http://" + l.Addr().String()
	if d.world, err = world.Create(filepath.Join(d.dir, "state"), world.Options{Name: "demo", URL: url}); err != nil {
		return errors.Join(err, l.Close())
	}
	d.serve(ctx, server.New(d.world, server.Options{}).Serve, l)
	for _, name := range []string{"laptop", "desktop"} {
		m, err := d.world.NewMachine(name, world.MachineOptions{})
		if err != nil {
			return err
		}
		d.say("factory", "burns the fuses of the %s: FMSPC %X, CPUSVN %x…", m.Name, m.FMSPC, m.CPUSVN[:4])
	}
	root := sha256.Sum256(d.world.Root())
	d.say("pcs", "certifies machines at %s, below the root %s (SOFTWARE - NOT HARDWARE)", url, short(root[:]))
	client := &http.Client{Transport: &http.Transport{}}
	d.defers(func() error {
		client.CloseIdleConnections() // the server would wait for a request
		return nil
	})
	// The machines and the relying party have a cache each.
	if d.pcs, err = pcs.New(pcs.Config{URL: url, HTTP: client, CacheDir: filepath.Join(d.dir, "machines-cache")}); err != nil {
		return err
	}
	d.service = pcs.Config{URL: url, HTTP: client, CacheDir: filepath.Join(d.dir, "relying-cache")}
	return nil
}

// start boots both machines, and the machines' services are certified.
func (d *demo) start(ctx context.Context) (err error) {
	if d.laptop, err = d.boot(ctx, "laptop"); err != nil {
		return err
	}
	if d.desktop, err = d.boot(ctx, "desktop"); err != nil {
		return err
	}
	for _, c := range []*computer{d.laptop, d.desktop} {
		id, err := c.rig.Platform.Identify(ctx)
		if err != nil {
			return err
		}
		d.say("boot", "%s: PCE, QE (QE ID %s) and AESM run", c.name, short(id.QEID[:]))
		key := c.rig.Platform.AttKeyIDs()[0]
		_, keyID, err := c.rig.Platform.InitQuote(ctx, &key)
		if err != nil {
			return err
		}
		d.say("certify", "%s: the PCS knows its PPID and certifies its PCE, which certifies the QE's key %s", c.name, short(keyID))
	}
	return nil
}

// local has two vaults of a machine attest to each other.
func (d *demo) local(ctx context.Context) (err error) {
	if d.vault, err = d.laptop.start(ctx, d.image); err != nil {
		return err
	}
	other, err := d.laptop.start(ctx, d.image)
	if err != nil {
		return err
	}
	far, err := d.desktop.start(ctx, d.image)
	if err != nil {
		return err
	}
	peer, err := meet(ctx, d.vault, other)
	if err != nil {
		return err
	}
	d.say("local", "two vaults on the laptop agree on a key: each is sure of the other's MRENCLAVE %s", short(peer[:]))
	if _, err := meet(ctx, d.vault, far); err == nil {
		return fmt.Errorf("%w: a vault of another machine passed for one of this machine", ErrUnexpected)
	}
	d.say("local", "one on the desktop is refused: its REPORT is not of this machine")
	return nil
}

// meet is local attestation (LAv2) between two vaults.
func meet(ctx context.Context, responder, initiator *vault) (peer [32]byte, err error) {
	msg1, err := responder.MeetBegin(ctx)
	if err != nil {
		return peer, err
	}
	msg2, err := initiator.MeetReply(ctx, &msg1)
	if err != nil {
		return peer, err
	}
	msg3, peer, err := responder.MeetAnswer(ctx, &msg2)
	if err != nil {
		return peer, err
	}
	back, err := initiator.MeetEnd(ctx, &msg3)
	if err == nil && back != peer {
		err = fmt.Errorf("%w: two instances of one enclave are not of one MRENCLAVE", ErrUnexpected)
	}
	return peer, err
}

// remote has a relying party give a secret to the vault, which seals it.
func (d *demo) remote(ctx context.Context) (err error) {
	d.secret = []byte("the secret of the relying party, drawn now: ")
	d.secret = fmt.Appendf(d.secret, "%s", rand.Text())
	if d.relying, err = newRelying(d.world.Root(), d.service, policy.Enclave{
		MRSigner: [][32]byte{sign.MRSigner(d.image.SigStruct)}, ISVProdID: []uint16{1}, MinISVSVN: 1,
	}, d.secret); err != nil {
		return err
	}
	encrypted, err := d.relying.attest(ctx, d.vault)
	if err != nil {
		return err
	}
	r := d.relying.last
	d.say("cache", "the relying party gets %d documents from the PCS, among them TCB info, QE identity and CRLs, and keeps copies", d.relying.documents)
	d.say("remote", "a quote v%d of the vault, by AESM, verifies: %v, certified by the %s CA, root %q",
		r.Quote.Header.Version, r.TCBStatus, r.CA, r.Root.Subject.CommonName)
	d.say("remote", "the secret goes to the vault, encrypted with the key that the quote vouches for")
	blob, size, err := d.vault.Keep(ctx, encrypted, maxMessage)
	if err != nil {
		return err
	}
	d.blob = blob[:size]
	d.say("seal", "the vault seals it: %d bytes, which the laptop keeps", size)
	return d.opens(ctx, d.vault)
}

// opens checks that a vault can open the blob.
func (d *demo) opens(ctx context.Context, v *vault) error {
	digest, err := v.Open(ctx, d.blob)
	if err == nil && digest != sha256.Sum256(d.secret) {
		err = fmt.Errorf("%w: something else than the secret was unsealed", ErrUnexpected)
	}
	return err
}

// recovery makes the old microcode out of date, and updates the laptop.
func (d *demo) recovery(ctx context.Context) error {
	m, err := d.world.Recover("laptop", world.RecoverOptions{Advisories: []string{"FEIDI-SA-00001"}})
	if err != nil {
		return err
	}
	d.say("recovery", "a flaw is found: CPUSVN %x… is wanted from now on", m.CPUSVN[:4])
	d.relying.service.Refresh = true // else it learns of it when its copies are a day old
	if err := d.isRefused(ctx, "recovery", "the desktop, not updated,", d.desktop.vaults[0], dcap.OutOfDate); err != nil {
		return err
	}
	if err := d.laptop.powerOff(); err != nil {
		return err
	}
	if d.laptop, err = d.boot(ctx, "laptop"); err != nil {
		return err
	}
	if d.vault, err = d.laptop.start(ctx, d.image); err != nil {
		return err
	}
	if _, err := d.relying.attest(ctx, d.vault); err != nil {
		return err
	}
	d.say("reboot", "the laptop has new microcode and a new PCK, and is %v", d.relying.last.TCBStatus)
	if err := d.opens(ctx, d.vault); err != nil {
		return err
	}
	d.say("unseal", "the vault opens what it has sealed before")
	if err := d.opens(ctx, d.desktop.vaults[0]); err == nil {
		return fmt.Errorf("%w: another machine has opened what was sealed on this one", ErrUnexpected)
	}
	d.say("unseal", "the vault of the desktop cannot")
	return nil
}

// isRefused checks that the relying party refuses a vault for its machine's status.
func (d *demo) isRefused(ctx context.Context, step, what string, v *vault, want dcap.TCBStatus) error {
	_, err := d.relying.attest(ctx, v)
	switch {
	case err == nil:
		return fmt.Errorf("%w: %s: was accepted", ErrUnexpected, what)
	case d.relying.last.TCBStatus != want:
		return fmt.Errorf("%w: %s: is %v and not %v: %w", ErrUnexpected, what, d.relying.last.TCBStatus, want, err)
	}
	d.say(step, "%s gets no secret: %s", what, d.reason(err))
	return nil
}

// reason is why the relying party has refused, in a line.
func (d *demo) reason(err error) string {
	var f *policy.Failure
	switch {
	case !errors.As(err, &f):
		return err.Error()
	case !d.relying.last.Authentic():
		return d.relying.last.Status.String()
	}
	return fmt.Sprintf("%s: wanted %s, found %s", f.Rule, brief(f.Wanted), brief(f.Found))
}

// brief is what a policy wants or finds, of a hash the beginning.
func brief(s string) string {
	if len(s) > 40 {
		return s[:16] + "…"
	}
	return s
}

// tampered shows enclaves that are not the one that is meant.
func (d *demo) tampered(ctx context.Context) error {
	changed := *d.image
	changed.Runs = slices.Clone(changed.Runs)
	i := slices.IndexFunc(changed.Runs, func(r image.Run) bool { return r.Measured && len(r.Data) > 0 })
	changed.Runs[i].Data = slices.Clone(changed.Runs[i].Data)
	changed.Runs[i].Data[0] ^= 1
	_, err := d.laptop.start(ctx, &changed)
	var code isa.ErrorCode
	if !errors.As(err, &code) {
		return fmt.Errorf("%w: a vault with one bit changed: %w", ErrUnexpected, err)
	}
	d.say("refused", "a vault with one bit changed does not start: EINIT says %v", code)
	theirs, err := d.sign()
	if err != nil {
		return err
	}
	v, err := d.laptop.start(ctx, theirs)
	if err != nil {
		return err
	}
	if _, err = d.relying.attest(ctx, v); err == nil {
		return fmt.Errorf("%w: another signer's enclave was given the secret", ErrUnexpected)
	}
	d.say("refused", "the same program, signed by somebody else, gets no secret: %s", d.reason(err))
	return nil
}

// revoked revokes the laptop, and shows who believes no machine of this world at all.
func (d *demo) revoked(ctx context.Context) error {
	intel, err := verify.New()
	if err != nil {
		return err
	}
	last := d.relying
	r, err := intel.Verify(last.quote, last.collateral, time.Now())
	if err == nil || r.Authentic() {
		return fmt.Errorf("%w: a verifier that trusts Intel alone has believed a quote of this world", ErrUnexpected)
	}
	d.say("refused", "the laptop's quote, by who trusts Intel alone: %v", r.Status)
	if err := d.world.RevokeMachine("laptop", keyCompromise); err != nil {
		return err
	}
	return d.isRefused(ctx, "revoked", "the laptop, whose keys are known to others,", d.vault, dcap.TCBUnknown)
}

const keyCompromise world.Reason = 1 // RFC 5280 §5.3.1
