package engine

import (
	"fmt"
	"testing"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/internal/asm"
	"github.com/feidi-dev/feidi/isa"
)

var dynamicTests = []test{
	{"EAUG_and_EACCEPT", augmentAndAccept},
	{"EACCEPTCOPY", acceptCopy},
	{"EMODPE", extendPermissions},
	{"EMODPR", restrictPermissions},
	{"EMODT_to_TRIM", trim},
	{"EMODT_to_TCS", makeTCS},
	{"permissions", permissions},
	{"execute_only", executeOnly},
	{"EACCEPT_of_another_thread", acceptByAnother},
}

// Accesses to the address in RSI, made by the routines of access.
var access = []routine{
	{"read", func(a *asm.Assembler) {
		a.Label("read_at")
		a.Mov(asm.RDX, asm.Ptr(asm.RSI, 0))
		a.Jmp("exit")
	}},
	{"write", func(a *asm.Assembler) {
		a.Label("write_at")
		a.Mov(asm.Ptr(asm.RSI, 0), asm.RDX)
		a.Jmp("exit")
	}},
	{"execute", func(a *asm.Assembler) {
		a.Mov(asm.R12, asm.RBX)
		a.Lea(asm.RBX, asm.At("executed"))
		a.JmpTo(asm.RSI)
		a.Label("executed")
		a.Mov(asm.RBX, asm.R12)
		a.Mov(asm.RDX, asm.Imm(0xE0EC))
		a.Jmp("exit")
	}},
}

// jumpBack is the code that "execute" expects: jmp rbx. The bytes after it
// tell pages apart.
const jumpBack = 0x0000_0000_0000_E3FF

// dynamic loads a probe for these tests, with a thread.
func dynamic(t *testing.T, m *machine) (*enclave, *thread) {
	t.Helper()
	e := m.load(t, &probe{threads: 2, routines: append([]routine{leaf, ok}, access...)})
	return e, e.thread(t, 0)
}

// augment adds a page by EAUG, mapped with all permissions.
func (e *enclave) augment(t *testing.T, page uint64) cpu.PA {
	t.Helper()
	pa := e.m.page(t)
	must(t, e.m.p.EAUG(pa, e.page(page), nil, e.secs))
	must(t, e.rng.Map(e.page(page), pa, 1, cpu.PermR|cpu.PermW|cpu.PermX))
	return pa
}

// accept is EACCEPT of a page.
func (th *thread) accept(t *testing.T, page uint64, flags isa.SecInfoFlags) isa.ErrorCode {
	t.Helper()
	th.secInfo(t, flags)
	return th.leaf(t, isa.EACCEPT, th.e.scratch(0), th.e.page(page), 0)
}

// secInfo writes a SECINFO to the scratch memory.
func (th *thread) secInfo(t *testing.T, flags isa.SecInfoFlags) {
	t.Helper()
	b, _ := (&isa.SecInfo{Flags: flags}).AppendBinary(nil)
	th.e.setScratch(t, 0, b)
}

func reg(bits isa.SecInfoFlags) isa.SecInfoFlags { return isa.MakeSecInfoFlags(bits, isa.PTREG) }

// newPage adds a page and accepts it.
func (th *thread) newPage(t *testing.T, page uint64) cpu.PA {
	t.Helper()
	pa := th.e.augment(t, page)
	if code := th.accept(t, page, reg(permRW|isa.SecInfoPending)); code != 0 {
		t.Fatal(code)
	}
	return pa
}

// allowed makes an access that must be allowed.
func (th *thread) allowed(t *testing.T, kind string, page uint64) uint64 {
	t.Helper()
	r, exit := th.enter(t, kind, th.e.page(page), jumpBack)
	if exit.Kind != cpu.ExitEEXIT {
		t.Fatalf("%s: %s", kind, describe(&exit))
	}
	return r.RDX
}

