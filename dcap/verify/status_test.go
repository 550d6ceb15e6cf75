package verify_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/feidi-dev/feidi/dcap/verify"
)

// TestStatusNumbers has some numbers of Intel's header: the first, the last, and
// those at which the list grew.
func TestStatusNumbers(t *testing.T) {
	for name, number := range map[string]verify.Status{
		"STATUS_OK": 0, "STATUS_UNSUPPORTED_CERT_FORMAT": 1, "STATUS_SGX_PCK_CERT_CHAIN_UNTRUSTED": 18, "STATUS_SGX_CRL_INVALID_SIGNATURE": 32,
		"STATUS_UNSUPPORTED_QUOTE_FORMAT": 37, "STATUS_TCB_OUT_OF_DATE": 45, "STATUS_TCB_UNRECOGNIZED_STATUS": 50, "STATUS_SGX_QE_IDENTITY_UNSUPPORTED_FORMAT": 58,
		"STATUS_SGX_TCB_INFO_EXPIRED": 75, "STATUS_SGX_ENCLAVE_IDENTITY_EXPIRED": 81, "STATUS_TCB_SW_HARDENING_NEEDED": 82, "STATUS_TDX_MODULE_MISMATCH": 85,
		"STATUS_TCB_TD_RELAUNCH_ADVISED": 87, "STATUS_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED": 88,
	} {
		if s, err := verify.ParseStatus(name); err != nil || s != number {
			t.Errorf("%s is %d (%v), want %d", name, uint8(s), err, uint8(number))
		}
	}
}

// TestStatusText writes and reads all, also as JSON.
func TestStatusText(t *testing.T) {
	tcb, expired := 0, 0
	for s := range verify.Status(89) {
		b, err := json.Marshal(s)
		var got verify.Status
		if err == nil {
			err = json.Unmarshal(b, &got)
		}
		if err != nil || got != s || string(b) != `"`+s.String()+`"` {
			t.Errorf("%d: %s, %v, %v", uint8(s), b, got, err)
		}
		if s.TCB() && s.Expired() {
			t.Errorf("%v is of both kinds", s)
		}
		if s.TCB() {
			tcb++
		}
		if s.Expired() {
			expired++
		}
	}
	if tcb != 11 || expired != 5 {
		t.Errorf("%d are of a TCB, %d of time", tcb, expired)
	}
	for _, name := range []string{"", "OK", "STATUS_", "status_ok", "STATUS_89", "STATUS_OK "} {
		if s, err := verify.ParseStatus(name); !errors.Is(err, verify.ErrUnknownStatus) {
			t.Errorf("%q is %v, %v", name, s, err)
		}
	}
	if s := verify.Status(89).String(); s != "STATUS_89" {
		t.Error(s)
	}
}
