//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// zero is not known to the compiler to be 0.
var zero = len(os.Args) / 100

type node struct{ v [64]byte }

func init() {
	deeds["nil"] = func([]string) { var n *node; fmt.Println(n.v[zero]) }
	deeds["div"] = func([]string) { fmt.Println(1 / zero) }
	deeds["overflow"] = func([]string) { fmt.Println(endless(1)) }
	deeds["bounds"] = func([]string) { fmt.Println([]int{1}[zero+5]) }
	deeds["panic"] = func([]string) { go panic("in a goroutine"); select {} }
	deeds["deadlock"] = func([]string) { select {} }
	deeds["maps"] = func([]string) {
		m := map[int]int{}
		for i := range 4 {
			go func() {
				for j := 0; ; j++ {
					m[j%10] = i
				}
			}()
		}
		time.Sleep(20 * time.Second)
	}
	deeds["goexit"] = func([]string) {
		go func() { time.Sleep(10 * time.Millisecond); fmt.Println("still here"); os.Exit(4) }()
		runtime.Goexit()
	}
	deeds["exit"] = func([]string) { defer fmt.Println("not this"); fmt.Println("before"); os.Exit(42) }
	deeds["recover"] = func([]string) {
		count := 0
		for range 2000 {
			for _, f := range []func(){
				func() { var n *node; n.v[zero] = 1 }, func() { fmt.Println(1 / zero) }, func() { fmt.Println([]int{1}[zero+5]) },
			} {
				func() {
					defer func() {
						var e runtime.Error
						if err, ok := recover().(error); ok && errors.As(err, &e) {
							count++
						}
					}()
					f()
				}()
			}
		}
		fmt.Println(count)
	}
	deeds["recursion"] = func([]string) {
		debug.SetMaxStack(40 << 20)
		fmt.Println(depth(200000))
	}
	deeds["heap"] = func([]string) {
		var all [][]byte
		for {
			all = append(all, make([]byte, 1<<20))
			all[len(all)-1][zero] = 1
		}
	}
	deeds["large"] = func([]string) { // half of the heap, again and again
		for i := range 20 {
			b := make([]byte, 50<<20)
			for j := 0; j < len(b); j += 4096 {
				check(b[j] == 0, "byte %d of a new slice is %d", j, b[j])
				b[j] = byte(i)
			}
			debug.FreeOSMemory()
		}
		fmt.Println("done")
	}
	deeds["exec"] = func([]string) {
		_, err := os.StartProcess("/bin/true", []string{"true"}, &os.ProcAttr{})
		check(err != nil && strings.Contains(err.Error(), "not implemented"), "StartProcess: %v", err)
		fmt.Println("refused")
	}
}

func endless(n int) int {
	if n == zero { // which it never is
		return 0
	}
	return endless(n+1) + 1
}

//go:noinline
func depth(n int) int {
	var pad [16]int
	pad[n%16] = n
	if n == 0 {
		return 0
	}
	return depth(n-1) + 1 + pad[(n+1)%16]
}
