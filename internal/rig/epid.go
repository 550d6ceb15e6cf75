package rig

import (
	"context"
	"sync"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/platform/epid"
	"github.com/feidi-dev/feidi/world"
)

// epidService is the older scheme of attestation. Its enclaves are started when it is
// asked for, which is seldom.
type epidService struct {
	start func(context.Context) (*epid.Service, error)

	mu      sync.Mutex // held while it starts
	running *epid.Service
	closed  bool
}

// newEPID returns the EPID service of a machine, which is at work on o.On.
func newEPID(m *world.Machine, o Options) *epidService {
	return &epidService{start: func(ctx context.Context) (*epid.Service, error) {
		group, err := o.Enclaves.World.EPID()
		if err != nil {
			return nil, err
		}
		pve, err := o.Enclaves.Image(ctx, build.PVE)
		if err != nil {
			return nil, err
		}
		qe, err := o.Enclaves.Image(ctx, build.EPIDQE)
		if err != nil {
			return nil, err
		}
		return epid.Start(ctx, epid.Config{
			Machine: o.On, PvE: pve, QE: qe, Group: group.Document(), Provisioner: group,
			PCESVN: build.PCE.SVN, Dir: m.Dir(), Stderr: o.Stderr, Log: o.Log,
		})
	}}
}

// get returns the service, started. That it cannot be is tried again by the next.
func (s *epidService) get(ctx context.Context) (*epid.Service, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, aesm.ErrServiceStopped
	case s.running != nil:
		return s.running, nil
	}
	var err error
	s.running, err = s.start(ctx)
	return s.running, err
}

// Close ends it.
func (s *epidService) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.running == nil {
		return nil
	}
	return s.running.Close()
}

// InitQuote implements aesm.EPIDService.
func (s *epidService) InitQuote(ctx context.Context) (target *isa.TargetInfo, gid [4]byte, err error) {
	e, err := s.get(ctx)
	if err != nil {
		return nil, gid, err
	}
	return e.InitQuote(ctx)
}

// Quote implements aesm.EPIDService.
func (s *epidService) Quote(ctx context.Context, q *aesm.EPIDQuote) (quote []byte, qeReport *isa.Report, err error) {
	e, err := s.get(ctx)
	if err != nil {
		return nil, nil, err
	}
	return e.Quote(ctx, q)
}

// ReportAttestationError implements aesm.EPIDService.
func (s *epidService) ReportAttestationError(ctx context.Context, info *aesm.PlatformInfo, attestationError uint32) (*aesm.UpdateInfo, error) {
	e, err := s.get(ctx)
	if err != nil {
		return nil, err
	}
	return e.ReportAttestationError(ctx, info, attestationError)
}

// CheckUpdateStatus implements aesm.EPIDService.
func (s *epidService) CheckUpdateStatus(ctx context.Context, info *aesm.PlatformInfo, config uint32) (status uint32, updates *aesm.UpdateInfo, err error) {
	e, err := s.get(ctx)
	if err != nil {
		return 0, nil, err
	}
	return e.CheckUpdateStatus(ctx, info, config)
}

// ExtendedGroupID implements aesm.EPIDService.
func (s *epidService) ExtendedGroupID(ctx context.Context) (uint32, error) {
	e, err := s.get(ctx)
	if err != nil {
		return 0, err
	}
	return e.ExtendedGroupID(ctx)
}

// SwitchExtendedGroup implements aesm.EPIDService.
func (s *epidService) SwitchExtendedGroup(ctx context.Context, group uint32) error {
	e, err := s.get(ctx)
	if err != nil {
		return err
	}
	return e.SwitchExtendedGroup(ctx, group)
}

var _ aesm.EPIDService = (*epidService)(nil)
