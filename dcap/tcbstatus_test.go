package dcap_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

// Names by what Intel's service and its library print.
func TestTCBStatus(t *testing.T) {
	for s, name := range map[dcap.TCBStatus]string{
		1: "UpToDate", 2: "SWHardeningNeeded", 3: "ConfigurationNeeded", 4: "ConfigurationAndSWHardeningNeeded", 5: "OutOfDate",
		6: "OutOfDateConfigurationNeeded", 7: "Revoked", 8: "TDRelaunchAdvised", 9: "TDRelaunchAdvisedConfigurationNeeded",
	} {
		got, err := dcap.ParseTCBStatus(name)
		if got != s || err != nil || s.String() != name {
			t.Errorf("%s is %d, %v; %d is %v", name, got, err, s, s)
		}
		b, err := json.Marshal([]dcap.TCBStatus{s, dcap.TCBUnknown})
		var back []dcap.TCBStatus
		if err := errors.Join(err, json.Unmarshal(b, &back)); err != nil || string(b) != `["`+name+`",""]` || back[0] != s || back[1] != dcap.TCBUnknown {
			t.Errorf("%s, %v, %v", b, back, err)
		}
	}
	for _, name := range []string{"", "Unknown", "uptodate", "UpToDate ", "RelaunchAdvised"} {
		if s, err := dcap.ParseTCBStatus(name); !errors.Is(err, dcap.ErrInvalid) || s != dcap.TCBUnknown {
			t.Errorf("%q is %v, %v", name, s, err)
		}
	}
	s := dcap.Revoked
	if err := s.UnmarshalText([]byte("x")); !errors.Is(err, dcap.ErrInvalid) || s != dcap.Revoked {
		t.Errorf("%v, %v", s, err)
	}
	if _, err := dcap.TCBStatus(10).MarshalText(); !errors.Is(err, dcap.ErrInvalid) || dcap.TCBStatus(10).String() != "TCBStatus(10)" {
		t.Errorf("%v", err)
	}
}

// Every date of four centuries, and what is none, against package time.
func TestDates(t *testing.T) {
	doc := func(date string) []byte {
		return fmt.Appendf(nil, `{"enclaveIdentity":{"issueDate":"%s","version":1}}`, date)
	}
	check := func(date string) {
		t.Helper()
		// What is right up to the date fails on the version.
		_, err := dcap.ParseEnclaveIdentity(doc(date))
		_, std := time.Parse("2006-01-02T15:04:05Z", date)
		if errors.Is(err, dcap.ErrVersion) != (std == nil) {
			t.Errorf("%s: %v; package time: %v", date, err, std)
		}
	}
	for year := 1896; year <= 2108; year++ {
		for month := range 14 {
			for _, day := range []int{0, 1, 28, 29, 30, 31, 32} {
				check(fmt.Sprintf("%04d-%02d-%02dT23:59:59Z", year, month, day))
			}
		}
	}
	for _, date := range []string{
		"", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:60Z", "2024-01-01 00:00:00Z",
		"2024-01-01T00:00:00z", "2024-01-01T00:00:00+", "2024-01-01T00:00:00", "2024-01-01T00:00:00ZZ", "-024-01-01T00:00:00Z", "2024-1-001T00:00:00Z", "2024-01-01T0 :00:00Z",
		"2O24-01-01T00:00:00Z", "2024/01/01T00:00:00Z", "2024-01-01T00.00.00Z",
	} {
		check(date)
	}
	for _, date := range []string{"2024-01-01T00:00:00.5Z", "2024-01-01T00:00:00,5Z"} { // package time takes these
		if _, err := dcap.ParseEnclaveIdentity(doc(date)); !errors.Is(err, dcap.ErrInvalid) {
			t.Errorf("%s: %v", date, err)
		}
	}
}
