// Code generated from qve.edl by feidi. DO NOT EDIT.

// Package edl is the border of an enclave, as qve.edl describes it.
package edl

import (
	"context"
	"math"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/isa"
)

// SgxQlQveCollateralT is struct _sgx_ql_qve_collateral_t, 120 bytes in C, and buffers.
type SgxQlQveCollateralT struct {
	Version               uint32
	TeeType               uint32
	PckCrlIssuerChain     []byte // [size=pck_crl_issuer_chain_size] char* pck_crl_issuer_chain
	RootCaCrl             []byte // [size=root_ca_crl_size] char* root_ca_crl
	PckCrl                []byte // [size=pck_crl_size] char* pck_crl
	TcbInfoIssuerChain    []byte // [size=tcb_info_issuer_chain_size] char* tcb_info_issuer_chain
	TcbInfo               []byte // [size=tcb_info_size] char* tcb_info
	QeIdentityIssuerChain []byte // [size=qe_identity_issuer_chain_size] char* qe_identity_issuer_chain
	QeIdentity            []byte // [size=qe_identity_size] char* qe_identity
}

// PackC writes v as C has it, and its buffers to regions of their own.
func (v *SgxQlQveCollateralT) PackC(f *edge.Caller, b edge.Block) (r [7]edge.Region) {
	lenPckCrlIssuerChainSize := f.Len("pck_crl_issuer_chain_size", math.MaxUint32, edge.Items(v.PckCrlIssuerChain))
	lenRootCaCrlSize := f.Len("root_ca_crl_size", math.MaxUint32, edge.Items(v.RootCaCrl))
	lenPckCrlSize := f.Len("pck_crl_size", math.MaxUint32, edge.Items(v.PckCrl))
	lenTcbInfoIssuerChainSize := f.Len("tcb_info_issuer_chain_size", math.MaxUint32, edge.Items(v.TcbInfoIssuerChain))
	lenTcbInfoSize := f.Len("tcb_info_size", math.MaxUint32, edge.Items(v.TcbInfo))
	lenQeIdentityIssuerChainSize := f.Len("qe_identity_issuer_chain_size", math.MaxUint32, edge.Items(v.QeIdentityIssuerChain))
	lenQeIdentitySize := f.Len("qe_identity_size", math.MaxUint32, edge.Items(v.QeIdentity))
	b.PutU32(0, v.Version)
	b.PutU32(4, v.TeeType)
	b.PutU32(16, uint32(lenPckCrlIssuerChainSize))
	b.PutU32(32, uint32(lenRootCaCrlSize))
	b.PutU32(48, uint32(lenPckCrlSize))
	b.PutU32(64, uint32(lenTcbInfoIssuerChainSize))
	b.PutU32(80, uint32(lenTcbInfoSize))
	b.PutU32(96, uint32(lenQeIdentityIssuerChainSize))
	b.PutU32(112, uint32(lenQeIdentitySize))
	r[0] = f.InAt(b, 8, len(v.PckCrlIssuerChain))
	copy(r[0].Block, v.PckCrlIssuerChain)
	r[1] = f.InAt(b, 24, len(v.RootCaCrl))
	copy(r[1].Block, v.RootCaCrl)
	r[2] = f.InAt(b, 40, len(v.PckCrl))
	copy(r[2].Block, v.PckCrl)
	r[3] = f.InAt(b, 56, len(v.TcbInfoIssuerChain))
	copy(r[3].Block, v.TcbInfoIssuerChain)
	r[4] = f.InAt(b, 72, len(v.TcbInfo))
	copy(r[4].Block, v.TcbInfo)
	r[5] = f.InAt(b, 88, len(v.QeIdentityIssuerChain))
	copy(r[5].Block, v.QeIdentityIssuerChain)
	r[6] = f.InAt(b, 104, len(v.QeIdentity))
	copy(r[6].Block, v.QeIdentity)
	return r
}

