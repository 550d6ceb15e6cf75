//go:build unix

package cli

import (
	"os"
	"syscall"
)

// programSignals are passed on to a program.
var programSignals = []os.Signal{
	syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTERM, syscall.SIGWINCH, syscall.SIGCONT,
}
