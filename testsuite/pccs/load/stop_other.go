//go:build !unix

package main

import "os/exec"

func stop(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
