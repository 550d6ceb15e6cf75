package world

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/pve"
	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/epid"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
)

// maxJoining is how many provisionings are under way at most. The oldest is
// forgotten for a new one.
const maxJoining = 256

// joining is a provisioning that is under way.
type joining struct {
	session *pve.Session
	ppid    [16]byte
	gid     epid.GroupID
	at      pve.SVN
	nonce   epid.Nonce
}

// provisioningEnclave is the world's PvE, as far as EGETKEY looks at it for
// provisioning keys. That is as far as it looks at the world's PCE, so that both
// have the same PPID.
func (w *World) provisioningEnclave() pceFile {
	return pceOf(&isa.SECS{
		MRSigner: sign.KeyMRSigner(&w.keys.enclave.PublicKey), ISVProdID: build.PVE.ProdID,
		Attributes: isa.Attributes{Flags: isa.AttrInit | isa.AttrMode64Bit | build.PVE.Attributes},
		MiscSelect: cpu.DefaultMiscSelect,
	})
}

// Provision answers a message of a machine's provisioning enclave, see package
// arch/pve: message 1 with 2, and 3 with 4. What is under way is in memory only, of
// this EPID.
//
// Errors: pve.ErrMessage, pve.ErrIntegrity, ErrPPID, ErrUnknownPlatform,
// ErrNoCertificate for a TCB below all that are certified, ErrEPIDRevoked,
// ErrEPIDSecret, ErrEPIDTransaction, epid.ErrJoin and epid.ErrFormat.
func (e *EPID) Provision(_ context.Context, message []byte) ([]byte, error) {
	h, err := pve.ParseHeader(message)
	if err != nil {
		return nil, err
	}
	switch h.Kind {
	case pve.Begin:
		return e.begin(h, message)
	case pve.Join:
		return e.join(h, message)
	}
	return nil, fmt.Errorf("%w: message %d is one of the factory's", pve.ErrMessage, h.Kind)
}

// begin answers message 1.
func (e *EPID) begin(h *pve.Header, message []byte) ([]byte, error) {
	svn, encrypted, err := pve.ReadBegin(message)
	if err != nil {
		return nil, err
	}
	ppid, err := e.w.DecryptPPID(encrypted)
	if err != nil {
		return nil, err
	}
	known, err := e.state()
	if err != nil {
		return nil, err
	}
	s, err := e.w.state()
	if err != nil {
		return nil, err
	}
	own := e.w.provisioningEnclave()
	n, ok := s.index[ppid]
	if !ok || !n.pce.equal(&own) || h.XEID != e.xeid {
		return nil, fmt.Errorf("PPID %x, extended group %d: %w", ppid, h.XEID, ErrUnknownPlatform)
	}
	session, err := pve.Accept(message, n.provisioningKey(svn.CPU, svn.ISV))
	if err != nil {
		return nil, err
	}
	if n.platform.Revoked != nil {
		return nil, fmt.Errorf("machine %s: %w", n.platform.Machine, ErrEPIDRevoked)
	}
	if !atMost(s.family(n.platform.FMSPC).Levels[0].CPUSVN, svn.CPU[:]) {
		return nil, fmt.Errorf("CPUSVN %x: %w", svn.CPU, ErrNoCertificate)
	}
	g := &known.Groups[len(known.Groups)-1]
	j := &joining{session: session, ppid: ppid, gid: g.gid(), at: svn}
	if m := g.member(ppid); m != nil {
		j.at = m.svn()
	}
	rand.Read(j.nonce[:])
	file, err := epid.SignFile(e.signing, epid.FilePublicKey, g.Public)
	if err != nil {
		return nil, err
	}
	answer, err := session.Challenge(file, j.nonce, j.at)
	if err != nil {
		return nil, err
	}
	e.remember(h.Transaction, j)
	return answer, nil
}

func (e *EPID) remember(transaction [16]byte, j *joining) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := e.pending[transaction]; !ok {
		e.order = append(e.order, transaction)
	}
	e.pending[transaction] = j
	if len(e.order) > maxJoining {
		delete(e.pending, e.order[0])
		e.order = slices.Delete(e.order, 0, 1)
	}
}

// take returns what is under way, once.
func (e *EPID) take(transaction [16]byte) *joining {
	e.mu.Lock()
	defer e.mu.Unlock()
	j := e.pending[transaction]
	if j != nil {
		delete(e.pending, transaction)
		e.order = slices.DeleteFunc(e.order, func(t [16]byte) bool { return t == transaction })
	}
	return j
}

// join answers message 3. That the machine has joined is on the disk before it
// learns it.
func (e *EPID) join(h *pve.Header, message []byte) ([]byte, error) {
	j := e.take(h.Transaction)
	if j == nil {
		return nil, fmt.Errorf("transaction %x: %w", h.Transaction, ErrEPIDTransaction)
	}
	request, err := j.session.OpenJoin(message)
	if err != nil {
		return nil, err
	}
	now, err := e.w.state()
	if err != nil {
		return nil, err
	}
	if n, ok := now.index[j.ppid]; !ok || n.platform.Revoked != nil { // since message 1
		return nil, fmt.Errorf("PPID %x: %w", j.ppid, ErrEPIDRevoked)
	}
	s, err := e.state()
	if err != nil {
		return nil, err
	}
	g := s.group(j.gid)
	if g == nil {
		return nil, fmt.Errorf("%x: %w", j.gid, ErrEPIDGroup)
	}
	issuer, err := e.issuer(g)
	if err != nil {
		return nil, err
	}
	credential, err := issuer.Certify(nil, epid.SHA256, j.nonce, request)
	if err != nil {
		return nil, err
	}
	err = e.changeGroup(j.gid, func(g *epidGroup) error {
		if g.Revoked {
			return fmt.Errorf("group %x: %w", j.gid, ErrEPIDRevoked)
		}
		if m := g.member(j.ppid); m != nil {
			if !bytes.Equal(m.F, request.F[:]) {
				return ErrEPIDSecret
			}
			return errUnchanged
		}
		g.Members = append(g.Members, epidMember{PPID: j.ppid[:], CPUSVN: j.at.CPU[:], ISVSVN: j.at.ISV, F: request.F[:]})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return j.session.Membership(credential), nil
}
