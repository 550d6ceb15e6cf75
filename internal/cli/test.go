package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/gobuild"
	"github.com/feidi-dev/feidi/internal/host"
)

func (a *app) test() *cobra.Command {
	var r running
	cmd := &cobra.Command{
		Use:   "test [flags] [PACKAGES] [-- TEST-FLAGS]",
		Short: "Run the tests of Go packages in an enclave",
		Long: `Test is ` + "`go test`" + ` with each test program in an enclave. What stands behind --
goes to go test: -run, -v, -bench, -count and so on. The tests get the whole
environment. The race detector and coverage of other packages need what an
enclave has not.

` + buildingHelp,
		Example: `  feidi test ./seal ./inside/sealedfs
  feidi test --heap 1G crypto/sha256 -- -run Golden -v`,
		RunE: func(cmd *cobra.Command, args []string) error {
			packages, flags := args, []string(nil)
			if n := cmd.ArgsLenAtDash(); n >= 0 {
				packages, flags = args[:n], args[n:]
			}
			if err := r.configure(cmd); err != nil {
				return err
			}
			return a.goTest(packages, flags, &r)
		},
	}
	r.building.flags(cmd)
	return cmd
}

// goTest runs go test with feidi as what executes the test programs.
func (a *app) goTest(packages, flags []string, r *running) error {
	ctx, stop := interruptible()
	defer stop()
	t, err := toolchain(ctx)
	if err != nil {
		return err
	}
	if _, err := r.signer(); err != nil { // and not once for each program
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return cannot(err)
	}
	run := []string{
		self, "run", "--quiet", "--env=*", "--debug", "--heap=" + r.heap.String(), "--threads=" + strconv.Itoa(r.threads),
		fmt.Sprintf("--prod-id=%d", r.prodID), fmt.Sprintf("--svn=%d", r.svn), fmt.Sprintf("--godebug=%v", r.debugEnv),
	}
	if r.key != "" {
		key, err := filepath.Abs(r.key) // go test changes the directory
		if err != nil {
			return cannot(err)
		}
		run = append(run, "--key="+key)
	}
	if host.CanGuard() {
		run = append(run, "--guard")
	}
	for i, w := range run {
		if strings.ContainsAny(w, " \t'\"") {
			run[i] = strconv.Quote(w)
		}
	}
	args, err := t.Flags(r.tags)
	if err != nil {
		return cannot(err)
	}
	args = append([]string{"test"}, args...)
	args = append(args, "-ldflags="+gobuild.LinkerFlags, "-vet=off", "-exec="+strings.Join(run, " "))
	args = append(append(args, flags...), packages...)
	cmd := exec.CommandContext(ctx, t.Go, args...)
	cmd.Env = gobuild.Environment()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.in, a.out.w, a.err
	err = cmd.Run()
	var failed *exec.ExitError
	switch {
	case errors.As(err, &failed):
		return errProgram{max(1, failed.ExitCode())}
	case err != nil:
		return cannot(err)
	}
	return nil
}
