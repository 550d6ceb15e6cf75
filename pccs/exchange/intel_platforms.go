package exchange

import (
	"cmp"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/store"
	"github.com/feidi-dev/feidi/pcs"
)

// batch is how many platforms are verified and put at a time.
const batch = 256

// platforms imports platforms. Three tables are gone through side by side in
// the order of their keys.
func (m *migration) platforms() error {
	if !m.has("platforms", "qe_id", "pce_id", "platform_manifest", "enc_ppid", "fmspc", "ca", "updated_time") ||
		!m.has("platform_tcbs", "qe_id", "pce_id", "cpu_svn", "pce_svn", "tcbm") || !m.has("pck_cert", "qe_id", "pce_id", "tcbm", "pck_cert") {
		return &Error{What: whatDatabase, Err: ErrFormat, Reason: "its tables of platforms do not have Intel's columns"}
	}
	certs, err := m.open(fmt.Sprintf(`SELECT qe_id, pce_id, tcbm, %s FROM pck_cert ORDER BY qe_id, pce_id`, atMost("pck_cert", 3*dcap.MaxChainSize)), 2)
	if err != nil {
		return err
	}
	defer certs.rows.Close()
	tcbs, err := m.open(`SELECT qe_id, pce_id, cpu_svn, pce_svn, coalesce(tcbm, '') FROM platform_tcbs ORDER BY qe_id, pce_id`, 3)
	if err != nil {
		return err
	}
	defer tcbs.rows.Close()
	var found []*store.Platform
	seen := 0
	flush := func() error {
		if m.o.Progress != nil {
			m.o.Progress(seen)
		}
		err := m.putPlatforms(found)
		found = found[:0]
		return err
	}
	err = m.each(func(rows *sql.Rows) error {
		p := &store.Platform{Origin: "import"}
		var updated string
		var id store.PlatformID // as the tables have it
		if err := m.scan(rows, &id.QEID, &id.PCEID, &p.Manifest, &p.EncryptedPPID, &p.FMSPC, &p.CA, &updated); err != nil {
			return err
		}
		seen++
		p.PlatformID = store.PlatformID{QEID: strings.ToUpper(id.QEID), PCEID: strings.ToUpper(id.PCEID)}
		p.FMSPC, p.CA, p.Updated = strings.ToUpper(p.FMSPC), strings.ToLower(p.CA), m.updated(updated)
		for _, blob := range []*[]byte{&p.Manifest, &p.EncryptedPPID} {
			if len(*blob) == 0 {
				*blob = nil
			}
		}
		err := certs.of(id, maxPCKCerts, func(v []string) {
			p.Certs = append(p.Certs, store.PCKCert{TCBm: strings.ToUpper(v[0]), Cert: v[1]})
		})
		if err == nil {
			err = tcbs.of(id, store.MaxTCBs, func(v []string) {
				p.TCBs = append(p.TCBs, store.RawTCB{CPUSVN: strings.ToUpper(v[0]), PCESVN: strings.ToUpper(v[1]), TCBm: strings.ToUpper(v[2])})
			})
		}
		if err != nil {
			return err
		}
		if found = append(found, p); len(found) < batch {
			return nil
		}
		return flush()
	}, fmt.Sprintf(`SELECT qe_id, pce_id, %s, %s, coalesce(fmspc, ''), coalesce(ca, ''), CAST(updated_time AS TEXT) FROM platforms ORDER BY qe_id, pce_id`,
		atMost("platform_manifest", MaxManifest), atMost("enc_ppid", digitsPPID/2)))
	if err != nil {
		return err
	}
	return flush()
}

// cursor goes through the rows of a table that belong to platforms, in the order
// of platforms.
type cursor struct {
	m    *migration
	rows *sql.Rows
	id   store.PlatformID
	v    []string // the columns after qe_id and pce_id
	done bool
}

