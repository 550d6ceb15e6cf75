package aesm_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/feidi-dev/feidi/aesm"
)

// Plug-ins are asked with nothing of a wrong size, and a client is told so.
func TestFieldsOfWrongSize(t *testing.T) {
	s := newServices()
	r432, k256, long := make([]byte, 432), key(), make([]byte, 1000)
	list := aesm.AppendAttKeyIDs(nil, []aesm.AttKeyID{aesm.DefaultECDSAKeyID()})
	other := append([]byte(nil), list...)
	other[2] = 1 // version
	many := aesm.AppendAttKeyIDs(nil, make([]aesm.AttKeyID, 11))
	unknown := append([]byte(nil), k256...)
	unknown[0] = 1
	beyond := append(append([]byte(nil), k256...), 1, 2, 3)
	for i, c := range []struct {
		r    aesm.Request
		want aesm.Code
	}{
		{&aesm.InitQuoteExRequest{}, aesm.ErrParameter},
		{&aesm.InitQuoteExRequest{AttKeyID: k256[:158]}, aesm.ErrParameter},
		{&aesm.InitQuoteExRequest{AttKeyID: unknown}, aesm.ErrUnsupportedAttKeyID},
		{&aesm.InitQuoteExRequest{AttKeyID: beyond}, aesm.Success},
		{&aesm.InitQuoteExRequest{AttKeyID: k256, WantPubKeyID: true, BufSize: 31}, aesm.ErrParameter},
		{&aesm.InitQuoteExRequest{AttKeyID: k256, WantPubKeyID: true, BufSize: 64}, aesm.Success},
		{&aesm.GetQuoteSizeExRequest{}, aesm.ErrParameter},
		{&aesm.GetQuoteExRequest{Report: r432[:431], AttKeyID: k256, BufSize: 1000}, aesm.ErrParameter},
		{&aesm.GetQuoteExRequest{Report: r432, AttKeyID: k256, BufSize: 1000, QEReportInfo: []byte{}}, aesm.ErrParameter},
		{&aesm.GetQuoteExRequest{Report: r432, AttKeyID: k256, BufSize: 1000, QEReportInfo: make([]byte, 960)}, aesm.Success},
		{&aesm.SelectAttKeyIDRequest{List: []byte{}}, aesm.ErrParameter},
		{&aesm.SelectAttKeyIDRequest{List: list[:263]}, aesm.ErrParameter},
		{&aesm.SelectAttKeyIDRequest{List: append(list[:len(list):len(list)], make([]byte, 256)...)}, aesm.ErrParameter},
		{&aesm.SelectAttKeyIDRequest{List: other}, aesm.ErrParameter},
		{&aesm.SelectAttKeyIDRequest{List: many}, aesm.ErrParameter},
		{&aesm.SelectAttKeyIDRequest{List: make([]byte, 8)}, aesm.ErrParameter},
		{&aesm.SelectAttKeyIDRequest{List: list}, aesm.Success},
		{&aesm.GetSupportedAttKeyIDsRequest{BufSize: 256}, aesm.ErrParameter},
		{&aesm.GetSupportedAttKeyIDsRequest{BufSize: 512}, aesm.Success},
		{&aesm.GetSupportedAttKeyIDsRequest{BufSize: 768}, aesm.ErrParameter},
		{&aesm.GetLaunchTokenRequest{MREnclave: r432[:32], MRSigner: r432[:32], Attributes: r432[:16]}, aesm.ErrParameter},
		{&aesm.GetLaunchTokenRequest{MREnclave: r432[:31], MRSigner: long[:384], Attributes: r432[:16]}, aesm.ErrParameter},
		{&aesm.GetLaunchTokenRequest{MREnclave: r432[:32], MRSigner: long[:384], Attributes: r432[:17]}, aesm.ErrParameter},
		{&aesm.GetLaunchTokenRequest{MREnclave: r432[:32], MRSigner: long[:384], Attributes: r432[:16]}, aesm.ErrGetLicenseToken},
		{&aesm.GetWhiteListRequest{Size: 9}, aesm.ErrParameter},
		{&aesm.RegisterRequest{Buf: long, DataType: 1}, aesm.ErrParameter},
		{&aesm.GetQuoteRequest{Report: r432, SPID: long[:15], BufSize: 2000}, aesm.ErrParameter},
		{&aesm.GetQuoteRequest{Report: long, SPID: long[:16], BufSize: 2000}, aesm.ErrParameter},
		{&aesm.GetQuoteRequest{Report: r432, SPID: long[:16], QuoteType: 2, BufSize: 2000}, aesm.ErrParameter},
		{&aesm.GetQuoteRequest{Report: r432, SPID: long[:16], Nonce: long[:8], BufSize: 2000}, aesm.ErrParameter},
		{&aesm.GetQuoteRequest{Report: r432, SPID: long[:16], Nonce: long[:16], BufSize: 2000}, aesm.Success},
		{&aesm.ReportAttestationErrorRequest{PlatformInfo: long[:100], UpdateInfoSize: 12}, aesm.ErrParameter},
		{&aesm.ReportAttestationErrorRequest{PlatformInfo: long[:101], UpdateInfoSize: 11}, aesm.ErrParameter},
		{&aesm.CheckUpdateStatusRequest{PlatformInfo: long[:100]}, aesm.ErrParameter},
		{&aesm.CheckUpdateStatusRequest{UpdateInfoSize: 13}, aesm.ErrParameter},
		{&aesm.CheckUpdateStatusRequest{PlatformInfo: long[:101]}, aesm.ErrUpdateAvailable},
	} {
		resp := s.Answer(t.Context(), c.r)
		if got := aesm.CodeOf(resp); got != c.want || resp.Kind() != c.r.Kind() {
			t.Errorf("%d: %v %+v: %v", i, c.r.Kind(), resp, got)
		}
	}
}

