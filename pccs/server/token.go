package server

import (
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
)

// The headers that tokens are in, as Intel's clients write them.
const (
	userToken  = "user-token"
	adminToken = "admin-token"
)

// tokenHash is the SHA-512 of a token, or of none, which nobody has.
type tokenHash struct {
	hash [sha512.Size]byte
	some bool
}

func (t *tokenHash) set(name, digits string) error {
	if digits == "" {
		return nil
	}
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) != len(t.hash) {
		return fmt.Errorf("pccs/server: the hash of the %s token is not %d hexadecimal digits: it is the SHA-512 of the token", name, 2*len(t.hash))
	}
	t.hash, t.some = [sha512.Size]byte(b), true
	return nil
}

// is reports whether a client has the token. How long it takes says nothing of
// the token.
func (t *tokenHash) is(s string) bool {
	sum := sha512.Sum512([]byte(s))
	return subtle.ConstantTimeCompare(sum[:], t.hash[:]) == 1 && t.some
}

// mayLook reports whether the status page is for who asks: with the
// administrator's token, or with it as the password of HTTP Basic.
func (s *Server) mayLook(r *http.Request) bool {
	if s.admin.is(r.Header.Get(adminToken)) {
		return true
	}
	_, password, _ := r.BasicAuth()
	return s.admin.is(password)
}
