package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/internal/text"
)

// Exit codes.
const (
	exitOK     = 0
	exitNo     = 1
	exitUsage  = 2
	exitCannot = 3
)

func exitCodes() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "What the exit codes mean",
		Long: `Exit codes, the same for every verb:

  0  done, and the answer is yes
  1  the answer is no: a signature or a measurement does not fit, the
     processor refused the enclave, the enclave returned an error or crashed,
     or the machine cannot run enclaves (doctor)
  2  usage: an unknown verb or flag, or a wrong argument
  3  cannot tell: a file cannot be read or is no enclave, or this machine or
     platform cannot do what was asked

` + "`verify`" + ` has 0 for an accepted quote, 1 for a rejected one, and 2 whenever it
cannot tell, so that 1 is a verdict and never a mistake.

A Go program that ` + "`run`" + ` runs has exit codes of its own, and those of feidi when
it could not start.

With --json, a verb that fails before it has a result writes an object with
the keys "error" and "exit_code".`,
	}
}

// exitError is an error with the exit code that it leads to.
type exitError struct {
	code int
	err  error
	// detail is shown below the error: lines of a source, with marks.
	detail string
	// summary, if there is one, is shown below detail in place of the error,
	// of which detail says everything.
	summary string
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// no is the error of a verb whose answer is no.
func no(err error) error { return &exitError{code: exitNo, err: err} }

// cannot is the error of a verb that has no answer.
func cannot(err error) error { return &exitError{code: exitCannot, err: err} }

// usage is the error of a wrong argument.
func usage(format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// report shows err, which may be no exitError.
func (a *app) report(err error) {
	var e *exitError
	switch {
	case !errors.As(err, &e) || e.detail == "":
		fmt.Fprintf(a.err, "feidi: %s\n", printable(err.Error()))
	case e.summary != "":
		fmt.Fprintf(a.err, "%s\nfeidi: %s\n", printable(e.detail), e.summary)
	default:
		fmt.Fprintf(a.err, "feidi: %s\n%s\n", printable(err.Error()), printable(e.detail))
	}
}

// finish reports the error of cmd and returns its exit code. An error without a
// code is cobra's: a verb, a flag or a number of arguments that does not exist.
func (a *app) finish(cmd *cobra.Command, err error) int {
	if err == nil && a.out.err != nil {
		err, a.shown = cannot(fmt.Errorf("writing the result: %w", a.out.err)), true
	}
	if err == nil {
		return exitOK
	}
	var p errProgram
	if errors.As(err, &p) {
		return p.code
	}
	var e *exitError
	if !errors.As(err, &e) {
		e = &exitError{code: exitUsage, err: err}
	}
	a.report(err)
	if e.code == exitUsage && e.detail == "" {
		fmt.Fprintf(a.err, "feidi: see `%s -h`\n", cmd.CommandPath())
	}
	if a.json && !a.shown {
		_ = a.writeJSON(map[string]any{"error": err.Error(), "exit_code": e.code})
	}
	return e.code
}

// printable is a message in which the names of files, sections and symbols are
// anybody's, and what an enclave says.
func printable(s string) string { return text.Printable(s) }