// RepackC reads v as it came back. Its buffers may have become shorter.
func (v *SgxQlQveCollateralT) RepackC(f *edge.Caller, b edge.Block, r [7]edge.Region) {
	v.Version = b.U32(0)
	v.TeeType = b.U32(4)
	lenPckCrlIssuerChainSize := uint64(b.U32(16))
	lenRootCaCrlSize := uint64(b.U32(32))
	lenPckCrlSize := uint64(b.U32(48))
	lenTcbInfoIssuerChainSize := uint64(b.U32(64))
	lenTcbInfoSize := uint64(b.U32(80))
	lenQeIdentityIssuerChainSize := uint64(b.U32(96))
	lenQeIdentitySize := uint64(b.U32(112))
	if m := f.Part("pck_crl_issuer_chain", r[0], lenPckCrlIssuerChainSize); m != nil {
		v.PckCrlIssuerChain = v.PckCrlIssuerChain[:len(m)]
		copy(v.PckCrlIssuerChain, m)
	}
	if m := f.Part("root_ca_crl", r[1], lenRootCaCrlSize); m != nil {
		v.RootCaCrl = v.RootCaCrl[:len(m)]
		copy(v.RootCaCrl, m)
	}
	if m := f.Part("pck_crl", r[2], lenPckCrlSize); m != nil {
		v.PckCrl = v.PckCrl[:len(m)]
		copy(v.PckCrl, m)
	}
	if m := f.Part("tcb_info_issuer_chain", r[3], lenTcbInfoIssuerChainSize); m != nil {
		v.TcbInfoIssuerChain = v.TcbInfoIssuerChain[:len(m)]
		copy(v.TcbInfoIssuerChain, m)
	}
	if m := f.Part("tcb_info", r[4], lenTcbInfoSize); m != nil {
		v.TcbInfo = v.TcbInfo[:len(m)]
		copy(v.TcbInfo, m)
	}
	if m := f.Part("qe_identity_issuer_chain", r[5], lenQeIdentityIssuerChainSize); m != nil {
		v.QeIdentityIssuerChain = v.QeIdentityIssuerChain[:len(m)]
		copy(v.QeIdentityIssuerChain, m)
	}
	if m := f.Part("qe_identity", r[6], lenQeIdentitySize); m != nil {
		v.QeIdentity = v.QeIdentity[:len(m)]
		copy(v.QeIdentity, m)
	}
}

// UnpackC reads v, and finds its buffers.
func (v *SgxQlQveCollateralT) UnpackC(f *edge.Callee, b edge.Block) (r [7]edge.Buffer) {
	v.Version = b.U32(0)
	v.TeeType = b.U32(4)
	lenPckCrlIssuerChainSize := uint64(b.U32(16))
	lenRootCaCrlSize := uint64(b.U32(32))
	lenPckCrlSize := uint64(b.U32(48))
	lenTcbInfoIssuerChainSize := uint64(b.U32(64))
	lenTcbInfoSize := uint64(b.U32(80))
	lenQeIdentityIssuerChainSize := uint64(b.U32(96))
	lenQeIdentitySize := uint64(b.U32(112))
	r[0] = f.BufferAt(b, 8, lenPckCrlIssuerChainSize)
	r[1] = f.BufferAt(b, 24, lenRootCaCrlSize)
	r[2] = f.BufferAt(b, 40, lenPckCrlSize)
	r[3] = f.BufferAt(b, 56, lenTcbInfoIssuerChainSize)
	r[4] = f.BufferAt(b, 72, lenTcbInfoSize)
	r[5] = f.BufferAt(b, 88, lenQeIdentityIssuerChainSize)
	r[6] = f.BufferAt(b, 104, lenQeIdentitySize)
	return r
}

// LoadC copies the buffers of v.
func (v *SgxQlQveCollateralT) LoadC(f *edge.Callee, r [7]edge.Buffer) {
	v.PckCrlIssuerChain = f.Load(r[0])
	v.RootCaCrl = f.Load(r[1])
	v.PckCrl = f.Load(r[2])
	v.TcbInfoIssuerChain = f.Load(r[3])
	v.TcbInfo = f.Load(r[4])
	v.QeIdentityIssuerChain = f.Load(r[5])
	v.QeIdentity = f.Load(r[6])
}

// StoreC writes v and its buffers back to where they came from. The buffers
// may be shorter than they were.
func (v *SgxQlQveCollateralT) StoreC(f *edge.Callee, b edge.Block, r [7]edge.Buffer) {
	lenPckCrlIssuerChainSize := f.Len("pck_crl_issuer_chain_size", math.MaxUint32, edge.Items(v.PckCrlIssuerChain))
	lenRootCaCrlSize := f.Len("root_ca_crl_size", math.MaxUint32, edge.Items(v.RootCaCrl))
	lenPckCrlSize := f.Len("pck_crl_size", math.MaxUint32, edge.Items(v.PckCrl))
	lenTcbInfoIssuerChainSize := f.Len("tcb_info_issuer_chain_size", math.MaxUint32, edge.Items(v.TcbInfoIssuerChain))
	lenTcbInfoSize := f.Len("tcb_info_size", math.MaxUint32, edge.Items(v.TcbInfo))
	lenQeIdentityIssuerChainSize := f.Len("qe_identity_issuer_chain_size", math.MaxUint32, edge.Items(v.QeIdentityIssuerChain))
	lenQeIdentitySize := f.Len("qe_identity_size", math.MaxUint32, edge.Items(v.QeIdentity))
	b.PutU32(0, v.Version)
	b.PutU32(4, v.TeeType)
	b.PutU32(16, uint32(lenPckCrlIssuerChainSize))
	b.PutU32(32, uint32(lenRootCaCrlSize))
	b.PutU32(48, uint32(lenPckCrlSize))
	b.PutU32(64, uint32(lenTcbInfoIssuerChainSize))
	b.PutU32(80, uint32(lenTcbInfoSize))
	b.PutU32(96, uint32(lenQeIdentityIssuerChainSize))
	b.PutU32(112, uint32(lenQeIdentitySize))
	if n := len(v.PckCrlIssuerChain); f.Room("pck_crl_issuer_chain", uint64(n), r[0].Size) {
		m := make(edge.Block, n)
		copy(m, v.PckCrlIssuerChain)
		f.Store(r[0], m)
	}
	if n := len(v.RootCaCrl); f.Room("root_ca_crl", uint64(n), r[1].Size) {
		m := make(edge.Block, n)
		copy(m, v.RootCaCrl)
		f.Store(r[1], m)
	}
	if n := len(v.PckCrl); f.Room("pck_crl", uint64(n), r[2].Size) {
		m := make(edge.Block, n)
		copy(m, v.PckCrl)
		f.Store(r[2], m)
	}
	if n := len(v.TcbInfoIssuerChain); f.Room("tcb_info_issuer_chain", uint64(n), r[3].Size) {
		m := make(edge.Block, n)
		copy(m, v.TcbInfoIssuerChain)
		f.Store(r[3], m)
	}
	if n := len(v.TcbInfo); f.Room("tcb_info", uint64(n), r[4].Size) {
		m := make(edge.Block, n)
		copy(m, v.TcbInfo)
		f.Store(r[4], m)
	}
	if n := len(v.QeIdentityIssuerChain); f.Room("qe_identity_issuer_chain", uint64(n), r[5].Size) {
		m := make(edge.Block, n)
		copy(m, v.QeIdentityIssuerChain)
		f.Store(r[5], m)
	}
	if n := len(v.QeIdentity); f.Room("qe_identity", uint64(n), r[6].Size) {
		m := make(edge.Block, n)
		copy(m, v.QeIdentity)
		f.Store(r[6], m)
	}
}

