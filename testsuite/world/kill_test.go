package world_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// How often which processes are killed: 200 times in all.
const (
	killedVerbs = 105
	killedPCSs  = 70
	killedAESMs = 25
)

// chance decides who does what, and when somebody is killed.
func chance(t testing.TB) *rand.Rand {
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("-seed %d", s)
	return rand.New(rand.NewPCG(s, 0))
}

// upTo draws a time up to d.
func upTo(r *rand.Rand, d time.Duration) time.Duration { return time.Duration(r.Int64N(int64(d))) }

// Verbs that change the world are killed at any moment of their short lives. What
// they have said is there, the world opens, and the same verb can be said again.
func TestKillVerbs(t *testing.T) {
	h := newWorld(t)
	r := chance(t)
	known := facts{}
	life := 100 * time.Millisecond // of a verb that is left alone, as seen so far
	kills, done := 0, 0
	for i := 0; kills < killedVerbs; i++ {
		if i > 20*killedVerbs {
			t.Fatalf("%d of %d verbs were killed", kills, i)
		}
		args := known.verb(r, i)
		start := time.Now()
		said, dead := h.killVerb(upTo(r, life*5/4), args)
		if dead {
			kills++
		} else {
			life = (4*life + time.Since(start)) / 5
		}
		switch {
		case known.note(args, said.stdout):
			done++
		case !dead:
			t.Errorf("nobody has killed it: %s", said)
		case r.IntN(3) == 0:
			again := h.try(append(args, "--json")...)
			if again.code == 0 {
				known.note(args, again.stdout)
			} else if args[1] != "new" || !strings.Contains(again.stderr, "there is a machine of this name already") {
				t.Errorf("the same again after it was killed: %s", again)
			}
		}
		known.check(h)
	}
	t.Logf("%d verbs killed, %d had said that they were done; one takes %v", kills, done, life)
	if n := known.checkCertificates(h); done < killedVerbs/7 || n == 0 {
		t.Errorf("%d verbs were done, %d other than to make machines: too few to mean anything", done, n)
	}

	// And the machines work.
	h.run("machine", "new", "last")
	c, p := h.powerOn("last"), h.pcs()
	h.accepted("a quote of a machine that was made then", mustQuote(h.aesmd("last", "--pcs", p.Address), c.app), p.Address)
}

// killVerb starts a verb and kills it after a time. It reports whether that was what
// ended it.
func (h *home) killVerb(after time.Duration, args []string) (_ *result, dead bool) {
	h.Helper()
	cmd := h.cmd(append(args, "--json")...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		h.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	_ = cmd.Wait() // the status tells
	return &result{args, cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}, bySIGKILL(h, cmd)
}

// note takes to the record what a verb has said. It reports whether it had said
// all.
func (f facts) note(args []string, said string) bool {
	var s shown
	if json.Unmarshal([]byte(said), &s) != nil || s.Error != "" { // it was cut short, or failed
		return false
	}
	what, name := args[1], args[2]
	if f[name] == nil {
		f[name] = &fact{packages: s.Packages}
	}
	switch n := f[name]; what {
	case "new", "recover":
		n.cpuSVN, n.recovered = s.CPUSVN, what == "recover"
	case "register":
		n.ppid = s.PPID
	case "revoke":
		n.revoked = true
	}
	return true
}

// shown is what verbs write, with --json.
type shown struct {
	CPUSVN   string `json:"cpu_svn"`
	Packages int    `json:"packages"`
	PPID     string `json:"ppid"`
	Error    string `json:"error"`
}

// verb chooses a verb that changes the world.
func (f facts) verb(r *rand.Rand, i int) []string {
	if old := f.any(r); old != "" {
		n := f[old]
		switch r.IntN(6) {
		case 0:
			return []string{"machine", "recover", old}
		case 1, 2:
			if n.packages > 1 {
				return []string{"machine", "register", old}
			}
			return []string{"pcs", "revoke", old}
		}
	}
	return []string{"machine", "new", fmt.Sprintf("m%d", i), "--packages", fmt.Sprint(1 + r.IntN(2))}
}
