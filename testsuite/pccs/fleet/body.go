package fleet

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
)

// Body returns the body of PUT platformcollateral for the version of the API, 3
// or 4. It is written by hand: the TCB infos are in it as they were signed. That
// of version 3 has no machines, because Intel's service cannot choose a
// certificate by a TCB info of that version any more.
func (f *Fleet) Body(version int) []byte {
	platforms, certs := "", ""
	if version == 4 {
		platforms, certs = f.each((*Machine).platforms), f.each((*Machine).certs)
	}
	return []byte(fmt.Sprintf(`{"platforms":[%s],"collaterals":{"version":%d,"pck_certs":[%s],"tcbinfos":[%s],`+
		`"pckcacrl":{"processorCrl":"%s","platformCrl":"%s"},%s,"certificates":%s,"rootcacrl":"%s","rootcacrl_cdp":"%s"}}`,
		platforms, version, certs, f.tcbInfos(version),
		hex.EncodeToString(f.PCKCRL["processor"]), hex.EncodeToString(f.PCKCRL["platform"]),
		f.identities(version), f.certificates(version), hex.EncodeToString(f.RootCRL), f.RootCDP))
}

func (f *Fleet) each(part func(*Machine) string) string {
	return part(f.Multi) + "," + part(f.Single)
}

func (m *Machine) platforms() string {
	qeid, pceid := m.ID()
	var list []string
	for _, t := range m.Seen {
		list = append(list, fmt.Sprintf(`{"qe_id":"%s","pce_id":"%s","cpu_svn":"%s","pce_svn":"%s","enc_ppid":"%s","platform_manifest":""}`,
			qeid, pceid, t.CPUSVN, t.PCESVN, m.PPID()))
	}
	return strings.Join(list, ",")
}

func (m *Machine) certs() string {
	qeid, pceid := m.ID()
	var list []string
	for i := range m.Certs {
		c := &m.Certs[i]
		tcb := fmt.Sprintf(`"pcesvn":%d`, c.PCESVN)
		for i, svn := range c.Components {
			tcb += fmt.Sprintf(`,"sgxtcbcomp%02dsvn":%d`, i+1, svn)
		}
		list = append(list, fmt.Sprintf(`{"tcb":{%s},"tcbm":"%s","cert":"%s"}`, tcb, c.TCBm(), Escape(c.PEM)))
	}
	return fmt.Sprintf(`{"qe_id":"%s","pce_id":"%s","enc_ppid":"%s","platform_manifest":"","certs":[%s]}`,
		qeid, pceid, m.PPID(), strings.Join(list, ","))
}

// Roots returns a body that brings nothing but issuers and the root's CRL.
func (f *Fleet) Roots() []byte {
	return []byte(fmt.Sprintf(`{"platforms":[],"collaterals":{"version":4,"pck_certs":[],"tcbinfos":[],"certificates":%s,"rootcacrl":"%s","rootcacrl_cdp":"%s"}}`,
		f.certificates(4), hex.EncodeToString(f.RootCRL), f.RootCDP))
}

// MachineOfV3 returns a member of pck_certs that Body(3) leaves out.
func (f *Fleet) MachineOfV3() string { return f.Multi.certs() }

func (f *Fleet) tcbInfos(version int) string {
	return f.each(func(m *Machine) string {
		d, id := f.Documents, m.FMSPC()
		if version == 3 {
			return fmt.Sprintf(`{"fmspc":"%s","tcbinfo":%s}`, id, d["v3/tcb "+id])
		}
		return fmt.Sprintf(`{"fmspc":"%s","sgx_tcbinfo":%s,"sgx_tcbinfo_early":%s,"tdx_tcbinfo":%s,"tdx_tcbinfo_early":%s}`,
			id, d["sgx/tcb "+id], d["sgx/tcb "+id+" early"], d["tdx/tcb "+id], d["tdx/tcb "+id+" early"])
	})
}

// identities are strings of JSON within JSON, unlike TCB infos.
func (f *Fleet) identities(version int) string {
	quoted := func(key, document string) string {
		return `"` + key + `":"` + strings.ReplaceAll(string(f.Documents[document]), `"`, `\"`) + `"`
	}
	list := []string{quoted("qeidentity", "sgx/qe"), quoted("qveidentity", "sgx/qve")}
	if version == 4 {
		list = append(list, quoted("qeidentity_early", "sgx/qe early"), quoted("qveidentity_early", "sgx/qve early"),
			quoted("tdqeidentity", "tdx/qe"), quoted("tdqeidentity_early", "tdx/qe early"))
	}
	return strings.Join(list, ",")
}

func (f *Fleet) certificates(version int) string {
	name := map[int]string{3: "SGX-TCB-Info-Issuer-Chain", 4: "TCB-Info-Issuer-Chain"}[version]
	return fmt.Sprintf(`{"SGX-PCK-Certificate-Issuer-Chain":{"PROCESSOR":"%s","PLATFORM":"%s"},"%s":"%s","SGX-Enclave-Identity-Issuer-Chain":"%s"}`,
		Escape(f.Single.Issuers()), Escape(f.Multi.Issuers()), name, Escape(f.TCBChain), Escape(f.TCBChain))
}

// Replaced returns the body with one thing in it replaced. It panics if it is not
// there, so that no test replaces nothing.
func Replaced(body []byte, old, with string) []byte {
	if !bytes.Contains(body, []byte(old)) {
		panic("the body has no " + old)
	}
	return bytes.ReplaceAll(body, []byte(old), []byte(with))
}

// Escape writes PEM as Intel's services have it in headers and JSON: every
// byte that is no letter or digit and none of "-_." percent-encoded, so that a
// line feed at the end is "%0A". Intel's client loses the last two characters of a
// chain that does not end so.
func Escape(b []byte) string { return strings.ReplaceAll(url.QueryEscape(string(b)), "+", "%20") }
