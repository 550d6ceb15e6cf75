//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// stop has a service end as an administrator does.
func stop(cmd *exec.Cmd) { _ = cmd.Process.Signal(syscall.SIGTERM) }
