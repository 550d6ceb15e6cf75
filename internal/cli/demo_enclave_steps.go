package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/host"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
)

// build assembles and signs two enclaves that differ in one word.
func (d *enclaveDemo) build(context.Context) error {
	key, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	files := map[string][]byte{}
	for i, name := range []string{"alice.signed.so", "bob.signed.so"} {
		o := toy.Options{Key: key, Salt: uint64(i), ISVProdID: 1, ISVSVN: 2, MiscSelect: isa.MiscEXINFO, Debug: true}
		if files[name], err = toy.Build(o); err != nil {
			return err
		}
		img, err := image.Parse(files[name])
		if err != nil {
			return err
		}
		d.files = append(d.files, img)
	}
	d.say("build", "two enclaves assembled, and signed with a fresh RSA-3072 key: MRSIGNER %s", short32(sign.MRSigner(d.files[0].SigStruct)))
	if d.save == "" {
		return nil
	}
	if files["stream.sgxs"], files["stream.sig"], err = toy.BuildSGXS(toy.SGXSOptions{Key: key}); err != nil {
		return err
	}
	files["toy.edl"] = []byte(toy.EDL)
	if err := os.MkdirAll(d.save, 0o755); err != nil {
		return err
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(d.save, name), b, 0o644); err != nil {
			return err
		}
	}
	d.say("build", "%d files written to %s", len(files), d.save)
	return nil
}

func (d *enclaveDemo) powerOn(context.Context) (err error) {
	if d.machine, err = enclave.PowerOn(enclave.MachineConfig{}); err != nil {
		return err
	}
	d.say("machine", "software SGX with the %s engine, %s of EPC, fuses drawn at random",
		d.machine.Engine().Name(), host.Bytes(d.machine.Processor().EPCSize()))
	return nil
}

// load loads both enclaves.
func (d *enclaveDemo) load(ctx context.Context) (err error) {
	for i, e := range []struct {
		name string
		to   **enclave.Enclave
	}{{"alice", &d.alice}, {"bob", &d.bob}} {
		start := time.Now()
		if *e.to, err = d.machine.Load(ctx, d.files[i], enclave.WithOCalls(double)); err != nil {
			return err
		}
		d.say("load", "%-5s measured, EINIT and INIT ECALL done in %.1f ms: MRENCLAVE %s", e.name,
			float64(time.Since(start).Microseconds())/1000, short32((*e.to).SECS().MREnclave))
	}
	return nil
}

// double is the demo's OCALL: it answers with twice the value.
func double(_ context.Context, c *enclave.Call) enclave.Status {
	b, err := c.Bytes(c.Block, 16)
	if err != nil {
		return enclave.ErrInvalidParameter
	}
	binary.LittleEndian.PutUint64(b[8:], 2*binary.LittleEndian.Uint64(b))
	return enclave.Success
}

func short32(b [32]byte) string { return fmt.Sprintf("%x…", b[:8]) }

// ecall makes an ECALL with a typed block and returns it as it is afterwards.
func ecall[T toy.Block](ctx context.Context, e *enclave.Enclave, index toy.ECALL, v T) (T, error) {
	b := toy.Encode(v)
	if err := e.ECall(ctx, int(index), b); err != nil {
		return v, fmt.Errorf("%v: %w", index, err)
	}
	return toy.Decode[T](b)
}

// buffers allocates buffers with the given contents, which e may read.
func buffers(e *enclave.Enclave, contents ...[]byte) ([]*enclave.Buffer, error) {
	var all []*enclave.Buffer
	for _, c := range contents {
		b, err := e.Alloc(len(c))
		if err != nil {
			return nil, err
		}
		copy(b.Bytes(), c)
		all = append(all, b)
	}
	return all, nil
}