func (m *migration) open(query string, columns int) (*cursor, error) {
	rows, err := m.tx.QueryContext(m.ctx, query)
	if err != nil {
		return nil, m.broken(err)
	}
	c := &cursor{m: m, rows: rows, v: make([]string, columns)}
	return c, c.next()
}

func (c *cursor) next() error {
	if !c.rows.Next() {
		c.done = true
		return c.m.broken(c.rows.Err())
	}
	values := make([]sql.NullString, len(c.v))
	into := []any{&c.id.QEID, &c.id.PCEID}
	for i := range values {
		into = append(into, &values[i])
	}
	err := c.m.scan(c.rows, into...)
	for i := range values {
		c.v[i] = values[i].String
	}
	return err
}

// of calls f for each row of a platform, at most so many times. Rows of
// platforms before it are passed over: they have no platform.
func (c *cursor) of(id store.PlatformID, most int, f func([]string)) error {
	for n := 0; !c.done; n++ {
		order := cmp.Or(strings.Compare(c.id.QEID, id.QEID), strings.Compare(c.id.PCEID, id.PCEID))
		if order > 0 {
			break
		}
		if order < 0 {
			n = -1
		} else if n < most {
			f(c.v)
		}
		if err := c.next(); err != nil {
			return err
		}
	}
	return nil
}

// putPlatforms verifies platforms, on all processors, and puts those that are
// genuine.
func (m *migration) putPlatforms(list []*store.Platform) error {
	errs := make([]error, len(list))
	var wg sync.WaitGroup
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, p := range list {
		free <- struct{}{}
		wg.Go(func() {
			errs[i] = m.checkPlatform(p)
			<-free
		})
	}
	wg.Wait()
	good := list[:0]
	for i, p := range list {
		name := "platform/" + p.QEID + "/" + p.PCEID
		if errors.Is(errs[i], collateral.ErrExpired) {
			m.report.Expired = append(m.report.Expired, name)
		} else if errs[i] != nil {
			m.report.refuse(name, errs[i])
			continue
		}
		good = append(good, p)
	}
	if len(good) == 0 {
		return nil
	}
	if err := m.bind(); err != nil {
		return err
	}
	if err := m.to.PutPlatforms(m.ctx, good); err != nil {
		return err
	}
	for _, p := range good {
		m.report.Platforms++
		m.report.Certificates += len(p.Certs)
		m.report.TCBs += len(p.TCBs)
	}
	return nil
}

// checkPlatform verifies the certificates of a platform, and leaves out TCBs
// whose certificate is not there, and which will be chosen again.
func (m *migration) checkPlatform(p *store.Platform) error {
	p.Issuers = m.issuers(certOf(p.CA))
	fmspc, err := hex.DecodeString(p.FMSPC)
	switch {
	case len(p.Certs) == 0:
		return errors.New("it has no certificates")
	case err != nil || len(fmspc) != 6:
		return errors.New("its FMSPC is not 12 hexadecimal digits")
	case p.EncryptedPPID != nil && len(p.EncryptedPPID) != digitsPPID/2:
		return fmt.Errorf("its encrypted PPID has %d bytes, and is to have %d", len(p.EncryptedPPID), digitsPPID/2)
	case !validQEID(p.QEID) || len(p.PCEID) != digitsPCEID || !isHex(p.PCEID):
		return errors.New("its IDs are not such")
	}
	known := map[string]bool{}
	list := &pcs.PCKCerts{FMSPC: [6]byte(fmspc), CA: pcs.CA(p.CA), Issuers: p.Issuers}
	for i := range p.Certs {
		c := &p.Certs[i]
		pem, certs, err := unescape(c.Cert)
		if err != nil || len(certs) != 1 {
			return fmt.Errorf("its certificate for TCB %.40q is not one in PEM", c.TCBm)
		}
		ext, _, err := kindOf(certs[0])
		if err != nil {
			return fmt.Errorf("its certificate for TCB %.40q: %w", c.TCBm, err)
		}
		tcbm, err := hex.DecodeString(c.TCBm)
		if err != nil || len(tcbm) != digitsTCBm/2 {
			return fmt.Errorf("TCB %.40q of a certificate is not %d hexadecimal digits", c.TCBm, digitsTCBm)
		}
		c.Cert, known[c.TCBm] = string(pem), true
		list.Levels = append(list.Levels, pcs.PCKLevel{TCB: ext.TCB, CPUSVN: [16]byte(tcbm), PCESVN: binary.LittleEndian.Uint16(tcbm[16:]), Cert: pem})
	}
	kept := p.TCBs[:0]
	for _, t := range p.TCBs {
		if known[t.TCBm] && len(t.CPUSVN) == digitsCPUSVN && isHex(t.CPUSVN) && len(t.PCESVN) == digitsPCESVN && isHex(t.PCESVN) {
			kept = append(kept, t)
		}
	}
	p.TCBs = kept
	return m.check.CheckPCK(list, m.o.At)
}

