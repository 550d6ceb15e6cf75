//go:build linux

package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

func init() {
	// Handles one signal and exits by itself.
	deeds["handle"] = func([]string) {
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		fmt.Println("ready")
		fmt.Println(<-c)
		os.Exit(9)
	}
	// Has no handler, and waits in one way or another.
	deeds["default"] = func(args []string) {
		fmt.Println("ready")
		switch args[0] {
		case "sleep":
			time.Sleep(time.Minute)
		case "read":
			_, _ = os.Stdin.Read(make([]byte, 1))
		case "rawread":
			var p [2]int
			check(syscall.Pipe(p[:]) == nil, "pipe")
			_, _ = syscall.Read(p[0], make([]byte, 1))
		case "loop":
			for n := uint64(1); ; {
				if n = n*3 + 1; n == 0 {
					return
				}
			}
		}
	}
	// Counts signals while it works and while it sleeps.
	deeds["storm"] = func(args []string) {
		c := make(chan os.Signal, 1000)
		signal.Notify(c, syscall.SIGUSR1, syscall.SIGUSR2)
		fmt.Println("ready")
		if args[0] == "busy" {
			for range 2 {
				go func() {
					for i := 0; ; i++ {
						b := make([]byte, 1000+i%1000)
						for j := range b {
							b[j] = byte(i)
						}
						if i%1000 == 0 {
							runtime.GC()
						}
					}
				}()
			}
		}
		n := 0
		for s := range c {
			if s == syscall.SIGUSR2 {
				break
			}
			n++
		}
		fmt.Println(n)
	}
	deeds["ignore"] = func([]string) {
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
		fmt.Println("ready")
		_, _ = os.Stdin.Read(make([]byte, 1))
		fmt.Println("still here")
	}
	// Sends itself a signal.
	deeds["self"] = func([]string) {
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGUSR1)
		check(syscall.Kill(syscall.Getpid(), syscall.SIGUSR1) == nil, "kill")
		fmt.Println(<-c)
		_ = syscall.Kill(syscall.Getpid(), syscall.SIGTERM)
		time.Sleep(10 * time.Second)
	}
}
