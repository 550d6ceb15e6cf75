package enclave_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
)

// TestLoadRefused loads images that EINIT refuses, each with the manual's name
// for why.
func TestLoadRefused(t *testing.T) {
	m := powerOn(t, enclave.MachineConfig{})
	free := enclave.FreeEPC(m)
	for _, c := range []struct {
		name   string
		opt    toy.Options
		change func(*image.Image)
		load   []enclave.Option
		code   isa.ErrorCode
		text   string
	}{
		{
			name:   "altered signature",
			change: func(img *image.Image) { img.SigStruct.Signature[7] ^= 1 },
			code:   isa.ErrInvalidSignature, text: "SGX_INVALID_SIGNATURE",
		},
		{
			name:   "altered product id",
			change: func(img *image.Image) { img.SigStruct.ISVProdID++ },
			code:   isa.ErrInvalidSignature, text: "SGX_INVALID_SIGNATURE",
		},
		{
			name:   "altered q1",
			change: func(img *image.Image) { img.SigStruct.Q1[0] ^= 1 },
			code:   isa.ErrInvalidSignature, text: "SGX_INVALID_SIGNATURE",
		},
		{
			name: "altered page",
			change: func(img *image.Image) {
				for i := range img.Runs {
					if r := &img.Runs[i]; r.Flags&isa.SecInfoX != 0 {
						r.Data = slices.Clone(r.Data)
						r.Data[len(r.Data)-1] ^= 1
						return
					}
				}
				t.Fatal("no executable page")
			},
			code: isa.ErrInvalidMeasurement, text: "SGX_INVALID_MEASUREMENT",
		},
		{
			name:   "altered permission",
			change: func(img *image.Image) { img.Runs[0].Flags |= isa.SecInfoX },
			code:   isa.ErrInvalidMeasurement, text: "SGX_INVALID_MEASUREMENT",
		},
		{
			name: "debug, where the signer forbids it",
			load: []enclave.Option{enclave.WithDebug()},
			code: isa.ErrInvalidAttribute, text: "SGX_INVALID_ATTRIBUTE",
		},
		{
			name: "attributes that the signer did not name",
			opt:  toy.Options{Edit: func(s *isa.SigStruct) { s.Attributes.Flags |= isa.AttrProvisionKey }},
			code: isa.ErrInvalidAttribute, text: "SGX_INVALID_ATTRIBUTE",
		},
		{
			name: "XFRM that the signer did not name",
			opt:  toy.Options{Edit: func(s *isa.SigStruct) { s.Attributes.XFRM = isa.XFRMX87 }},
			code: isa.ErrInvalidAttribute, text: "SGX_INVALID_ATTRIBUTE",
		},
		{
			name: "MISCSELECT that the machine has not",
			opt:  toy.Options{MiscSelect: isa.MiscCPINFO},
			code: isa.ErrInvalidAttribute, text: "SGX_INVALID_ATTRIBUTE",
		},
		{
			name:   "vendor",
			change: func(img *image.Image) { img.SigStruct.Vendor = 0x1234 },
			code:   isa.ErrInvalidSigStruct, text: "SGX_INVALID_SIG_STRUCT",
		},
		{
			name:   "header",
			change: func(img *image.Image) { img.SigStruct.Header[3] ^= 0x80 },
			code:   isa.ErrInvalidSigStruct, text: "SGX_INVALID_SIG_STRUCT",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			img := build(t, c.opt)
			if c.change != nil {
				c.change(img)
			}
			_, err := m.Load(context.Background(), img, c.load...)
			if !errors.Is(err, c.code) || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want %s", err, c.text)
			}
		})
	}
	if now := enclave.FreeEPC(m); now != free {
		t.Errorf("%d pages of the EPC are lost", free-now)
	}
}

