package store

import (
	"context"
	"time"
)

// Match is the answer to a raw TCB that was seen before.
type Match struct {
	PCKCert
	FMSPC, CA string
	Issuers   []byte
	Updated   time.Time // when the certificates were had
}

const matchQuery = `SELECT p.fmspc, p.ca, p.updated, c.tcbm, c.cert, i.pem
	FROM pccs_platforms p
	JOIN pccs_tcbs t ON t.platform = p.id
	JOIN pccs_certs c ON c.platform = p.id AND c.tcbm = t.tcbm
	LEFT JOIN pccs_chains i ON i.sha256 = p.issuers
	WHERE p.qe_id = ? AND p.pce_id = ? AND t.cpu_svn = ? AND t.pce_svn = ?`

// Match returns the certificate that was chosen for a raw TCB, or ErrNotFound. It is one query.
func (s *Store) Match(ctx context.Context, id PlatformID, cpuSVN, pceSVN string) (*Match, error) {
	if !isKey(id.QEID, maxQEID) || !isKey(id.PCEID, maxPCEID) || !isKey(cpuSVN, maxCPUSVN) || !isKey(pceSVN, maxPCESVN) {
		return nil, ErrNotFound
	}
	m := new(Match)
	var updated int64
	err := s.row(ctx, &s.match, id.QEID, id.PCEID, cpuSVN, pceSVN).Scan(&m.FMSPC, &m.CA, &updated, &m.TCBm, &m.Cert, &m.Issuers)
	if err != nil {
		return nil, s.fail(ctx, "find a PCK certificate", err)
	}
	m.Updated = moment(updated)
	return m, nil
}
