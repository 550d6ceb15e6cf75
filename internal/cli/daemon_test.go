package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// daemon NAME ARGS... starts feidi with --json, which is interrupted when the script
// ends, and sets the variable NAME to where it listens.
func daemon(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: daemon NAME ARGS...")
	}
	cmd := exec.Command("feidi", append(args[1:], "--json")...)
	cmd.Dir, cmd.Env, cmd.Stderr = ts.MkAbs("."), os.Environ(), os.Stderr
	for _, name := range []string{"XDG_STATE_HOME", "XDG_CACHE_HOME", "GOCACHE", "GOMODCACHE", "GOFLAGS", "GOPROXY"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		kill := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		ts.Logf("feidi %s: %v", args[1], cmd.Wait())
	})
	var at struct {
		Address string   `json:"address"`
		Sockets []string `json:"sockets"`
	}
	ts.Check(json.NewDecoder(out).Decode(&at))
	if len(at.Sockets) > 0 {
		at.Address = at.Sockets[0]
	}
	ts.Setenv(args[0], at.Address)
}
