package epid

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/epidqe"
	"github.com/feidi-dev/feidi/arch/pve"
	"github.com/feidi-dev/feidi/arch/pve/edl"
	"github.com/feidi-dev/feidi/internal/atomicfile"
	"github.com/feidi-dev/feidi/platform/internal/supervisor"
)

// blobFile is the file of the member's key below Config.Dir: the QE's blob, as it is.
const blobFile = "epid.blob"

// lock waits for the turn to provision.
func (s *Service) lock(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return callError("waiting for the member's key", ctx.Err())
	}
}

func (s *Service) unlock() { <-s.turn }

// ready returns the member's key, which it makes if need be. Whether it is new
// enough is looked at, unless an old one will do.
func (s *Service) ready(ctx context.Context, old bool) (*key, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.unlock()
	if old && s.key != nil {
		return s.key, nil
	}
	k, why, err := s.usable(ctx)
	if err != nil {
		return nil, err
	}
	if k != nil && why == "" {
		s.key = k
		return k, nil
	}
	made, err := s.provision(ctx)
	switch {
	case err == nil:
		s.key = made
	case k != nil:
		s.cfg.Log.Warn("the EPID key is used on as it is", "why", why, "error", err)
		s.key = k
	default:
		return nil, err
	}
	return s.key, nil
}

// forget takes away a key that does not open any more.
func (s *Service) forget(k *key) {
	s.turn <- struct{}{}
	defer s.unlock()
	if s.key == k {
		s.key = nil
	}
}

// usable returns the key that is in use or kept, if it opens, and why there should
// be another.
func (s *Service) usable(ctx context.Context) (k *key, why string, err error) {
	blob := s.load()
	if s.key != nil {
		blob = bytes.Clone(s.key.blob)
	}
	if blob == nil {
		return nil, "", nil
	}
	before, cpuSVN := bytes.Clone(blob), [16]byte{}
	err = s.qe.Do(ctx, func(ctx context.Context, q *quoting) error {
		ret, _, svn, err := q.Calls.VerifyBlob(ctx, blob)
		cpuSVN = svn
		return qeError("opening the member's key", ret, err)
	})
	if errors.Is(err, aesm.ErrEPIDBlob) || errors.Is(err, aesm.ErrParameter) {
		s.cfg.Log.Warn("the EPID key that was kept does not open: it is another machine's or damaged, and the machine is provisioned anew")
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	k = &key{blob: blob}
	if k.data, err = epidqe.ParseData(blob); err != nil {
		return nil, "", callError("reading the member's key", err)
	}
	if !bytes.Equal(blob, before) {
		s.keep(blob) // it was sealed anew
	}
	switch d := k.data; {
	case d.XEID != s.group.XEID:
		return nil, "", nil
	case d.CPUSVN != cpuSVN:
		why = "the machine's CPUSVN has changed"
	case d.PvESVN < build.PVE.SVN:
		why = "the provisioning enclave has become newer"
	}
	return k, why, nil
}

// provision makes the machine a member.
func (s *Service) provision(ctx context.Context) (k *key, err error) {
	const doing = "provisioning the machine"
	p, err := supervisor.Start(ctx, s.cfg.Machine, s.cfg.PvE, s.cfg.Stderr, "pve", hex.EncodeToString(s.cfg.Group))
	if err != nil {
		return nil, &Error{doing + ": starting the PvE", supervisor.LoadCode(err), err}
	}
	calls := edl.NewPve(p)
	defer func() {
		calls.Close()
		err = errors.Join(err, p.Close())
	}()
	refused := func(ret uint32, err error) error {
		if err != nil {
			return callError(doing, err)
		}
		if ret != pve.Success {
			return failed(doing, aesm.ErrProvisionFailed, "the provisioning enclave answers %d", ret)
		}
		return nil
	}
	ret, first, err := calls.GenProvMsg1Data(ctx, pve.BeginSize)
	if err := refused(ret, err); err != nil {
		return nil, err
	}
	challenge, err := s.ask(ctx, first)
	if err != nil {
		return nil, err
	}
	ret, third, err := calls.ProcProvMsg2Data(ctx, challenge, pve.JoinSize)
	if err := refused(ret, err); err != nil {
		return nil, err
	}
	membership, err := s.ask(ctx, third)
	if err != nil {
		return nil, err
	}
	ret, blob, err := calls.ProcProvMsg4Data(ctx, membership, epidqe.BlobSize)
	if err := refused(ret, err); err != nil {
		return nil, err
	}
	k = &key{blob: blob}
	if k.data, err = epidqe.ParseData(blob); err != nil {
		return nil, callError(doing, err)
	}
	s.keep(blob)
	return k, nil
}

// ask asks the factory.
func (s *Service) ask(ctx context.Context, message []byte) ([]byte, error) {
	answer, err := s.cfg.Provisioner.Provision(ctx, message)
	if err == nil {
		return answer, nil
	}
	e := &Error{"provisioning the machine: asking the factory", aesm.ErrProvisionFailed, err}
	var code aesm.Code
	switch {
	case errors.As(err, &code):
		e.Code = code
	case errors.Is(err, context.DeadlineExceeded):
		e.Code = aesm.ErrNetwork
	case errors.Is(err, context.Canceled):
		e.Code = aesm.ErrServiceStopped
	}
	return nil, e
}

// load reads the key that was kept, or returns nil.
func (s *Service) load() []byte {
	if s.cfg.Dir == "" {
		return nil
	}
	path := filepath.Join(s.cfg.Dir, blobFile)
	b, err := atomicfile.Read(path, epidqe.BlobSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && len(b) != epidqe.BlobSize {
		err = fmt.Errorf("it has not %d bytes", epidqe.BlobSize)
	}
	if err != nil {
		s.cfg.Log.Warn("the EPID key that was kept cannot be read, and the machine is provisioned anew", "file", path, "error", err)
		return nil
	}
	return b
}

// keep writes the key for the user's eyes only. What cannot be kept is made again the
// next time.
func (s *Service) keep(blob []byte) {
	if s.cfg.Dir == "" {
		return
	}
	err := os.MkdirAll(s.cfg.Dir, 0o700)
	if err == nil {
		atomicfile.Clean(s.cfg.Dir, time.Hour)
		err = atomicfile.Write(filepath.Join(s.cfg.Dir, blobFile), blob, 0o600)
	}
	if err != nil {
		s.cfg.Log.Warn("the EPID key cannot be kept", "error", err)
	}
}