// TestDebug loads one image as a debug and as a production enclave.
func TestDebug(t *testing.T) {
	m := powerOn(t, enclave.MachineConfig{})
	img := build(t, toy.Options{Debug: true})
	production := load(t, m, img)
	debug := load(t, m, img, enclave.WithDebug())
	if f := production.SECS().Attributes.Flags; f&isa.AttrDebug != 0 || f&isa.AttrInit == 0 {
		t.Errorf("attributes of the production enclave: %#x", f)
	}
	if f := debug.SECS().Attributes.Flags; f&isa.AttrDebug == 0 {
		t.Errorf("attributes of the debug enclave: %#x", f)
	}
	if production.SECS().MREnclave != debug.SECS().MREnclave {
		t.Error("the measurement depends on the mode")
	}
	if sealKey(t, production, isa.PolicyMREnclave) == sealKey(t, debug, isa.PolicyMREnclave) {
		t.Error("the debug enclave gets the production enclave's keys")
	}
}

func TestLoadNotRunnable(t *testing.T) {
	m := powerOn(t, enclave.MachineConfig{})
	if _, err := m.Load(context.Background(), build(t, toy.Options{Simulation: true})); !errors.Is(err, enclave.ErrSimulation) {
		t.Errorf("a simulation build: %v", err)
	}
	file, err := toy.Build(toy.Options{}) // no key
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Load(context.Background(), img); !errors.Is(err, enclave.ErrUnsigned) {
		t.Errorf("an unsigned build: %v", err)
	}
	if _, err := enclave.PowerOn(enclave.MachineConfig{Engine: "no such engine"}); err == nil || !strings.Contains(err.Error(), "no such engine") {
		t.Errorf("an engine that is not there: %v", err)
	}
}

// TestMetadataVersions loads what each metadata version describes.
func TestMetadataVersions(t *testing.T) {
	m := powerOn(t, enclave.MachineConfig{})
	for _, o := range []toy.Options{
		{Versions: []uint64{image.Version1_4}},
		{Versions: []uint64{image.Version1_5}},
		{ReservedSize: 1 << 20, SSAFrameSize: 2, Threads: 5, StackPages: 32},
		{TextRel: true},
	} {
		e := load(t, m, build(t, o))
		if r := mustCall(t, e, toy.ECallAdd, toy.MSAdd{A: 40, B: 2}); r.Sum != 42 {
			t.Errorf("%+v: 40 + 2 is %d", o, r.Sum)
		}
	}
}

