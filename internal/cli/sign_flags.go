package cli

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// signFlags are the arguments of sign and of its commands. Each command has
// those of them that it needs.
type signFlags struct {
	enclave, key, out, config path
	sig, unsigned             path
	dumpFile, cssFile, fips   path
	date                      string
	ignoreRel, ignoreInit     bool
	resign, generate          bool
}

// path is a flag with the name of a file, which is given once at most.
type path string

func (p *path) String() string { return string(*p) }
func (p *path) Type() string   { return "file" }

func (p *path) Set(s string) error {
	switch {
	case *p != "":
		return errors.New("it is given twice")
	case s == "":
		return errors.New("the name of a file is empty")
	case s != "-" && strings.HasPrefix(s, "-"):
		return fmt.Errorf("the name of a file is missing; one that begins with a hyphen is written ./%s", s)
	}
	*p = path(s)
	return nil
}

// pathFlags are the flags for files, by name.
func (f *signFlags) pathFlags() map[string]*path {
	return map[string]*path{
		"enclave": &f.enclave, "key": &f.key, "out": &f.out, "config": &f.config, "sig": &f.sig, "unsigned": &f.unsigned,
		"dumpfile": &f.dumpFile, "cssfile": &f.cssFile, "fips-module": &f.fips,
	}
}

// add gives cmd the named flags.
func (f *signFlags) add(cmd *cobra.Command, names ...string) {
	fs := cmd.Flags()
	paths := f.pathFlags()
	for _, name := range names {
		switch name {
		case "enclave":
			fs.Var(paths[name], name, "the enclave's `file`, in place of the argument")
		case "key":
			fs.Var(paths[name], name, "`file` of the key, in PEM")
		case "public":
			fs.Var(paths["key"], "key", "`file` of the public key, in PEM")
		case "out":
			fs.VarP(paths[name], name, "o", "`file` to write")
		case "config":
			fs.Var(paths[name], name, "`file` of the configuration, in XML or TOML, or a signed enclave, for its settings")
		case "sig":
			fs.Var(paths[name], name, "`file` of the signature, 384 bytes, big-endian")
		case "unsigned":
			fs.Var(paths[name], name, "`file` that gendata wrote")
		case "dumpfile":
			fs.Var(paths[name], name, "write the metadata as text into this `file`, or - for standard output")
		case "cssfile":
			fs.Var(paths[name], name, "write the SIGSTRUCT, 1808 bytes, into this `file`")
		case "fips-module":
			fs.Var(paths[name], name, "`file` of the OpenSSL FIPS provider, for EnableOSSLFIPS; without it, lib64/fips.so of $SGX_SDK")
		case "date":
			fs.StringVar(&f.date, name, "", "the `day` of the signature, YYYY-MM-DD; without it, that of SOURCE_DATE_EPOCH, or today")
		case "ignore-rel-error":
			fs.BoolVar(&f.ignoreRel, name, false, "sign although code would be relocated")
		case "ignore-init-sec-error":
			fs.BoolVar(&f.ignoreInit, name, false, "sign although there is an .init section, which nothing runs")
		case "resign":
			fs.BoolVar(&f.resign, name, false, "sign although the enclave is signed already")
		case "generate":
			fs.BoolVar(&f.generate, name, false, "make the key, and a new file for it")
		}
	}
}

// file takes the enclave's file from the argument or from --enclave.
func (f *signFlags) file(args []string) error {
	if len(args) == 1 {
		if f.enclave != "" {
			return usage("the enclave is named twice: %q and --enclave %q", args[0], f.enclave)
		}
		if err := f.enclave.Set(args[0]); err != nil {
			return usage("%v", err)
		}
	}
	return nil
}

// check reports which of the required flags is missing, and whether two files
// are the same. A signed enclave may be its own configuration.
func (f *signFlags) check(cmd *cobra.Command, required ...string) error {
	paths := f.pathFlags()
	for _, name := range required {
		if *paths[name] != "" {
			continue
		}
		if name == "enclave" {
			return usage("the enclave's file is missing: %s FILE", cmd.CommandPath())
		}
		return usage("--%s is missing: the %s", name, strings.ReplaceAll(cmd.Flags().Lookup(name).Usage, "`", ""))
	}
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(paths)) {
		p := *paths[name]
		if p == "" {
			continue
		}
		if p == "-" && name != "dumpfile" {
			return usage("--%s is standard output: only --dumpfile may be", name)
		}
		clean := filepath.Clean(string(p))
		if other, ok := seen[clean]; ok && !(other == "config" && name == "enclave") {
			return usage("--%s and --%s name the same file, %s", other, name, p)
		}
		seen[clean] = name
	}
	return f.checkOutputs()
}

// checkOutputs reports whether a file to be written is another one by a link or
// by another name. What is no regular file, as /dev/null, may be several.
func (f *signFlags) checkOutputs() error {
	paths := f.pathFlags()
	for _, out := range [...]string{"out", "dumpfile", "cssfile"} {
		a, err := os.Stat(string(*paths[out]))
		if err != nil || !a.Mode().IsRegular() {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(paths)) {
			if b, err := os.Stat(string(*paths[name])); name != out && err == nil && os.SameFile(a, b) {
				return usage("--%s and --%s name the same file, %s", name, out, *paths[out])
			}
		}
	}
	return nil
}

// day is the day of the signature.
func (f *signFlags) day() (time.Time, error) {
	if f.date == "" {
		return sourceDate()
	}
	t, err := time.Parse(time.DateOnly, f.date)
	if err != nil {
		return t, usage("--date %q is no day: write it like 2026-01-31", f.date)
	}
	return t, nil
}

// sourceDate is the time that SOURCE_DATE_EPOCH gives, in UTC, or now.
func sourceDate() (time.Time, error) {
	s := os.Getenv("SOURCE_DATE_EPOCH")
	if s == "" {
		return time.Now(), nil
	}
	sec, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return time.Time{}, usage("SOURCE_DATE_EPOCH=%q is not a number of seconds", s)
	}
	t := time.Unix(sec, 0).UTC()
	if sec < 0 || t.Year() > 9999 {
		return time.Time{}, usage("SOURCE_DATE_EPOCH=%s is no day of the years 1970 to 9999, which a signature has", s)
	}
	return t, nil
}
