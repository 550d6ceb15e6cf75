// Command load measures caching services side by side, on one machine in the same
// minutes. To begin with,
//
//	go run ./testsuite/pccs/load data DIR
//
// writes what a service is to be filled with: root.pem, whom it has to trust,
// collateral.json, the body of PUT platformcollateral, and targets, what is asked
// for. With -platforms N -database ADDRESS, it puts so many platforms into a
// database of ours, too. A server of the standard library that has the answers of
// another one in memory, and does nothing else, is
//
//	go run ./testsuite/pccs/load bare -targets DIR/targets LISTEN URL
//
// and then services are asked in short turns, so that whatever else the machine does
// hits all of them:
//
//	go run ./testsuite/pccs/load run -targets DIR/targets ours=URL,PID bare=URL,PID intel=URL,PID
//
// The PID, which may be left out, is for processor time and memory, on Linux. Ratios
// are those of the first service to each of the others, medians of all rounds. With
// -platforms N the PCK certificates of random ones of N platforms are asked for, and
// with -rate so many requests a second are sent; the time of one that has to wait for
// the answer before it counts from when it was due. How long a service takes from its
// start to its first answer is told by
//
//	go run ./testsuite/pccs/load first URL COMMAND ARG...
//
// Certificates of servers are not looked at.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := do(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// do runs a verb.
func do(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return errors.New("the verbs are data, bare, run and first: see `go doc ./testsuite/pccs/load`")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	file := flags.String("targets", "targets", "what is asked for: a `file` of lines with a name and a path")
	platforms := flags.Int("platforms", 0, "how many platforms there are beside those of the collateral")
	switch args[0] {
	case "data":
		database := flags.String("database", "", "the `address` of a database of ours that gets the platforms")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		if flags.NArg() != 1 {
			return errors.New("data takes a folder")
		}
		return writeData(ctx, flags.Arg(0), *database, *platforms)
	case "bare":
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		if flags.NArg() != 2 {
			return errors.New("bare takes the address to listen at, and the URL of who is asked for the answers")
		}
		targets, err := readTargets(*file, 0)
		if err != nil {
			return err
		}
		return bare(ctx, flags.Arg(0), strings.TrimSuffix(flags.Arg(1), "/"), targets)
	case "first":
		times := flags.Int("times", 9, "how often it is started")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		if flags.NArg() < 2 {
			return errors.New("first takes a URL and a command that serves it")
		}
		return first(ctx, out, *times, flags.Arg(0), flags.Args()[1:])
	case "run":
		r := run{out: out}
		only := flags.String("only", "", "the `name` of the one target that is asked for")
		flags.IntVar(&r.connections, "connections", 16, "that stay open")
		flags.DurationVar(&r.turn, "turn", 300*time.Millisecond, "how long each service is asked at a time")
		flags.IntVar(&r.rounds, "rounds", 15, "how often")
		flags.IntVar(&r.rate, "rate", 0, "requests a second, for all connections together; 0 is as many as are answered")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		targets, err := readTargets(*file, *platforms)
		if err != nil {
			return err
		}
		for _, t := range targets {
			if *only == "" || *only == t.name {
				r.targets = append(r.targets, t)
			}
		}
		for _, a := range flags.Args() {
			s, err := parseService(a)
			if err != nil {
				return err
			}
			r.services = append(r.services, s)
		}
		if len(r.services) == 0 || len(r.targets) == 0 {
			return errors.New("run takes services as NAME=URL,PID, and a target to ask for")
		}
		return r.all(ctx)
	}
	return fmt.Errorf("there is no verb %q: they are data, bare, run and first", args[0])
}
