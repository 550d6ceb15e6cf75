package server

import "sync"

// issuers are chains of certificates as they stand in headers: a handful, which all
// answers in memory share. Each for itself would be nearly half of these.
type issuers struct {
	mu sync.Mutex
	m  map[string]string // by the PEM
}

// maxIssuers bounds them, for an administrator may bring others all the time.
const maxIssuers = 64

// escaped is escape, from memory.
func (c *issuers) escaped(pem []byte) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.m[string(pem)]
	if !ok {
		if c.m == nil || len(c.m) >= maxIssuers {
			c.m = map[string]string{}
		}
		s = escape(pem)
		c.m[string(pem)] = s
	}
	return s
}

// chain adds certificates in PEM, percent-encoded as Intel's.
func (s *Server) chain(a *answer, name string, pem []byte) {
	a.header = append(a.header, field{name, []string{s.issuers.escaped(pem)}, true})
}
