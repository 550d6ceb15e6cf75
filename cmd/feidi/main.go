// Command feidi is the SGX platform in software: it inspects enclave files
// and runs them on an emulated processor. Run `feidi help` for its verbs.
package main

import (
	"os"

	"github.com/feidi-dev/feidi/internal/cli"
)

func main() {
	os.Exit(cli.Main(cli.Args(os.Args), os.Stdin, os.Stdout, os.Stderr))
}
