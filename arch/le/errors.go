package le

// Errors of the enclave, as its functions return them (aeerror.h).
const (
	Success                = 0
	UnexpectedError        = 37  // LE_UNEXPECTED_ERROR: EREPORT has failed
	InvalidParameter       = 38  // LE_INVALID_PARAMETER: an argument, or a white list, is not one
	EinitTokenKeyError     = 39  // LE_GET_EINITTOKEN_KEY_ERROR: EGETKEY has failed
	InvalidAttribute       = 40  // LE_INVALID_ATTRIBUTE: the enclave may not have what it asks for
	InvalidPrivilege       = 41  // LE_INVALID_PRIVILEGE_ERROR: the signer is not on the white list
	WhiteListUninitialized = 42  // LE_WHITELIST_UNINITIALIZED_ERROR: there is no white list
	AlreadyUpdated         = 213 // LE_WHITE_LIST_ALREADY_UPDATED: the enclave has that version, or a later one
)
