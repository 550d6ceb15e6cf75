package cpu

import "github.com/feidi-dev/feidi/isa"

// Alignment of EGETKEY's operands.
const (
	keyRequestAlign = 512
	keyAlign        = 16
)

// egetkey executes EGETKEY: RBX is a KEYREQUEST, RCX receives the key
// (SDM Vol. 3D, "EGETKEY").
func (lp *LP) egetkey(r *Regs) error {
	const leaf = "EGETKEY"
	in, err := lp.operand(leaf, r.RBX, keyRequestAlign, epcmR)
	if err != nil {
		return err
	}
	out, err := lp.operand(leaf, r.RCX, keyAlign, epcmW)
	if err != nil {
		return err
	}
	var q isa.KeyRequest
	if err := q.UnmarshalBinary(in[:isa.KeyRequestSize]); err != nil {
		return err
	}
	e := lp.enc
	switch {
	case q.Reserved1 != 0 || q.Reserved2 != [434]byte{}:
		return gp(leaf, "reserved fields of KEYREQUEST are not zero")
	case q.KeyPolicy&isa.PolicyReserved != 0:
		return gp(leaf, "reserved bits of KEYPOLICY are set")
	case !e.kss() && (q.KeyPolicy&isa.PolicyKSS != 0 || q.ConfigSVN != 0):
		return gp(leaf, "KEYPOLICY or CONFIGSVN needs KSS")
	}
	key, err := lp.p.keys.forEnclave(e, &q)
	if err != nil {
		return err
	}
	copy(out, key[:])
	return nil
}

// requiredAttributes are always among the attributes that a key depends on.
const requiredAttributes = isa.AttrInit | isa.AttrDebug

// forEnclave returns the key that enclave e gets for a request, or an error
// code.
func (k *keys) forEnclave(e *enclave, q *isa.KeyRequest) (key [isa.KeySize]byte, err error) {
	s := &e.secs
	need := isa.AttributeFlags(0)
	switch q.KeyName {
	case isa.KeyReport:
		return k.reportKey(&isa.TargetInfo{
			Measurement: s.MREnclave, Attributes: s.Attributes,
			ConfigSVN: s.ConfigSVN, MiscSelect: s.MiscSelect, ConfigID: s.ConfigID,
		}, q.KeyID), nil
	case isa.KeyEinitToken:
		need = isa.AttrEinitTokenKey
	case isa.KeyProvision, isa.KeyProvisionSeal:
		need = isa.AttrProvisionKey
	case isa.KeySeal:
	default:
		return key, isa.ErrInvalidKeyName
	}
	switch {
	case s.Attributes.Flags&need != need:
		return key, isa.ErrInvalidAttribute
	case !k.svnSupported(q.CPUSVN):
		return key, isa.ErrInvalidCPUSVN
	case q.ISVSVN > s.ISVSVN:
		return key, isa.ErrInvalidISVSVN
	case (q.KeyName == isa.KeySeal || q.KeyName == isa.KeyProvisionSeal) && q.ConfigSVN > s.ConfigSVN:
		return key, isa.ErrInvalidISVSVN
	}

	d := dependenciesOf(s, q)
	switch q.KeyName {
	case isa.KeyEinitToken:
		d.ownerEpoch, d.sealFuses = k.ownerEpoch, k.fuses.RootSealKey
		d.isvProdID, d.mrSigner, d.keyID = s.ISVProdID, s.MRSigner, q.KeyID
	case isa.KeyProvision:
		d.provisioning(s, q)
	case isa.KeyProvisionSeal:
		d.attributeMask, d.miscMask, d.keyPolicy = q.AttributeMask, ^q.MiscMask, q.KeyPolicy
		d.sealFuses, d.mrSigner = k.fuses.RootSealKey, s.MRSigner
		d.product(e, q)
	case isa.KeySeal:
		d.attributeMask, d.miscMask, d.keyPolicy = q.AttributeMask, ^q.MiscMask, q.KeyPolicy
		d.ownerEpoch, d.sealFuses, d.keyID = k.ownerEpoch, k.fuses.RootSealKey, q.KeyID
		d.product(e, q)
		if q.KeyPolicy&isa.PolicyMREnclave != 0 {
			d.mrEnclave = s.MREnclave
		}
		if q.KeyPolicy&isa.PolicyMRSigner != 0 {
			d.mrSigner = s.MRSigner
		}
	}
	return k.derive(d), nil
}

// dependenciesOf returns what all keys but the report key depend on.
func dependenciesOf(s *isa.SECS, q *isa.KeyRequest) *dependencies {
	mask := q.AttributeMask
	mask.Flags |= requiredAttributes
	return &dependencies{
		keyName:    q.KeyName,
		isvSVN:     q.ISVSVN,
		cpuSVN:     q.CPUSVN,
		attributes: s.Attributes.And(mask),
		miscSelect: s.MiscSelect & q.MiscMask,
	}
}

// provisioning adds what provisioning keys depend on.
func (d *dependencies) provisioning(s *isa.SECS, q *isa.KeyRequest) {
	d.attributeMask, d.miscMask = q.AttributeMask, ^q.MiscMask
	d.isvProdID, d.mrSigner = s.ISVProdID, s.MRSigner
}

// product adds what KEYPOLICY says of the enclave's product.
func (d *dependencies) product(e *enclave, q *isa.KeyRequest) {
	if q.KeyPolicy&isa.PolicyNoISVProdID == 0 {
		d.isvProdID = e.secs.ISVProdID
	}
	if q.KeyPolicy&isa.PolicyConfigID != 0 {
		d.configID, d.configSVN = e.secs.ConfigID, q.ConfigSVN
	}
	if q.KeyPolicy&isa.PolicyISVFamilyID != 0 {
		d.isvFamilyID = e.isvFamilyID
	}
	if q.KeyPolicy&isa.PolicyISVExtProdID != 0 {
		d.isvExtProdID = e.isvExtProdID
	}
}
