package pccs

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ill is a service behind that does some things wrong. What is wrong is chosen by
// FMSPC or encrypted PPID, so that all of it may be at once, or by path.
type ill struct {
	honest http.Handler

	mu    sync.Mutex
	well  bool
	all   ailment            // nil is none
	wrong map[string]ailment // by FMSPC, encrypted PPID, or path
	asked map[string]int     // likewise
}

// total is how often it was asked for anything since it fell.
func (u *ill) total() (n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, k := range u.asked {
		n += k
	}
	return n
}

// ailment is what a service behind does to an answer.
type ailment func(w http.ResponseWriter, r *http.Request, honest *httptest.ResponseRecorder)

func (u *ill) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	key := cmp.Or(q.Get("fmspc"), strings.ToUpper(q.Get("encrypted_ppid")), r.URL.Path)
	u.mu.Lock()
	u.asked[key]++
	harm := u.wrong[key]
	if harm == nil {
		harm = u.all
	}
	if u.well {
		harm = nil
	}
	u.mu.Unlock()
	if harm == nil {
		u.honest.ServeHTTP(w, r)
		return
	}
	rec := httptest.NewRecorder()
	u.honest.ServeHTTP(rec, r)
	harm(w, r, rec)
}

// recover makes it well.
func (u *ill) recover() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.well = true
}

// fall makes it ill.
func (u *ill) fall() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.well, u.asked = false, map[string]int{}
}

// times is how often it was asked for something since it fell.
func (u *ill) times(key string) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.asked[key]
}

// hangs says nothing until who asked has gone.
func hangs(_ http.ResponseWriter, r *http.Request, _ *httptest.ResponseRecorder) {
	<-r.Context().Done()
}

// drips sends a byte at a time, ten in a second.
func drips(w http.ResponseWriter, r *http.Request, rec *httptest.ResponseRecorder) {
	copyHeader(w, rec)
	c := http.NewResponseController(w)
	for _, b := range rec.Body.Bytes() {
		if _, err := w.Write([]byte{b}); err != nil || c.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// closes ends the connection without a word.
func closes(http.ResponseWriter, *http.Request, *httptest.ResponseRecorder) {
	panic(http.ErrAbortHandler)
}

// breaksOff ends the connection in the middle.
func breaksOff(w http.ResponseWriter, _ *http.Request, rec *httptest.ResponseRecorder) {
	copyHeader(w, rec)
	w.Header().Set("Content-Length", strconv.Itoa(rec.Body.Len()))
	_, _ = w.Write(rec.Body.Bytes()[:rec.Body.Len()/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// passed passes an answer on with another body.
func passed(body func([]byte) []byte) ailment {
	return func(w http.ResponseWriter, _ *http.Request, rec *httptest.ResponseRecorder) {
		copyHeader(w, rec)
		_, _ = w.Write(body(rec.Body.Bytes()))
	}
}

// says sends something else.
func says(media string, body []byte) ailment {
	return func(w http.ResponseWriter, _ *http.Request, rec *httptest.ResponseRecorder) {
		copyHeader(w, rec)
		w.Header().Set("Content-Type", media)
		_, _ = w.Write(body) // who asked may have heard enough
	}
}

// said answers with a status alone.
func said(status int, header ...string) ailment {
	return func(w http.ResponseWriter, _ *http.Request, _ *httptest.ResponseRecorder) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
	}
}

func copyHeader(w http.ResponseWriter, rec *httptest.ResponseRecorder) {
	for k, v := range rec.Header() {
		w.Header()[k] = v
	}
}
