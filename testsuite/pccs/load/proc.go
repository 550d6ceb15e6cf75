package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// memory is that of a process, in kB: all that is resident, and that of it which is
// no file's. The rest the kernel may take back at any time.
type memory struct{ all, own int }

func (m memory) String() string {
	return fmt.Sprintf("RSS %.1f MB, %.1f of it its own", float64(m.all)/1024, float64(m.own)/1024)
}

// memory is zero of a service whose process is not known.
func (s *service) memory() (m memory, err error) {
	if s.pid == 0 {
		return m, nil
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.pid))
	if err != nil {
		return m, err
	}
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(line, ":")
		n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
		switch name {
		case "VmRSS":
			m.all = n
		case "RssAnon":
			m.own = n
		}
	}
	return m, nil
}

// cpu is the processor time of all threads that a process has, which the kernel
// counts in nanoseconds.
func (s *service) cpu() (time.Duration, error) {
	if s.pid == 0 {
		return 0, nil
	}
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", s.pid))
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, name := range threads {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		first, _, _ := strings.Cut(string(b), " ")
		ns, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}
