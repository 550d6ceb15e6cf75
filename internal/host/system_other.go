//go:build !(linux && amd64)

package host

import "runtime"

func (s *Survey) system() {
	s.add("os.name", "Operating system", runtime.GOOS, need(runtime.GOOS == "linux", Missing),
		unless(runtime.GOOS == "linux", "the native engine needs Linux on x86-64"))
}
