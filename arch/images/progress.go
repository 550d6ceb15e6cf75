package images

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress passes on what is written to it, and adds a line in front if there is no
// end after a while.
type progress struct {
	mu    sync.Mutex
	w     io.Writer // nil after the end
	timer *time.Timer
}

func newProgress(w io.Writer, delay time.Duration, line string) *progress {
	p := &progress{w: w}
	p.timer = time.AfterFunc(delay, func() { _, _ = fmt.Fprintln(p, line) })
	return p
}

// Write writes to the writer, if there is one.
func (p *progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.w == nil {
		return len(b), nil
	}
	return p.w.Write(b)
}

// stop is the end: nothing is written from here on.
func (p *progress) stop() {
	p.timer.Stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.w = nil
}
