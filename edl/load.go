package edl

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// Options say how an EDL file is loaded.
type Options struct {
	// Open returns the contents of a file. An error that wraps
	// fs.ErrNotExist sends the search on to the next folder.
	Open func(path string) ([]byte, error)
	// SearchPath are the folders in which files are looked for, before the
	// current one and the one of the file that names them.
	SearchPath []string
	// Defines are macros, "NAME" or "NAME=value". NAME alone is 1.
	Defines []string
	Dialect Dialect
	// HeaderOnly does without a public ECALL, as `--header-only`.
	HeaderOnly bool
}

// Bounds of one Load. They are far beyond any real interface.
const (
	maxFileSize    = 4 << 20 // bytes of a file
	maxTotalSize   = 8 << 20 // bytes of all files, counted each time they are read
	maxTokens      = 1 << 18 // tokens after preprocessing, of all files
	maxImports     = 2000    // files, counted each time they are imported
	maxImportDepth = 64
	maxNames       = 4096 // in a list of an import or of allow
)

// loader holds what one Load shares between files.
type loader struct {
	*report
	opts   Options
	parsed map[string]*unit // by cleaned path
	total  int              // bytes read
	tokens int              // made
	visits int              // of imported files

	initial map[string]*macro // what is defined at the start of each file
}

// Load reads an EDL file and what it imports, and checks it. If it is wrong
// the error is a Diagnostics, with all errors that were found, up to a bound.
// The Diagnostics beside it are warnings; they are there in both cases.
func Load(path string, o Options) (*Interface, Diagnostics, error) {
	l := &loader{report: newReport(), opts: o, parsed: map[string]*unit{}}
	iface := l.load(path)
	warnings := sorted(l.warnings)
	if len(l.errors) > 0 {
		return nil, warnings, sorted(l.errors)
	}
	return iface, warnings, nil
}

func (l *loader) load(path string) *Interface {
	folders := append([]string{"."}, l.opts.SearchPath...)
	full, data, err := l.find(path, folders)
	if err != nil {
		l.fail(RuleFile, span{}, searched(folders), "%s: %s", path, openError(err))
		return nil
	}
	root := l.unit(full, data)
	if root == nil {
		return nil
	}
	merged := l.merge(root)
	if merged == nil || len(l.errors) > 0 {
		return nil
	}
	l.checkInterface(merged)
	return merged.build()
}

// find opens a file in the first of some folders that has it.
func (l *loader) find(name string, folders []string) (string, []byte, error) {
	if l.opts.Open == nil {
		return "", nil, errNoOpen
	}
	if filepath.IsAbs(name) {
		folders = []string{""}
	}
	for _, folder := range folders {
		path := filepath.Join(folder, name)
		data, err := l.opts.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return path, nil, err
		}
		if len(data) > maxFileSize {
			return path, nil, errTooLarge
		}
		if l.total += len(data); l.total > maxTotalSize {
			return path, nil, errTotal
		}
		return path, data, nil
	}
	return name, nil, fs.ErrNotExist
}

var (
	errNoOpen   = errors.New("there is no function to open files")
	errTooLarge = errors.New("the file is larger than 4 MiB")
	errTotal    = errors.New("all files together are larger than 8 MiB")
)

// folders are where an import is looked for, in order. from is the folder of
// the file that imports.
func (l *loader) folders(from string) []string {
	folders := append(slices.Clone(l.opts.SearchPath), ".")
	if !slices.Contains(folders, from) {
		folders = append(folders, from)
	}
	return folders
}

// searched is the hint for a file that was not found.
func searched(folders []string) string {
	hint := "looked in " + strings.Join(folders, ", ")
	if len(hint) > 300 {
		hint = hint[:300] + "..."
	}
	return hint
}

// openError says in words why a file cannot be opened.
func openError(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "there is no such file"
	}
	return strings.ReplaceAll(err.Error(), "\n", " ")
}

// unit parses a file. It returns nil if nothing of it is usable.
func (l *loader) unit(path string, data []byte) *unit {
	src := newSource(path, data)
	l.files[path] = len(l.files)
	u := &unit{src: src, short: shortName(path)}
	l.parsed[path] = u
	l.checkShortName(u)
	before := len(l.errors)
	toks := l.preprocess(src)
	if toks == nil {
		return nil
	}
	p := &parser{report: l.report, dialect: l.opts.Dialect, toks: toks, unit: u, before: before,
		defined: map[string]*compositeDecl{}, values: map[string]uint64{}}
	p.file()
	return u
}

// shortName is the name of a file without folder and extension.
func shortName(path string) string {
	base := filepath.Base(filepath.ToSlash(path))
	if i := strings.LastIndexByte(base, '.'); i > 0 {
		base = base[:i]
	}
	return base
}

// checkShortName checks the name that generated files and tables get.
func (l *loader) checkShortName(u *unit) {
	at := span{src: u.src}
	for i := 0; i < len(u.short); i++ {
		if c := u.short[i]; !isLetter(c) && (i == 0 || !isDigit(c)) {
			name := identifier(u.short)
			if isDigit(name[0]) {
				name = "_" + name
			}
			l.warn(RuleShortName, at, "generated code says "+name+" instead",
				"the file name %s is no C identifier", clip(u.short))
			return
		}
	}
}

// identifier makes a C identifier of a name: each other byte becomes `_`.
func identifier(s string) string {
	b := []byte(s)
	for i, c := range b {
		if !isLetter(c) && !isDigit(c) {
			b[i] = '_'
		}
	}
	return string(b)
}