// SgxQlQeReportInfoT is struct _sgx_ql_qe_report_info_t, 960 bytes in C.
type SgxQlQeReportInfoT struct {
	Nonce                [16]byte
	AppEnclaveTargetInfo isa.TargetInfo
	QeReport             isa.Report
}

// EncodeC writes v as C has it, 960 bytes.
func (v *SgxQlQeReportInfoT) EncodeC(b edge.Block) {
	copy(b, v.Nonce[:])
	edge.PutBinary(&v.AppEnclaveTargetInfo, b[16:][:512:512])
	edge.PutBinary(&v.QeReport, b[528:][:432:432])
}

// DecodeC reads v as C has it.
func (v *SgxQlQeReportInfoT) DecodeC(b edge.Block) {
	copy(v.Nonce[:], b)
	edge.GetBinary(&v.AppEnclaveTargetInfo, b[16:][:512])
	edge.GetBinary(&v.QeReport, b[528:][:432])
}

// QveECalls are the functions of the enclave: what it implements,
// and what its client calls.
type QveECalls interface {
	// GetFmspcCaFromQuote is ECALL 0:
	//
	//	public quote3_error_t get_fmspc_ca_from_quote([in, size=quote_size] const uint8_t* quote, uint32_t quote_size, [out, size=fmsp_from_quote_size] unsigned char* fmsp_from_quote, uint32_t fmsp_from_quote_size, [out, size=ca_from_quote_size] unsigned char* ca_from_quote, uint32_t ca_from_quote_size);
	GetFmspcCaFromQuote(ctx context.Context, quote []byte, fmspFromQuoteSize, caFromQuoteSize uint32) (ret uint32, fmspFromQuote, caFromQuote []byte, err error)

	// SgxQveGetQuoteSupplementalDataSize is ECALL 1:
	//
	//	public quote3_error_t sgx_qve_get_quote_supplemental_data_size([out, count=1] uint32_t* p_data_size);
	SgxQveGetQuoteSupplementalDataSize(ctx context.Context) (ret, pDataSize uint32, err error)

	// SgxQveGetQuoteSupplementalDataVersion is ECALL 2:
	//
	//	public quote3_error_t sgx_qve_get_quote_supplemental_data_version([out, count=1] uint32_t* p_version);
	SgxQveGetQuoteSupplementalDataVersion(ctx context.Context) (ret, pVersion uint32, err error)

	// SgxQveVerifyQuote is ECALL 3:
	//
	//	public quote3_error_t sgx_qve_verify_quote([in, size=quote_size] const uint8_t* p_quote, uint32_t quote_size, [in, count=1] const struct _sgx_ql_qve_collateral_t* p_quote_collateral, time_t expiration_check_date, [out, count=1] uint32_t* p_collateral_expiration_status, [out, count=1] sgx_ql_qv_result_t* p_quote_verification_result, [in, out, count=1] struct _sgx_ql_qe_report_info_t* p_qve_report_info, uint32_t supplemental_data_size, [in, out, size=supplemental_data_size] uint8_t* p_supplemental_data);
	SgxQveVerifyQuote(ctx context.Context, pQuote []byte, pQuoteCollateral *SgxQlQveCollateralT, expirationCheckDate int64, pQveReportInfo *SgxQlQeReportInfoT, pSupplementalData []byte) (ret, pCollateralExpirationStatus, pQuoteVerificationResult uint32, err error)
}
