// Vault keeps passwords in a sealed directory, which only this enclave, or
// others of its signer, can open on this machine.
//
//	printf 'secret' | feidi run ./examples/vault -state vault put mail
//	feidi run ./examples/vault -state vault get mail
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"

	"github.com/feidi-dev/feidi/inside"
	"github.com/feidi-dev/feidi/inside/sealedfs"
)

const usage = `usage: vault -state DIRECTORY COMMAND
  put NAME     keep the password that stands on standard input
  get NAME     print it
  list         print the names
  remove NAME  forget it
  check        read all that is kept, and say what was tampered with
`

func main() {
	log.SetFlags(0)
	log.SetPrefix("vault: ")
	state := flag.String("state", "", "keep the passwords in this sealed `directory`")
	flag.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	flag.Parse()
	command, ok := commands[flag.Arg(0)]
	if !ok || *state == "" || flag.NArg() != 1+command.names {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*state, flag.Arg(1), command.run); err != nil {
		log.Fatal(err)
	}
}

var commands = map[string]struct {
	names int // arguments
	run   func(v *sealedfs.FS, name string) error
}{
	"put":    {1, put},
	"get":    {1, get},
	"list":   {0, list},
	"remove": {1, func(v *sealedfs.FS, name string) error { return v.Remove(name) }},
	"check":  {0, func(v *sealedfs.FS, _ string) error { return v.Check() }},
}

// run opens the vault for a command. The policy is the default: a new version
// of this program, signed by the same key, opens it, too.
func run(state, name string, command func(*sealedfs.FS, string) error) error {
	v, err := inside.OpenSealed(state, nil)
	switch {
	case errors.Is(err, sealedfs.ErrTampered), errors.Is(err, sealedfs.ErrRolledBack):
		return fmt.Errorf("somebody changed the vault: %w", err)
	case err != nil:
		return err
	}
	err = command(v, name)
	return errors.Join(err, v.Close())
}

// maxPassword is the size of the longest password, in bytes.
const maxPassword = 1 << 20

func put(v *sealedfs.FS, name string) error {
	password, err := io.ReadAll(io.LimitReader(os.Stdin, maxPassword+1))
	switch {
	case err != nil:
		return err
	case len(password) == 0 || len(password) > maxPassword:
		return fmt.Errorf("a password has 1 to %d bytes", maxPassword)
	}
	return v.WriteFile(name, password)
}

func get(v *sealedfs.FS, name string) error {
	password, err := v.ReadFile(name)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(password)
	return err
}

func list(v *sealedfs.FS, _ string) error {
	entries, err := v.ReadDir(".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return err
		}
		fmt.Printf("%s\t%s\n", e.Name(), info.ModTime().UTC().Format("2006-01-02 15:04"))
	}
	return nil
}
