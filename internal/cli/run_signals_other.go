//go:build !unix

package cli

import "os"

// programSignals are passed on to a program.
var programSignals = []os.Signal{os.Interrupt}