// registrations imports platforms that wait for an administrator.
func (m *migration) registrations() error {
	if !m.has("platforms_registered", "qe_id", "pce_id", "cpu_svn", "pce_svn", "enc_ppid", "platform_manifest", "state") {
		return nil
	}
	return m.each(func(rows *sql.Rows) error {
		var r store.Registration
		var state int
		var updated string
		if err := m.scan(rows, &r.QEID, &r.PCEID, &r.CPUSVN, &r.PCESVN, &r.EncryptedPPID, &r.Manifest, &state, &updated); err != nil {
			return err
		}
		r.QEID, r.PCEID, r.CPUSVN, r.PCESVN = strings.ToUpper(r.QEID), strings.ToUpper(r.PCEID), strings.ToUpper(r.CPUSVN), strings.ToUpper(r.PCESVN)
		r.State, r.At = store.State(state), m.updated(updated)
		digits := func(s string, n int) bool { return s == "" || len(s) == n && isHex(s) }
		if !validQEID(r.QEID) || len(r.PCEID) != digitsPCEID || !isHex(r.PCEID) || !digits(r.CPUSVN, digitsCPUSVN) || !digits(r.PCESVN, digitsPCESVN) ||
			len(r.EncryptedPPID) != 0 && len(r.EncryptedPPID) != digitsPPID/2 {
			m.report.refuse("registration of platform "+r.QEID, errors.New("its values have other sizes than they are to have"))
			return nil
		}
		if err := m.to.Register(m.ctx, &r); err != nil {
			return err
		}
		m.report.Registrations++
		return nil
	}, fmt.Sprintf(`SELECT qe_id, pce_id, cpu_svn, pce_svn, %s, %s, state, CAST(updated_time AS TEXT) FROM platforms_registered WHERE state IN (0, 1)`,
		atMost("enc_ppid", digitsPPID/2), atMost("platform_manifest", MaxManifest)))
}

// policies imports appraisal policies. Their IDs and kinds are found anew.
func (m *migration) policies() error {
	if !m.has("appraisal_policies", "id", "policy", "is_default", "fmspc") {
		return nil
	}
	return m.each(func(rows *sql.Rows) error {
		var id, fmspc string
		var p store.Policy
		if err := m.scan(rows, &id, &p.Body, &p.Default, &p.FMSPC); err != nil {
			return err
		}
		fmspc = p.FMSPC
		p, err := ParsePolicy(AppendPolicy(nil, &p))
		if err != nil {
			m.report.refuse(fmt.Sprintf("appraisal policy %.20q of FMSPC %.12s", id, fmspc), err)
			return nil
		}
		if err := m.to.PutPolicy(m.ctx, &p); err != nil {
			return err
		}
		m.report.Policies++
		return nil
	}, fmt.Sprintf(`SELECT id, coalesce(%s, ''), is_default, fmspc FROM appraisal_policies`, atMost("policy", MaxPolicy)))
}
