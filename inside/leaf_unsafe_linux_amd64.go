//go:build feidi

package inside

import (
	"unsafe"

	"github.com/feidi-dev/feidi/isa"
)

const enclosed = true

// Operands of EREPORT and EGETKEY and their alignments (SDM Vol. 3D).
const (
	targetAlign, dataAlign, reportAlign = 512, 128, 512
	requestAlign, keyAlign              = 512, 16
	reportSize                          = 432
)

// ereportLeaf and egetkeyLeaf execute ENCLU. Implemented in leaf_linux_amd64.s.
func ereportLeaf(target, data, report unsafe.Pointer)
func egetkeyLeaf(request, key unsafe.Pointer) (rax uint64)

// aligned returns n bytes that begin at a multiple of align.
func aligned(n, align uintptr) []byte {
	b := make([]byte, n+align)
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (align - 1)
	return b[skip : skip+n : skip+n]
}

// ereport makes the REPORT for an encoded TARGETINFO.
func ereport(target []byte, data [64]byte) []byte {
	t, d, r := aligned(isa.TargetInfoSize, targetAlign), aligned(64, dataAlign), aligned(reportSize, reportAlign)
	copy(t, target)
	copy(d, data[:])
	ereportLeaf(unsafe.Pointer(&t[0]), unsafe.Pointer(&d[0]), unsafe.Pointer(&r[0]))
	return r
}

// egetkey derives the key of an encoded KEYREQUEST.
func egetkey(request []byte) (key [isa.KeySize]byte, rax uint64) {
	r, k := aligned(isa.KeyRequestSize, requestAlign), aligned(isa.KeySize, keyAlign)
	copy(r, request)
	rax = egetkeyLeaf(unsafe.Pointer(&r[0]), unsafe.Pointer(&k[0]))
	copy(key[:], k)
	clear(k)
	return key, rax
}
