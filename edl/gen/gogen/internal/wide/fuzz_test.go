package wide

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/feidi-dev/feidi/edl/tedge"
	"github.com/feidi-dev/feidi/edl/uedge"
)

// FuzzBridge serves calls with any marshalling structure and any memory. The
// first byte chooses the call, the second where the structure is; the rest is
// memory. Words in it are taken for addresses now and then: a word whose
// highest byte is 1 becomes an address outside, one with 2 an address inside.
func FuzzBridge(f *testing.F) {
	for i := range WideTable(nil).ECalls {
		f.Add(append([]byte{byte(i), 0}, words(8, 1<<56|64, 4, 1<<56|80, 2, 1<<56|64, 3, 0, 1<<56|16, 2<<56)...))
	}
	for i := range 12 {
		f.Add(append([]byte{byte(0x80 | i), 0}, words(1<<56|64, 1<<56|72, 4, 1<<56|80, 2, 1<<56|64, 3, 0, 1<<56|16, 2<<56)...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 2 || len(data) > 4096 {
			return
		}
		e := &trusted{want: func(...any) error { return nil }}
		b := newBorder(t, e)
		b.outside, b.lax, b.hostile = make([]byte, 64<<10), true, true
		b.table.Limit = 1 << 16
		b.next += 64 << 10
		b.pieces[outsideBase] = 32 << 10
		copy(b.outside, data[2:])
		for i := 0; i+8 <= len(data)-2; i += 8 {
			w := b.outside[i:]
			switch v := binary.LittleEndian.Uint64(w); v >> 56 {
			case 1:
				binary.LittleEndian.PutUint64(w, outsideBase+v&0xFFFF)
			case 2:
				binary.LittleEndian.PutUint64(w, enclaveBase-16+v&0xFF)
			}
		}
		ms := outsideBase + uint64(data[1])
		if index := int(data[0]); index < 0x80 {
			if index < len(b.table.ECalls) && b.table.ECalls[index].Size == 0 {
				ms = 0
			}
			ocall := tedge.Root
			if index < len(b.table.ECalls) && b.table.ECalls[index].Private {
				ocall = 8
			}
			b.table.Dispatch(context.Background(), &gate{border: b}, index, ms, ocall)
			return
		}
		x := NewWide(&hostileEnclave{b, func(ctx context.Context, table uedge.Table) error {
			if index := int(data[0] & 0x7F); index < len(table) {
				return table[index](ctx, &call{b, index, ms}).Err()
			}
			return nil
		}}, &host{x: NewWide(b, nil)})
		x.EcallNothing(context.Background()) // anything but a panic
	})
}
