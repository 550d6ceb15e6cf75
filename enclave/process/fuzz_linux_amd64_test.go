package process

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"github.com/feidi-dev/feidi/internal/goabi"
	"golang.org/x/sys/unix"
)

// fuzzOps are the requests that FuzzRequest makes.
var fuzzOps = func() (ops []uint64) {
	for _, c := range goabi.Calls {
		if c.Nr != unix.SYS_SYNC && c.Nr != unix.SYS_SYNCFS { // which only take long
			ops = append(ops, uint64(c.Nr))
		}
	}
	for op := uint64(goabi.OpPark); op <= goabi.OpOutside+1; op++ {
		ops = append(ops, op)
	}
	return append(ops, 0xFFFF, ^uint64(0))
}()

// fuzzRequest decodes a request: an index into fuzzOps, and for each argument a
// byte that says what it is.
func fuzzRequest(script []byte) (op uint64, args [6]uint64, rest []byte) {
	next := func(n int) (v uint64) {
		for i := range n {
			if len(script) > 0 {
				v |= uint64(script[0]) << (8 * i)
				script = script[1:]
			}
		}
		return v
	}
	op = fuzzOps[next(1)%uint64(len(fuzzOps))]
	for i := range args {
		switch kind := next(1); kind >> 6 {
		case 0: // a small number
			args[i] = kind & 63
		case 1: // an offset near the beginning of the data
			args[i] = goabi.OffData + (kind&63)*16
		case 2:
			args[i] = next(2)
		default:
			if kind&1 == 0 {
				args[i] = next(8)
			} else {
				args[i] = []uint64{^uint64(0), 1 << 63, goabi.BlockSize, goabi.BlockSize - 4, 1 << 32, ^uint64(99)}[kind>>1&31%6]
			}
		}
	}
	return op, args, script
}

// harmless reports whether a request leaves alone what is not the test's: the
// user who runs it may be root. Paths stay below the directory, sockets in the
// machine, files are small and no devices.
func (t *thread) harmless(op uint64, args [6]uint64) bool {
	for _, c := range goabi.Calls {
		if uint64(c.Nr) != op {
			continue
		}
		for i, a := range c.Args {
			if a.Kind != goabi.Path {
				continue
			}
			if p, e := t.pathBytes(args[i]); e == 0 && (bytes.HasPrefix(p, []byte("/")) || bytes.Contains(p, []byte(".."))) {
				return false
			}
		}
	}
	socket := func(off, n uint64) bool {
		b := t.data(off, min(n, 128))
		return len(b) < 3 || b[2] != '/' && !bytes.Contains(b, []byte(".."))
	}
	switch op {
	case unix.SYS_SOCKET, unix.SYS_SOCKETPAIR:
		return int32(args[0]) == unix.AF_UNIX
	case unix.SYS_BIND, unix.SYS_CONNECT:
		return socket(args[1], args[2])
	case unix.SYS_SENDTO:
		return socket(args[4], args[5])
	case goabi.OpSendMsg:
		return socket(goabi.MsgName, args[2])
	case unix.SYS_MKNODAT:
		return args[2]&unix.S_IFMT == unix.S_IFIFO
	case unix.SYS_FALLOCATE:
		return args[2] < 1<<20 && args[3] < 1<<20
	case goabi.OpIoctl:
		return uint32(args[1]) != unix.FS_IOC_SETFLAGS // an immutable file would stay
	}
	return true
}

func FuzzRequest(f *testing.F) {
	index := func(op uint64) byte { return byte(slices.Index(fuzzOps, op)) }
	f.Add([]byte{index(unix.SYS_OPEN), 64, 0x80, 0x42, 0x00, 0x80, 0xFF, 0x01}, []byte("file\x00"))
	f.Add([]byte{
		index(unix.SYS_SOCKETPAIR), 1, 2, 0, 64, 0, 0,
		index(goabi.OpSendMsg), 3, 0, 0, 20, 4, 0,
		index(goabi.OpRecvMsg), 4, 0, 0, 63, 63, 0,
		index(unix.SYS_UMASK), 0, 0, 0, 0, 0, 0,
		index(unix.SYS_MKDIR), 80, 63, 0, 0, 0, 0,
		index(unix.SYS_CHDIR), 80, 0, 0, 0, 0, 0,
		index(unix.SYS_GETCWD), 80, 0x80, 0, 16, 0, 0, 0, 0,
	}, append(bytes.Repeat([]byte{0}, goabi.MsgControl-goabi.OffData), rights(3)...))
	f.Add([]byte{index(goabi.OpPoll), 2, 9, index(goabi.OpPark), 0xC1, index(goabi.OpNextCall), 0, 0}, []byte{0, 0, 0, 0, 1, 0, 0, 0, 99})

	sentinel, err := os.CreateTemp(f.TempDir(), "sentinel")
	if err != nil {
		f.Fatal(err)
	}
	if _, err := sentinel.WriteString("untouched"); err != nil {
		f.Fatal(err)
	}
	host, _ := os.Getwd()
	zeros := make([]byte, goabi.BlockSize)
	f.Fuzz(func(t *testing.T, script, data []byte) {
		p := serverFor(t, Config{}, 3)
		th, others := p.threads[1], []*thread{p.threads[0], p.threads[2]}
		// Nothing sleeps: it finds that the process has ended.
		p.calls.close()
		p.stopped.Store(true)
		p.cancel()
		for n := 0; len(script) > 0 && n < 50; n++ {
			var op uint64
			var args [6]uint64
			op, args, script = fuzzRequest(script)
			copy(th.mem[goabi.OffData:], data)
			if !th.harmless(op, args) {
				continue
			}
			le.PutUint64(th.mem[goabi.OffOp:], op)
			for i, v := range args {
				le.PutUint64(th.mem[goabi.OffArgs+8*i:], v)
			}
			th.serve()
			if r := int64(le.Uint64(th.mem[goabi.OffResult:])); r < -4095 {
				t.Fatalf("request %d %#x: result %d", op, args, r)
			}
		}
		for _, o := range others {
			if !bytes.Equal(o.mem, zeros) {
				t.Fatalf("block %d has changed", o.n)
			}
		}
		var b [16]byte
		if n, err := sentinel.ReadAt(b[:], 0); string(b[:n]) != "untouched" {
			t.Fatalf("the host program's file has %q, %v", b[:n], err)
		}
		if off, err := sentinel.Seek(0, 1); off != 9 || err != nil {
			t.Fatalf("the host program's file is at %d, %v", off, err)
		}
		if now, _ := os.Getwd(); now != host {
			t.Fatalf("the host program is in %s", now)
		}
	})
}
