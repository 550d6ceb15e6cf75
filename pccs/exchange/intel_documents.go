package exchange

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/store"
)

// The numbers that certificates have in Intel's database.
const (
	certRoot      = 1
	certProcessor = 2
	certTCB       = 3
	certPlatform  = 4
)

// certificates reads Intel's table of certificates, of which each has a PEM that
// is percent-encoded, and the root its CRL.
func (m *migration) certificates() error {
	m.chains = map[int][]byte{}
	if !m.has("pcs_certificates", "id", "cert", "crl") {
		return nil
	}
	return m.each(func(rows *sql.Rows) error {
		var id int
		var cert, crl []byte
		var updated string
		if err := m.scan(rows, &id, &cert, &crl, &updated); err != nil {
			return err
		}
		if len(cert) > 0 {
			pem, _, err := unescape(string(cert))
			if err != nil {
				m.report.refuse(fmt.Sprintf("certificate %d", id), err)
			} else {
				m.chains[id] = pem
			}
		}
		if id != certRoot || len(crl) == 0 {
			return nil
		}
		if ok, err := m.document(collateral.Item{Kind: collateral.RootCRL, API: 4}, crl, nil, updated); ok {
			m.rootCRL = crl
		} else if err != nil {
			return err
		}
		return nil
	}, fmt.Sprintf(`SELECT id, %s, %s, CAST(updated_time AS TEXT) FROM pcs_certificates WHERE id BETWEEN 1 AND 4 ORDER BY id`,
		atMost("cert", 3*dcap.MaxChainSize), atMost("crl", dcap.MaxCRLSize)))
}

// issuers is the chain from a certificate to the root.
func (m *migration) issuers(id int) []byte {
	if m.chains[id] == nil || m.chains[certRoot] == nil {
		return nil
	}
	return slices.Concat(m.chains[id], m.chains[certRoot])
}

// document verifies a document and puts it. It reports whether it did; that it
// is not genuine is no error.
func (m *migration) document(item collateral.Item, body, chain []byte, updated string) (bool, error) {
	item = item.Canonical()
	name := item.String()
	if err := item.Valid(); err != nil {
		m.report.refuse(name, err)
		return false, nil
	}
	if len(body) == 0 {
		m.report.refuse(name, errors.New("it is empty, or larger than such a document may be"))
		return false, nil
	}
	d, err := m.check.Check(item, body, chain, m.rootCRL, m.o.At)
	expired := errors.Is(err, collateral.ErrExpired)
	if d == nil || err != nil && !expired {
		m.report.refuse(name, err)
		return false, nil
	}
	if err := m.bind(); err != nil {
		return false, err
	}
	err = m.to.PutDocuments(m.ctx, &store.Document{
		Name: name, Body: d.Body, Chain: d.Chain, Issued: d.Issued, NextUpdate: d.NextUpdate,
		Evaluation: d.Evaluation, Fetched: m.updated(updated), Origin: "import",
	})
	if err != nil {
		return false, err
	}
	if m.put[name] {
		return true, nil // of another table
	}
	m.put[name] = true
	m.report.Documents++
	if expired {
		m.report.Expired = append(m.report.Expired, name)
	}
	return true, nil
}

