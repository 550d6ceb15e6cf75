package server

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/feidi-dev/feidi/world"
)

// memberships is how many certificates the answer to an ADD_REQUEST has room
// for: as many packages as a platform may have.
const memberships = 8

func (s *Server) registerPlatform(r *request) (*answer, error) {
	ppid, err := s.register(r.body)
	if err != nil {
		return nil, err
	}
	return &answer{status: http.StatusCreated, media: typeText, body: fmt.Appendf(nil, "%X", ppid)}, nil
}

func (s *Server) register(manifest []byte) (ppid [16]byte, err error) {
	ppid, err = s.world.Register(manifest)
	return ppid, registrationError(err, "InvalidPlatformManifest")
}

func (s *Server) addPackage(r *request) (*answer, error) {
	certs, err := s.world.AddPackage(r.body)
	if err != nil {
		return nil, registrationError(err, "InvalidAddRequest")
	}
	if len(certs) > memberships {
		return nil, fmt.Errorf("%d membership certificates, and the answer has room for %d", len(certs), memberships)
	}
	body := make([]byte, memberships*world.MembershipSize)
	for i, c := range certs {
		copy(body[i*world.MembershipSize:][:world.MembershipSize], c)
	}
	a := ok(typeBinary, body)
	a.set("Certificate-Count", strconv.Itoa(len(certs)))
	return a, nil
}

// registrationError gives an error of the factory the name that Intel's service
// has for it. Where it is the document itself that is wrong, that is invalid.
func registrationError(err error, invalid string) error {
	for _, c := range []struct {
		kind error
		code string
	}{
		{world.ErrManifest, invalid},
		{world.ErrUnknownPackage, "PackageNotFound"},
		{world.ErrPackageElsewhere, "IncompatiblePackage"},
		{world.ErrIncompatible, "IncompatiblePackage"},
		{world.ErrTooManyPackages, invalid},
		{world.ErrReplay, invalid},
		{world.ErrNotRegistered, "PlatformNotFound"},
	} {
		if errors.Is(err, c.kind) {
			return &refusal{status: http.StatusBadRequest, code: c.code, message: line(err.Error())}
		}
	}
	return err
}
