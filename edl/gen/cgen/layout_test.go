package cgen

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
)

// layoutAsserts say in C what a plan says of every structure.
func layoutAsserts(p *plan.Plan) string {
	var b strings.Builder
	equal := func(c string, want uint64) {
		fmt.Fprintf(&b, "_Static_assert(%s == %d, \"%s\");\n", c, want, c)
	}
	for _, t := range p.Types {
		if t.Name == "" {
			continue
		}
		name := t.Kind.String() + " " + t.Name
		equal("sizeof("+name+")", t.Size)
		equal("_Alignof("+name+")", t.Align)
		for _, m := range t.Members {
			equal("offsetof("+name+", "+m.Name+")", m.Offset)
			equal("sizeof((("+name+" *)0)->"+m.Name+")", m.Count*m.Type.Size)
		}
		for n, e := range t.Elements {
			equal(e.Name, uint64(t.Values[n]))
		}
	}
	for _, calls := range [][]*plan.Call{p.ECalls, p.OCalls} {
		for _, c := range calls {
			if !c.HasMS() {
				continue
			}
			name := "ms_" + c.Name + "_t"
			equal("sizeof("+name+")", c.Size)
			equal("_Alignof("+name+")", c.Align)
			if c.Result != nil {
				equal("offsetof("+name+", ms_retval)", c.Result.Offset)
			}
			if c.Errno != nil {
				equal("offsetof("+name+", ocall_errno)", c.Errno.Offset)
			}
			for _, q := range c.Params {
				equal("offsetof("+name+", ms_"+q.Name+")", q.Offset)
				if q.HasLen {
					equal("offsetof("+name+", ms_"+q.Name+"_len)", q.LenOffset)
				}
			}
		}
	}
	return b.String()
}

// gcc lays out what the plan has laid out.
func TestLayout(t *testing.T) {
	plans := map[string]*plan.Plan{"loop": loadPlan(t, "loop.edl"), "sample": loadPlan(t, "sample.edl")}
	for seed := range uint64(2) {
		p, err := plan.New(randomInterface(rand.New(rand.NewPCG(seed, 0))), plan.Options{})
		if err != nil {
			t.Fatal(err)
		}
		plans[fmt.Sprintf("random%d", seed)] = p
	}
	for name, p := range plans {
		p.Interface.Name = name
		for _, side := range []string{"_u", "_t"} {
			if side == "_t" && name != "sample" {
				continue // the same structures again
			}
			t.Run(name+side, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				writeFiles(t, dir, p, Options{})
				asserts := layoutAsserts(p)
				if n := strings.Count(asserts, "\n"); n < 50 {
					t.Errorf("only %d lines", n)
				}
				file := filepath.Join(dir, "asserts.c")
				if err := os.WriteFile(file, []byte("#include \""+name+side+".c\"\n"+asserts), 0o644); err != nil {
					t.Fatal(err)
				}
				gcc(t, "-fsyntax-only", "-I"+dir, file)
			})
		}
	}
}

// randomInterface has structs and unions of random members, and functions of
// random parameters.
func randomInterface(r *rand.Rand) *edl.Interface {
	i := &edl.Interface{}
	value := func() edl.Type {
		if n := len(i.Types); n > 0 && r.IntN(4) == 0 {
			c := i.Types[r.IntN(n)]
			return edl.Type{Kind: c.Kind, Name: c.Name}
		}
		return edl.Type{Kind: edl.Char + edl.Kind(r.IntN(int(edl.Bool)))}
	}
	for n := range 60 {
		c := &edl.Composite{Kind: edl.StructKind, Name: fmt.Sprintf("s%d", n)}
		switch r.IntN(6) {
		case 0:
			c.Kind = edl.UnionKind
		case 1:
			c.Kind = edl.EnumKind
			for e := range 1 + r.IntN(3) {
				value := &edl.Operand{Number: r.Uint64N(1 << (1 + r.IntN(35)))}
				c.Elements = append(c.Elements, edl.Element{Name: fmt.Sprintf("e%d_%d", n, e), Value: value})
			}
		}
		for m := range 1 + r.IntN(7) {
			if c.Kind == edl.EnumKind {
				break
			}
			p := &edl.Param{Name: fmt.Sprintf("m%d", m), Type: value()}
			if r.IntN(5) == 0 {
				p.Type.Pointers = 1
			}
			for range r.IntN(3) {
				p.Dims = append(p.Dims, 1+r.Uint64N(3))
			}
			c.Members = append(c.Members, p)
		}
		i.Types = append(i.Types, c)
	}
	for n := range 60 {
		f := &edl.Func{Name: fmt.Sprintf("f%d", n), Public: true}
		if r.IntN(2) == 0 {
			f.Result = value()
		}
		for m := range r.IntN(8) {
			p := &edl.Param{Name: fmt.Sprintf("p%d", m), Type: value()}
			switch r.IntN(6) {
			case 0:
				p.Type.Pointers, p.Direction = 1+r.IntN(2), edl.Direction(1+r.IntN(3))
			case 1:
				p.Dims, p.Direction = []uint64{2, 3}, edl.In
			case 2:
				p.Type, p.Direction, p.String = edl.Type{Kind: edl.Char, Pointers: 1}, edl.InOut, true
			}
			f.Params = append(f.Params, p)
		}
		if n%2 == 0 {
			i.ECalls = append(i.ECalls, f)
		} else {
			f.PropagateErrno = r.IntN(2) == 0
			i.OCalls = append(i.OCalls, f)
		}
	}
	return i
}

// The sizes of types of the C library are those of the C library.
func TestForeignLayouts(t *testing.T) {
	t.Parallel()
	const names = `ssize_t off_t time_t clock_t clockid_t pid_t uid_t gid_t mode_t dev_t ino_t socklen_t sa_family_t
		in_addr_t in_port_t pthread_t sigset_t fd_set bool uintptr_t intptr_t ptrdiff_t intmax_t wint_t int_fast8_t
		int_fast16_t int_fast32_t uint_least64_t max_align_t div_t`
	const structs = `timeval timespec tm iovec sockaddr sockaddr_in sockaddr_in6 sockaddr_storage stat rusage utsname
		epoll_event pollfd msghdr addrinfo termios`
	src := "#define _GNU_SOURCE\n"
	for _, h := range strings.Fields("netdb netinet/in poll pthread signal stdbool stddef stdint stdlib sys/epoll sys/resource sys/select sys/socket sys/stat sys/types sys/uio sys/utsname termios time wchar") {
		src += "#include <" + h + ".h>\n"
	}
	all := strings.Fields(names)
	for _, s := range strings.Fields(structs) {
		all = append(all, "struct "+s)
	}
	for _, name := range all {
		l, ok := plan.ForeignLayout(name)
		if !ok {
			t.Errorf("%s is not known", name)
		}
		src += fmt.Sprintf("_Static_assert(sizeof(%s) == %d && _Alignof(%s) == %d, \"%s\");\n", name, l.Size, name, l.Align, name)
	}
	file := filepath.Join(t.TempDir(), "sizes.c")
	if err := os.WriteFile(file, []byte(src), 0o644); err != nil {
		t.Fatal(err)
	}
	gcc(t, "-std=gnu11", "-fsyntax-only", file)
}
