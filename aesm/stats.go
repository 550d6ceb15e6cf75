package aesm

import "sync/atomic"

// Stats are counts of what a server did since it was made.
type Stats struct {
	Connections uint64 // that were taken
	Open        int64  // of them now
	Evicted     uint64 // closed while silent, to make room for others
	Slow        uint64 // closed because no whole request came in time
	Crowded     uint64 // closed because too many large requests came at a time
	Malformed   uint64 // requests that could not be read
	Requests    uint64 // that could be read
	Panics      uint64 // of plug-ins

	// Codes are the answers by their code. The last is of codes that AESM
	// does not have.
	Codes [ErrConfigUnsupported + 2]uint64
}

type stats struct {
	accepted, evicted, slow, crowded, malformed, requests, panics atomic.Uint64

	open  atomic.Int64
	codes [ErrConfigUnsupported + 2]atomic.Uint64
}

func (s *stats) answered(c Code) { s.codes[min(int64(c), int64(len(s.codes)-1))].Add(1) }

// Stats returns the counts as they are now.
func (s *Server) Stats() Stats {
	n := Stats{
		Connections: s.stats.accepted.Load(), Open: s.stats.open.Load(), Evicted: s.stats.evicted.Load(), Slow: s.stats.slow.Load(),
		Crowded: s.stats.crowded.Load(), Malformed: s.stats.malformed.Load(), Requests: s.stats.requests.Load(), Panics: s.stats.panics.Load(),
	}
	for i := range s.stats.codes {
		n.Codes[i] = s.stats.codes[i].Load()
	}
	return n
}