// refused makes an access that must raise a #PF.
func (th *thread) refused(t *testing.T, kind string, page uint64, code uint32) {
	t.Helper()
	_, exit := th.enter(t, kind, th.e.page(page), jumpBack)
	if exit.Kind != cpu.ExitException || exit.Vector != isa.VectorPF {
		t.Fatalf("%s: %s, want a #PF", kind, describe(&exit))
	}
	code |= map[string]uint32{"read": pfRead, "write": pfWrite, "execute": pfFetch}[kind]
	if exit.Addr != th.e.page(page) || exit.ErrorCode != code {
		t.Errorf("%s: #PF at %#x with error code %#x, want %#x, %#x", kind, exit.Addr, exit.ErrorCode, th.e.page(page), code)
	}
	th.drop(t)
}

const pfEPCM = isa.PFPresent | isa.PFSGX

func augmentAndAccept(t *testing.T, m *machine) {
	e, th := dynamic(t, m)
	for i := range uint64(4) {
		page := sparePage + i
		th.refused(t, "read", page, 0)
		e.augment(t, page)
		for _, kind := range []string{"read", "write", "execute"} {
			th.refused(t, kind, page, pfEPCM)
		}
		if code := th.accept(t, page, reg(permR|isa.SecInfoPending)); code != isa.ErrPageAttributesMismatch {
			t.Errorf("EACCEPT of other permissions: %v", code)
		}
		th.refused(t, "write", page, pfEPCM)
		if code := th.accept(t, page, reg(permRW|isa.SecInfoPending)); code != 0 {
			t.Fatal(code)
		}
		if v := th.allowed(t, "read", page); v != 0 {
			t.Errorf("a new page holds %#x", v)
		}
		th.allowed(t, "write", page)
		if v := th.allowed(t, "read", page); v != jumpBack {
			t.Errorf("read %#x", v)
		}
		th.refused(t, "execute", page, pfEPCM)
		if code := th.accept(t, page, reg(permRW|isa.SecInfoPending)); code != isa.ErrPageAttributesMismatch {
			t.Errorf("EACCEPT once more: %v", code)
		}
	}
}

func acceptCopy(t *testing.T, m *machine) {
	e, th := dynamic(t, m)
	e.augment(t, sparePage)
	th.secInfo(t, reg(permRX))
	if code := th.leaf(t, isa.EACCEPTCOPY, e.scratch(0), e.page(sparePage), e.page(onlyR)); code != 0 {
		t.Fatal(code)
	}
	if v := th.allowed(t, "read", sparePage); v != jumpBack {
		t.Errorf("the copy holds %#x", v)
	}
	th.allowed(t, "execute", sparePage)
	th.refused(t, "write", sparePage, pfEPCM)
	if code := th.leaf(t, isa.EACCEPTCOPY, e.scratch(0), e.page(sparePage), e.page(onlyR)); code != isa.ErrPageAttributesMismatch {
		t.Errorf("EACCEPTCOPY once more: %v", code)
	}
}

func extendPermissions(t *testing.T, m *machine) {
	e, th := dynamic(t, m)
	th.newPage(t, sparePage)
	th.allowed(t, "write", sparePage)
	th.refused(t, "execute", sparePage, pfEPCM)
	th.secInfo(t, reg(isa.SecInfoX))
	th.leaf(t, isa.EMODPE, e.scratch(0), e.page(sparePage), 0)
	for _, kind := range []string{"execute", "read", "write", "execute"} {
		th.allowed(t, kind, sparePage)
	}
	// Constants of the image become writable by it, if the page tables agree.
	th.secInfo(t, reg(permRW))
	th.leaf(t, isa.EMODPE, e.scratch(0), e.page(onlyR), 0)
	th.refused(t, "write", onlyR, isa.PFPresent)
	must(t, e.rng.Map(e.page(onlyR), e.pa(t, onlyR*isa.PageSize), 1, cpu.PermR|cpu.PermW))
	th.allowed(t, "write", onlyR)
}

