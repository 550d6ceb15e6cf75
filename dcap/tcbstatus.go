package dcap

import (
	"fmt"
	"strconv"
)

// tcbStatusNames are Intel's names, as they stand in TCB info; the last two
// are how its library prints the results of an evaluation.
var tcbStatusNames = [...]string{
	TCBUnknown:                         "Unknown",
	UpToDate:                           "UpToDate",
	SWHardeningNeeded:                  "SWHardeningNeeded",
	ConfigurationNeeded:                "ConfigurationNeeded",
	ConfigurationAndSWHardeningNeeded:  "ConfigurationAndSWHardeningNeeded",
	OutOfDate:                          "OutOfDate",
	OutOfDateConfigurationNeeded:       "OutOfDateConfigurationNeeded",
	Revoked:                            "Revoked",
	RelaunchAdvised:                    "TDRelaunchAdvised",
	RelaunchAdvisedConfigurationNeeded: "TDRelaunchAdvisedConfigurationNeeded",
}

// ParseTCBStatus returns the status of one of Intel's names, such as
// "UpToDate", or an error that wraps ErrInvalid.
func ParseTCBStatus(name string) (TCBStatus, error) {
	for s := UpToDate; int(s) < len(tcbStatusNames); s++ {
		if tcbStatusNames[s] == name {
			return s, nil
		}
	}
	return TCBUnknown, fmt.Errorf("%w: no TCB status is called %s", ErrInvalid, quoted(name))
}

// String returns Intel's name, or "Unknown" for the zero value.
func (s TCBStatus) String() string {
	if int(s) < len(tcbStatusNames) {
		return tcbStatusNames[s]
	}
	return "TCBStatus(" + strconv.Itoa(int(s)) + ")"
}

// MarshalText returns Intel's name, and nothing for the zero value. What is no
// status is an error.
func (s TCBStatus) MarshalText() ([]byte, error) {
	switch {
	case s == TCBUnknown:
		return []byte{}, nil
	case int(s) < len(tcbStatusNames):
		return []byte(tcbStatusNames[s]), nil
	}
	return nil, fmt.Errorf("%w: %v", ErrInvalid, s)
}

// UnmarshalText reads what MarshalText writes.
func (s *TCBStatus) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*s = TCBUnknown
		return nil
	}
	parsed, err := ParseTCBStatus(string(text))
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}

// quoted is a string of a document as it may stand in a message.
func quoted(s string) string {
	const longest = 48
	if len(s) > longest {
		return strconv.QuoteToASCII(s[:longest]) + "..."
	}
	return strconv.QuoteToASCII(s)
}
