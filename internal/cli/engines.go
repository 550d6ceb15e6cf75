package cli

// engines are the engines that this program has on this platform.
func engines() []string { return nil }

// emulated is what doctor says of the software processor.
var emulated = []string{}
