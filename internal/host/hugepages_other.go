//go:build !linux

package host

// AdviseHugePages does nothing on this platform.
func AdviseHugePages([]byte) {}
