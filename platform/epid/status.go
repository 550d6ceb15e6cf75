package epid

import (
	"context"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/epid/quote"
)

// Bits of CheckUpdateStatus: what to do on the way (Provision only, since platform
// services are gone), and what is the matter.
const (
	NeedUpdate uint32 = 1 << 0
	Provision  uint32 = 1 << 1
	Pair       uint32 = 1 << 2
)

// open checks platform info: that the attestation service signed it, and that it is
// about this machine's group.
func (s *Service) open(ctx context.Context, info *aesm.PlatformInfo) (*quote.PlatformInfo, error) {
	const doing = "reading platform info"
	p, err := quote.OpenPlatformInfo(s.group.SigningKey, *info)
	if err != nil {
		return nil, &Error{doing, aesm.ErrPlatformInfoSignature, err}
	}
	if p.XEID != s.group.XEID {
		return nil, failed(doing, aesm.ErrUnexpected, "it is of extended group %d, and not %d", p.XEID, s.group.XEID)
	}
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.unlock()
	switch {
	case s.key == nil:
		return nil, failed(doing, aesm.ErrEPIDBlob, "the machine is no member of a group yet")
	case p.GID != s.key.data.Group.GID:
		return nil, failed(doing, aesm.ErrUnexpected, "it is of group %x, and not %x", p.GID, s.key.data.Group.GID)
	}
	return p, nil
}

// behind reports whether the machine is up to date, but not its group.
func behind(p *quote.PlatformInfo) bool {
	const tcb = quote.CPUSVNOutOfDate | quote.QESVNOutOfDate | quote.PCESVNOutOfDate | quote.ConfigurationNeeded
	return p.GroupFlags&quote.GroupOutOfDate != 0 && p.TCBFlags&tcb == 0
}

// updates says what should be updated, or nil.
func updates(p *quote.PlatformInfo) *aesm.UpdateInfo {
	u := &aesm.UpdateInfo{
		Microcode: p.TCBFlags&quote.CPUSVNOutOfDate != 0,
		Software:  p.TCBFlags&(quote.QESVNOutOfDate|quote.PCESVNOutOfDate) != 0,
	}
	if *u == (aesm.UpdateInfo{}) {
		return nil
	}
	return u
}

// renew provisions the machine anew.
func (s *Service) renew(ctx context.Context) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.unlock()
	k, err := s.provision(ctx)
	if err == nil {
		s.key = k
	}
	return err
}

// ReportAttestationError implements [aesm.EPIDService]. A machine whose group is out
// of date, and nothing else, is provisioned anew. Without an attestation error there
// are no updates.
func (s *Service) ReportAttestationError(ctx context.Context, info *aesm.PlatformInfo, attestationError uint32) (*aesm.UpdateInfo, error) {
	p, err := s.open(ctx, info)
	if err != nil {
		return nil, err
	}
	if behind(p) {
		if err := s.renew(ctx); err != nil {
			return nil, err
		}
	}
	if attestationError == 0 {
		return nil, nil
	}
	return updates(p), nil
}

// CheckUpdateStatus implements [aesm.EPIDService]: it provisions the machine anew if
// that is needed and config has Provision.
func (s *Service) CheckUpdateStatus(ctx context.Context, info *aesm.PlatformInfo, config uint32) (status uint32, u *aesm.UpdateInfo, err error) {
	const doing = "checking for updates"
	if config&^(Provision|Pair) != 0 {
		return 0, nil, failed(doing, aesm.ErrConfigUnsupported, "config %#x", config)
	}
	if info == nil {
		if config == 0 {
			return 0, nil, failed(doing, aesm.ErrParameter, "there is nothing to do without platform info")
		}
		return 0, nil, nil
	}
	p, err := s.open(ctx, info)
	if err != nil {
		return 0, nil, err
	}
	if behind(p) {
		status |= Provision
		if config&Provision != 0 {
			if err := s.renew(ctx); err != nil {
				return status, nil, err
			}
		}
	}
	if u = updates(p); u != nil {
		status |= NeedUpdate
	}
	return status, u, nil
}

// ExtendedGroupID implements [aesm.EPIDService].
func (s *Service) ExtendedGroupID(context.Context) (uint32, error) { return s.group.XEID, nil }

// SwitchExtendedGroup implements [aesm.EPIDService]: there is no other than the one
// in use.
func (s *Service) SwitchExtendedGroup(_ context.Context, group uint32) error {
	if group != s.group.XEID {
		return failed("switching the extended group", aesm.ErrParameter, "there is %d, and no %d", s.group.XEID, group)
	}
	return nil
}