// Each request has an answer of its kind, also where there is no plug-in.
func TestNothingPluggedIn(t *testing.T) {
	for _, c := range requests {
		resp := new(aesm.Services).Answer(t.Context(), c.want)
		if resp.Kind() != c.want.Kind() || aesm.CodeOf(resp) != aesm.ErrServiceUnavailable {
			t.Errorf("%v: %+v", c.want.Kind(), resp)
		}
	}
}

func TestSelect(t *testing.T) {
	epid := aesm.AttKeyID{MRSignerLength: 32, Algorithm: aesm.AlgorithmEPID}
	mine, intel := aesm.ECDSAKeyID([32]byte{1}), aesm.DefaultECDSAKeyID()
	withSPID := epid
	withSPID.SPID[3], withSPID.QuoteType = 5, 1
	s := &aesm.Services{Quote: []aesm.QuoteService{&fakeQuotes{keys: []aesm.AttKeyID{mine, intel}}, &fakeQuotes{keys: []aesm.AttKeyID{epid}}}}
	for i, c := range []struct{ ask, want []aesm.AttKeyID }{
		{nil, []aesm.AttKeyID{mine}},
		{[]aesm.AttKeyID{withSPID}, []aesm.AttKeyID{withSPID}}, // as it was given, with its SPID
		{[]aesm.AttKeyID{withSPID, intel, mine}, []aesm.AttKeyID{intel}},
		{[]aesm.AttKeyID{{Algorithm: 3}, epid}, []aesm.AttKeyID{epid}},
		{[]aesm.AttKeyID{{Algorithm: 2}}, nil},
	} {
		r := new(aesm.SelectAttKeyIDRequest)
		if c.ask != nil {
			r.List = aesm.AppendAttKeyIDs(nil, c.ask)
		}
		resp := s.Answer(t.Context(), r)
		if c.want == nil {
			if aesm.CodeOf(resp) != aesm.ErrUnsupportedAttKeyID {
				t.Errorf("%d: %+v", i, resp)
			}
			continue
		}
		var got aesm.AttKeyID
		if err := got.UnmarshalBinary(resp.(*aesm.SelectAttKeyIDResponse).AttKeyID); err != nil || got != c.want[0] {
			t.Errorf("%d: %v, %v", i, &got, err)
		}
	}
}

// failing fails as it is told.
type failing struct {
	*fakeQuotes
	err error
}

