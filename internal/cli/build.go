package cli

import (
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/host"
	"github.com/feidi-dev/feidi/sign"
)

func (a *app) build() *cobra.Command {
	var b building
	var out string
	cmd := a.verb(&cobra.Command{
		Use:   "build [PACKAGE]",
		Short: "Make an enclave of a Go program",
		Long: `Build makes a signed enclave of an ordinary Go program: a main package, as
` + "`go build`" + ` takes it, without a change. The file is an enclave of the Intel SDK's
format, which ` + "`feidi run`" + ` starts and ` + "`feidi inspect`" + ` explains.

` + buildingHelp,
		Example: `  feidi build -o /tmp/hello.signed.so ./examples/hello
  feidi build --heap 1G --threads 64 -o /tmp/webserver.signed.so ./examples/webserver
  feidi sign --generate --key /tmp/release.pem
  feidi build --svn 2 --key /tmp/release.pem -o /tmp/vault.signed.so ./examples/vault
  feidi build --config docs/feidi.toml --key /tmp/release.pem -o /tmp/vault.signed.so ./examples/vault`,
		Args: atMostOne("package"),
		RunE: func(cmd *cobra.Command, args []string) error {
			pkg := "."
			if len(args) > 0 {
				pkg = args[0]
			}
			if err := b.configure(cmd); err != nil {
				return err
			}
			return a.makeEnclave(pkg, out, &b)
		},
	})
	set := cmd.Flags()
	b.flags(cmd)
	set.BoolVar(&b.debug, "debug", false, "let it be loaded as a debug enclave")
	set.StringVarP(&out, "output", "o", "", "write the enclave to this `file` (default: the package's name with .signed.so)")
	return cmd
}

// atMostOne is the check for an optional argument.
func atMostOne(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 1 {
			return usage("one %s, and not %d", what, len(args))
		}
		return nil
	}
}

// built is the JSON object of build.
type built struct {
	Package   string `json:"package"`
	File      string `json:"file"`
	Size      int    `json:"size"`
	MREnclave string `json:"mrenclave"`
	MRSigner  string `json:"mrsigner"`
	ISVProdID uint16 `json:"isv_prod_id"`
	ISVSVN    uint16 `json:"isv_svn"`
	Debug     bool   `json:"debug"`
	Heap      uint64 `json:"heap"`
	Threads   int    `json:"threads"`
	ELRange   uint64 `json:"elrange_size"`
}

func (a *app) makeEnclave(pkg, out string, b *building) error {
	ctx, stop := interruptible()
	defer stop()
	file, err := a.buildPackage(ctx, pkg, b)
	if err != nil {
		return err
	}
	if out == "" {
		if out, err = outputName(pkg); err != nil {
			return err
		}
	}
	if err := writeFile(out, 0o777, func(w io.Writer) error { _, err := w.Write(file); return err }); err != nil {
		return err
	}
	m, err := image.Parse(file)
	if err != nil {
		return cannot(err)
	}
	signer := sign.MRSigner(m.SigStruct)
	r := built{
		Package: pkg, File: out, Size: len(file), MREnclave: hex.EncodeToString(m.SigStruct.EnclaveHash[:]), MRSigner: hex.EncodeToString(signer[:]),
		ISVProdID: b.prodID, ISVSVN: b.svn, Debug: b.debug, Heap: uint64(b.heap.Size), Threads: len(m.Threads), ELRange: m.Size,
	}
	if a.json {
		return a.writeJSON(r)
	}
	a.printf("%s\n", out)
	var t table
	t.add("MRENCLAVE", r.MREnclave)
	t.add("MRSIGNER", r.MRSigner)
	t.add("Product", fmt.Sprintf("id %d, SVN %d", r.ISVProdID, r.ISVSVN))
	t.add("Memory", fmt.Sprintf("heap of %s, %d threads, in an ELRANGE of %s", host.Bytes(r.Heap), r.Threads, host.Bytes(r.ELRange)))
	t.write(a, "  ")
	return nil
}

// outputName is the file that the enclave of a package is written to.
func outputName(pkg string) (string, error) {
	name := filepath.Base(filepath.FromSlash(pkg))
	if name == "." || name == ".." || name == string(filepath.Separator) {
		abs, err := filepath.Abs(pkg)
		if err != nil {
			return "", cannot(err)
		}
		name = filepath.Base(abs)
	}
	return strings.TrimSuffix(name, ".go") + ".signed.so", nil
}
