package pccs_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pccs"
)

func TestAttackAmplify(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	for i := range 500 {
		q := in.query()
		q.QEID = fmt.Sprintf("%032X", i)
		_, _ = s.PCKCert(t.Context(), q)
	}
	t.Logf("500 GETs at one instant: %d upstream pckcerts", in.times("/pckcerts"))
}

func TestAttackAgain(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	if err := s.Register(t.Context(), in.registration()); err != nil {
		t.Fatal(err)
	}
	in.total()
	q := in.query()
	q.EncryptedPPID = ""
	q.CPUSVN = "00000000000000000000000000000000"
	for range 24 * 60 {
		in.wait(time.Minute)
		_, _ = s.PCKCert(t.Context(), q)
	}
	t.Logf("one day of GETs each minute: %d upstream pckcerts", in.times("/pckcerts"))
}

func TestAttackStarve(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	ok, bad := 0, 0
	for i := range 300 {
		item := sgxInfo
		item.FMSPC = fmt.Sprintf("%012X", i)
		_, _ = s.Document(t.Context(), item)
	}
	for i := range 60 {
		in.wait(time.Second)
		for j := range 10 {
			item := sgxInfo
			item.FMSPC = fmt.Sprintf("%012X", 1000+i*10+j)
			_, _ = s.Document(t.Context(), item)
		}
		if _, err := s.Document(t.Context(), qe); err == nil {
			ok++
			break
		} else {
			bad++
		}
	}
	t.Logf("with 10 bogus/s: a legitimate new document: ok %d, refused %d", ok, bad)
}

func TestAttackReplace(t *testing.T) {
	in := newIntel(t)
	other := in.pki.Platform()
	s := in.service(t, pccs.Lazy)
	if err := s.Register(t.Context(), in.registration()); err != nil {
		t.Fatal(err)
	}
	before, _ := s.PCKCert(t.Context(), in.query())
	r := in.registration()
	r.EncryptedPPID = fmt.Sprintf("%x", other.EncryptedPPID)
	r.CPUSVN = "ff" + r.CPUSVN[2:]
	err := s.Register(t.Context(), r)
	after, err2 := s.PCKCert(t.Context(), in.query())
	t.Logf("POST of another's QE ID: %v, %v; replaced %v", err, err2, after != nil && before.Cert != after.Cert)

	in = newIntel(t)
	other = in.pki.Platform()
	s = in.service(t, pccs.Lazy)
	q := in.query()
	q.EncryptedPPID = fmt.Sprintf("%x", other.EncryptedPPID)
	squat, err := s.PCKCert(t.Context(), q)
	err2 = s.Register(t.Context(), in.registration())
	after, err3 := s.PCKCert(t.Context(), in.query())
	t.Logf("GET before registration: %v %v %v; owner gets the squatter's: %v", err, err2, err3, after != nil && squat.Cert == after.Cert)
}

func TestAttackFailures(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	in.setFault(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/sgx/certification/v4/pckcerts" {
			w.WriteHeader(404)
			return true
		}
		return false
	})
	for i := range 3000 {
		r := in.registration()
		r.QEID = fmt.Sprintf("%0260X", i)
		_ = s.Register(t.Context(), r)
	}
	st, err := s.Status(t.Context())
	t.Log(len(st.Failures), err)
}
