package gobuild

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
)

// withCgo adds to an error of the go command which packages use cgo, if that
// may be why it failed: without cgo their files are missing.
func (t *Toolchain) withCgo(ctx context.Context, dir, pkg string, flags []string, err error) error {
	text := err.Error()
	if !strings.Contains(text, "build constraints exclude all Go files") && !strings.Contains(text, "undefined: ") {
		return err
	}
	packages := t.cgoPackages(ctx, dir, pkg, flags)
	if len(packages) == 0 {
		return err
	}
	const most = 3
	more := ""
	if n := len(packages) - most; n > 0 {
		packages, more = packages[:most], fmt.Sprintf(" and %d more", n)
	}
	return fmt.Errorf(`%w. An enclave has no C library, so files that import "C" (cgo) are left out, as those of %s%s: use a module or a build tag that does without, or leave that part outside and call it by an EDL or a socket`,
		err, strings.Join(packages, ", "), more)
}

// cgoPackages lists the packages of a program that use cgo, the standard
// library's aside, which do without.
func (t *Toolchain) cgoPackages(ctx context.Context, dir, pkg string, flags []string) []string {
	args := []string{"list", "-e", "-deps", "-json=ImportPath,Standard,CgoFiles"}
	for _, f := range flags {
		if strings.HasPrefix(f, "-tags=") {
			args = append(args, f)
		}
	}
	cmd := exec.CommandContext(ctx, t.Go, append(args, "--", pkg)...)
	cmd.Dir, cmd.Env = dir, append(Environment(), "CGO_ENABLED=1")
	out, _ := cmd.Output() // it may fail for the reason that the build did
	var found []string
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			Standard   bool
			CgoFiles   []string
		}
		if err := d.Decode(&p); err != nil {
			if err != io.EOF {
				return nil
			}
			slices.Sort(found)
			return found
		}
		if !p.Standard && len(p.CgoFiles) > 0 {
			found = append(found, p.ImportPath)
		}
	}
}

// pluginOpen is the name of a function in the table of a program that uses
// package plugin, between those before and behind it.
var pluginOpen = []byte("\x00plugin.Open\x00")

// checkPlugins refuses a program that opens plug-ins.
func checkPlugins(program []byte, pkg string) error {
	if !bytes.Contains(program, pluginOpen) {
		return nil
	}
	return fmt.Errorf("%w: %s opens plug-ins (package plugin), and an enclave takes no code but what was measured: compile them in", ErrCompile, pkg)
}
