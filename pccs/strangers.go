package pccs

import (
	"context"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs/store"
)

// What those may who need no right to ask.

// Who brought a platform in (store.Platform.Origin).
const (
	byClient = "client" // anybody, by asking for a certificate
	byUser   = "user"   // who may register platforms
	byAdmin  = "admin"
)

// isQEID reports whether it is a QE ID that a platform is known by, and no name that
// somebody gave to it: those may go on to another machine.
func isQEID(id string) bool { return len(id) == 32 && strings.Trim(id, "0123456789ABCDEF") == "" }

// What a stranger may bring in: a platform has one QE ID for each quoting enclave,
// and could be given any number by who knows its encrypted PPID.
const (
	strangers     = 8
	strangerEvery = 8 * time.Minute
	maxNewcomers  = 4096 // PPIDs that are remembered
)

// welcome reports whether one more platform may come in under a PPID.
func (s *Service) welcome(ppid [16]byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bucketOf(s.newcomer, ppid, maxNewcomers, strangers, strangerEvery).take(s.cfg.Now())
}

// bucketOf is the bucket of a key, in the place of any other if there are too many.
func bucketOf[K comparable](m map[K]*bucket, key K, limit, most int, every time.Duration) *bucket {
	b := m[key]
	if b == nil {
		if len(m) >= limit {
			for other := range m {
				delete(m, other)
				break
			}
		}
		b = &bucket{most: most, every: every}
		m[key] = b
	}
	return b
}

// Of the failures that are had for anybody (unknownBurst, unknownEvery) one client
// may have a half: it must not keep all others from what they ask for first.
const (
	clientBurst = unknownBurst / 2
	clientEvery = 2 * unknownEvery
	maxClients  = 4096 // that are remembered
)

type clientKey struct{}

// WithClient returns a context for requests of a client, who is known by a text
// such as its address.
func WithClient(ctx context.Context, client string) context.Context {
	return context.WithValue(ctx, clientKey{}, client)
}

// mayFail takes what a failed request for something unknown costs, and returns
// what gives it back.
func (s *Service) mayFail(ctx context.Context) (giveBack func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, all := s.cfg.Now(), []*bucket{&s.unknown}
	if client, known := ctx.Value(clientKey{}).(string); known {
		all = append(all, bucketOf(s.clients, client, maxClients, clientBurst, clientEvery))
	}
	for i := len(all) - 1; i >= 0; i-- { // what is left of all others is not touched by who has nothing left
		if !all[i].take(now) {
			for _, b := range all[i+1:] {
				b.give()
			}
			return nil, false
		}
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, b := range all {
			b.give()
		}
	}, true
}

// ppidOf is the PPID that a platform's certificates are for.
func ppidOf(p *store.Platform) (ppid [16]byte, ok bool) {
	if len(p.Certs) == 0 {
		return ppid, false
	}
	chain, err := dcap.ParseChain([]byte(p.Certs[0].Cert))
	if err != nil || chain[0].SGX == nil {
		return ppid, false
	}
	return chain[0].SGX.PPID, true
}

// sameProcessor reports whether certificates are of the processor that those are of
// which are here under the same QE ID, if there are any. A QE ID comes of its fuses,
// but no certificate names it: who may register could put those of another in their
// place, and the platform could not attest any more.
func sameProcessor(p, old *store.Platform) bool {
	a, ok := ppidOf(p)
	b, some := ppidOf(old)
	return !some || ok && a == b
}
