//go:build linux && amd64

package main

import (
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/feidi-dev/feidi/inside"
)

// clocks tells the time, and that it does not go back.
func clocks() {
	last := time.Now()
	for i := range 300 {
		now := time.Now()
		if now.Sub(last) < 0 {
			fail("the monotonic clock")
		}
		last = now
		if i%50 == 0 {
			time.Sleep(100 * time.Microsecond)
		}
	}
	_ = syscall.Nanosleep(&syscall.Timespec{Nsec: 1000}, &syscall.Timespec{})
	select {
	case <-time.After(2 * time.Millisecond):
	case <-time.NewTicker(3 * time.Millisecond).C:
	}
}

// threads starts and ends threads, and has goroutines wait for each other.
func threads() {
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			runtime.LockOSThread() // and the thread ends with it
			do(syscall.SYS_GETUID)
			withSecret(runtime.Gosched)
		})
	}
	c := make(chan int)
	wait.Go(func() {
		for i := range 200 {
			c <- i
		}
		close(c)
	})
	next := 0
	for i := range c {
		if i != next {
			fail("the order of a channel")
		}
		next++
	}
	var mu sync.Mutex
	n := 0
	for range 4 {
		wait.Go(func() {
			for range 500 {
				mu.Lock()
				n++
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if n != 2000 {
		fail("a number behind a mutex")
	}
}

// memory allocates, collects, and keeps a goroutine from being polite.
func memory() {
	done := make(chan uint64)
	go func() {
		x := uint64(1)
		for range 3_000_000 {
			x = x*6364136223846793005 + 1
		}
		done <- x
	}()
	for range 3 {
		if t := grow(12, 1); t.count(1) != 1<<12-1 {
			fail("a tree of garbage")
		}
	}
	runtime.GC()
	if x := <-done; x != product() {
		fail("the result of a loop")
	}
}

var product = sync.OnceValue(func() uint64 {
	x := uint64(1)
	for range 3_000_000 {
		x = x*6364136223846793005 + 1
	}
	return x
})

// seals opens what is sealed.
func seals() {
	if !inside.Enclosed() {
		return
	}
	p, _, err := inside.Unseal(sealed)
	if err != nil || string(p) != string(bytesOf(inHeap[:64])) {
		fail("what was sealed")
	}
}
