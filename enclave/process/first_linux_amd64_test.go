package process

import (
	"testing"

	"github.com/feidi-dev/feidi/internal/goabi"
	"golang.org/x/sys/unix"
)

// What the runtime asks for to start is not the program's first request.
func TestFirstRequest(t *testing.T) {
	p := serverFor(t, Config{}, 2)
	th := p.threads[0]
	th.do(goabi.OpUnpark, 0)
	th.do(goabi.OpPark, -1)
	th.do(unix.SYS_SCHED_YIELD)
	if at := p.FirstRequest(); !at.IsZero() {
		t.Errorf("before the first: %v", at)
	}
	th.do(unix.SYS_GETPPID)
	first := p.FirstRequest()
	th.do(unix.SYS_GETPPID)
	if again := p.FirstRequest(); first.IsZero() || !again.Equal(first) {
		t.Errorf("after the first %v, then %v", first, again)
	}
}
