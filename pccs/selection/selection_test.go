package selection_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs/selection"
)

var fmspc = [6]byte{0x12, 0x34, 0x56, 0x78}

// candidates makes certificates of TCBms.
func candidates(t testing.TB, tcbms ...string) []selection.Candidate {
	t.Helper()
	list := make([]selection.Candidate, len(tcbms))
	for i, s := range tcbms {
		var err error
		if list[i], err = selection.FromTCBm(s); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// info makes a TCB info of levels, which are written as TCBms.
func info(t testing.TB, tcbms ...string) *dcap.TCBInfo {
	t.Helper()
	tcb := &dcap.TCBInfo{ID: dcap.TCBInfoSGX, Version: 3, FMSPC: fmspc}
	for _, c := range candidates(t, tcbms...) {
		l := dcap.TCBLevel{PCESVN: c.PCESVN}
		for i, svn := range c.TCB {
			l.SGX[i].SVN = svn
		}
		tcb.Levels = append(tcb.Levels, l)
	}
	return tcb
}

func raw(t testing.TB, tcbm string) (cpuSVN [16]byte, pceSVN uint16) {
	t.Helper()
	b, err := hex.DecodeString(tcbm)
	if err != nil || len(b) != 18 {
		t.Fatalf("%s is no raw TCB", tcbm)
	}
	return [16]byte(b), uint16(b[16]) | uint16(b[17])<<8
}

// What a platform of the E3 family has: certificates for each TCB level in several
// configurations, of which the eighth component tells; and one that compares with
// no other.
var (
	someLevels = []string{
		"040402020401000300000000000000000B00",
		"030302020401000300000000000000000B00",
		"020202020301000300000000000000000500",
		"010102020101000300000000000000000400",
	}
	someCerts = []string{
		"040402020401000700000000000000000B00",
		"040402020401000500000000000000000B00",
		"040402020401000300000000000000000B00",
		"030302020401000500000000000000000B00",
		"030302020401000300000000000000000B00",
		"020202020301000500000000000000000D00",
		"020202020301000500000000000000000B00",
		"020202020301000500000000000000000500",
		"020202020301000300000000000000000B00",
		"020202020301000300000000000000000500",
		"0202020203010003000000000000000F0100",
	}
)

// The choices are those that Intel's tests of PCCS 1.27 expect of these data.
func TestSelect(t *testing.T) {
	for _, c := range []struct{ name, raw, want string }{
		{"exactly the highest", "040402020401000700000000000000000B00", "040402020401000700000000000000000B00"},
		{"exactly one in the middle", "030302020401000300000000000000000B00", "030302020401000300000000000000000B00"},
		{"between two", "030402020401000300000000000000000B00", "030302020401000300000000000000000B00"},
		{"exactly the lowest", "020202020301000300000000000000000500", "020202020301000300000000000000000500"},
		{"a higher PCE", "020202020301000300000000000000000F00", "020202020301000300000000000000000B00"},
		{"a high CPU with a low PCE", "040402020401000700000000000000000500", "020202020301000500000000000000000500"},
		{"PCE between two", "030302020401000500000000000000000C00", "030302020401000500000000000000000B00"},
		{"above all", "050505050505000700000000000000000F00", "040402020401000700000000000000000B00"},
		{"a platform like one of the level, PCE 15", "030402020401000500000000000000000F00", "030302020401000500000000000000000B00"},
		{"only the one that compares with none", "0202020203010003000000000000000F0400", "0202020203010003000000000000000F0100"},
		{"PCE SVN above a byte", "040402020401000700000000000000000001", "040402020401000700000000000000000B00"},
		{"CPU too low", "020202020301000200000000000000000500", ""},
		{"PCE too low", "020202020301000300000000000000000400", ""},
		{"at a level without certificates", "010102020101000300000000000000000400", ""},
	} {
		for _, order := range []string{"as served", "reversed"} {
			list := slices.Clone(someCerts)
			if order == "reversed" {
				slices.Reverse(list)
			}
			cpuSVN, pceSVN := raw(t, c.raw)
			i, err := selection.Select(cpuSVN, pceSVN, [2]byte{}, fmspc, candidates(t, list...), info(t, someLevels...))
			switch {
			case c.want == "":
				if !errors.Is(err, selection.ErrNone) {
					t.Errorf("%s, %s: error %v, want ErrNone", c.name, order, err)
				}
			case err != nil:
				t.Errorf("%s, %s: %v", c.name, order, err)
			case list[i] != c.want:
				t.Errorf("%s, %s: chose %s, want %s", c.name, order, list[i], c.want)
			}
		}
	}
}

// The level counts before the certificate: the first component of a is higher, but
// b is at the higher level.
func TestSelectByLevel(t *testing.T) {
	const a, b = "090000000000000000000000000000000000", "050500000000000000000000000000000000"
	const above = "090900000000000000000000000000000000"
	cpuSVN, pceSVN := raw(t, above)
	for _, c := range []struct {
		want   string
		levels []string
	}{
		{b, []string{"050500000000000000000000000000000000", "000000000000000000000000000000000000"}},
		{a, []string{"060000000000000000000000000000000000", "050500000000000000000000000000000000"}},
		{a, []string{"000000000000000000000000000000000000"}}, // both at one level: the first component
		{a, []string{"FF0000000000000000000000000000000000"}}, // none at any level
	} {
		list := []string{a, b}
		i, err := selection.Select(cpuSVN, pceSVN, [2]byte{}, fmspc, candidates(t, list...), info(t, c.levels...))
		if err != nil || list[i] != c.want {
			t.Errorf("levels %v: chose %d, %v; want %s", c.levels, i, err, c.want)
		}
	}
}

func TestSelectInput(t *testing.T) {
	cpuSVN, pceSVN := raw(t, someCerts[0])
	good := func() ([]selection.Candidate, *dcap.TCBInfo) {
		return candidates(t, someCerts...), info(t, someLevels...)
	}
	for name, spoil := range map[string]func(list *[]selection.Candidate, tcb *dcap.TCBInfo){
		"TDX":              func(_ *[]selection.Candidate, tcb *dcap.TCBInfo) { tcb.ID = dcap.TCBInfoTDX },
		"TCB type":         func(_ *[]selection.Candidate, tcb *dcap.TCBInfo) { tcb.TCBType = 1 },
		"FMSPC":            func(_ *[]selection.Candidate, tcb *dcap.TCBInfo) { tcb.FMSPC[5]++ },
		"PCE ID":           func(_ *[]selection.Candidate, tcb *dcap.TCBInfo) { tcb.PCEID[0]++ },
		"no levels":        func(_ *[]selection.Candidate, tcb *dcap.TCBInfo) { tcb.Levels = nil },
		"no TCBm":          func(list *[]selection.Candidate, _ *dcap.TCBInfo) { (*list)[3].TCBm = "" },
		"short TCBm":       func(list *[]selection.Candidate, _ *dcap.TCBInfo) { (*list)[3].TCBm = someCerts[3][2:] },
		"TCBm not digits":  func(list *[]selection.Candidate, _ *dcap.TCBInfo) { (*list)[3].TCBm = "g" + someCerts[3][1:] },
		"other components": func(list *[]selection.Candidate, _ *dcap.TCBInfo) { (*list)[3].TCB[15]++ },
		"other PCESVN":     func(list *[]selection.Candidate, _ *dcap.TCBInfo) { (*list)[3].PCESVN++ },
		"too many": func(list *[]selection.Candidate, _ *dcap.TCBInfo) {
			*list = slices.Repeat((*list)[:1], selection.MaxCandidates+1)
		},
	} {
		list, tcb := good()
		spoil(&list, tcb)
		if _, err := selection.Select(cpuSVN, pceSVN, [2]byte{}, fmspc, list, tcb); !errors.Is(err, selection.ErrInput) {
			t.Errorf("%s: error %v, want ErrInput", name, err)
		}
	}
	list, tcb := good()
	if _, err := selection.Select(cpuSVN, pceSVN, [2]byte{}, fmspc, nil, tcb); !errors.Is(err, selection.ErrNone) {
		t.Errorf("no certificates: error %v, want ErrNone", err)
	}
	// The case of digits does not matter.
	list[0].TCBm = fmt.Sprintf("%x", mustHex(t, list[0].TCBm))
	if i, err := selection.Select(cpuSVN, pceSVN, [2]byte{}, fmspc, list, tcb); i != 0 || err != nil {
		t.Errorf("lower case: %d, %v", i, err)
	}
}

func mustHex(t *testing.T, s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
