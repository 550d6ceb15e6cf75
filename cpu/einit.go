package cpu

import (
	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
)

// controlledAttributes are those that only an enclave of the key in
// IA32_SGXLEPUBKEYHASH may have.
const controlledAttributes = isa.AttrEinitTokenKey

// EINIT completes the building of an enclave (SDM Vol. 3D, "EINIT"). Its
// errors wrap the manual's codes. A nil token stands for one that is not
// valid: then the enclave must be signed by the key of IA32_SGXLEPUBKEYHASH.
func (p *Processor) EINIT(secs PA, sig *isa.SigStruct, token *isa.EinitToken) error {
	if token == nil {
		token = &isa.EinitToken{}
	}
	tmpSig, tmpToken := *sig, *token // what is checked is what is used
	err := p.einit(secs, &tmpSig, &tmpToken)
	if p.trace != nil {
		p.traceENCLS(isa.EINIT, err, Operand{"SECS", uint64(secs)}, Operand{"TOKEN.VALID", uint64(token.Valid)})
	}
	return err
}

func (p *Processor) einit(secs PA, sig *isa.SigStruct, token *isa.EinitToken) error {
	const leaf = "EINIT"
	n, err := p.epcPage(leaf, secs)
	if err != nil {
		return err
	}
	// The signature takes the most time and needs no lock: it is what the
	// manual checks with its event window open.
	if err := sign.Verify(sig); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	e, err := p.secsAt(leaf, n)
	if err != nil {
		return err
	}
	if sig.ISVFamilyID != [16]byte{} && !e.kss() {
		return isa.ErrInvalidSigStruct
	}
	if e.init {
		return gp(leaf, "enclave is already initialized")
	}
	mrEnclave, mrSigner := e.measure.Sum(), sign.MRSigner(sig)
	s := &e.secs
	switch {
	case sig.EnclaveHash != mrEnclave:
		return isa.ErrInvalidMeasurement
	case s.Attributes.Flags&controlledAttributes != 0 && mrSigner != p.lePubKey:
		return isa.ErrInvalidAttribute
	case s.Attributes.And(sig.AttributeMask) != sig.Attributes.And(sig.AttributeMask):
		return isa.ErrInvalidAttribute
	case s.MiscSelect&sig.MiscMask != sig.MiscSelect&sig.MiscMask:
		return isa.ErrInvalidAttribute
	}
	if token.Valid&isa.EinitTokenValid == 0 {
		if mrSigner != p.lePubKey {
			return isa.ErrInvalidEinitToken
		}
	} else if err := p.checkToken(e, token, mrEnclave, mrSigner); err != nil {
		return err
	}
	s.MREnclave, s.MRSigner = mrEnclave, mrSigner
	s.ISVProdID, s.ISVSVN = sig.ISVProdID, sig.ISVSVN
	e.isvExtProdID, e.isvFamilyID = sig.ISVExtProdID, sig.ISVFamilyID
	s.Attributes.Flags |= isa.AttrInit
	e.init, e.measure = true, nil
	e.version.Add(1)
	return nil
}

// checkToken checks a valid EINITTOKEN for the enclave.
func (p *Processor) checkToken(e *enclave, t *isa.EinitToken, mrEnclave, mrSigner [32]byte) error {
	if t.MaskedAttributesLE.Flags&isa.AttrDebug != 0 && !e.debug() {
		return isa.ErrInvalidEinitToken
	}
	if t.Valid != isa.EinitTokenValid || t.Reserved1 != [44]byte{} || t.Reserved2 != [32]byte{} ||
		t.Reserved3 != [32]byte{} || t.Reserved4 != [24]byte{} {
		return isa.ErrInvalidEinitToken
	}
	if !p.keys.svnSupported(t.CPUSVNLE) {
		return isa.ErrInvalidCPUSVN
	}
	b, _ := t.AppendBinary(make([]byte, 0, isa.EinitTokenSize))
	key := p.keys.einitTokenKey(t, p.lePubKey)
	if !cmac.Equal(t.MAC, cmac.Sum(key, b[:isa.EinitTokenMACOffset])) {
		return isa.ErrInvalidEinitToken
	}
	if t.MREnclave != mrEnclave || t.MRSigner != mrSigner {
		return isa.ErrInvalidMeasurement
	}
	if t.Attributes != e.secs.Attributes {
		return isa.ErrInvalidAttribute
	}
	return nil
}
