// Package launch is the host side of launch tokens: AESM's service on top of the
// launch enclave, for machines without flexible launch control. It keeps the white
// list, which the enclave forgets when it ends.
//
//	s, err := launch.Start(ctx, launch.Config{Machine: m, Image: le, Policy: doc, WhiteList: file})
//	server.Services.Launch = s
//
// It answers as Intel's plug-in does. A list that is not newer than the one in force
// changes nothing and is no error, so that those who bring it to many machines need
// not ask which of them have it.
//
// Source: le_launch_service_bundle of Intel's AESM, of which no code is used.
package launch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/arch/le"
	"github.com/feidi-dev/feidi/arch/le/edl"
	"github.com/feidi-dev/feidi/arch/le/whitelist"
	"github.com/feidi-dev/feidi/internal/atomicfile"
	"github.com/feidi-dev/feidi/isa"
)

// ErrDamaged is the error of a file that has no white list that the launch enclave
// takes. It must be repaired or removed: without it the enclave would take a list
// that is older.
var ErrDamaged = errors.New("launch: white list is damaged")

// Service asks a launch enclave. It may be used concurrently, if the enclave may.
type Service struct {
	le   edl.LaunchEnclaveECalls
	path string

	mu      sync.Mutex
	list    []byte // that the enclave has taken; nil if there is none
	version uint32 // of the list
	kept    bool   // the file has it
}

var _ aesm.LaunchService = (*Service)(nil)

// New returns the service of a launch enclave, and gives the enclave the white list
// in the file, if there is one. The directory must be there; the file has mode 0600
// and is written whole or not at all.
//
// Errors: ErrDamaged, those of the file and of the enclave.
func New(ctx context.Context, e edl.LaunchEnclaveECalls, path string) (*Service, error) {
	s := &Service{le: e, path: path}
	list, err := atomicfile.Read(path, whitelist.MaxSize)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, nil
	case errors.Is(err, atomicfile.ErrTooLarge):
		return nil, damaged(path, err)
	case err != nil:
		return nil, fmt.Errorf("launch: %w", err)
	}
	c, err := whitelist.Parse(list)
	if err != nil {
		return nil, damaged(path, err)
	}
	s.list, s.version, s.kept = list, c.List.Version, true
	if err := s.restore(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func damaged(path string, err error) error {
	return fmt.Errorf("%w: %s: %w: remove it, and register the newest list", ErrDamaged, path, err)
}

// give gives the enclave a list. A caller who goes away does not leave it open
// whether the enclave has taken it.
func (s *Service) give(ctx context.Context, list []byte) (ret uint32, err error) {
	return s.le.LeInitWhiteListWrapper(context.WithoutCancel(ctx), list)
}

// restore gives the enclave the list that it had.
func (s *Service) restore(ctx context.Context) error {
	ret, err := s.give(ctx, s.list)
	switch {
	case err != nil:
		return fmt.Errorf("launch: giving the launch enclave its white list: %w", err)
	case ret == le.InvalidParameter:
		return damaged(s.path, errors.New("the launch enclave refuses it"))
	case ret != le.Success && ret != le.AlreadyUpdated:
		return fmt.Errorf("launch: giving the launch enclave its white list: %w", refusal(int64(ret)))
	}
	return nil
}

// LaunchToken implements [aesm.LaunchService]. An enclave that has lost its list,
// because it was started again, is given it.
func (s *Service) LaunchToken(ctx context.Context, mrEnclave [32]byte, modulus *[isa.RSAKeySize]byte, attributes isa.Attributes) (*isa.EinitToken, error) {
	mrSigner := sha256.Sum256(modulus[:])
	ret, b, err := s.le.LeGetLaunchTokenWrapper(ctx, (*edl.SgxMeasurementT)(&mrEnclave), (*edl.SgxMeasurementT)(&mrSigner), &attributes)
	if err == nil && ret == le.WhiteListUninitialized {
		var restored bool
		if restored, err = s.again(ctx); err == nil && restored {
			ret, b, err = s.le.LeGetLaunchTokenWrapper(ctx, (*edl.SgxMeasurementT)(&mrEnclave), (*edl.SgxMeasurementT)(&mrSigner), &attributes)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("launch: asking the launch enclave: %w", err)
	}
	if ret != le.Success {
		return nil, fmt.Errorf("launch: enclave %x of signer %x: %w", mrEnclave[:4], mrSigner[:4], refusal(int64(ret)))
	}
	token := new(isa.EinitToken)
	return token, token.UnmarshalBinary(b[:])
}

// again restores the list, if there is one.
func (s *Service) again(ctx context.Context) (restored bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.list == nil {
		return false, nil
	}
	return true, s.restore(ctx)
}

// WhiteList implements [aesm.LaunchService].
func (s *Service) WhiteList(context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.list == nil {
		return nil, fmt.Errorf("launch: no white list was registered: %w", aesm.ErrUnexpected)
	}
	return bytes.Clone(s.list), nil
}

// RegisterWhiteList implements [aesm.LaunchService]. When it returns without an
// error, the list or a newer one is in force and on the disk.
func (s *Service) RegisterWhiteList(ctx context.Context, list []byte) error {
	c, err := whitelist.Parse(list)
	if err != nil {
		return fmt.Errorf("launch: %w: %w", err, aesm.ErrParameter)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// The enclave would say so, unless it has just been started again.
	if s.list != nil && c.List.Version <= s.version {
		return s.keep()
	}
	ret, err := s.give(ctx, list)
	switch {
	case err != nil:
		return fmt.Errorf("launch: giving the launch enclave a white list: %w", err)
	case ret == le.AlreadyUpdated: // by somebody else
		return s.keep()
	case ret != le.Success:
		return fmt.Errorf("launch: version %d of the white list: %w", c.List.Version, refusal(int64(ret)))
	}
	s.list, s.version, s.kept = bytes.Clone(list), c.List.Version, false
	return s.keep()
}

// keep has the list in the file.
func (s *Service) keep() error {
	if s.kept || s.list == nil {
		return nil
	}
	atomicfile.Clean(filepath.Dir(s.path), time.Hour)
	if err := atomicfile.Write(s.path, s.list, 0o600); err != nil {
		return fmt.Errorf("launch: the white list is in force, and will be forgotten: %w: %w", err, aesm.ErrFileAccess)
	}
	s.kept = true
	return nil
}

// refusal is a code of the launch enclave as an error, with what AESM answers.
func refusal(ret int64) error {
	switch ret {
	case le.InvalidParameter:
		return fmt.Errorf("the launch enclave does not take it: it is for another enclave, or not signed by those whom the enclave believes: %w", aesm.ErrParameter)
	case le.InvalidAttribute:
		return fmt.Errorf("the launch enclave refuses its attributes: PROVISION_KEY is not for everybody: %w", aesm.ErrGetLicenseToken)
	case le.InvalidPrivilege:
		return fmt.Errorf("its signer is not on the white list, and it is not a debug enclave: %w", aesm.ErrGetLicenseToken)
	case le.WhiteListUninitialized:
		return fmt.Errorf("there is no white list, and only debug enclaves may be launched: %w", aesm.ErrUnexpected)
	}
	return fmt.Errorf("the launch enclave answers %d: %w", ret, aesm.ErrUnexpected)
}
