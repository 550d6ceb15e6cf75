package toy

import (
	"encoding/binary"
	"io/fs"
	"testing"

	"github.com/feidi-dev/feidi/edl"
	edlplan "github.com/feidi-dev/feidi/edl/plan"
)

// TestEDL compares the marshalling structures of the EDL with the blocks.
func TestEDL(t *testing.T) {
	i, warnings, err := edl.Load("toy.edl", edl.Options{Open: func(path string) ([]byte, error) {
		if path != "toy.edl" {
			return nil, fs.ErrNotExist
		}
		return []byte(EDL), nil
	}})
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	p, err := edlplan.New(i, edlplan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[ECALL]int{
		ECallAdd: binary.Size(MSAdd{}), ECallSum: binary.Size(MSSum{}), ECallReport: binary.Size(MSReport{}),
		ECallVerifyReport: binary.Size(MSVerifyReport{}), ECallGetKey: binary.Size(MSGetKey{}), ECallOCall: binary.Size(MSOCall{}),
		ECallOCallLoop: binary.Size(MSOCallLoop{}), ECallWait: binary.Size(MSWait{}), ECallCompute: binary.Size(MSCompute{}),
		ECallFault: binary.Size(MSFault{}), ECallPeek: binary.Size(MSPeek{}), ECallPoke: binary.Size(MSPeek{}), ECallCopy: binary.Size(MSCopy{}),
		ECallEnclu: binary.Size(MSEnclu{}), ECallInfo: binary.Size(MSInfo{}), ECallTLS: binary.Size(MSTLS{}),
		ECallXmmHold: binary.Size(MSHold{}), ECallYmmHold: binary.Size(MSHold{}), ECallGprHold: binary.Size(MSHold{}),
		ECallPlus: binary.Size(MSPlus{}), ECallTotal: binary.Size(MSTotal{}), ECallPrint: binary.Size(MSPrint{}), ECallAsk: binary.Size(MSAsk{}),
	}
	if len(p.ECalls) != ecallCount {
		t.Errorf("%d functions, %d ECALLs", len(p.ECalls), ecallCount)
	}
	for n, f := range p.ECalls {
		if int(f.Size) != blocks[ECALL(n)] {
			t.Errorf("%s, ECALL %d: %d bytes, the block of %v has %d", f.Name, n, f.Size, ECALL(n), blocks[ECALL(n)])
		}
	}
}