// TestLaunchControl locks the machine to one signer. Others need a token of
// its launch enclave, which is made here with the key that the processor gives
// to an enclave of that signer, and to no other.
func TestLaunchControl(t *testing.T) {
	signer, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	launcher := build(t, toy.Options{Key: signer, ISVProdID: 20, ISVSVN: 3, Attributes: isa.Attributes{Flags: isa.AttrEinitTokenKey}})
	stranger := build(t, toy.Options{})
	m := powerOn(t, enclave.MachineConfig{
		LockedLaunch: true,
		CPU:          cpu.Config{LEPubKeyHash: sign.MRSigner(launcher.SigStruct), CPUSVN: [16]byte{4, 4}},
	})
	ctx := context.Background()
	refused := func(what string, want isa.ErrorCode, img *image.Image, opts ...enclave.Option) {
		t.Helper()
		if _, err := m.Load(ctx, img, opts...); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	refused("without a token", isa.ErrInvalidEinitToken, stranger)
	refused("EINITTOKEN_KEY for another signer", isa.ErrInvalidAttribute, build(t, toy.Options{Attributes: isa.Attributes{Flags: isa.AttrEinitTokenKey}}))

	le := load(t, m, launcher) // the one signer needs no token
	s := le.SECS()
	want := load(t, powerOn(t, enclave.MachineConfig{}), stranger).SECS().Attributes // where launch control is open
	tokenAttributes := want
	tokenAttributes.Flags &^= isa.AttrInit // which EINIT is to set
	token := isa.EinitToken{
		Valid: isa.EinitTokenValid, Attributes: tokenAttributes, MREnclave: stranger.SigStruct.EnclaveHash,
		MRSigner: sign.MRSigner(stranger.SigStruct), CPUSVNLE: [16]byte{4, 4}, ISVProdIDLE: s.ISVProdID, ISVSVNLE: s.ISVSVN,
		MaskedMiscSelectLE: s.MiscSelect, MaskedAttributesLE: s.Attributes,
	}
	if _, err := rand.Read(token.KeyID[:]); err != nil {
		t.Fatal(err)
	}
	key := getKey(t, le, isa.KeyRequest{
		KeyName: isa.KeyEinitToken, ISVSVN: token.ISVSVNLE, CPUSVN: token.CPUSVNLE, KeyID: token.KeyID,
		AttributeMask: isa.Attributes{Flags: ^isa.AttributeFlags(0), XFRM: ^isa.XFRM(0)}, MiscMask: ^isa.MiscSelect(0),
	})
	mac := func(t isa.EinitToken) *isa.EinitToken {
		b, _ := t.AppendBinary(nil)
		t.MAC = cmac.Sum(key, b[:isa.EinitTokenMACOffset])
		return &t
	}
	good := mac(token)
	e := load(t, m, stranger, enclave.WithEinitToken(good))
	if e.SECS().Attributes != want {
		t.Errorf("attributes %+v, the token's are %+v", e.SECS().Attributes, want)
	}
	mustCall(t, e, toy.ECallAdd, toy.MSAdd{})

	asked := 0
	source := enclave.WithTokenSource(func(_ context.Context, mrEnclave [32]byte, modulus *[384]byte, a isa.Attributes) (*isa.EinitToken, error) {
		if asked++; mrEnclave != token.MREnclave || sha256.Sum256(modulus[:]) != token.MRSigner || a != tokenAttributes {
			t.Errorf("a token is wanted for enclave %x, signer's key %x…, %+v", mrEnclave, modulus[:8], a)
		}
		return good, nil
	})
	load(t, m, launcher, source)
	load(t, m, stranger, source, enclave.WithEinitToken(good))
	load(t, powerOn(t, enclave.MachineConfig{}), stranger, source)
	if asked != 0 {
		t.Errorf("a token that nobody needs was asked for %d times", asked)
	}
	mustCall(t, load(t, m, stranger, source), toy.ECallAdd, toy.MSAdd{})
	if asked != 1 {
		t.Errorf("a token was asked for %d times", asked)
	}
	errNone := errors.New("not on the list")
	none := enclave.WithTokenSource(func(context.Context, [32]byte, *[384]byte, isa.Attributes) (*isa.EinitToken, error) {
		return nil, errNone
	})
	if _, err := m.Load(ctx, stranger, none); !errors.Is(err, errNone) || !errors.Is(err, isa.ErrInvalidEinitToken) {
		t.Errorf("no token was to be had: %v", err)
	}

	forged := *good
	forged.MAC[3] ^= 1
	refused("a forged MAC", isa.ErrInvalidEinitToken, stranger, enclave.WithEinitToken(&forged))
	other := token
	other.MREnclave[0] ^= 1
	refused("a token for another enclave", isa.ErrInvalidMeasurement, stranger, enclave.WithEinitToken(mac(other)))
	other = token
	other.Attributes.Flags |= isa.AttrProvisionKey
	refused("a token for other attributes", isa.ErrInvalidAttribute, stranger, enclave.WithEinitToken(mac(other)))
	other = token
	other.CPUSVNLE[0] = 5
	refused("a token of a newer machine", isa.ErrInvalidCPUSVN, stranger, enclave.WithEinitToken(mac(other)))
}

// TestMemoryCheck refuses an enclave whose heap the machine does not have, and
// with force loads it: that costs bookkeeping, and no memory for its pages.
func TestMemoryCheck(t *testing.T) {
	const heap = 32 << 30
	m := powerOn(t, enclave.MachineConfig{})
	img := build(t, toy.Options{HeapSize: heap})
	ctx := context.Background()
	_, err := m.Load(ctx, img)
	switch {
	case err == nil:
		t.Skip("this machine has 32 GB to spare")
	case !errors.Is(err, enclave.ErrMemory) || !strings.Contains(err.Error(), "32.0 GiB to start") || !strings.Contains(err.Error(), "available"):
		t.Errorf("error %v", err)
	}

	before, start := residentKB(t), time.Now()
	e, err := m.Load(ctx, img, enclave.WithForce(), enclave.WithoutInit())
	if err != nil {
		t.Fatal(err)
	}
	took, grown := time.Since(start), residentKB(t)-before
	t.Logf("loaded in %v; %d KB more", took, grown)
	const most = heap / isa.PageSize * 64 >> 10 // KB: 64 bytes a page
	if grown > most {
		t.Errorf("the process has grown by %d KB, %d bytes a page", grown, grown<<10/(heap/isa.PageSize))
	}
	if took > time.Minute {
		t.Errorf("Load took %v", took)
	}
	// The far end of the heap is there.
	info := mustCall(t, e, toy.ECallInfo, toy.MSInfo{})
	last := toy.MSPeek{Addr: info.Heap + info.HeapSize - 8, Value: 0xFE1D1}
	mustCall(t, e, toy.ECallPoke, last)
	if r := mustCall(t, e, toy.ECallPeek, toy.MSPeek{Addr: last.Addr}); info.HeapSize != heap || r.Value != last.Value {
		t.Errorf("the end of %#x bytes of heap holds %#x", info.HeapSize, r.Value)
	}
	if err := e.Destroy(); err != nil {
		t.Error(err)
	}
}

// TestEPCFull loads enclaves until the EPC is full.
func TestEPCFull(t *testing.T) {
	m := powerOn(t, enclave.MachineConfig{CPU: cpu.Config{EPCSize: 4 << 20}})
	img := build(t, toy.Options{HeapSize: 1 << 20})
	free := enclave.FreeEPC(m)
	var all []*enclave.Enclave
	var err error
	for len(all) < 10 {
		var e *enclave.Enclave
		if e, err = m.Load(context.Background(), img); err != nil {
			break
		}
		all = append(all, e)
	}
	if !errors.Is(err, enclave.ErrOutOfEPC) || len(all) == 0 {
		t.Errorf("enclave %d: %v", len(all), err)
	}
	for _, e := range all {
		mustCall(t, e, toy.ECallAdd, toy.MSAdd{})
		if err := e.Destroy(); err != nil {
			t.Error(err)
		}
	}
	if now := enclave.FreeEPC(m); now != free {
		t.Errorf("%d pages of the EPC are lost", free-now)
	}
}

// TestFixedBase loads an image that demands its address.
func TestFixedBase(t *testing.T) {
	const base = 1 << 44
	m := powerOn(t, enclave.MachineConfig{})
	img := build(t, toy.Options{Versions: []uint64{image.MakeVersion(11, 5)}, Base: base})
	e := load(t, m, img)
	if e.Base() != base {
		t.Errorf("loaded at %#x", e.Base())
	}
	mustCall(t, e, toy.ECallAdd, toy.MSAdd{})
	// The address is taken now.
	if _, err := m.Load(context.Background(), img); err == nil || !strings.Contains(err.Error(), "taken") {
		t.Errorf("a second enclave at the same address: %v", err)
	}
}

// TestLoadStopped ends the context while pages are added: Load gives up there
// and gives everything back.
func TestLoadStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	const at = 5
	added := 0
	m := powerOn(t, enclave.MachineConfig{CPU: cpu.Config{Trace: func(e cpu.Event) {
		if e.Leaf == isa.EADD.String() {
			if added++; added == at {
				cancel()
			}
		}
	}}})
	free := enclave.FreeEPC(m)
	_, err := m.Load(ctx, build(t, toy.Options{}))
	if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v", err)
	}
	if added != at {
		t.Errorf("%d pages were added, want %d", added, at)
	}
	if now := enclave.FreeEPC(m); now != free {
		t.Errorf("%d pages of the EPC are lost", free-now)
	}
}
