package supervisor

import (
	"context"
	"errors"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/enclave/process"
)

// died reports whether an enclave is of no more use after an error.
func died(err error) bool {
	if err == nil {
		return false
	}
	for _, e := range []error{process.ErrEnded, enclave.ErrDestroyed, enclave.ErrEnclaveLost, enclave.ErrEnclaveCrashed} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// CallCode is AESM's code for an ECALL that did not return.
func CallCode(err error) aesm.Code {
	switch {
	case died(err):
		return aesm.ErrEnclaveLost
	case errors.Is(err, context.DeadlineExceeded):
		return aesm.ErrBusy
	case errors.Is(err, context.Canceled):
		return aesm.ErrServiceStopped
	}
	return aesm.ErrUnexpected
}

// LoadCode is AESM's code for an enclave that was not loaded.
func LoadCode(err error) aesm.Code {
	switch {
	case errors.Is(err, enclave.ErrNoEngine):
		return aesm.ErrNoDevice
	case errors.Is(err, enclave.ErrOutOfEPC):
		return aesm.ErrOutOfEPC
	}
	return aesm.ErrEnclaveLoad
}
