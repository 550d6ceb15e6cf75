package pcs

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// entryVersion is the version of the form of copies; others are dropped.
const entryVersion = 1

// entry is a copy of a document, a file of JSON.
type entry struct {
	Version    int       `json:"version"`
	URL        string    `json:"url"` // see cacheName
	Fetched    time.Time `json:"fetched"`
	Expires    time.Time `json:"expires"` // it is asked for again from then on
	NextUpdate time.Time `json:"next_update,omitzero"`
	// Header are the chain, in PEM, and other headers that matter.
	Header map[string]string `json:"headers,omitempty"`
	Body   []byte            `json:"body"`
	Sum    string            `json:"sha256"` // of the others, so that damage is not taken for a forgery
}

// sum is the SHA-256 of all but itself.
func (e *entry) sum() string {
	h := sha256.New()
	fmt.Fprintf(h, "%d %q %d %d %d\n", e.Version, e.URL, e.Fetched.Unix(), e.Expires.Unix(), e.NextUpdate.Unix())
	for _, name := range slices.Sorted(maps.Keys(e.Header)) {
		fmt.Fprintf(h, "%q %q\n", name, e.Header[name])
	}
	h.Write(e.Body)
	return hex.EncodeToString(h.Sum(nil))
}

func (e *entry) marshal() ([]byte, error) {
	e.Version = entryVersion
	e.Sum = e.sum()
	return json.Marshal(e)
}

// parseEntry reads a copy. Its content is not looked at: it is what a service
// said, and as little to be trusted.
func parseEntry(b []byte) (*entry, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	e := &entry{}
	if err := d.Decode(e); err != nil {
		return nil, err
	}
	switch {
	case d.InputOffset() != int64(len(b)):
		return nil, errors.New("something follows")
	case e.Version != entryVersion:
		return nil, fmt.Errorf("version %d", e.Version)
	case e.Sum != e.sum():
		return nil, errors.New("damaged")
	}
	return e, nil
}

// usable reports whether the copy may be used at all at a time, and whether
// without asking again, by a caller to whom a copy is good for maxAge.
func (e *entry) usable(now time.Time, maxAge time.Duration) (usable, fresh bool) {
	// A copy from the future: the clock went back, and ages tell nothing.
	if e.Fetched.After(now.Add(5 * time.Minute)) {
		return false, false
	}
	if !e.NextUpdate.IsZero() && !now.Before(e.NextUpdate) {
		return false, false
	}
	fresh = now.Before(e.Expires) && now.Before(e.Fetched.Add(maxAge))
	return fresh || !e.NextUpdate.IsZero(), fresh
}
