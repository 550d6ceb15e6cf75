package image

import (
	"errors"
	"reflect"
	"testing"
)

func TestBlocks(t *testing.T) {
	want := []*Metadata{baseMetadata(Version3_3), baseMetadata(Version1_5)}
	spec := baseSpec()
	spec.note = encode(t, want...)
	got, err := Blocks(spec.build().file)
	if err != nil || len(got) != 2 {
		t.Fatalf("%d blocks, %v", len(got), err)
	}
	for i := range got {
		if got[i].Version != want[i].Version || !reflect.DeepEqual(got[i].Layout, want[i].Layout) || got[i].SigStruct != want[i].SigStruct {
			t.Errorf("block %d: got %+v, want %+v", i, got[i], want[i])
		}
	}
	spec.note = AppendNote(nil, make([]byte, 0x1000))
	if _, err := Blocks(spec.build().file); !errors.Is(err, ErrUnsigned) {
		t.Errorf("no block: %v", err)
	}
	if _, err := Blocks([]byte("text")); !errors.Is(err, ErrNotEnclave) {
		t.Errorf("text: %v", err)
	}
}
