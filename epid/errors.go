package epid

import (
	"errors"
	"fmt"
)

var (
	// ErrFormat is the error of bytes that are not what they should be.
	ErrFormat = errors.New("EPID: malformed")
	// ErrKey is the error of a key that does not belong to the group.
	ErrKey = errors.New("EPID: the key does not belong to the group")
	// ErrJoin is the error of a join request that proves nothing.
	ErrJoin = errors.New("EPID: the join request does not prove that its sender knows the secret")
	// ErrSignature is the error of a signature that no member of the group
	// made for this message and basename.
	ErrSignature = errors.New("EPID: the signature is not valid")
	// ErrRevoked is the error of all revocations.
	ErrRevoked = errors.New("EPID: revoked")
	// ErrList is the error of a revocation list that does not fit the group or
	// the signature.
	ErrList = errors.New("EPID: the revocation list does not fit")
	// ErrHash is the error of an unknown hash algorithm.
	ErrHash = errors.New("EPID: unknown hash algorithm")
)

// The revocations; all are ErrRevoked.
var (
	ErrGroupRevoked     = fmt.Errorf("%w: the group is in the group list", ErrRevoked)
	ErrKeyRevoked       = fmt.Errorf("%w: the signer's private key is in the list", ErrRevoked)
	ErrSignatureRevoked = fmt.Errorf("%w: a signature of this signer is in the list", ErrRevoked)
	ErrVerifierRevoked  = fmt.Errorf("%w: the signer is in the verifier's own list", ErrRevoked)
)

// FormatError says what is wrong with bytes, and where. It is ErrFormat.
type FormatError struct {
	What   string // such as "signature"
	Offset int    // in bytes
	Reason string
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("EPID: %s, offset %d: %s", e.What, e.Offset, e.Reason)
}

// Unwrap returns ErrFormat.
func (e *FormatError) Unwrap() error { return ErrFormat }
