package qe_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/feidi-dev/feidi/arch/qe"
	"github.com/feidi-dev/feidi/arch/qe/edl"
	"github.com/feidi-dev/feidi/isa"
)

// Where ecdsa_quote.h has the members, counted by hand.
func TestDataLayout(t *testing.T) {
	if qe.BlobSize != 2205 {
		t.Errorf("a blob has %d bytes, Intel's 2205", qe.BlobSize)
	}
	zero, err := new(qe.Data).AppendBinary(nil)
	if err != nil || !bytes.Equal(zero, make([]byte, 1223)) {
		t.Fatalf("no data: %d bytes, %v", len(zero), err)
	}
	for _, c := range []struct {
		offset int
		bytes  string
		set    func(d *qe.Data)
	}{
		{0, "\x01", func(d *qe.Data) { d.Type = 1 }},
		{1, "\x01", func(d *qe.Data) { d.Version = 1 }},
		{2, "\x01", func(d *qe.Data) { d.CertCPUSVN[0] = 1 }},
		{18, "\x02\x01", func(d *qe.Data) { d.CertQEISVSVN = 0x102 }},
		{20, "\x02\x01\x04\x03", func(d *qe.Data) { d.CertPCE = qe.PCEInfo{ISVSVN: 0x102, ID: 0x304} }},
		{24, "\x04\x03\x02\x01", func(d *qe.Data) { d.CertKeyType = 0x1020304 }},
		{28, "\x01", func(d *qe.Data) { d.RawCPUSVN[0] = 1 }},
		{44, "\x02\x01\x04\x03", func(d *qe.Data) { d.RawPCE = qe.PCEInfo{ISVSVN: 0x102, ID: 0x304} }},
		{48, "\x01", func(d *qe.Data) { d.SignatureScheme = 1 }},
		{49, "\x01", func(d *qe.Data) { d.PCETarget.Measurement[0] = 1 }},
		{561, "\x01", func(d *qe.Data) { d.QEReport.CPUSVN[0] = 1 }},
		{561 + 416, "\x01", func(d *qe.Data) { d.QEReport.MAC[0] = 1 }},
		{993, "\x01", func(d *qe.Data) { d.Signature[0] = 1 }},
		{1057, "\x01", func(d *qe.Data) { d.AttestationKey[0] = 1 }},
		{1121, "\x01", func(d *qe.Data) { d.KeyID[0] = 1 }},
		{1153, "\x01", func(d *qe.Data) { d.SealCPUSVN[0] = 1 }},
		{1169, "\x02\x01", func(d *qe.Data) { d.SealQEISVSVN = 0x102 }},
		{1171, "\x20\x00\x00\x00\x07", func(d *qe.Data) { d.AuthData = append([]byte{7}, make([]byte, 31)...) }},
		{1207, "\x01", func(d *qe.Data) { d.QEID[0] = 1 }},
	} {
		var d, back qe.Data
		c.set(&d)
		want := bytes.Clone(zero)
		copy(want[c.offset:], c.bytes)
		got, err := d.AppendBinary(nil)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("offset %d: %x, %v", c.offset, got, err)
			continue
		}
		if err := back.UnmarshalBinary(got); err != nil {
			t.Errorf("offset %d: %v", c.offset, err)
		} else if again, _ := back.AppendBinary(nil); !bytes.Equal(again, got) {
			t.Errorf("offset %d: read and written it is %x", c.offset, again)
		}
	}
}

func TestDataRefuses(t *testing.T) {
	if _, err := (&qe.Data{AuthData: []byte{1}}).AppendBinary(nil); err == nil {
		t.Error("one byte of authentication data")
	}
	for _, n := range []int{0, 1222, 1224} {
		if new(qe.Data).UnmarshalBinary(make([]byte, n)) == nil {
			t.Errorf("%d bytes are data", n)
		}
	}
}

// Whatever a host hands in as blob, data and certification data: an answer, and a
// blob that is either as it was or one that opens.
func FuzzQE(f *testing.F) {
	w := newWorld(f)
	blob, report := w.key(nil)
	data, app := w.certify(report), w.appReport()
	f.Add(blob, data[:], certData(5, []byte("chain")), []byte("ppid"), uint32(3))
	f.Add(make([]byte, qe.BlobSize), make([]byte, qe.DataSize), certData(1, make([]byte, 36)), make([]byte, 384), uint32(1))
	f.Fuzz(func(t *testing.T, blob, data, cert, ppid []byte, kind uint32) {
		ctx := context.Background()
		before := bytes.Clone(blob)
		var given *edl.RefPlaintextEcdsaDataSdkT
		if len(data) == qe.DataSize {
			given = (*edl.RefPlaintextEcdsaDataSdkT)(data)
		}
		stored, err := w.qe.StoreCertData(ctx, given, kind, ppid, blob)
		if err != nil || stored != 0 && !bytes.Equal(blob, before) {
			t.Fatalf("store_cert_data: %#x, %v", stored, err)
		}
		buf := make([]byte, qe.MaxQuote)
		ret, r, err := w.qe.GenQuoteVersion(ctx, uint16(3+kind%3), blob, app, nil, nil, buf, 1, cert)
		if err != nil || (r != isa.Report{}) || ret != 0 && !bytes.Equal(buf, make([]byte, len(buf))) {
			t.Fatalf("gen_quote: %#x, %v", ret, err)
		}
		if verified, _, _, _, _ := w.qe.VerifyBlob(ctx, blob, 0); stored == 0 && verified != 0 {
			t.Fatalf("verify_blob: %#x", verified)
		}
	})
}
