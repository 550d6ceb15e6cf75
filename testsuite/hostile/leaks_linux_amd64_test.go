package hostile

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/internal/cpuid"
	"github.com/feidi-dev/feidi/internal/goabi"
	"github.com/feidi-dev/feidi/isa"
)

var le = binary.LittleEndian

// mark are the bytes that each word of the victim's secret ends with.
var mark = func() []byte {
	half1, half2 := uint64(0x9E3779B97F), uint64(0xC0FFEE1234)
	return le.AppendUint64(nil, half1^half2)[:5]
}()

// markHex are they as a program writes numbers.
var markHex = func() string {
	b := bytes.Clone(mark)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return hex.EncodeToString(b)
}()

var wide = cpuid.Leaf(7, 0).EBX&(1<<16|1<<30) == 1<<16|1<<30

// leak notes something that has left the enclave.
func (h *host) leak(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	const most = 5
	if len(h.leaks) < most {
		h.leaks = append(h.leaks, fmt.Sprintf(format, args...))
	}
}

// inside reports whether v is an address of the enclave.
func (h *host) inside(v uint64) bool { return v-h.base < h.size }

// search looks through memory for the secret and for addresses.
func (h *host) search(where string, b []byte) {
	if i := bytes.Index(b, mark); i >= 0 {
		h.leak("the secret is in %s, at %#x", where, i)
	}
	if h.lie.addresses {
		return
	}
	for i := 0; i+8 <= len(b); i += 8 {
		if v := le.Uint64(b[i:]); h.inside(v) {
			h.leak("an address, %#x, is in %s, at %#x", v, where, i)
		}
	}
}

// searchRegisters looks at what an OCALL has left in the registers.
func (h *host) searchRegisters(r *cpu.Regs, v *vectors) {
	const status, wanted = 0x8D5 | 1<<8 | 1<<10 | 1<<18, 0x44 // ZF and PF; no TF, DF, AC
	if r.RFLAGS&status != wanted {
		h.leak("RFLAGS is %#x", r.RFLAGS)
	}
	for i, g := range [...]uint64{r.RDX, r.R8, r.R9, r.R10, r.R11, r.R12, r.R13, r.R14, r.R15} {
		if g != 0 {
			h.leak("register %d of those without a use is %#x", i, g)
		}
	}
	for i, g := range [...]uint64{r.RAX, r.RBX, r.RCX, r.RSP, r.RBP, r.RSI, r.RDI} {
		if h.inside(g) && !h.lie.addresses {
			h.leak("register %d of those with a use is %#x", i, g)
		}
	}
	if r.RAX != uint64(isa.EEXIT) || r.RDI != goabi.OCallRequest {
		h.leak("RAX is %#x and RDI %#x", r.RAX, r.RDI)
	}
	for i := range v.X {
		if bytes.Count(v.X[i][:], mark) > 1 { // one may be what was searched for
			h.leak("the secret is in XMM%d", i)
		}
	}
	for i := range v.Z {
		if bytes.Count(v.Z[i][:], mark) > 1 {
			h.leak("the secret is in ZMM%d", 16+i)
		}
	}
	for i, k := range v.K {
		if bytes.Contains(le.AppendUint64(nil, k), mark) {
			h.leak("the secret is in K%d", i)
		}
	}
}

// searchAll looks through all memory outside that the enclave was given: what
// of the process's memory is in a buffer of it.
func (h *host) searchAll(e *enclave.Enclave) {
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return
	}
	defer maps.Close()
	pages := 0
	for s := bufio.NewScanner(maps); s.Scan(); {
		var start, end uint64
		var perm, rest string
		if n, _ := fmt.Sscanf(s.Text(), "%x-%x %s %s", &start, &end, &perm, &rest); n < 3 || perm != "rw-p" {
			continue
		}
		for ; start < end; start += isa.PageSize {
			if b, err := e.Bytes(start, isa.PageSize); err == nil {
				pages++
				h.search(fmt.Sprintf("the page outside at %#x", start), b)
			}
		}
	}
	h.searched.Store(int64(pages))
}
