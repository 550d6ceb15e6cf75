//go:build linux && amd64

// Victim is a program for an enclave whose host lies to it. It makes system
// calls of every kind, over and over, and what they return means nothing to it;
// but it watches its own memory, and it keeps a secret.
//
// It exits with 0 and the word DONE if nothing stopped it, and with 77 and the
// word CORRUPT if memory changed that nothing but the host can have changed.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/feidi-dev/feidi/inside"
)

// corrupt is the exit code for memory that has changed.
const corrupt = 77

// jobs are what the program does.
var jobs = map[string]func(){
	"files": files, "names": names, "raw": raw, "pipes": pipes, "messages": messages, "polls": polls,
	"sockets": sockets, "datagrams": datagrams, "clocks": clocks, "threads": threads, "memory": memory, "registers": registers, "seals": seals, "faults": faults,
}

// The arguments are how often the jobs are done, and their names, with commas
// between them; or nothing, or "all". Job trespass is for itself.
func main() {
	rounds, which := 1, "all"
	if len(os.Args) > 1 {
		rounds, _ = strconv.Atoi(os.Args[1])
	}
	if len(os.Args) > 2 {
		which = os.Args[2]
	}
	keepSecrets()
	if which == "all" || strings.Contains(which, "calls") {
		go func() { _ = inside.Serve(context.Background(), table) }()
	}
	if which == "trespass" {
		trespass()
	}
	for range rounds {
		var wait sync.WaitGroup
		for name, job := range jobs {
			if which != "all" && !strings.Contains(which, name) {
				continue
			}
			wait.Go(func() { withSecret(job) })
		}
		wait.Wait()
		runtime.GC()
		check()
	}
	fmt.Println("DONE")
}
