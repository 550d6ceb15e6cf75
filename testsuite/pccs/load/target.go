package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// target is what is asked for.
type target struct {
	name, path string
	// platforms is of how many the path asks for one by chance, 0 if it asks for
	// one thing.
	platforms int
}

// readTargets reads lines with a name and a path. With platforms there is one, the
// certificates of these.
func readTargets(file string, platforms int) ([]target, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list []target
	for line := range strings.Lines(string(b)) {
		name, path, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case name == "":
		case !strings.HasPrefix(path, "/"):
			return nil, fmt.Errorf("%s: a line is a name and a path, and not %.40q", file, line)
		case platforms == 0:
			list = append(list, target{name: name, path: path})
		case qeidIn(path) > 0 && strings.Contains(path, "pckcert?"):
			list = append(list, target{name, path, platforms})
		}
	}
	return list, nil
}

// qeidIn is where in a path the QE ID is, or 0.
func qeidIn(path string) int {
	const name = "qeid="
	i := strings.Index(path, name)
	if i < 0 || len(path) < i+len(name)+qeidDigits {
		return 0
	}
	return i + len(name)
}

const qeidDigits = 32

// service is one that is asked.
type service struct {
	name, address string // of a TCP connection
	pid           int    // 0 if it is not known
}

// parseService reads NAME=URL or NAME=URL,PID.
func parseService(s string) (*service, error) {
	name, rest, named := strings.Cut(s, "=")
	url, pid, has := strings.Cut(rest, ",")
	address, https := strings.CutPrefix(strings.TrimSuffix(url, "/"), "https://")
	if !named || !https || address == "" || strings.Contains(address, "/") {
		return nil, fmt.Errorf("a service is NAME=https://HOST:PORT,PID, and not %.60q", s)
	}
	out := &service{name: name, address: address}
	if has {
		var err error
		if out.pid, err = strconv.Atoi(pid); err != nil || out.pid <= 0 {
			return nil, fmt.Errorf("%.20q is not the ID of a process", pid)
		}
	}
	return out, nil
}
