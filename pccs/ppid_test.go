package pccs_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/feidi-dev/feidi/pccs"
)

// A stranger who asks with the QE ID of a platform and a wrong encrypted PPID keeps
// nobody from asking with the right one: neither when it has failed, nor while it is
// being asked.
func TestWrongPPID(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	wrong := in.query()
	wrong.EncryptedPPID = fmt.Sprintf("%0768X", 1)
	for range 3 {
		_, err := s.PCKCert(t.Context(), wrong)
		wantError(t, err, 404, pccs.UpstreamUnknown, "")
	}
	if n := in.times("/pckcerts"); n != 1 {
		t.Errorf("asked %d times with the wrong one", n)
	}
	if _, err := s.PCKCert(t.Context(), in.query()); err != nil {
		t.Error(err)
	}
	if n := s.Remembered(); n != 0 {
		t.Errorf("%d failures are still remembered", n)
	}

	in = newIntel(t)
	s = in.service(t, pccs.Lazy)
	came, open := make(chan bool), make(chan bool)
	in.setFault(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("encrypted_ppid") == wrong.EncryptedPPID {
			came <- true
			<-open
		}
		return false
	})
	failed := make(chan error)
	go func() {
		_, err := s.PCKCert(t.Context(), wrong)
		failed <- err
	}()
	<-came
	p, err := s.PCKCert(t.Context(), in.query())
	if err != nil {
		t.Error(err)
	}
	close(open)
	if err := <-failed; err == nil {
		t.Error("a certificate for the wrong one") // there is one by now, but not for who began before
	}
	if again, err := s.PCKCert(t.Context(), wrong); err != nil || p != nil && again.Cert != p.Cert {
		t.Errorf("what is here is for all: %v", err)
	}
}
