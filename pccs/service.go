package pccs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/store"
)

// Mode is when the service behind is asked (CachingFillMode).
type Mode string

// The modes.
const (
	Lazy    Mode = "LAZY"    // when something is asked for that is not there
	Req     Mode = "REQ"     // when a platform registers
	Offline Mode = "OFFLINE" // never: administrators bring everything
)

// Options say how a service is run.
type Options struct {
	Store    *store.Store
	Upstream *collateral.Client  // nil in OFFLINE mode
	Checker  *collateral.Checker // of what administrators bring
	Mode     Mode                // LAZY if empty
	// Unbound: the store may be of another environment than the checker, as for
	// who only looks at what is in it.
	Unbound bool
	// Tool: nobody is served. An administrator works on the store, and the service
	// on it may be in another mode.
	Tool bool

	// RefreshAfter is the age at which a document is fetched again: 24 h if 0.
	// Each item has its own time, less up to a tenth by chance, and at the
	// latest a while before its next update.
	RefreshAfter time.Duration
	// CertsAfter is the same for the PCK certificates of a platform, which change
	// only when there is a new TCB level: 7 days if 0.
	CertsAfter time.Duration
	// RefuseExpired: documents past their next update are not served. They are
	// served with a warning otherwise, for MaxExpired at most (0: for good).
	RefuseExpired bool
	MaxExpired    time.Duration
	// MaxStale is the age at which a document whose refresh keeps failing is no longer
	// served although it has not expired; 0: until it expires.
	MaxStale time.Duration

	Log *slog.Logger
	Now func() time.Time
}

// Service is a caching service. It is safe for concurrent use.
type Service struct {
	cfg    Options
	holder string // of claims: this instance

	// stop ends all fetches; running are those under way.
	stop    context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
	demand  chan struct{} // slots of documents that somebody waits for,
	spare   chan struct{} // of documents that are refreshed,
	certs   chan struct{} // and of platforms, which wait for documents
	keeping chan struct{} // held by the one that puts a platform into the store
	wake    chan struct{} // Run is to look now

	mu       sync.Mutex
	flights  map[string]*flight
	refused  map[string]*refusal    // why what is not in the store could not be had
	failures map[string]store.Fetch // what the store says of fetches, as of the last pass
	unknown  bucket
	newcomer map[[16]byte]*bucket // by PPID: platforms that GET brought in
	clients  map[string]*bucket   // by who asks: what it asked for in vain
	changed  map[string]time.Time // by FMSPC: since when its TCB levels are new
	reselect map[string]bool      // FMSPCs whose raw TCBs are to be looked at again
	counts   map[Count]uint64
	watchers []func()
}

// bindTime is how long the database may take to say of which environment it is.
const bindTime = 30 * time.Second

// New returns a service. Run refreshes what it has; Close ends it. The error wraps
// store.ErrEnvironment if what the store has is below other roots than the checker
// trusts: what was genuine there would be served here.
func New(o Options) (*Service, error) {
	if o.Mode == "" {
		o.Mode = Lazy
	}
	switch {
	case o.Store == nil || o.Checker == nil:
		return nil, errors.New("pccs: a service needs a store and a checker")
	case !slices.Contains([]Mode{Lazy, Req, Offline}, o.Mode):
		return nil, fmt.Errorf("pccs: there is no mode %.20q: LAZY, REQ or OFFLINE", o.Mode)
	case o.Mode == Offline:
		o.Upstream = nil
	case o.Upstream == nil:
		return nil, fmt.Errorf("pccs: %s mode needs a service behind", o.Mode)
	}
	if o.RefreshAfter <= 0 {
		o.RefreshAfter = 24 * time.Hour
	}
	if o.CertsAfter <= 0 {
		o.CertsAfter = 7 * 24 * time.Hour
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if !o.Unbound {
		ctx, cancel := context.WithTimeout(context.Background(), bindTime)
		defer cancel()
		if err := o.Store.Bind(ctx, o.Checker.Environment()); err != nil {
			return nil, err
		}
	}
	s := &Service{
		cfg: o, holder: rand.Text(),
		demand: make(chan struct{}, demandSlots), spare: make(chan struct{}, spareSlots), certs: make(chan struct{}, certSlots), wake: make(chan struct{}, 1), keeping: make(chan struct{}, 1),
		flights: map[string]*flight{}, refused: map[string]*refusal{}, failures: map[string]store.Fetch{},
		unknown:  bucket{most: unknownBurst, every: unknownEvery},
		newcomer: map[[16]byte]*bucket{}, clients: map[string]*bucket{}, changed: map[string]time.Time{}, reselect: map[string]bool{}, counts: map[Count]uint64{},
	}
	s.stop, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// Mode returns the mode.
func (s *Service) Mode() Mode { return s.cfg.Mode }

// Close ends what is being fetched, and waits for it. The store stays open.
func (s *Service) Close() {
	s.mu.Lock()
	s.cancel()
	s.mu.Unlock()
	s.running.Wait()
}

// begin has f done beside, unless the service is ending.
func (s *Service) begin(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop.Err() == nil {
		s.running.Go(f)
	}
}

// OnChange has f called after what is served has changed, by this service. It
// must not wait.
func (s *Service) OnChange(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers = append(s.watchers, f)
}

func (s *Service) notify() {
	s.mu.Lock()
	watchers := slices.Clone(s.watchers)
	s.mu.Unlock()
	for _, f := range watchers {
		f()
	}
}

// Count names a counter of Counts.
type Count struct {
	Kind    string // of a collateral.Kind, or "pckcerts"
	Outcome string // "ok" or a Reason
}

// Counts returns how often the service behind was asked, and how it went.
func (s *Service) Counts() map[Count]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := make(map[Count]uint64, len(s.counts))
	for k, n := range s.counts {
		m[k] = n
	}
	return m
}

// count counts a request to the service behind.
func (s *Service) count(kind string, err *Error) {
	outcome := "ok"
	if err != nil {
		outcome = string(err.Reason)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[Count{kind, outcome}]++
}
