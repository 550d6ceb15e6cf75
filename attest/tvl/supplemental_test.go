package tvl_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/attest/tvl"
	"github.com/feidi-dev/feidi/dcap"
)

// full has a different value in each field.
func full() *tvl.Supplemental {
	at := func(n int64) time.Time { return time.Unix(n, 0).UTC() }
	s := &tvl.Supplemental{
		Major: 3, Minor: 3,
		EarliestIssue: at(1001), LatestIssue: at(1002), EarliestExpiration: at(1003), TCBDate: at(1004),
		PCKCRLNumber: 0xC1, RootCRLNumber: 0xC2, EvaluationDataNumber: 17,
		PCESVN: 0x1234, PCEID: 0x5678, TEE: dcap.TEETDX, SGXType: dcap.SGXScalable,
		Configuration: dcap.PCKConfiguration{DynamicPlatform: dcap.True, CachedKeys: dcap.False, SMTEnabled: dcap.Undefined},
		AdvisoryIDs:   []string{"INTEL-SA-00001", "INTEL-SA-00002"},
		QE: tvl.QESupplemental{
			EarliestIssue: at(2001), LatestIssue: at(2002), EarliestExpiration: at(2003), TCBDate: at(2004),
			EvaluationDataNumber: 18, Status: tvl.OutOfDate,
		},
	}
	for i := range s.RootKeyID {
		s.RootKeyID[i] = byte(0x40 + i)
	}
	for i := range 16 {
		s.PPID[i], s.CPUSVN[i], s.PlatformInstanceID[i] = byte(0xA0+i), byte(0xB0+i), byte(0xD0+i)
	}
	return s
}

// The offsets are those that gcc gives for sgx_qve_header.h of 2025.
func TestSupplementalLayout(t *testing.T) {
	le := binary.LittleEndian
	want := make([]byte, 536)
	le.PutUint32(want, 0x0003_0003)
	for i, v := range []uint64{1001, 1002, 1003, 1004} {
		le.PutUint64(want[8+8*i:], v)        // earliest_issue_date, latest_issue_date, earliest_expiration_date, tcb_level_date_tag
		le.PutUint64(want[496+8*i:], v+1000) // qe_iden_...
	}
	le.PutUint32(want[40:], 0xC1) // pck_crl_num
	le.PutUint32(want[44:], 0xC2) // root_ca_crl_num
	le.PutUint32(want[48:], 17)   // tcb_eval_ref_num
	for i := range 48 {
		want[52+i] = byte(0x40 + i) // root_key_id
	}
	for i := range 16 {
		want[100+i] = byte(0xA0 + i) // pck_ppid
		want[116+i] = byte(0xB0 + i) // tcb_cpusvn
		want[141+i] = byte(0xD0 + i) // platform_instance_id
	}
	le.PutUint16(want[132:], 0x1234) // tcb_pce_isvsvn
	le.PutUint16(want[134:], 0x5678) // pce_id
	le.PutUint32(want[136:], 0x81)   // tee_type
	want[140] = 1                    // sgx_type
	le.PutUint32(want[160:], 1)      // dynamic_platform
	le.PutUint32(want[164:], 0)      // cached_keys
	le.PutUint32(want[168:], 2)      // smt_enabled
	copy(want[172:], "INTEL-SA-00001,INTEL-SA-00002")
	le.PutUint32(want[528:], 18)     // qe_iden_tcb_eval_ref_num
	le.PutUint32(want[532:], 0xA002) // qe_iden_status

	s := full()
	got, err := s.AppendBinary([]byte("before"))
	if err != nil || !bytes.Equal(got, append([]byte("before"), want...)) {
		t.Errorf("%v\n%x, want\n%x", err, got, want)
	}
	var back tvl.Supplemental
	if err := back.UnmarshalBinary(want); err != nil || !reflect.DeepEqual(&back, s) {
		t.Errorf("read back %+v (%v), want %+v", back, err, s)
	}
}

func TestSupplementalRefused(t *testing.T) {
	le := binary.LittleEndian
	good, err := full().AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string]func([]byte) []byte{
		"short":                 func(b []byte) []byte { return b[:535] },
		"long":                  func(b []byte) []byte { return append(b, 0) },
		"empty":                 func([]byte) []byte { return nil },
		"major version":         func(b []byte) []byte { b[0] = 4; return b },
		"minor version":         func(b []byte) []byte { b[2] = 4; return b },
		"padding at 4":          func(b []byte) []byte { b[4] = 1; return b },
		"padding at 157":        func(b []byte) []byte { b[157] = 1; return b },
		"padding at 492":        func(b []byte) []byte { b[492] = 1; return b },
		"flag":                  func(b []byte) []byte { b[160] = 3; return b },
		"negative time":         func(b []byte) []byte { le.PutUint64(b[8:], math.MaxUint64); return b },
		"time after 9999":       func(b []byte) []byte { le.PutUint64(b[520:], 253402300800); return b },
		"after the advisories":  func(b []byte) []byte { b[491] = 'x'; return b },
		"advisories unended":    func(b []byte) []byte { copy(b[172:492], strings.Repeat("x", 320)); return b },
		"empty advisory":        func(b []byte) []byte { b[172] = ','; return b },
		"long advisory":         func(b []byte) []byte { copy(b[172:], "INTEL-SA-000010000000"); return b },
		"twenty-one advisories": func(b []byte) []byte { copy(b[172:], strings.Repeat("x,", 20)+"x\x00"); return b },
	} {
		var s tvl.Supplemental
		if err := s.UnmarshalBinary(edit(bytes.Clone(good))); !errors.Is(err, tvl.ErrSupplemental) {
			t.Errorf("%s: %v", name, err)
		}
		if !reflect.ValueOf(s).IsZero() {
			t.Errorf("%s: something was read", name)
		}
	}
	for name, ids := range map[string][]string{
		"twenty-one": slices.Repeat([]string{"SA"}, 21),
		"320 bytes":  slices.Repeat([]string{"INTEL-SA-0000001x"}, 18),
		"comma":      {"a,b"}, "zero": {"a\x00"}, "empty": {""}, "long": {strings.Repeat("x", 21)},
	} {
		s := full()
		s.AdvisoryIDs = ids
		if b, err := s.AppendBinary([]byte{1}); !errors.Is(err, tvl.ErrSupplemental) || len(b) != 1 {
			t.Errorf("advisories, %s: %v, %d bytes", name, err, len(b))
		}
	}
	s := full()
	s.AdvisoryIDs = append(slices.Repeat([]string{"INTEL-SA-00001"}, 19), strings.Repeat("x", 20))
	if b, err := s.AppendBinary(nil); err != nil || s.UnmarshalBinary(b) != nil || len(s.AdvisoryIDs) != 20 {
		t.Errorf("twenty advisories: %v, %d", err, len(s.AdvisoryIDs))
	}
}

func FuzzSupplemental(f *testing.F) {
	good, err := full().AppendBinary(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	zero, _ := (&tvl.Supplemental{Major: 3}).AppendBinary(nil)
	f.Add(zero)
	f.Add(good[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		var s tvl.Supplemental
		if err := s.UnmarshalBinary(b); err != nil {
			if !errors.Is(err, tvl.ErrSupplemental) {
				t.Error(err)
			}
			return
		}
		if again, err := s.AppendBinary(nil); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%v: %x became %x", err, b, again)
		}
	})
}
