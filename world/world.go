package world

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/ppid"
	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/internal/atomicfile"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
)

// DefaultURL is the URL of a world that is not given another.
const DefaultURL = "http://127.0.0.1:8081"

// Options say how a world is made or opened.
type Options struct {
	// Name is in its certificates: up to 24 letters, digits, dots, dashes and
	// underscores. If it is empty one is drawn. Open does not look at it.
	Name string
	// URL is where its services will be reached, without a slash at the end:
	// certificates say that their CRLs are below it. If it is empty,
	// DefaultURL. Open does not look at it.
	URL string
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// World is an open world. It is safe for concurrent use.
type World struct {
	dir   string // the state directory
	file  *keyFile
	keys  *keys
	certs *authorities
	doc   []byte // of arch/ppid
	now   func() time.Time

	mu    sync.Mutex
	last  *snapshot // what was read last
	stale bool      // last is not to be used before the file was read again
}

// Names below the state directory.
const (
	worldDir    = "world"
	machinesDir = "machines"
	keysFile    = "keys.json"
	factoryFile = "factory.json"
	lockFile    = "lock"
	unfinished  = ".world-" // begins the names of what is not a world yet, or no longer
)

// Create makes a world in a state directory, which is made if need be. It draws
// two keys of RSA-3072, which takes a second or so. If there is a world the error
// is ErrExists; of several that are made at the same time, one is.
func Create(dir string, o Options) (*World, error) {
	if _, err := os.Stat(filepath.Join(dir, worldDir)); err == nil {
		return nil, fmt.Errorf("%s: %w", dir, ErrExists)
	}
	k, err := drawRSA()
	if err != nil {
		return nil, err
	}
	return create(dir, o, k)
}

func create(dir string, o Options, r rsaKeys) (*World, error) {
	if o.URL == "" {
		o.URL = DefaultURL
	}
	if o.Name != "" && !worldName.MatchString(o.Name) {
		return nil, fmt.Errorf("%.80q: %w: %w, at most 24", o.Name, ErrOptions, ErrName)
	}
	if err := checkURL(o.URL); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	now := clock(o.Now)()
	keys, err := newKeyFile(&o, r, now)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	// It is written beside, and comes into being when it gets its name.
	made, err := os.MkdirTemp(dir, unfinished+"*") // mode 0700
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(made)
	for name, v := range map[string]sealed{keysFile: keys, factoryFile: newFactory(keys, r.enclave, now)} {
		b, err := encode(v)
		if err != nil {
			return nil, err
		}
		if err := atomicfile.Write(filepath.Join(made, name), b, 0o600); err != nil {
			return nil, err
		}
	}
	if err := os.Rename(made, filepath.Join(dir, worldDir)); err != nil {
		if _, serr := os.Stat(filepath.Join(dir, worldDir)); serr == nil {
			return nil, fmt.Errorf("%s: %w", dir, ErrExists)
		}
		return nil, err
	}
	if err := atomicfile.SyncDir(dir); err != nil {
		return nil, err
	}
	return Open(dir, o)
}

// newFactory returns what a factory knows on its first day.
func newFactory(f *keyFile, enclaves *rsa.PrivateKey, now time.Time) *factory {
	return &factory{
		Version: factoryVersion, World: f.ID, Generation: 1, Warning: warning,
		TCBChanged: now, CRLChanged: now,
		PCEs: []pceFile{pceOf(&isa.SECS{
			MRSigner: sign.KeyMRSigner(&enclaves.PublicKey), ISVProdID: build.PCE.ProdID,
			Attributes: isa.Attributes{Flags: isa.AttrInit | isa.AttrMode64Bit | build.PCE.Attributes},
			MiscSelect: cpu.DefaultMiscSelect,
		})},
		Evaluations: []evaluation{{Number: firstEvaluation, Event: now, Standard: now}},
	}
}

// Open opens the world of a state directory. If there is none the error is
// ErrNone, and if a file of it is not as it was written, ErrDamaged.
func Open(dir string, o Options) (*World, error) {
	w := &World{dir: dir, now: clock(o.Now)}
	if _, err := os.Stat(filepath.Join(dir, worldDir)); notThere(err) {
		return nil, fmt.Errorf("%s: %w", dir, ErrNone)
	}
	path := w.path(keysFile)
	var err error
	if w.file, w.keys, w.certs, err = readKeys(path); notThere(err) {
		return nil, damaged(path, "it is missing")
	} else if err != nil {
		return nil, err
	}
	if w.doc, err = ppid.Sign(&w.keys.ppid.PublicKey, w.keys.enclave); err != nil {
		return nil, err
	}
	_, err = w.state()
	return w, err
}

// Remove removes the world of a state directory, whatever state it is in, and all
// machines that are of one. Those that no factory knows stay.
func Remove(dir string) error {
	place := filepath.Join(dir, worldDir)
	if _, err := os.Stat(place); notThere(err) {
		return fmt.Errorf("%s: %w", dir, ErrNone)
	}
	unlock, err := lock(filepath.Join(place, lockFile))
	if err != nil {
		return err
	}
	unlock() // who changes something is done; what is removed cannot be kept open everywhere
	if err := removeMachines(dir); err != nil {
		return err
	}
	gone, err := os.MkdirTemp(dir, unfinished+"*")
	if err != nil {
		return err
	}
	if err := os.Rename(place, filepath.Join(gone, worldDir)); err != nil {
		return err
	}
	if err := atomicfile.SyncDir(dir); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir) // no Glob: the user chose dir, and it may look like a pattern
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), unfinished) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// clock returns a clock in seconds and UTC, as all dates of a world are.
func clock(now func() time.Time) func() time.Time {
	if now == nil {
		now = time.Now
	}
	return func() time.Time { return now().UTC().Truncate(time.Second) }
}

func (w *World) path(name string) string { return filepath.Join(w.dir, worldDir, name) }

// Name returns the name in the certificates.
func (w *World) Name() string { return w.file.Name }

// URL returns where the services of the world are reached.
func (w *World) URL() string { return w.file.URL }

// Created returns when the world was made, in UTC and seconds.
func (w *World) Created() time.Time { return w.file.Created }

// Root returns the root certificate in DER.
func (w *World) Root() []byte { return slices.Clone(w.certs.root.Raw) }

// RootPEM returns the root certificate in PEM, to give to who verifies quotes.
func (w *World) RootPEM() []byte { return pemOf(w.certs.root) }

// EnclaveKey returns the key that signs the system enclaves: RSA-3072, exponent 3.
func (w *World) EnclaveKey() *rsa.PrivateKey { return w.keys.enclave }

// PPIDDocument returns the key to which PPIDs are encrypted, with the enclave
// signer's word for it: what package arch/ppid opens.
func (w *World) PPIDDocument() []byte { return slices.Clone(w.doc) }

// LEPubKeyHash returns the MRSIGNER of the system enclaves: what
// IA32_SGXLEPUBKEYHASH is on machines whose launch control is locked.
func (w *World) LEPubKeyHash() [32]byte { return sign.KeyMRSigner(&w.keys.enclave.PublicKey) }
