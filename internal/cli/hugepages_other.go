//go:build !linux

package cli

func adviseHugePages([]byte) {}