func restrictPermissions(t *testing.T, m *machine) {
	e, th := dynamic(t, m)
	pa := th.newPage(t, sparePage)
	th.allowed(t, "write", sparePage)
	must(t, m.p.EMODPR(secInfo(isa.PTREG, permR), pa))
	th.refused(t, "write", sparePage, pfEPCM)
	if code := th.accept(t, sparePage, reg(permR|isa.SecInfoPR)); code != isa.ErrNotTracked {
		t.Errorf("EACCEPT before ETRACK: %v", code)
	}
	must(t, m.p.ETRACK(e.secs))
	if code := th.accept(t, sparePage, reg(permR|isa.SecInfoPR)); code != 0 {
		t.Error(code)
	}
	if v := th.allowed(t, "read", sparePage); v != jumpBack {
		t.Errorf("read %#x", v)
	}
	th.refused(t, "write", sparePage, pfEPCM)
}

func trim(t *testing.T, m *machine) {
	e, th := dynamic(t, m)
	pa := th.newPage(t, sparePage)
	th.allowed(t, "write", sparePage)
	must(t, m.p.EMODT(secInfo(isa.PTTRIM, 0), pa))
	th.refused(t, "read", sparePage, pfEPCM)
	must(t, m.p.ETRACK(e.secs))
	if code := th.accept(t, sparePage, isa.MakeSecInfoFlags(isa.SecInfoModified, isa.PTTRIM)); code != 0 {
		t.Fatal(code)
	}
	th.refused(t, "read", sparePage, pfEPCM)
	must(t, m.p.EREMOVE(pa))
	th.refused(t, "read", sparePage, pfEPCM)
	must(t, e.rng.Unmap(e.page(sparePage), 1))
	th.refused(t, "read", sparePage, 0)

	// The address can be used again, and the page does not remember.
	must(t, m.p.EAUG(pa, e.page(sparePage), nil, e.secs))
	must(t, e.rng.Map(e.page(sparePage), pa, 1, cpu.PermR|cpu.PermW))
	if code := th.accept(t, sparePage, reg(permRW|isa.SecInfoPending)); code != 0 {
		t.Fatal(code)
	}
	if v := th.allowed(t, "read", sparePage); v != 0 {
		t.Errorf("the page still holds %#x", v)
	}
}

func makeTCS(t *testing.T, m *machine) {
	e, th := dynamic(t, m)
	pa := th.newPage(t, sparePage)
	const second = tcsPage + tcsStride // whose SSA and thread data the new TCS uses
	oentry, _ := e.prog.Address("dispatch")
	tcs := isa.TCS{OSSA: (second + 1) * isa.PageSize, NSSA: 2, OEntry: oentry,
		OFSBasGX: (second + tdPage) * isa.PageSize, OGSBasGX: (second + tdPage) * isa.PageSize}
	b, _ := tcs.AppendBinary(nil)
	e.write(t, sparePage*isa.PageSize, b)
	must(t, m.p.EMODT(secInfo(isa.PTTCS, 0), pa))
	other := e.thread(t, 1)
	other.tcs, other.n = e.page(sparePage), 99
	if _, err := other.Run(t.Context(), other.regs("ok")); fault(t, err).Vector != isa.VectorPF {
		t.Errorf("EENTER of a TCS that is not accepted: %v", err)
	}
	must(t, m.p.ETRACK(e.secs))
	if code := th.accept(t, sparePage, isa.MakeSecInfoFlags(isa.SecInfoModified, isa.PTTCS)); code != 0 {
		t.Fatal(code)
	}
	for range 3 {
		other.call(t, "ok")
	}
	th.refused(t, "read", sparePage, pfEPCM)
}

