// Package pve is the provisioning enclave of EPID, PvE: it makes its machine a
// member of an EPID group of the factory, and seals the member's private key for
// the quoting enclave (package arch/epidqe). Package arch/pve/enclave is the
// program.
//
// It does what Intel's PvE does for the same ends, in four messages as there, but
// the messages are of our own layout, and the machine proves who it is by a key that
// derives from its provisioning key, which the factory can derive, too. Intel's has
// the PCE sign a REPORT. What is not there: escrow (see below), the rekeying of a
// member, proofs that the member of an older TCB was not revoked, and the choice of
// an endpoint.
//
//	1 machine  header, SVNs, PPID encrypted to the factory, HMAC
//	2 factory  header, IV, {group's public key, nonce, SVNs of the secret}
//	3 machine  header, IV, {join request}
//	4 factory  header, IV, {credential}
//
// A header has, in big endian:
//
//	 0   8  "FEIDI-EP"
//	 8   2  version, 1
//	10   2  kind: 1 to 4
//	12   4  extended group ID
//	16  16  transaction, drawn by the machine
//
// What is in braces is encrypted and authenticated by AES-256-GCM, with the header
// and the hash of all messages before it. The keys are HKDF-SHA256 of AES-CMAC with
// the provisioning key at the SVNs of message 1, and so known to this machine's PvE
// and PCE and to the factory.
//
// # The member's secret
//
// The secret f never leaves the machine. It is derived from the provisioning seal
// key, which the factory cannot know, at SVNs that the factory names: those at which
// the machine joined this group first. So a machine has one secret in a group,
// whatever becomes of its disk and its TCB, and one that is revoked does not get
// another by joining again. Intel's draws f at random, and has the factory keep it,
// encrypted.
//
// Sources: psw/ae/pve of Intel's SGX SDK, of which no code is used.
package pve

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"sync"

	"github.com/feidi-dev/feidi/arch/derive"
	"github.com/feidi-dev/feidi/arch/epidqe"
	"github.com/feidi-dev/feidi/arch/leaf"
	"github.com/feidi-dev/feidi/arch/pve/edl"
	"github.com/feidi-dev/feidi/epid"
	"github.com/feidi-dev/feidi/isa"
)

// PvE serves the ECALLs of the enclave. It may be used concurrently, but has one
// provisioning under way: who begins another ends it.
type PvE struct {
	processor leaf.Processor
	group     *Group

	mu  sync.Mutex
	now *provisioning // nil if none is under way
}

// provisioning is one that is under way.
type provisioning struct {
	session *Session
	svn     SVN
	group   *epid.Group // nil before message 2
	secret  epid.Number
}

var _ edl.PveECalls = (*PvE)(nil)

// New returns the PvE of a processor. Without a group it provisions nothing.
func New(p leaf.Processor, g *Group) *PvE { return &PvE{processor: p, group: g} }

// take takes the provisioning that is under way, which has to have begun, and be at
// message 2 or 4. If the ECALL succeeds it puts it back.
func (p *PvE) take(kind uint16) (*provisioning, uint32) {
	v := p.now
	p.now = nil
	if v == nil || (v.group == nil) != (kind == Challenge) {
		return nil, OrderError
	}
	return v, Success
}

// GenProvMsg1Data implements [edl.PveECalls].
func (p *PvE) GenProvMsg1Data(_ context.Context, size uint32) (ret uint32, message []byte, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = nil
	if size != BeginSize {
		return ParameterError, nil, nil
	}
	if p.group == nil {
		return GroupError, nil, nil
	}
	self, err := p.processor.Report(nil, [64]byte{})
	if err != nil {
		return UnexpectedError, nil, nil
	}
	v := &provisioning{svn: SVN{self.CPUSVN, self.ISVSVN}}
	request := derive.ProvisioningRequest([16]byte{}, 0)
	key, err := p.processor.Key(&request)
	if err != nil {
		return UnexpectedError, nil, nil
	}
	ppid := derive.PPID(key)
	encrypted, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, p.group.PPIDKey, ppid[:], nil)
	if err != nil || len(encrypted) != ppidModulus {
		return UnexpectedError, nil, nil
	}
	request = derive.ProvisioningRequest(v.svn.CPU, v.svn.ISV)
	if key, err = p.processor.Key(&request); err != nil {
		return UnexpectedError, nil, nil
	}
	v.session, message = begin(p.group.XEID, v.svn, key, encrypted)
	p.now = v
	return Success, message, nil
}