func (d *enclaveDemo) ecall(ctx context.Context) error {
	r, err := ecall(ctx, d.alice, toy.ECallAdd, toy.MSAdd{A: 40, B: 2})
	if err != nil {
		return err
	}
	if r.Sum != 42 {
		return fmt.Errorf("40 + 2 is %d", r.Sum)
	}
	const calls = 10000
	plain := context.WithoutCancel(ctx) // a context that may end costs more
	start := time.Now()
	for range calls {
		if err := d.alice.ECall(plain, int(toy.ECallEmpty), nil); err != nil {
			return err
		}
	}
	d.say("ecall", "alice adds 40 and 2: %d; an empty ECALL takes %d ns (mean of %d)", r.Sum, time.Since(start).Nanoseconds()/calls, calls)
	return nil
}

func (d *enclaveDemo) ocall(ctx context.Context) error {
	b, err := buffers(d.alice, make([]byte, 16))
	if err != nil {
		return err
	}
	r, err := ecall(ctx, d.alice, toy.ECallOCall, toy.MSOCall{Index: 0, Block: b[0].Addr(), Value: 21})
	if err != nil {
		return err
	}
	if r.Status != 0 || r.Result != 42 {
		return fmt.Errorf("the host's answer to 21 arrived as %d, status %#x", r.Result, r.Status)
	}
	d.say("ocall", "alice asks the host to double 21, and receives %d", r.Result)
	return nil
}

// report is local attestation: alice makes a REPORT for bob, who checks it.
func (d *enclaveDemo) report(ctx context.Context) error {
	target := d.bob.TargetInfo()
	ti, err := target.AppendBinary(nil)
	if err != nil {
		return err
	}
	data := make([]byte, 64)
	copy(data, "hello, bob")
	b, err := buffers(d.alice, ti, data, make([]byte, isa.ReportSize))
	if err != nil {
		return err
	}
	if _, err := ecall(ctx, d.alice, toy.ECallReport, toy.MSReport{TargetInfo: b[0].Addr(), ReportData: b[1].Addr(), Report: b[2].Addr()}); err != nil {
		return err
	}
	raw := bytes.Clone(b[2].Bytes())
	var report isa.Report
	if err := report.UnmarshalBinary(raw); err != nil {
		return err
	}
	if report.MREnclave != d.alice.SECS().MREnclave {
		return errors.New("the REPORT names another enclave")
	}
	for _, c := range []struct {
		reader *enclave.Enclave
		flip   int // bit of the REPORT
		want   uint64
	}{{d.bob, -1, 1}, {d.bob, 8 * 320, 0}, {d.alice, -1, 0}} {
		changed := bytes.Clone(raw)
		if c.flip >= 0 {
			changed[c.flip/8] ^= 1
		}
		rb, err := buffers(c.reader, changed)
		if err != nil {
			return err
		}
		r, err := ecall(ctx, c.reader, toy.ECallVerifyReport, toy.MSVerifyReport{Report: rb[0].Addr()})
		if err != nil {
			return err
		}
		if r.Valid != c.want {
			return fmt.Errorf("a REPORT with bit %d flipped: valid %d, want %d", c.flip, r.Valid, c.want)
		}
	}
	d.say("report", "alice makes a REPORT for bob saying %q", bytes.TrimRight(report.ReportData[:], "\x00"))
	d.say("report", "bob finds its MAC right, and wrong after one bit of it was changed; alice cannot check it")
	return nil
}

// seal derives sealing keys of both enclaves under both policies.
func (d *enclaveDemo) seal(ctx context.Context) error {
	keys := map[isa.KeyPolicy][2][]byte{}
	for _, policy := range []isa.KeyPolicy{isa.PolicyMREnclave, isa.PolicyMRSigner} {
		var pair [2][]byte
		for i, e := range []*enclave.Enclave{d.alice, d.bob} {
			k, err := sealKey(ctx, e, policy)
			if err != nil {
				return err
			}
			pair[i] = k
		}
		keys[policy] = pair
	}
	own, shared := keys[isa.PolicyMREnclave], keys[isa.PolicyMRSigner]
	if bytes.Equal(own[0], own[1]) || !bytes.Equal(shared[0], shared[1]) || bytes.Equal(own[0], shared[0]) {
		return errors.New("the sealing keys do not depend on what they should")
	}
	d.say("seal", "by MRENCLAVE the keys differ: alice %x…, bob %x…", own[0][:4], own[1][:4])
	d.say("seal", "by MRSIGNER they are equal, for both have one signer: %x…", shared[0][:4])
	return nil
}