func (f failing) QuoteSize(context.Context, *aesm.AttKeyID) (uint32, error) { return 0, f.err }

func TestCodesOfErrors(t *testing.T) {
	for err, want := range map[error]aesm.Code{
		aesm.ErrNoPlatformCertData:                      aesm.ErrNoPlatformCertData,
		fmt.Errorf("fetch: %w", aesm.ErrNetwork):        aesm.ErrNetwork,
		errors.New("a bug"):                             aesm.ErrUnexpected,
		aesm.Success:                                    aesm.ErrUnexpected,
		fmt.Errorf("x: %w", context.DeadlineExceeded):   aesm.ErrBusy,
		context.Canceled:                                aesm.ErrServiceStopped,
		&aesm.Error{Kind: 1, Code: aesm.ErrEnclaveLost}: aesm.ErrEnclaveLost,
	} {
		s := &aesm.Services{Quote: []aesm.QuoteService{failing{newFakeQuotes(), err}}}
		if got := s.Answer(t.Context(), &aesm.GetQuoteSizeExRequest{AttKeyID: key()}); aesm.CodeOf(got) != want {
			t.Errorf("%v: %+v", err, got)
		}
	}
}

func TestStructures(t *testing.T) {
	info := aesm.QEReportInfo{Nonce: [16]byte{1, 15: 2}}
	info.Target.Measurement[0], info.QEReport.CPUSVN[0], info.QEReport.MAC[15] = 3, 4, 5
	wire, err := info.AppendBinary(nil)
	if err != nil || len(wire) != 960 || wire[0] != 1 || wire[15] != 2 || wire[16] != 3 || wire[16+512] != 4 || wire[959] != 5 {
		t.Errorf("%x, %v", wire, err)
	}
	var back aesm.QEReportInfo
	if err := back.UnmarshalBinary(wire); err != nil || back != info {
		t.Errorf("%+v, %v", back, err)
	}
	refused(t, "QE report info", back.UnmarshalBinary(wire[:959]), "960 bytes, got 959")

	k := aesm.AttKeyID{ID: 0x0102, Version: 0x0304, MRSignerLength: 0x0506, ProdID: 0x0708090A, Algorithm: 0x0B0C0D0E, QuoteType: 0x0F10}
	for i, f := range [][]byte{k.MRSigner[:], k.ExtendedProdID[:], k.ConfigID[:], k.FamilyID[:], k.SPID[:], k.Reserved[:]} {
		f[0], f[len(f)-1] = byte(0x80+i), byte(0x90+i)
	}
	wire, err = k.AppendBinary(nil)
	at := map[int]byte{0: 2, 1: 1, 2: 4, 3: 3, 4: 6, 5: 5, 6: 0x80, 53: 0x90, 54: 0xA, 55: 9, 56: 8, 57: 7, 58: 0x81, 73: 0x91, 74: 0x82, 137: 0x92,
		138: 0x83, 153: 0x93, 154: 0xE, 155: 0xD, 156: 0xC, 157: 0xB, 158: 0x84, 173: 0x94, 174: 0x10, 175: 0xF, 176: 0x85, 255: 0x95}
	if err != nil || len(wire) != 256 {
		t.Fatal(len(wire), err)
	}
	for i, v := range wire {
		if v != at[i] {
			t.Errorf("byte %d of the key ID is %#x, want %#x", i, v, at[i])
		}
	}
	var backKey aesm.AttKeyID
	if err := backKey.UnmarshalBinary(wire); err != nil || !reflect.DeepEqual(backKey, k) {
		t.Errorf("%+v, %v", backKey, err)
	}
	refused(t, "key ID", backKey.UnmarshalBinary(wire[1:]), "256 bytes, got 255")

	u := aesm.UpdateInfo{Microcode: true, Software: true}
	if wire, err = u.AppendBinary(nil); err != nil || string(wire) != "\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00" {
		t.Errorf("%x, %v", wire, err)
	}
	// 1116 bytes is what programs of Intel's first attestation service know.
	if aesm.EPIDQuoteSize(0) != 1116 || aesm.EPIDQuoteSize(2) != 1436 {
		t.Error(aesm.EPIDQuoteSize(2))
	}
}