// ProcProvMsg2Data implements [edl.PveECalls]. After an error it is message 1 that
// is due.
func (p *PvE) ProcProvMsg2Data(_ context.Context, challenge []byte, size uint32) (ret uint32, message []byte, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v, ret := p.take(Challenge)
	if ret != Success {
		return ret, nil, nil
	}
	if len(challenge) != ChallengeSize || size != JoinSize {
		return ParameterError, nil, nil
	}
	file, nonce, at, err := v.session.openChallenge(challenge)
	if err != nil {
		return codeOf(err), nil, nil
	}
	body, err := epid.OpenFile(p.group.SigningKey, epid.FilePublicKey, file)
	if err != nil {
		return MessageError, nil, nil
	}
	public, err := epid.ParsePublicKey(body)
	if err != nil {
		return MessageError, nil, nil
	}
	if v.group, err = epid.NewGroup(public); err != nil {
		return MessageError, nil, nil
	}
	if v.secret, ret = p.secret(at, public.GID); ret != Success {
		return ret, nil, nil
	}
	join, err := v.group.Join(nil, epid.SHA256, v.secret, nonce)
	if err != nil {
		return UnexpectedError, nil, nil
	}
	message = v.session.seal(Join, join.Bytes())
	p.now = v
	return Success, message, nil
}

// secret derives the member's secret. SVNs that the machine has not reached are a
// MessageError.
func (p *PvE) secret(at SVN, gid epid.GroupID) (epid.Number, uint32) {
	request := derive.ProvisioningRequest(at.CPU, at.ISV)
	request.KeyName = isa.KeyProvisionSeal
	key, err := p.processor.Key(&request)
	if err != nil {
		return epid.Number{}, MessageError
	}
	salt := append(binary.BigEndian.AppendUint32(nil, p.group.XEID), gid[:]...)
	wide, err := hkdf.Key(sha256.New, key[:], salt, "Feidi: EPID member's secret", epid.SecretSeedSize)
	if err != nil {
		return epid.Number{}, UnexpectedError
	}
	f, err := epid.NewSecret(bytes.NewReader(wide))
	if err != nil {
		return epid.Number{}, UnexpectedError
	}
	return f, Success
}

// ProcProvMsg4Data implements [edl.PveECalls]. The blob is checked: its key is a
// member's. After an error it is message 1 that is due.
func (p *PvE) ProcProvMsg4Data(_ context.Context, membership []byte, size uint32) (ret uint32, blob []byte, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v, ret := p.take(Membership)
	if ret != Success {
		return ret, nil, nil
	}
	if len(membership) != MembershipSize || size != epidqe.BlobSize {
		return ParameterError, nil, nil
	}
	b, err := v.session.open(Membership, membership)
	if err != nil {
		return codeOf(err), nil, nil
	}
	c, err := epid.ParseCredential(b)
	if err != nil {
		return MessageError, nil, nil
	}
	key := c.PrivateKey(v.secret)
	if _, err := v.group.NewMember(key, epid.SHA256); err != nil {
		return MessageError, nil, nil
	}
	self, err := p.processor.Report(nil, [64]byte{})
	if err != nil {
		return UnexpectedError, nil, nil
	}
	blob, err = epidqe.Seal(p.processor, self, &epidqe.Data{
		CPUSVN: v.svn.CPU, PvESVN: v.svn.ISV, Group: v.group.PublicKey(),
		Service: p.group.Service, SigningKey: p.group.SigningKey, XEID: p.group.XEID,
	}, key)
	if err != nil {
		return UnexpectedError, nil, nil
	}
	return Success, blob, nil
}

// codeOf is the code of an error of a message.
func codeOf(err error) uint32 {
	if errors.Is(err, ErrIntegrity) {
		return IntegrityError
	}
	return ParameterError
}