// documents imports TCB infos, identities and CRLs.
func (m *migration) documents() error {
	for _, step := range []func() error{m.tcbInfos, m.identities, m.pckCRLs, m.otherCRLs} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (m *migration) tcbInfos() error {
	if !m.has("fmspc_tcbs", "fmspc", "tcbinfo", "updated_time") {
		return nil
	}
	return m.each(func(rows *sql.Rows) error {
		item := collateral.Item{Kind: collateral.TCBInfo}
		var tee int
		var update, updated string
		var body []byte
		if err := m.scan(rows, &item.FMSPC, &tee, &item.API, &update, &body, &updated); err != nil {
			return err
		}
		if tee == 1 {
			item.TEE = dcap.TEETDX
		}
		item.Update = strings.ToLower(update)
		_, err := m.document(item, body, m.issuers(certTCB), updated)
		return err
	}, fmt.Sprintf(`SELECT fmspc, %s, %s, %s, %s, CAST(updated_time AS TEXT) FROM fmspc_tcbs`,
		m.or("fmspc_tcbs", "type", "0"), m.or("fmspc_tcbs", "version", "3"), m.or("fmspc_tcbs", "update_type", "'STANDARD'"),
		atMost("tcbinfo", dcap.MaxJSONSize)))
}

func (m *migration) identities() error {
	switch {
	case m.has("enclave_identities", "id", "identity", "updated_time"):
		return m.each(m.identity, fmt.Sprintf(`SELECT id, %s, %s, %s, CAST(updated_time AS TEXT) FROM enclave_identities`,
			m.or("enclave_identities", "version", "3"), m.or("enclave_identities", "update_type", "'STANDARD'"), atMost("identity", dcap.MaxJSONSize)))
	case m.has("qe_identities", "qe_identity", "updated_time") && m.has("qve_identities", "qve_identity", "updated_time"): // version 1
		return m.each(m.identity, fmt.Sprintf(`SELECT 1, 3, 'STANDARD', %s, CAST(updated_time AS TEXT) FROM qe_identities
			UNION ALL SELECT 2, 3, 'STANDARD', %s, CAST(updated_time AS TEXT) FROM qve_identities`,
			atMost("qe_identity", dcap.MaxJSONSize), atMost("qve_identity", dcap.MaxJSONSize)))
	}
	return nil
}

func (m *migration) identity(rows *sql.Rows) error {
	var id int
	var item collateral.Item
	var update, updated string
	var body []byte
	if err := m.scan(rows, &id, &item.API, &update, &body, &updated); err != nil {
		return err
	}
	item.Update = strings.ToLower(update)
	switch id {
	case 1:
		item.Kind = collateral.QEIdentity
	case 2:
		item.Kind = collateral.QVEIdentity
	case 3:
		item.Kind, item.TEE = collateral.QEIdentity, dcap.TEETDX
	default:
		m.report.refuse(fmt.Sprintf("enclave identity %d", id), errors.New("no enclave has this number"))
		return nil
	}
	_, err := m.document(item, body, m.issuers(certTCB), updated)
	return err
}

func (m *migration) pckCRLs() error {
	if !m.has("pck_crl", "ca", "pck_crl", "updated_time") {
		return nil
	}
	return m.each(func(rows *sql.Rows) error {
		var ca, updated string
		var crl []byte
		if err := m.scan(rows, &ca, &crl, &updated); err != nil {
			return err
		}
		item := collateral.Item{Kind: collateral.PCKCRL, CA: ca}
		_, err := m.document(item, crl, m.issuers(certOf(ca)), updated)
		return err
	}, fmt.Sprintf(`SELECT ca, %s, CAST(updated_time AS TEXT) FROM pck_crl`, atMost("pck_crl", dcap.MaxCRLSize)))
}

// certOf is the number of a CA's certificate, by its name in any case.
func certOf(ca string) int {
	if strings.EqualFold(ca, "processor") {
		return certProcessor
	}
	return certPlatform
}

func (m *migration) otherCRLs() error {
	if !m.has("crl_cache", "cdp_url", "crl", "updated_time") {
		return nil
	}
	return m.each(func(rows *sql.Rows) error {
		var uri, updated string
		var crl []byte
		if err := m.scan(rows, &uri, &crl, &updated); err != nil {
			return err
		}
		// By their addresses these are lists that other tables have, too,
		// or ought to have.
		item, err := m.check.Resolve(collateral.Item{Kind: collateral.CRL, URI: uri})
		if err != nil {
			m.report.refuse(fmt.Sprintf("revocation list of %.100q", uri), err)
			return nil
		}
		_, err = m.document(item, crl, m.issuers(certOf(item.CA)), updated)
		return err
	}, fmt.Sprintf(`SELECT cdp_url, %s, CAST(updated_time AS TEXT) FROM crl_cache`, atMost("crl", dcap.MaxCRLSize)))
}
