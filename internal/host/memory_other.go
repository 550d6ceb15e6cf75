//go:build !linux

package host

// AvailableMemory returns the bytes that a new program can use without
// swapping. known is false if the system does not tell.
func AvailableMemory() (bytes uint64, known bool) { return 0, false }
