package host

import (
	"os"
	"strconv"
	"strings"
)

// AvailableMemory returns the bytes that a new program can use without
// swapping: the kernel's estimate, or what the cgroup's limit leaves if that
// is less. known is false if the system does not tell.
func AvailableMemory() (bytes uint64, known bool) {
	avail := meminfo("MemAvailable")
	if avail == 0 {
		return 0, false
	}
	limit, ok := cgroupMemory("memory.max")
	used, ok2 := cgroupMemory("memory.current")
	if ok && ok2 {
		avail = min(avail, limit-min(limit, used))
	}
	return avail, true
}

// meminfo returns a field of /proc/meminfo in bytes, or zero.
func meminfo(name string) uint64 {
	v, _, _ := strings.Cut(procField("/proc/meminfo", name), " ")
	n, err := strconv.ParseUint(v, 10, 54)
	if err != nil {
		return 0
	}
	return n << 10
}

// cgroupMemory returns a number of bytes of this process's cgroup (version
// 2). There is none if it is "max".
func cgroupMemory(file string) (uint64, bool) {
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(b)) {
		path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !ok {
			continue
		}
		v, err := os.ReadFile("/sys/fs/cgroup" + path + "/" + file)
		if err != nil {
			return 0, false
		}
		n, err := strconv.ParseUint(strings.TrimSpace(string(v)), 10, 64)
		return n, err == nil
	}
	return 0, false
}

// procField returns the value of a "Name: value" line.
func procField(file, name string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && k == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
