package enclave_test

import (
	"context"
	"errors"
	"testing"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/internal/toy"
)

// stingy is an engine that makes two threads and no more.
type stingy struct {
	cpu.Engine
	left int
}

var errStingy = errors.New("no more threads")

func (s *stingy) NewThread(r cpu.Range) (cpu.Thread, error) {
	if s.left--; s.left < 0 {
		return nil, errStingy
	}
	return s.Engine.NewThread(r)
}

func init() {
	cpu.RegisterEngine("stingy", func(c cpu.Config) (cpu.Engine, error) {
		e, err := cpu.Open("native", c)
		return &stingy{e, 2}, err
	})
}

// TestLoadWithoutThreads fails to load, and leaves nothing behind, when the
// engine cannot make all threads.
func TestLoadWithoutThreads(t *testing.T) {
	m := powerOn(t, enclave.MachineConfig{Engine: "stingy"})
	if _, err := m.Load(context.Background(), build(t, toy.Options{Threads: 3})); !errors.Is(err, errStingy) {
		t.Errorf("Load: %v", err)
	}
}
