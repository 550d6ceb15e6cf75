package cli

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/sign/config"
	"github.com/feidi-dev/feidi/sign/sdk"
)

func (a *app) signConfig() *cobra.Command {
	var toml bool
	cmd := a.verb(&cobra.Command{
		Use:   "config [FILE]",
		Short: "Show every setting of a configuration, or check one",
		Long: `Config writes the default configuration with every setting and what it means,
as Enclave.config.xml or, with --toml, in TOML. With FILE it checks that
configuration instead, and writes it with all its settings: what it leaves out
has its default. FILE may be a signed enclave, too: the settings are then those
that its metadata was made with.

A file is read as TOML if its name ends in .toml, and otherwise as XML. In TOML
sizes may have units, as in heap_max_size = "64MiB".`,
		Example: `  feidi sign config --toml
  feidi sign config`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			c := ptr(config.Default())
			if len(args) == 1 {
				var err error
				if c, err = readConfig(args[0]); err != nil {
					return err
				}
			}
			text := c.AppendXML
			if toml {
				text = c.AppendTOML
			}
			if a.json {
				return a.writeJSON(map[string]any{"config": string(text(nil))})
			}
			a.printf("%s", text(nil))
			return nil
		},
	})
	cmd.Flags().BoolVar(&toml, "toml", false, "write TOML in place of XML")
	return cmd
}

// errELF says that a file is no configuration, but may have one.
var errELF = errors.New("an ELF file")

// readConfig reads a configuration, takes that of a signed enclave, or returns
// the default one. An error tells all that is wrong, a line each.
func readConfig(file string) (*config.Config, error) {
	if file == "" {
		return ptr(config.Default()), nil
	}
	b, err := readFile(file, config.MaxFile, func(head []byte) error {
		if bytes.HasPrefix(head, []byte(elf.ELFMAG)) {
			return errELF
		}
		return nil
	})
	if errors.Is(err, errELF) {
		return enclaveConfig(file)
	}
	if err != nil {
		return nil, cannot(err)
	}
	parse := config.ParseXML
	switch ext := strings.ToLower(filepath.Ext(file)); {
	case ext == ".toml":
		parse = config.ParseTOML
	case ext != ".xml" && !bytes.HasPrefix(bytes.TrimLeft(b, "\uFEFF \t\r\n"), []byte("<")):
		parse = config.ParseTOML
	}
	c, err := parse(b)
	if err == nil {
		return c, nil
	}
	var errs config.Errors
	if !errors.As(err, &errs) {
		return nil, cannot(fmt.Errorf("%s: %w", file, err))
	}
	lines := make([]error, len(errs))
	for i, e := range errs {
		lines[i] = fmt.Errorf("%s:%w", file, e)
	}
	return nil, cannot(errors.Join(lines...))
}

// enclaveConfig is the configuration that an enclave was signed with.
func enclaveConfig(file string) (*config.Config, error) {
	b, err := readFile(file, maxFile, nil)
	if err != nil {
		return nil, cannot(err)
	}
	c, err := sdk.Configuration(b)
	if err != nil {
		return nil, cannot(fmt.Errorf("%s: %w", file, err))
	}
	return c, nil
}
