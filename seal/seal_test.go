package seal

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/isa"
)

// report describes an enclave whose every identity is recognizable.
func report(flags isa.AttributeFlags) *isa.Report {
	r := &isa.Report{ReportBody: isa.ReportBody{ISVProdID: 0x1111, ISVSVN: 0x2223, ConfigSVN: 0x4445}}
	for i := range r.CPUSVN {
		r.CPUSVN[i] = byte(0xC0 + i)
	}
	r.Attributes = isa.Attributes{Flags: isa.AttrInit | isa.AttrMode64Bit | flags, XFRM: isa.XFRMLegacy}
	return r
}

func request() isa.KeyRequest {
	r := report(isa.AttrKSS)
	var id [32]byte
	for i := range id {
		id[i] = byte(0x80 + i)
	}
	return Request(r, DefaultPolicy(r), id)
}

var testKey = [isa.KeySize]byte{0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83, 0x08}

// The offsets and values are those of sgx_tseal.h, sgx_key.h and tSeal.cpp,
// written down here as numbers.
func TestLayout(t *testing.T) {
	q := request()
	plain, more := []byte("plaintext"), []byte("additional text")
	blob, err := Seal(&q, testKey, plain, more)
	if err != nil {
		t.Fatal(err)
	}
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	ciphertext, tag := gcm(testKey[:], [12]byte{}, plain, more)
	fields := []struct {
		name string
		off  int
		want []byte
	}{
		{"key_name", 0, unhex("0400")},
		{"key_policy", 2, unhex("3a00")}, // MRSIGNER, CONFIGID, ISVFAMILYID, ISVEXTPRODID
		{"isv_svn", 4, unhex("2322")},
		{"reserved1", 6, unhex("0000")},
		{"cpu_svn", 8, unhex("c0c1c2c3c4c5c6c7c8c9cacbcccdcecf")},
		{"attribute_mask.flags", 24, unhex("0b000000000000ff")},
		{"attribute_mask.xfrm", 32, make([]byte, 8)},
		{"key_id", 40, unhex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f")},
		{"misc_mask", 72, unhex("000000f0")},
		{"config_svn", 76, unhex("4544")},
		{"reserved2", 78, make([]byte, 434)},
		{"plain_text_offset", 512, unhex("09000000")},
		{"reserved", 516, make([]byte, 12)},
		{"payload_size", 528, unhex("18000000")},
		{"aes_data.reserved", 532, make([]byte, 12)},
		{"payload_tag", 544, tag},
		{"ciphertext", 560, ciphertext},
		{"additional text", 569, more},
	}
	end := 0
	for _, f := range fields {
		if f.off != end {
			t.Fatalf("%s: the test leaves a gap at %d", f.name, end)
		}
		end = f.off + len(f.want)
		if got := blob[f.off:end]; !bytes.Equal(got, f.want) {
			t.Errorf("%s at %d: %x, want %x", f.name, f.off, got, f.want)
		}
	}
	if len(blob) != end || len(blob) != Size(len(more), len(plain)) {
		t.Errorf("%d bytes, want %d; Size says %d", len(blob), end, Size(len(more), len(plain)))
	}
}

// Test case 2 of "The Galois/Counter Mode of Operation" by McGrew and Viega
// has an IV of zeros, as sealed data has.
func TestPublishedVector(t *testing.T) {
	q := request()
	blob, err := Seal(&q, [16]byte{}, make([]byte, 16), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(blob[560:]); got != "0388dace60b6a392f328c2b971b2fe78" {
		t.Errorf("ciphertext %s", got)
	}
	if got := hex.EncodeToString(blob[544:560]); got != "ab6e47d42cec13bdf53a67b21257bddf" {
		t.Errorf("tag %s", got)
	}
}

func TestRoundTrip(t *testing.T) {
	q := request()
	for _, n := range []int{0, 1, 15, 16, 17, 255, 4096, 70001} {
		for _, m := range []int{0, 1, 15, 16, 17, 300} {
			plain, more := pattern(n, 3), pattern(m, 5)
			blob, err := Seal(&q, testKey, plain, more)
			if n+m == 0 {
				if !errors.Is(err, ErrSize) {
					t.Fatalf("two empty texts: %v", err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			c, tag := gcm(testKey[:], [12]byte{}, plain, more)
			if !bytes.Equal(blob[544:560], tag) || !bytes.Equal(blob[560:560+n], c) || !bytes.Equal(blob[560+n:], more) {
				t.Fatalf("%d+%d bytes: not what GCM by hand gives", n, m)
			}
			s, err := Parse(blob)
			if err != nil {
				t.Fatal(err)
			}
			if s.Request() != q || s.PlaintextLen() != n || s.AdditionalLen() != m {
				t.Fatalf("%d+%d bytes: parsed as %d+%d", n, m, s.PlaintextLen(), s.AdditionalLen())
			}
			p, a, err := s.Open(testKey)
			if err != nil || !bytes.Equal(p, plain) || !bytes.Equal(a, more) {
				t.Fatalf("%d+%d bytes: opened as %d+%d bytes, %v", n, m, len(p), len(a), err)
			}
			wrong := testKey
			wrong[15] ^= 1
			if _, _, err := s.Open(wrong); !errors.Is(err, ErrAuth) {
				t.Fatalf("wrong key: %v", err)
			}
		}
	}
}

// Every bit of a blob counts. A change of the request changes the key, which
// this test stands in for with a key that depends on all of the request.
func TestEveryBit(t *testing.T) {
	q := request()
	key := fakeEGETKEY(q)
	blob, err := Seal(&q, key, []byte("plaintext"), []byte("additional"))
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(blob) * 8 {
		bad := bytes.Clone(blob)
		bad[bit/8] ^= 1 << (bit % 8)
		s, err := Parse(bad)
		if err != nil {
			continue
		}
		if _, _, err := s.Open(fakeEGETKEY(s.Request())); !errors.Is(err, ErrAuth) {
			t.Errorf("bit %d of byte %d changed: %v", bit%8, bit/8, err)
		}
	}
	for n := range len(blob) {
		if _, err := Parse(blob[:n]); err == nil {
			t.Errorf("accepted %d of %d bytes", n, len(blob))
		}
	}
}

func TestRequestPolicy(t *testing.T) {
	for _, c := range []struct {
		flags isa.AttributeFlags
		want  isa.KeyPolicy
	}{
		{0, 0x0002}, {isa.AttrDebug, 0x0002}, {isa.AttrKSS, 0x003a},
	} {
		if got := DefaultPolicy(report(c.flags)); got != c.want {
			t.Errorf("flags %#x: policy %#x, want %#x", uint64(c.flags), uint16(got), uint16(c.want))
		}
	}
	r := report(0)
	r.ConfigSVN = 0
	q := Request(r, isa.PolicyMREnclave, [32]byte{})
	if NeedsKSS(&q) {
		t.Error("MRENCLAVE alone needs no KSS")
	}
	for _, change := range []func(q *isa.KeyRequest){
		func(q *isa.KeyRequest) { q.KeyPolicy |= isa.PolicyNoISVProdID },
		func(q *isa.KeyRequest) { q.KeyPolicy |= isa.PolicyConfigID },
		func(q *isa.KeyRequest) { q.ConfigSVN = 1 },
	} {
		k := q
		change(&k)
		if !NeedsKSS(&k) {
			t.Errorf("policy %#x, CONFIGSVN %d: no KSS needed", uint16(k.KeyPolicy), k.ConfigSVN)
		}
	}
}

func TestBadRequests(t *testing.T) {
	for name, change := range map[string]func(q *isa.KeyRequest){
		"KEYNAME is REPORT_KEY":         func(q *isa.KeyRequest) { q.KeyName = isa.KeyReport },
		"KEYNAME is PROVISION_SEAL_KEY": func(q *isa.KeyRequest) { q.KeyName = isa.KeyProvisionSeal },
		"KEYPOLICY 0x42 has reserved":   func(q *isa.KeyRequest) { q.KeyPolicy = 0x42 },
		"neither MRENCLAVE":             func(q *isa.KeyRequest) { q.KeyPolicy = isa.PolicyConfigID },
		"lacks INIT or DEBUG":           func(q *isa.KeyRequest) { q.AttributeMask.Flags &^= isa.AttrDebug },
		"ATTRIBUTEMASK 0x2 lacks":       func(q *isa.KeyRequest) { q.AttributeMask.Flags = isa.AttrDebug },
		"reserved fields":               func(q *isa.KeyRequest) { q.Reserved2[433] = 1 },
		"fields of KEYREQUEST":          func(q *isa.KeyRequest) { q.Reserved1 = 1 },
	} {
		q := request()
		good, err := Seal(&q, testKey, []byte("x"), nil)
		if err != nil {
			t.Fatal(err)
		}
		change(&q)
		if _, err := Seal(&q, testKey, []byte("x"), nil); !errors.Is(err, ErrRequest) || !strings.Contains(err.Error(), name) {
			t.Errorf("Seal: %v, want %s", err, name)
		}
		head, _ := q.AppendBinary(nil)
		copy(good, head)
		if _, err := Parse(good); !errors.Is(err, ErrRequest) || !strings.Contains(err.Error(), name) {
			t.Errorf("Parse: %v, want %s", err, name)
		}
	}
}

func TestMalformed(t *testing.T) {
	q := request()
	good, err := Seal(&q, testKey, []byte("0123"), []byte("ab"))
	if err != nil {
		t.Fatal(err)
	}
	set := func(off int, b ...byte) []byte {
		bad := bytes.Clone(good)
		copy(bad[off:], b)
		return bad
	}
	for _, c := range []struct {
		name string
		blob []byte
		off  int
	}{
		{"nothing", nil, 0},
		{"a header less one byte", good[:559], 559},
		{"no payload", set(528, 0, 0, 0, 0)[:560], 528},
		{"payload cut", good[:565], 528},
		{"payload too long", append(bytes.Clone(good), 0), 528},
		{"payload_size of all ones", set(528, 255, 255, 255, 255), 528},
		{"plain_text_offset beyond", set(512, 7), 512},
		{"plain_text_offset of all ones", set(512, 255, 255, 255, 255), 512},
		{"first reserved byte", set(516, 1), 516},
		{"last reserved byte", set(543, 1), 543},
	} {
		_, err := Parse(c.blob)
		var f *FormatError
		if !errors.As(err, &f) || !errors.Is(err, ErrFormat) || f.Offset != c.off || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want an error at %d", c.name, err, c.off)
		}
	}
}

func TestSize(t *testing.T) {
	for _, c := range []struct{ additional, plain, want int }{
		{0, 0, 560}, {7, 9, 576}, {-1, 4, -1}, {4, -1, -1},
		{math.MaxInt, math.MaxInt, -1}, {1, math.MaxInt, -1},
	} {
		if got := Size(c.additional, c.plain); got != c.want {
			t.Errorf("Size(%d, %d) = %d, want %d", c.additional, c.plain, got, c.want)
		}
	}
	if math.MaxInt > math.MaxUint32 {
		limit := uint64(math.MaxUint32) // itself means failure
		last := int(limit - 561)
		if Size(0, last) != last+560 || Size(1, last) != -1 || Size(last, 1) != -1 {
			t.Errorf("around the largest size: %d, %d, %d", Size(0, last), Size(1, last), Size(last, 1))
		}
	}
}

// Open's results and the blob share no memory.
func TestOpenCopies(t *testing.T) {
	q := request()
	blob, err := Seal(&q, testKey, []byte("plain"), []byte("more"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Parse(blob)
	if err != nil {
		t.Fatal(err)
	}
	p, a, err := s.Open(testKey)
	if err != nil {
		t.Fatal(err)
	}
	clear(blob)
	if string(p) != "plain" || string(a) != "more" {
		t.Errorf("%q and %q after the blob was cleared", p, a)
	}
}

func pattern(n, step int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*step + i>>8)
	}
	return b
}
