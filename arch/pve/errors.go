package pve

import "errors"

// Errors of the enclave, as its functions return them (aeerror.h).
const (
	Success         uint32 = 0
	UnexpectedError uint32 = 24  // PVE_UNEXPECTED_ERROR
	ParameterError  uint32 = 25  // PVE_PARAMETER_ERROR: a message of another size
	IntegrityError  uint32 = 28  // PVE_INTEGRITY_CHECK_ERROR: the factory did not make this message for this one's answer
	MessageError    uint32 = 32  // PVE_MSG_ERROR: the factory made it, and it makes no sense
	OrderError      uint32 = 34  // PVE_SESSION_OUT_OF_ORDER_ERROR: another message is due
	GroupError      uint32 = 205 // PVE_XEGDSK_SIGN_ERROR: nobody has said which extended group
)

var (
	// ErrGroup is the error of bytes that are no extended group for this enclave.
	ErrGroup = errors.New("pve: not an extended EPID group")
	// ErrMessage is the error of bytes that are no message of provisioning.
	ErrMessage = errors.New("pve: not a message of EPID provisioning")
	// ErrIntegrity is the error of a message that nobody can have made who knows
	// the machine's provisioning key, or not in answer to the last.
	ErrIntegrity = errors.New("pve: the message was not made by the machine or the factory for this provisioning")
)
