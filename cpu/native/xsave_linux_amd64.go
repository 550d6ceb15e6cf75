package native

import (
	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/internal/cpuid"
)

// xsaveLayout asks the host where the standard format of its XSAVE area keeps
// each component. It is asked once, at power-on, because CPUID may be trapped
// later.
func xsaveLayout() cpu.XSaveLayout {
	var l cpu.XSaveLayout
	for i := 2; i < len(l); i++ {
		if cpuid.XCR0()>>i&1 == 0 {
			continue
		}
		c := cpuid.Leaf(0xD, uint32(i))
		l[i] = cpu.XSaveComponent{Offset: c.EBX, Size: c.EAX}
	}
	return l
}
