package crosscheck

import (
	"bytes"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/feidi-dev/feidi/dcap"
)

// program is a peer that speaks the protocol of the package comment.
type program struct {
	name    string
	command []string
	reads   func(*Set) bool
	takes   func(dcap.TCBStatus) bool
	dir     func() string // makes an empty folder
}

func (p *program) Name() string                { return p.name }
func (p *program) Reads(s *Set) bool           { return p.reads(s) }
func (p *program) Takes(t dcap.TCBStatus) bool { return p.takes(t) }

func (p *program) Verify(s *Set) (Answer, error) { return p.repeat(s, 1) }

// repeat has the program verify the set n times.
func (p *program) repeat(s *Set, n int) (Answer, error) {
	dir := p.dir()
	if err := s.Write(dir); err != nil {
		return Answer{}, err
	}
	arg := append(p.command[1:len(p.command):len(p.command)], "-n", strconv.Itoa(n), dir)
	cmd := exec.Command(p.command[0], arg...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return Answer{}, fmt.Errorf("%s: %w: %s", p.command[0], err, oneLine(stderr.String()))
	}
	return parseAnswer(string(out))
}

// parseAnswer reads what a program printed.
func parseAnswer(out string) (Answer, error) {
	var a Answer
	for line := range strings.Lines(out) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "accepted":
			a.Accepted = true
			if rest != "" {
				var err error
				if a.TCB, err = dcap.ParseTCBStatus(rest); err != nil {
					return Answer{}, err
				}
			}
			return a, nil
		case "rejected":
			a.Reason = rest
			return a, nil
		case "pck_chain", "tcb_info", "qe_identity", "quote":
			a.Steps = append(a.Steps, rest)
		}
	}
	if len(a.Steps) != 4 {
		return Answer{}, fmt.Errorf("no outcome in %q", out)
	}
	return a, nil
}