// permissions tries every access under every combination of the EPCM's
// permissions and the page tables'.
func permissions(t *testing.T, m *machine) {
	e, th := dynamic(t, m)
	page := uint64(sparePage)
	for _, epcm := range []isa.SecInfoFlags{0, permR, permRW, permRX, permRWX} {
		pa := th.newPage(t, page)
		th.allowed(t, "write", page)
		if epcm&isa.SecInfoX != 0 {
			th.secInfo(t, reg(isa.SecInfoX))
			th.leaf(t, isa.EMODPE, e.scratch(0), e.page(page), 0)
		}
		if epcm&permRW != permRW {
			must(t, m.p.EMODPR(secInfo(isa.PTREG, epcm), pa))
			must(t, m.p.ETRACK(e.secs))
			if code := th.accept(t, page, reg(epcm|isa.SecInfoPR)); code != 0 {
				t.Fatal(code)
			}
		}
		for _, tables := range []cpu.Perm{cpu.PermR, cpu.PermR | cpu.PermW, cpu.PermR | cpu.PermX, cpu.PermR | cpu.PermW | cpu.PermX} {
			must(t, e.rng.Map(e.page(page), pa, 1, tables))
			t.Run(fmt.Sprintf("EPCM_%v_tables_%v", cpu.Perm(epcm), tables), func(t *testing.T) {
				for _, a := range []struct {
					kind string
					perm cpu.Perm
				}{{"read", cpu.PermR}, {"write", cpu.PermW}, {"execute", cpu.PermX}} {
					switch {
					case tables&a.perm == 0:
						th.refused(t, a.kind, page, isa.PFPresent)
					case cpu.Perm(epcm)&a.perm == 0:
						th.refused(t, a.kind, page, pfEPCM)
					default:
						th.allowed(t, a.kind, page)
					}
				}
			})
		}
		page++
	}
}

func executeOnly(t *testing.T, m *machine) {
	e, th := dynamic(t, m)
	pa := th.newPage(t, sparePage)
	th.allowed(t, "write", sparePage)
	th.secInfo(t, reg(isa.SecInfoX))
	th.leaf(t, isa.EMODPE, e.scratch(0), e.page(sparePage), 0)
	must(t, m.p.EMODPR(secInfo(isa.PTREG, isa.SecInfoX), pa))
	th.allowed(t, "execute", sparePage)
	th.refused(t, "read", sparePage, pfEPCM)
}

// acceptByHand has the second thread accept a pending page.
func (e *enclave) acceptByHand(t *testing.T, pa cpu.PA) {
	t.Helper()
	entry := e.m.p.EPCM(pa)
	if code := e.thread(t, 1).accept(t, (entry.Address-e.base)/isa.PageSize, reg(permRW|isa.SecInfoPending)); code != 0 {
		t.Fatal(code)
	}
}

// acceptByAnother has one thread spin on pages that another accepts, so that
// what the host maps changes under it.
func acceptByAnother(t *testing.T, m *machine) {
	e := m.load(t, &probe{threads: 2, routines: append([]routine{leaf}, access...)})
	user, driver := e.thread(t, 0), e.thread(t, 1)
	for i := range uint64(rounds(200) + 1) {
		page := sparePage + i%sparePages
		pa := e.augment(t, page)
		done := make(chan struct{})
		go func() {
			defer close(done)
			driver.accept(t, page, reg(permRW|isa.SecInfoPending))
		}()
		_, exit := user.enter(t, "write", e.page(page), i)
		for exit.Kind == cpu.ExitException && exit.Vector == isa.VectorPF && exit.Addr == e.page(page) {
			_, exit = user.resume(t)
		}
		<-done
		if exit.Kind != cpu.ExitEEXIT {
			t.Fatal(describe(&exit))
		}
		if got := e.peek(t, page*isa.PageSize); got != i {
			t.Fatalf("page %d holds %d, want %d", page, got, i)
		}
		must(t, e.rng.Unmap(e.page(page), 1))
		must(t, m.p.EREMOVE(pa))
		m.free.Free(cpu.PageRun{PA: pa, Pages: 1})
	}
}
