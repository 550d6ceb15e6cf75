//go:build linux

// Hard does things that are hard for a runtime in an enclave. Its argument says
// which.
package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// deeds are what it can do.
var deeds = map[string]func(args []string){}

func main() {
	if len(os.Args) < 2 || deeds[os.Args[1]] == nil {
		var names []string
		for n := range deeds {
			names = append(names, n)
		}
		slices.Sort(names)
		fmt.Fprintln(os.Stderr, "hard: one of", strings.Join(names, " "))
		os.Exit(1)
	}
	deeds[os.Args[1]](os.Args[2:])
}

// check ends the program if something is not as it should be.
func check(ok bool, format string, args ...any) {
	if !ok {
		fmt.Fprintf(os.Stderr, "hard: "+format+"\n", args...)
		os.Exit(3)
	}
}
