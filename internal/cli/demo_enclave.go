package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/image"
)

func (a *app) demoEnclave() *cobra.Command {
	d := &enclaveDemo{Steps: []step{}}
	cmd := a.verb(&cobra.Command{
		Use:   "enclave",
		Short: "Build an enclave, run it, and show what it can do",
		Long: `Demo enclave assembles two small enclaves, signs them with a fresh key and loads
them on a software machine. They compute, call the host, check each other's REPORT,
derive sealing keys, fault, recover and are stopped. Each step is checked; one
that does not come out as on hardware ends the demo with exit code 1.

With --save it keeps the enclaves' files, to inspect, run and call them:
alice.signed.so, bob.signed.so, and an SGX stream with its SIGSTRUCT,
stream.sgxs and stream.sig, and toy.edl, which says what alice and bob can be
asked.`,
		Example: `  feidi demo enclave
  feidi demo enclave --save /tmp/feidi-demo`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			ctx, stop := interruptible()
			defer stop()
			fmt.Fprintln(a.err, banner)
			if !a.json {
				d.told = func(s step) { a.printf("%-11s %s\n", s.Name, s.Text) }
			}
			start := time.Now()
			err := d.run(ctx)
			d.MS = time.Since(start).Milliseconds()
			if d.OK = err == nil; !d.OK {
				d.Error = err.Error()
			}
			if a.json {
				if jerr := a.writeJSON(d); jerr != nil {
					return jerr
				}
			} else if d.OK {
				a.printf("%-11s in %d ms. Nothing here was protected from this machine.\n", "done", d.MS)
			}
			return err
		},
	})
	cmd.Flags().StringVar(&d.save, "save", "", "keep the enclaves in this `folder`")
	return cmd
}

// enclaveDemo is the JSON object of demo enclave.
type enclaveDemo struct {
	OK    bool   `json:"ok"`
	MS    int64  `json:"ms"`
	Steps []step `json:"steps"`
	Error string `json:"error,omitempty"`

	save       string
	told       func(step)
	files      []*image.Image // of alice and bob
	machine    *enclave.Machine
	alice, bob *enclave.Enclave
}

// step is a step that came out as it should.
type step struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

func (d *enclaveDemo) say(name, format string, args ...any) {
	s := step{name, fmt.Sprintf(format, args...)}
	d.Steps = append(d.Steps, s)
	if d.told != nil {
		d.told(s)
	}
}

func (d *enclaveDemo) tearDown() error {
	var errs []error
	for _, e := range []*enclave.Enclave{d.alice, d.bob} {
		if e != nil {
			errs = append(errs, e.Destroy())
		}
	}
	if d.machine != nil {
		errs = append(errs, d.machine.Close())
	}
	return errors.Join(errs...)
}

// run makes all steps, and takes down what was built.
func (d *enclaveDemo) run(ctx context.Context) (err error) {
	defer func() {
		if derr := d.tearDown(); derr != nil {
			err = errors.Join(err, cannot(derr))
		}
	}()
	for _, s := range []struct {
		name  string
		make  func(context.Context) error
		error func(error) error
	}{
		{"build", d.build, cannot}, {"machine", d.powerOn, cannot}, {"load", d.load, no}, {"ecall", d.ecall, no},
		{"ocall", d.ocall, no}, {"report", d.report, no}, {"seal", d.seal, no}, {"fault", d.fault, no},
		{"outside", d.outside, no}, {"stop", d.stop, no}, {"crash", d.crash, no},
	} {
		if err := s.make(ctx); err != nil {
			return s.error(fmt.Errorf("demo: %s: %w", s.name, err))
		}
	}
	return nil
}
