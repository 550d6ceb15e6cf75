package qe

import (
	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/isa"
)

// reportKey is the REPORT key of a KEYID.
type reportKey struct {
	id  [32]byte
	mac *cmac.CMAC
}

// made reports whether a REPORT was made on this machine for the QE. The key of the
// last one is remembered, since a processor has the same KEYID until it is switched
// off, and all else that the key depends on does not change while an enclave runs.
func (q *QE) made(r *isa.Report) bool {
	k, known := q.reports.Load(), true
	if k == nil || k.id != r.KeyID {
		request := isa.KeyRequest{KeyName: isa.KeyReport, KeyID: r.KeyID}
		key, err := q.processor.Key(&request)
		if err != nil {
			return false
		}
		k, known = &reportKey{r.KeyID, cmac.New(key)}, false
	}
	body, err := r.ReportBody.AppendBinary(make([]byte, 0, isa.ReportBodySize))
	if err != nil || !cmac.Equal(k.mac.Sum(body), r.MAC) {
		return false
	}
	if !known {
		q.reports.Store(k) // not before: anybody can make up a KEYID
	}
	return true
}
