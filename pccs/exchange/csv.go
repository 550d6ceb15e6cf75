package exchange

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/feidi-dev/feidi/pccs/store"
)

const whatCSV = "PCK ID retrieval result"

// ParseCSV reads what PCKIDRetrievalTool writes: a line for a platform of
//
//	encrypted PPID, PCE ID, CPUSVN, PCESVN, QE ID[, platform manifest]
//
// in hexadecimal; without an enclave only PCE ID, platform ID (in the place of
// the QE ID) and manifest are not empty. MaxCSV bytes at most are read. Errors
// are *Error.
func ParseCSV(file []byte) ([]store.Registration, error) {
	if len(file) > MaxCSV {
		return nil, &Error{What: whatCSV, Err: ErrTooLarge, Reason: fmt.Sprintf("it has more than %d bytes", MaxCSV)}
	}
	in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte("\ufeff"))))
	in.FieldsPerRecord, in.TrimLeadingSpace = -1, true
	var list []store.Registration
	for {
		fields, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, &Error{What: whatCSV, Err: ErrFormat, Reason: fmt.Sprintf("it is not CSV: %v", err)}
		}
		p, err := csvRow(fields)
		if err != nil {
			line, _ := in.FieldPos(0)
			return nil, &Error{What: whatCSV, Where: fmt.Sprintf("line %d", line), Err: ErrFormat, Reason: err.Error()}
		}
		list = append(list, p)
	}
	if len(list) == 0 {
		return nil, &Error{What: whatCSV, Err: ErrFormat, Reason: "it has no platform"}
	}
	return list, nil
}

func csvRow(fields []string) (p store.Registration, err error) {
	if len(fields) != 5 && len(fields) != 6 {
		return p, fmt.Errorf("it has %d values, and is to have 5 or 6", len(fields))
	}
	if len(fields) == 5 {
		fields = append(fields, "")
	}
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	for _, f := range []struct {
		index, digits int
		name          string
		orNone        bool
	}{
		{0, digitsPPID, "encrypted PPID", true}, {1, digitsPCEID, "PCE ID", false},
		{2, digitsCPUSVN, "CPUSVN", true}, {3, digitsPCESVN, "PCESVN", true},
	} {
		v := fields[f.index]
		if (v != "" || !f.orNone) && (len(v) != f.digits || !isHex(v)) {
			return p, fmt.Errorf("%s is to be %d hexadecimal digits", f.name, f.digits)
		}
	}
	if !validQEID(fields[4]) {
		return p, fmt.Errorf("the QE ID is to be 1 to %d printable characters", maxQEID)
	}
	manifest, err := hex.DecodeString(fields[5])
	switch {
	case err != nil:
		return p, errors.New("the platform manifest is not hexadecimal")
	case len(manifest) > MaxManifest:
		return p, fmt.Errorf("the platform manifest has more than %d bytes", MaxManifest)
	case len(manifest) == 0 && fields[0] == "":
		return p, errors.New("it has neither an encrypted PPID nor a platform manifest")
	}
	p = store.Registration{
		PlatformID: store.PlatformID{QEID: strings.ToUpper(fields[4]), PCEID: strings.ToUpper(fields[1])},
		CPUSVN:     strings.ToUpper(fields[2]), PCESVN: strings.ToUpper(fields[3]),
	}
	if fields[0] != "" {
		p.EncryptedPPID, _ = hex.DecodeString(fields[0]) // its digits were looked at
	}
	if len(manifest) > 0 {
		p.Manifest = manifest
	}
	return p, nil
}
