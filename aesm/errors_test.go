package aesm_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/aesm"
)

// refused checks that an error is one of format, and what it says.
func refused(t *testing.T, name string, err error, want string) {
	t.Helper()
	if !errors.Is(err, aesm.ErrFormat) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%s: got error %v, want %q in it", name, err, want)
	}
}

func TestFormatErrorSaysWhere(t *testing.T) {
	wire := message(17, b(1, "report"), n(4, 9))
	for at, wrong := range map[int]byte{2: 0x06, 10: 0x27} { // tags of the fields
		bad := append([]byte(nil), wire...)
		bad[at+1] = wrong
		_, err := aesm.ParseRequest(bad)
		var f *aesm.FormatError
		if !errors.As(err, &f) || f.Kind != aesm.KindGetQuoteEx || f.Offset != at+1 {
			t.Errorf("at %d: %v", at+1, err)
		}
	}
}

// Names of some codes, as the SDK has them, and that each code has one.
func TestCodes(t *testing.T) {
	for code, want := range map[aesm.Code]string{
		0: "AESM_SUCCESS", 1: "AESM_UNEXPECTED_ERROR", 3: "AESM_PARAMETER_ERROR", 20: "AESM_UPDATE_AVAILABLE", 28: "AESM_KDF_MISMATCH", 30: "AESM_SERVICE_UNAVAILABLE",
		38: "AESM_UNSUPPORTED_ATT_KEY_ID", 42: "AESM_ATT_KEY_NOT_INITIALIZED", 44: "AESM_NO_PLATFORM_CERT_DATA", 47: "AESM_INVALID_REPORT", 51: "AESM_CONFIG_UNSUPPORTED",
		27: "AESM error 27", 52: "AESM error 52", 1<<32 - 1: "AESM error 4294967295",
	} {
		if code.String() != want {
			t.Errorf("%d is %v, want %s", uint32(code), code, want)
		}
	}
	names := map[string]bool{}
	for c := aesm.Code(0); c <= 51; c++ {
		if names[c.String()] || c != 27 && !strings.HasPrefix(c.String(), "AESM_") || c != 0 && c != 27 && c.Advice() == "" {
			t.Errorf("%d is %v: %s", uint32(c), c, c.Advice())
		}
		names[c.String()] = true
	}
}

func TestError(t *testing.T) {
	err := fmt.Errorf("quote: %w", &aesm.Error{Kind: aesm.KindGetQuoteEx, Code: 42})
	if !errors.Is(err, aesm.ErrAttKeyNotInitialized) || err.Error() != "quote: aesm: GetQuoteEx: AESM_ATT_KEY_NOT_INITIALIZED (42); call InitQuoteEx first" {
		t.Error(err)
	}
	if got := (&aesm.Error{Kind: 99, Code: 99}).Error(); got != "aesm: message 99: AESM error 99" {
		t.Error(got)
	}
}
