package platform

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"math/big"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/arch/pce"
	pceedl "github.com/feidi-dev/feidi/arch/pce/edl"
	"github.com/feidi-dev/feidi/arch/qe"
	qeedl "github.com/feidi-dev/feidi/arch/qe/edl"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/platform/internal/supervisor"
)

// blob is the QE's: the attestation key, sealed, and how it was certified.
type blob [qe.BlobSize]byte

// data returns what everybody can read of a blob. The QE has authenticated it.
func (b *blob) data() (*qe.Data, error) {
	d := new(qe.Data)
	return d, d.UnmarshalBinary(b[len(b)-qe.DataSize:])
}

// key is an attestation key that quotes can be made with. It is not changed.
type key struct {
	blob     blob
	id       [32]byte // SHA-256 of the key and the authentication data
	pck      *pck
	certData []byte // for the QE; nil for what the blob has
	certSize int    // bytes of certification data in quotes
	pceSVN   uint16 // the machine's own
	target   isa.TargetInfo
}

// errOtherPCK: the certificate is not that of the key that the PCE signs with.
var errOtherPCK = errors.New("the PCK certificate is not this machine's")

// prepare makes a key ready: the kept one if all is as it was when that was
// certified, else one that is certified now.
func (p *Platform) prepare(ctx context.Context) (*key, error) {
	id, err := p.Identify(ctx)
	if err != nil {
		return nil, err
	}
	c, kept, err := p.pck(ctx, id, true)
	if err != nil {
		return nil, err
	}
	k, err := p.ready(ctx, id, c)
	if kept && errors.Is(err, errOtherPCK) {
		p.cfg.Log.Warn("the PCK certificate that was kept does not fit the machine, and is asked for anew")
		if c, _, err = p.pck(ctx, id, false); err == nil {
			k, err = p.ready(ctx, id, c)
		}
	}
	if errors.Is(err, errOtherPCK) {
		err = &Error{Doing: "certifying the attestation key", Code: aesm.ErrCertDataInvalid, Err: err, Advice: "register the machine with the service anew"}
	}
	if err != nil {
		return nil, err
	}
	p.keep(id, k)
	return k, nil
}

