package host

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// system adds what the kernel says.
func (s *Survey) system() {
	var u unix.Utsname
	release := "unknown"
	if unix.Uname(&u) == nil {
		release = unix.ByteSliceToString(u.Release[:])
	}
	s.add("kernel.release", "Linux", release, Info, "")
	s.devices()
	s.kernel()
	s.memory()
}

func (s *Survey) devices() {
	var found []string
	for _, d := range []string{
		"/dev/sgx_enclave", "/dev/sgx/enclave", "/dev/isgx",
		"/dev/sgx_provision", "/dev/sgx/provision", "/dev/sgx_vepc",
	} {
		if _, err := os.Stat(d); err == nil {
			found = append(found, d)
		}
	}
	s.add("sgx.devices", "SGX driver", list(found), Info, unless(len(found) > 0, "not needed: the processor is emulated"))
}

func (s *Survey) kernel() {
	fsgs := fsgsbase()
	s.add("kernel.fsgsbase", "FSGSBASE in user mode", yes(fsgs), need(fsgs, Warn),
		unless(fsgs, "FS and GS are switched by system calls, which makes each entry slower; Linux 5.9 has it"))
	mode := syscallDispatch()
	s.add("kernel.syscall_dispatch", "Syscall user dispatch", mode, need(mode == "inclusive", Warn),
		unless(mode == "inclusive", "SYSCALL inside an enclave is #UD only in functions that the file names"))
	s.seccomp()
}

// seccomp tells the filter mode of this process (proc_pid_status(5)).
func (s *Survey) seccomp() {
	mode := map[string]string{"0": "off", "1": "strict", "2": "filter"}[procField("/proc/self/status", "Seccomp")]
	if mode == "" {
		mode = "unknown"
	}
	note := ""
	if mode == "filter" {
		note = "a filter may forbid what the engine needs; the lines above were tried under it"
	}
	s.add("kernel.seccomp", "Seccomp", mode, Info, note)
}

func (s *Survey) memory() {
	total := meminfo("MemTotal")
	s.add("memory.total", "Memory", Bytes(total), Info, "")
	if avail, ok := AvailableMemory(); ok {
		s.add("memory.available", "Memory available", Bytes(avail), Info, "")
	}
	if limit, ok := cgroupMemory("memory.max"); ok && limit < total {
		s.add("memory.limit", "Memory limit (cgroup)", Bytes(limit), Info, "")
	}
	var space unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_AS, &space); err == nil {
		limited := space.Cur != unix.RLIM_INFINITY
		value := "unlimited"
		if limited {
			value = Bytes(space.Cur)
		}
		s.add("memory.address_space", "Address space (RLIMIT_AS)", value, need(!limited, Warn),
			unless(!limited, "enclaves and the EPC are reserved in it, untouched: the engine may not start"))
	}
	maps, err := strconv.ParseUint(sysctl("vm/max_map_count"), 10, 64)
	few := err == nil && maps < 65530
	s.add("memory.max_map_count", "vm.max_map_count", sysctl("vm/max_map_count"), need(!few, Warn),
		unless(!few, "below the default of 65530: large enclaves with many small regions may not load"))
	if err := executableMemfd(); err != nil {
		s.add("memory.memfd_exec", "Executable shared memory", "no", Missing, "memfd_create and mmap: "+err.Error())
	} else {
		s.add("memory.memfd_exec", "Executable shared memory", "yes", OK, "")
	}
}

// fsgsbase reports whether user mode may execute WRFSBASE: bit 1 of AT_HWCAP2.
func fsgsbase() bool {
	const atHWCAP2, hwcap2FSGSBASE = 26, 1 << 1
	auxv, err := os.ReadFile("/proc/self/auxv")
	if err != nil {
		return false
	}
	for ; len(auxv) >= 16; auxv = auxv[16:] {
		if le64(auxv) == atHWCAP2 {
			return le64(auxv[8:])&hwcap2FSGSBASE != 0
		}
	}
	return false
}

func le64(b []byte) uint64 {
	var v uint64
	for i := 7; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	return v
}

func sysctl(name string) string {
	b, err := os.ReadFile("/proc/sys/" + name)
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(b))
}
