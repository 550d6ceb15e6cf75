package exchange

import (
	"encoding/hex"
	"strings"

	"github.com/feidi-dev/feidi/internal/strictjson"
	"github.com/feidi-dev/feidi/pccs"
)

const whatRegistration = "platform registration"

// ParseRegistration reads the body of POST /platforms, as PCKIDRetrievalTool
// sends it:
//
//	{"qe_id", "pce_id", "platform_manifest"} or
//	{"qe_id", "pce_id", "cpu_svn", "pce_svn", "enc_ppid"}
//
// If there is a manifest the last three count for nothing, and are not in the
// result. Digits come out in upper case. Errors are *Error.
func ParseRegistration(body []byte) (pccs.Registration, error) {
	var r strictjson.Reader
	r.Init(body)
	p := readRow(&r)
	r.End()
	if err := r.Err(); err != nil {
		return pccs.Registration{}, jsonError(whatRegistration, "", err)
	}
	reg := pccs.Registration{QEID: p.QEID, PCEID: p.PCEID}
	if len(p.manifest) > 0 {
		reg.Manifest = upperHex(p.manifest)
		return reg, nil
	}
	reg.CPUSVN, reg.PCESVN, reg.EncryptedPPID = p.cpuSVN, p.pceSVN, upperHex(p.ppid)
	if reg.CPUSVN == "" || reg.PCESVN == "" || reg.EncryptedPPID == "" {
		return pccs.Registration{}, &Error{What: whatRegistration, Err: ErrFormat,
			Reason: "it has neither a platform_manifest, nor all of cpu_svn, pce_svn and enc_ppid"}
	}
	return reg, nil
}

func upperHex(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }
