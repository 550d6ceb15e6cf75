//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func number(args []string, i, otherwise int) int {
	if i >= len(args) {
		return otherwise
	}
	n, err := strconv.Atoi(args[i])
	check(err == nil, "%v", err)
	return n
}

func init() {
	// Goroutines that compute, on as many processors as the host says.
	deeds["parallel"] = func(args []string) {
		var sum atomic.Int64
		var wait sync.WaitGroup
		for range number(args, 0, 100) {
			wait.Go(func() {
				n := int64(0)
				for i := range int64(20_000_000) {
					n += i & 1
				}
				sum.Add(n)
			})
		}
		wait.Wait()
		fmt.Println(sum.Load())
	}
	// Tight loops without a call, which only a signal can stop for the
	// collector.
	deeds["preempt"] = func([]string) {
		var wait sync.WaitGroup
		var loops [3]uint64
		for i := range loops {
			wait.Go(func() {
				n := uint64(0)
				for range 1_000_000_000 {
					n = n*6364136223846793005 + 1
				}
				loops[i] = n
			})
		}
		var keep [][]byte
		for i := range 400 {
			keep = append(keep, make([]byte, 64<<10))
			if i%20 == 0 {
				runtime.GC()
				keep = keep[:0]
			}
		}
		wait.Wait()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		fmt.Println(s.NumGC >= 20)
	}
	// Threads that end, with the goroutine that they are locked to.
	deeds["churn"] = func(args []string) {
		for range number(args, 0, 12000) / 4 {
			var wait sync.WaitGroup
			for range 4 {
				wait.Go(func() {
					runtime.LockOSThread()
					if zero == 0 {
						runtime.Gosched()
					}
				})
			}
			wait.Wait()
		}
		fmt.Println("done")
	}
	// Goroutines that wait in system calls, with too few threads.
	deeds["blocked"] = func(args []string) {
		var wait sync.WaitGroup
		for range number(args, 0, 1000) {
			var p [2]int
			check(syscall.Pipe(p[:]) == nil, "pipe")
			wait.Go(func() { _, _ = syscall.Read(p[0], make([]byte, 1)) })
		}
		wait.Wait()
	}
	// The same on descriptors that the runtime polls: no thread each.
	deeds["polled"] = func(args []string) {
		var wait sync.WaitGroup
		var writers []*os.File
		for range number(args, 0, 300) {
			r, w, err := os.Pipe()
			check(err == nil, "pipe: %v", err)
			writers = append(writers, w)
			wait.Go(func() {
				b, err := io.ReadAll(r)
				check(err == nil && string(b) == "x", "read %q, %v", b, err)
				r.Close()
			})
		}
		for _, w := range writers {
			_, err := w.WriteString("x")
			check(err == nil, "write: %v", err)
			w.Close()
		}
		wait.Wait()
		fmt.Println("done")
	}
	deeds["timers"] = func([]string) {
		begin := time.Now()
		var fired atomic.Int64
		var wait sync.WaitGroup
		for i := range 500 {
			wait.Add(1)
			d := time.Duration(i%50) * time.Millisecond
			time.AfterFunc(d, func() {
				check(time.Since(begin) >= d, "a timer of %v fired after %v", d, time.Since(begin))
				fired.Add(1)
				wait.Done()
			})
		}
		tick := time.NewTicker(2 * time.Millisecond)
		for range 20 {
			<-tick.C
		}
		wait.Wait()
		took := time.Since(begin)
		check(took >= 40*time.Millisecond && took < 5*time.Second, "it took %v", took)
		fmt.Println(fired.Load())
	}
	// Time does not go back, on any thread and between them.
	deeds["monotonic"] = func([]string) {
		var last atomic.Int64
		var wait sync.WaitGroup
		begin := time.Now()
		for range 4 {
			wait.Go(func() {
				for range 300_000 {
					before := last.Load()
					now := int64(time.Since(begin))
					check(now >= before, "%d after %d", now, before)
					for old := last.Load(); now > old && !last.CompareAndSwap(old, now); old = last.Load() {
					}
				}
			})
		}
		wait.Wait()
		wall := time.Now()
		fmt.Println(wall.Unix())
	}
	deeds["threads"] = func([]string) { fmt.Println(runtime.GOMAXPROCS(0), runtime.NumCPU()) }
}
