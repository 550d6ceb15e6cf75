package goabi

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind says what an argument of a system call is.
type Kind uint8

// Kinds of arguments.
const (
	None     Kind = iota
	Scalar        // a number
	FD            // a descriptor
	DirFD         // a descriptor, or AT_FDCWD
	Path          // points to a string that ends with NUL
	In            // points to bytes that are read; the next argument is their number
	Out           // points to bytes that are written; the next argument is their capacity
	Len           // the number of bytes of the argument before it
	InFixed       // points to Size bytes that are read
	OutFixed      // points to Size bytes that are written
	Addr          // points to a socket address that is written; the next argument is AddrLen
	AddrLen       // points to the 4-byte capacity of the Addr before it, which becomes its length
)

// Result says what a system call returns if it does not fail.
type Result uint8

// Kinds of results.
const (
	Zero   Result = iota // 0
	Number               // any number that is not negative
	Count                // a number of bytes: not more than the Len has
	NewFD                // a new descriptor
	PairFD               // 0, and two new descriptors of 4 bytes each in the OutFixed
)

// Arg is an argument of a system call.
type Arg struct {
	Kind Kind
	Size uint16 // of InFixed and OutFixed
}

// Call is a system call that the enclave passes to the host as it is.
type Call struct {
	Nr     int
	Name   string
	Args   []Arg
	Result Result
}

// Calls are the system calls that the enclave passes to the host, with their
// numbers on x86-64. All others are served inside, turned into one of these or
// of the Op requests, or refused there. Pointers may be NULL wherever the
// kernel lets them.
var Calls = parseCalls(`
0 read f o l > count
1 write f i l > count
3 close f
8 lseek f s s > number
17 pread64 f o l s > count
18 pwrite64 f i l s > count
24 sched_yield
32 dup f > fd
41 socket s s s > fd
42 connect f i l
44 sendto f i l s i l > count
45 recvfrom f o l s a A > count
48 shutdown f s
49 bind f i l
50 listen f s
51 getsockname f a A
52 getpeername f a A
53 socketpair s s s R8 > pair
54 setsockopt f s s i l
55 getsockopt f s s a A
63 uname R390
73 flock f s
74 fsync f
75 fdatasync f
76 truncate p s
77 ftruncate f s
79 getcwd o l > count
80 chdir p
81 fchdir f
90 chmod p s
91 fchmod f s
92 chown p s s
93 fchown f s s
94 lchown p s s
95 umask s > number
98 getrusage s R144
99 sysinfo R112
102 getuid > number
104 getgid > number
107 geteuid > number
108 getegid > number
110 getppid > number
137 statfs p R120
138 fstatfs f R120
162 sync
191 getxattr p p o l > count
192 lgetxattr p p o l > count
193 fgetxattr f p o l > count
188 setxattr p p i l s
189 lsetxattr p p i l s
190 fsetxattr f p i l s
194 listxattr p o l > count
195 llistxattr p o l > count
196 flistxattr f o l > count
197 removexattr p p
198 lremovexattr p p
199 fremovexattr f p
217 getdents64 f o l > count
228 clock_gettime s R16
229 clock_getres s R16
233 epoll_ctl f s f I12
254 inotify_add_watch f p s > number
255 inotify_rm_watch f s
257 openat d p s s > fd
258 mkdirat d p s
259 mknodat d p s s
260 fchownat d p s s s
262 newfstatat d p R144 s
263 unlinkat d p s
264 renameat d p d p
265 linkat d p d p s
266 symlinkat p d p
267 readlinkat d p o l > count
268 fchmodat d p s
269 faccessat d p s
280 utimensat d p I32 s
285 fallocate f s s s
288 accept4 f a A s > fd
290 eventfd2 s s > fd
291 epoll_create1 s > fd
292 dup3 f s s > number
293 pipe2 R8 s > pair
294 inotify_init1 s > fd
306 syncfs f
316 renameat2 d p d p s
332 statx d p s s R256
5 fstat f R144
439 faccessat2 d p s s
452 fchmodat2 d p s s
2 open p s s > fd
4 stat p R144
6 lstat p R144
21 access p s
33 dup2 f s > number
82 rename p p
83 mkdir p s
84 rmdir p
86 link p p
87 unlink p
88 symlink p p
89 readlink p o l > count
35 nanosleep I16 R16
230 clock_nanosleep s s I16 R16
`)

// parseCalls reads a line for each call: number, name, arguments and result.
// An argument is s, f, d, p, i, o, l, a, A, or I or R with its size.
func parseCalls(table string) []Call {
	var calls []Call
	for line := range strings.Lines(table) {
		line, _, _ = strings.Cut(line, "#")
		left, result, _ := strings.Cut(strings.TrimSpace(line), ">")
		words := strings.Fields(left)
		if len(words) == 0 {
			continue
		}
		c := Call{Name: words[1]}
		c.Nr, _ = strconv.Atoi(words[0])
		for _, w := range words[2:] {
			c.Args = append(c.Args, parseArg(w))
		}
		c.Result = map[string]Result{"": Zero, "number": Number, "count": Count, "fd": NewFD, "pair": PairFD}[strings.TrimSpace(result)]
		calls = append(calls, c)
	}
	return calls
}

func parseArg(w string) Arg {
	kind, ok := map[byte]Kind{
		's': Scalar, 'f': FD, 'd': DirFD, 'p': Path, 'i': In, 'o': Out, 'l': Len,
		'I': InFixed, 'R': OutFixed, 'a': Addr, 'A': AddrLen,
	}[w[0]]
	size, err := strconv.Atoi("0" + w[1:])
	if !ok || err != nil {
		panic(fmt.Sprintf("goabi: argument %q", w))
	}
	return Arg{kind, uint16(size)}
}