// ready makes a key ready that is certified by c.
func (p *Platform) ready(ctx context.Context, id *ID, c *pck) (*key, error) {
	target, err := p.pceTarget(ctx)
	if err != nil {
		return nil, err
	}
	k := &key{pck: c, pceSVN: id.PCESVN, certSize: ppidSize}
	if p.cfg.CertType == dcap.CertPCKChain {
		k.certData = c.certData()
		k.certSize = len(c.chain) + 1
	}
	reused := false
	if err := p.qe.Do(ctx, func(ctx context.Context, r *supervisor.Running[*qeedl.Qe3]) (err error) {
		k.target = r.Target
		reused, err = p.reuse(ctx, r, id, c, target, k)
		return err
	}); err != nil {
		return nil, err
	}
	if !reused {
		if err := p.certify(ctx, id, c, target, k); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// ppidSize is the size of an encrypted PPID as certification data: the PPID,
// CPUSVN, PCE ISVSVN and PCE ID.
const ppidSize = pce.EncryptedPPIDSize + 16 + 2 + 2

// reuse takes the blob that is in use, or kept, if it opens and all is as it was
// when its key was certified.
func (p *Platform) reuse(ctx context.Context, r *supervisor.Running[*qeedl.Qe3], id *ID, c *pck, target *isa.TargetInfo, k *key) (bool, error) {
	if last := p.key.Load(); last != nil {
		k.blob = last.blob
	} else if !p.loadBlob(&k.blob) {
		return false, nil
	}
	ret, _, raw, keyID, err := r.Calls.VerifyBlob(ctx, k.blob[:], uint32(len(k.id)))
	if err != nil {
		return false, callError("opening the attestation key", err)
	}
	if ret != qe.Success || len(keyID) != len(k.id) {
		p.cfg.Log.Warn("the attestation key that was kept does not open: it is another machine's or damaged, and is made anew", "code", ret)
		return false, nil
	}
	k.id = [32]byte(keyID)
	var self isa.ReportBody
	if err := self.UnmarshalBinary(raw[:]); err != nil {
		return false, err
	}
	d, err := k.blob.data()
	if err != nil {
		return false, err
	}
	certified := d.CertKeyType == uint32(dcap.CertPPIDRSA3072) && [32]byte(d.QEReport.ReportData[:]) == k.id &&
		d.CertCPUSVN == c.cpuSVN && d.CertPCE == qe.PCEInfo{ISVSVN: c.pceSVN, ID: id.PCEID} &&
		(c.chain == nil || certifiedBy(c.leaf, &d.QEReport.ReportBody, &d.Signature))
	same := d.RawCPUSVN == self.CPUSVN && d.RawPCE == qe.PCEInfo{ISVSVN: id.PCESVN, ID: id.PCEID} && d.PCETarget == *target &&
		d.CertQEISVSVN == self.ISVSVN && d.QEReport.MREnclave == self.MREnclave && d.QEID == id.QEID
	if !certified || !same {
		p.cfg.Log.Info("the attestation key is certified anew", "same-platform", same, "same-certificate", certified)
	}
	return certified && same, nil
}

// certify makes the attestation key and has the PCE certify it, at the TCB that the
// PCK certificate is for.
func (p *Platform) certify(ctx context.Context, id *ID, c *pck, target *isa.TargetInfo, k *key) error {
	const doing = "certifying the attestation key"
	d := &qe.Data{
		CertCPUSVN: c.cpuSVN, CertPCE: qe.PCEInfo{ISVSVN: c.pceSVN, ID: id.PCEID}, CertKeyType: uint32(dcap.CertPPIDRSA3072),
		RawCPUSVN: id.CPUSVN, RawPCE: qe.PCEInfo{ISVSVN: id.PCESVN, ID: id.PCEID},
		SignatureScheme: pce.SchemeECDSAP256, PCETarget: *target, QEID: id.QEID,
	}
	if err := p.qe.Do(ctx, func(ctx context.Context, r *supervisor.Running[*qeedl.Qe3]) (err error) {
		d.QEReport, err = genAttKey(ctx, r, &k.blob, target)
		return err
	}); err != nil {
		return err
	}
	if err := p.pce.Do(ctx, func(ctx context.Context, r *supervisor.Running[*pceedl.Pce]) error {
		ret, sig, _, err := r.Calls.CertifyEnclave(ctx, &pceedl.Psvn{CpuSvn: c.cpuSVN, IsvSvn: c.pceSVN}, &d.QEReport, pce.SignatureSize)
		copy(d.Signature[:], sig)
		return pceError(doing, ret, err)
	}); err != nil {
		return err
	}
	if c.chain != nil && !certifiedBy(c.leaf, &d.QEReport.ReportBody, &d.Signature) {
		return errOtherPCK
	}
	raw, err := d.AppendBinary(nil)
	if err != nil {
		return err
	}
	k.id = [32]byte(d.QEReport.ReportData[:])
	return p.qe.Do(ctx, func(ctx context.Context, r *supervisor.Running[*qeedl.Qe3]) error {
		ret, err := r.Calls.StoreCertData(ctx, (*qeedl.RefPlaintextEcdsaDataSdkT)(raw), uint32(dcap.CertPPIDRSA3072), id.EncryptedPPID[:], k.blob[:])
		return qeError(doing, ret, err)
	})
}

// certifiedBy reports whether a certificate's key has signed a report.
func certifiedBy(leaf *dcap.Certificate, report *isa.ReportBody, sig *[pce.SignatureSize]byte) bool {
	b, err := report.AppendBinary(nil)
	return err == nil && signed(&leaf.PublicKey, b, sig)
}

// signed reports whether a key, X and Y, has signed a message: sig is R and S.
func signed(key *[64]byte, message []byte, sig *[64]byte) bool {
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append([]byte{4}, key[:]...))
	if err != nil {
		return false
	}
	digest := sha256.Sum256(message)
	return ecdsa.Verify(pub, digest[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
}
