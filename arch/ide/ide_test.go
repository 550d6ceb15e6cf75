package ide_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"testing"

	"github.com/feidi-dev/feidi/arch/ide"
	"github.com/feidi-dev/feidi/arch/internal/fake"
	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/status"
)

var (
	platform = &fake.Platform{Root: [16]byte{1}, Seal: [16]byte{2}, CPUSVN: [16]byte{5}}
	enclave  = platform.NewEnclave("ide", "maker", 5, isa.AttrProvisionKey)
	pce      = platform.NewEnclave("pce", "maker", 16, isa.AttrProvisionKey)
)

func TestIdeGetId(t *testing.T) {
	// The request and the derivation by hand.
	seed, err := enclave.Key(&isa.KeyRequest{
		KeyName: isa.KeySeal, KeyPolicy: isa.PolicyMRSigner,
		AttributeMask: isa.Attributes{Flags: 0xfffffffffffffffb}, MiscMask: 0xffffffff,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := cmac.Sum(seed, []byte("\x00QE_ID_DER\x00\x00\x00\x00\x00\x80"))
	ret, id, err := ide.New(enclave, nil).IdeGetId(context.Background())
	if ret != status.Success || [16]byte(id) != want || err != nil {
		t.Errorf("%v, %x, %v; want %x", ret, id, err, want)
	}
	// The same of the signer's QE, whatever its SVN.
	if _, other, _ := ide.New(platform.NewEnclave("qe", "maker", 11, isa.AttrProvisionKey), nil).IdeGetId(context.Background()); other != id {
		t.Errorf("the QE's is %x, the IDE's %x", other, id)
	}
	enclave.FailKey.Store(1)
	if ret, _, _ := ide.New(enclave, nil).IdeGetId(context.Background()); ret != status.ErrUnexpected {
		t.Errorf("no key: %v", ret)
	}
}

func TestIdeGetPceEncryptKey(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 388)
	good := pce.Target()
	debug := *good
	debug.Attributes.Flags |= isa.AttrDebug
	for _, c := range []struct {
		name   string
		key    []byte
		target *isa.TargetInfo
		suite  uint8
		kind   uint16
		size   uint32
		want   status.Code
	}{
		{"nothing wrong", key, good, 1, 3, 388, status.Success},
		{"without a key", nil, good, 1, 3, 388, status.ErrInvalidState},
		{"no target", key, nil, 1, 3, 388, status.ErrInvalidParameter},
		{"PCE under debug", key, &debug, 1, 3, 388, status.ErrInvalidParameter},
		{"suite", key, good, 0, 3, 388, status.ErrInvalidParameter},
		{"kind", key, good, 1, 1, 388, status.ErrInvalidParameter},
		{"size", key, good, 1, 3, 384, status.ErrInvalidParameter},
	} {
		ret, report, got, err := ide.New(enclave, c.key).IdeGetPceEncryptKey(context.Background(), c.target, c.suite, c.kind, c.size)
		if ret != c.want || err != nil {
			t.Errorf("%s: %v, %v; want %v", c.name, ret, err, c.want)
		}
		if ret != status.Success {
			continue
		}
		want := sha256.Sum256(append([]byte{1}, key...))
		if err := pce.VerifyReport(&report); err != nil || !bytes.Equal(got, key) || !bytes.Equal(report.ReportData[:], append(want[:], make([]byte, 32)...)) {
			t.Errorf("%s: key %x, report data %x, %v", c.name, got, report.ReportData, err)
		}
	}
}
