package cli

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"sync"

	"github.com/feidi-dev/feidi/cpu"
)

// leafLog counts leaves, and writes them down if there is a writer.
type leafLog struct {
	mu    sync.Mutex
	count map[string]uint64
	w     *bufio.Writer
}

func newLeafLog() *leafLog { return &leafLog{count: map[string]uint64{}} }

func (l *leafLog) add(e cpu.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count[e.Leaf]++
	if l.w != nil {
		writeEvent(l.w, &e)
	}
}

// writeEvent writes a leaf as strace writes a system call.
func writeEvent(w io.Writer, e *cpu.Event) {
	fmt.Fprintf(w, "%s(", e.Leaf)
	for i, op := range e.Operands {
		if i > 0 {
			fmt.Fprint(w, ", ")
		}
		fmt.Fprintf(w, "%s=%#x", op.Name, op.Value)
	}
	fmt.Fprintf(w, ") = %s\n", e.Result())
}

func (l *leafLog) flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.w == nil {
		return nil
	}
	return l.w.Flush()
}

// counts returns the leaves executed so far.
func (l *leafLog) counts() map[string]uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.count)
}