func sealKey(ctx context.Context, e *enclave.Enclave, policy isa.KeyPolicy) ([]byte, error) {
	request := isa.KeyRequest{
		KeyName: isa.KeySeal, KeyPolicy: policy, ISVSVN: 2,
		AttributeMask: isa.Attributes{Flags: isa.AttrInit | isa.AttrDebug, XFRM: isa.XFRMLegacy},
	}
	raw, err := request.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	b, err := buffers(e, raw, make([]byte, isa.KeySize))
	if err != nil {
		return nil, err
	}
	r, err := ecall(ctx, e, toy.ECallGetKey, toy.MSGetKey{Request: b[0].Addr(), Key: b[1].Addr()})
	if err != nil {
		return nil, err
	}
	if r.Error != 0 {
		return nil, fmt.Errorf("EGETKEY: %w", isa.ErrorCode(r.Error))
	}
	return bytes.Clone(b[1].Bytes()), nil
}

// fault divides by zero and executes an illegal instruction; alice's handler
// recovers from both.
func (d *enclaveDemo) fault(ctx context.Context) error {
	for _, c := range []struct {
		what string
		kind toy.FaultKind
		want isa.Vector
	}{{"divides by zero", toy.FaultDiv0, isa.VectorDE}, {"executes CPUID, which is illegal inside", toy.FaultCPUID, isa.VectorUD}} {
		m := toy.MSFault{Kind: c.kind}
		m.Armed = 1
		r, err := ecall(ctx, d.alice, toy.ECallFault, m)
		if err != nil {
			return err
		}
		if r.Faulted != 1 || isa.Vector(r.ExitInfo) != c.want {
			return fmt.Errorf("%s: EXITINFO %#x, want %v", c.what, r.ExitInfo, c.want)
		}
		d.say("fault", "alice %s: AEX with %v; her handler recovers", c.what, isa.Vector(r.ExitInfo))
	}
	r, err := ecall(ctx, d.alice, toy.ECallAdd, toy.MSAdd{A: 1, B: 1})
	if err == nil && r.Sum != 2 {
		err = fmt.Errorf("after the faults 1 + 1 is %d", r.Sum)
	}
	return err
}

// outside reads alice's memory as the host does.
func (d *enclaveDemo) outside(context.Context) error {
	b := make([]byte, 16)
	if _, err := d.alice.ReadAt(b, 0); err != nil {
		return err
	}
	if !bytes.Equal(b, bytes.Repeat([]byte{0xFF}, len(b))) {
		return fmt.Errorf("alice's memory reads as %x from outside", b)
	}
	d.say("outside", "alice's memory reads from outside as % x, as on hardware", b[:4])
	return nil
}

// stop ends a call that would never return.
func (d *enclaveDemo) stop(ctx context.Context) error {
	const limit = 20 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := d.alice.ECall(ctx, int(toy.ECallSpin), nil)
	if !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("a loop without end returned %v", err)
	}
	d.say("stop", "alice loops for ever, and is stopped after %v", limit)
	return nil
}

// crash has bob fault without a handler.
func (d *enclaveDemo) crash(ctx context.Context) error {
	b := toy.Encode(toy.MSFault{Kind: toy.FaultUD2})
	err := d.bob.ECall(ctx, int(toy.ECallFault), b)
	if !errors.Is(err, enclave.ErrEnclaveCrashed) {
		return fmt.Errorf("an illegal instruction without a handler: %v", err)
	}
	d.say("crash", "bob faults without a handler: %v", err)
	if err := d.bob.ECall(ctx, int(toy.ECallEmpty), nil); !errors.Is(err, enclave.ErrEnclaveCrashed) {
		return fmt.Errorf("a crashed enclave was called again: %v", err)
	}
	return nil
}
