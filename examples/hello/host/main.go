// Host starts the enclave of examples/hello and calls it by its EDL.
//
//	feidi build -o hello.signed.so ./examples/hello
//	go run ./examples/hello/host hello.signed.so Alice Bob
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"syscall"

	_ "github.com/feidi-dev/feidi/cpu/native" // executes enclaves
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/enclave/process"
	"github.com/feidi-dev/feidi/examples/hello/edge"
	"github.com/feidi-dev/feidi/image"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("host: ")
	if len(os.Args) < 3 {
		log.Fatal("usage: host ENCLAVE NAME...")
	}
	if err := run(context.Background(), os.Args[1], os.Args[2:]); err != nil {
		log.Fatal(err)
	}
}

// run loads the enclave, starts the program in it, and has it greet.
func run(ctx context.Context, file string, names []string) (err error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	img, err := image.Parse(b)
	if err != nil {
		return err
	}
	m, err := enclave.PowerOn(enclave.MachineConfig{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	p := process.New(process.Config{Args: []string{"hello", "-serve"}, Stdout: os.Stdout, Stderr: os.Stderr})
	e, err := m.Load(ctx, img, p.Option())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Destroy()) }()
	if err := p.Start(ctx, e); err != nil {
		return err
	}
	return errors.Join(greet(ctx, p, names), stop(p))
}

// greet calls the enclave.
func greet(ctx context.Context, p *process.Process, names []string) error {
	hello := edge.NewHello(p, untrusted{})
	defer hello.Close()
	for _, name := range names {
		n, err := hello.EcallHello(ctx, name)
		if err != nil {
			return err
		}
		fmt.Println("The enclave has greeted", n)
	}
	return nil
}

// stop ends the program, which waits for calls.
func stop(p *process.Process) error {
	if err := p.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, process.ErrEnded) {
		return err
	}
	s, err := p.Wait()
	if err == nil && s.Signal != syscall.SIGTERM {
		err = fmt.Errorf("the program ended by itself, with exit code %d", s.ExitCode)
	}
	return err
}

// untrusted implements the functions that the enclave calls.
type untrusted struct{}

// OcallPrintString implements edge.HelloOCalls.
func (untrusted) OcallPrintString(_ context.Context, s string) error {
	_, err := fmt.Print(s)
	return err
}
