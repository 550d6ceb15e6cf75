package testpki

import (
	"bytes"
	"crypto"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

// Document is a signed JSON document before it is signed:
// {"Name":Body,"signature":"..."}.
type Document struct {
	Name   string // "tcbInfo", "enclaveIdentity" or "tcbEvaluationDataNumbers"
	Body   []byte // JSON; the signature covers just these bytes
	Signer crypto.Signer

	EditSignature func(sig []byte) []byte  // R and S, 64 bytes
	EditJSON      func(json []byte) []byte // the whole
}

// TCBInfoJSON returns a TCB info as Intel serves it, signed by TCBSigning. Its
// version says in which form.
func (p *PKI) TCBInfoJSON(info *dcap.TCBInfo, edits ...func(*Document)) []byte {
	return p.document("tcbInfo", encodeTCBInfo(info), edits)
}

// IdentityJSON returns an enclave identity as Intel serves it, signed by
// TCBSigning.
func (p *PKI) IdentityJSON(id *dcap.EnclaveIdentity, edits ...func(*Document)) []byte {
	return p.document("enclaveIdentity", encodeIdentity(id), edits)
}

func (p *PKI) document(name string, body []byte, edits []func(*Document)) []byte {
	d := &Document{Name: name, Body: body, Signer: p.TCBSigning.Key()}
	for _, e := range edits {
		e(d)
	}
	sig := edit(d.EditSignature, signRaw(d.Signer, d.Body))
	return edit(d.EditJSON, fmt.Appendf(nil, `{"%s":%s,"signature":"%x"}`, d.Name, d.Body, sig))
}

// The documents, member by member in Intel's order.
type (
	jsonTCBInfo struct {
		ID                   string               `json:"id,omitempty"`
		Version              uint32               `json:"version"`
		IssueDate            string               `json:"issueDate"`
		NextUpdate           string               `json:"nextUpdate"`
		FMSPC                string               `json:"fmspc"`
		PCEID                string               `json:"pceId"`
		TCBType              uint32               `json:"tcbType"`
		EvaluationDataNumber uint32               `json:"tcbEvaluationDataNumber"`
		TDXModule            *jsonTDXModule       `json:"tdxModule,omitempty"`
		TDXModuleIdentities  []jsonModuleIdentity `json:"tdxModuleIdentities,omitempty"`
		Levels               []jsonLevel          `json:"tcbLevels"`
	}
	jsonTDXModule struct {
		MRSigner       string `json:"mrsigner"`
		Attributes     string `json:"attributes"`
		AttributesMask string `json:"attributesMask"`
	}
	jsonModuleIdentity struct {
		ID string `json:"id"`
		jsonTDXModule
		Levels []jsonLevel `json:"tcbLevels"`
	}
	jsonLevel struct {
		TCB         json.RawMessage `json:"tcb"`
		Date        string          `json:"tcbDate"`
		Status      string          `json:"tcbStatus"`
		AdvisoryIDs []string        `json:"advisoryIDs,omitempty"`
	}
	jsonIdentity struct {
		ID                   string      `json:"id"`
		Version              uint32      `json:"version"`
		IssueDate            string      `json:"issueDate"`
		NextUpdate           string      `json:"nextUpdate"`
		EvaluationDataNumber uint32      `json:"tcbEvaluationDataNumber"`
		MiscSelect           string      `json:"miscselect"`
		MiscSelectMask       string      `json:"miscselectMask"`
		Attributes           string      `json:"attributes"`
		AttributesMask       string      `json:"attributesMask"`
		MRSigner             string      `json:"mrsigner"`
		ISVProdID            uint16      `json:"isvprodid"`
		Levels               []jsonLevel `json:"tcbLevels"`
	}
	jsonComponent struct {
		SVN      uint8  `json:"svn"`
		Category string `json:"category,omitempty"`
		Type     string `json:"type,omitempty"`
	}
)

func encodeTCBInfo(info *dcap.TCBInfo) []byte {
	d := jsonTCBInfo{
		Version: info.Version, IssueDate: date(info.IssueDate), NextUpdate: date(info.NextUpdate),
		FMSPC: upper(info.FMSPC[:]), PCEID: upper(info.PCEID[:]),
		TCBType: info.TCBType, EvaluationDataNumber: info.EvaluationDataNumber,
	}
	if info.Version != 2 {
		d.ID = info.ID
	}
	if info.TDXModule != nil {
		m := module(info.TDXModule)
		d.TDXModule = &m
	}
	for _, m := range info.TDXModuleIdentities {
		id := jsonModuleIdentity{ID: m.ID, jsonTDXModule: module(&m.TDXModule), Levels: []jsonLevel{}}
		for _, l := range m.Levels {
			id.Levels = append(id.Levels, jsonLevel{isvsvn(l.ISVSVN), date(l.Date), statusName(l.Status), l.AdvisoryIDs})
		}
		d.TDXModuleIdentities = append(d.TDXModuleIdentities, id)
	}
	d.Levels = []jsonLevel{}
	for i := range info.Levels {
		l := &info.Levels[i]
		d.Levels = append(d.Levels, jsonLevel{tcb(info, l), date(l.Date), statusName(l.Status), l.AdvisoryIDs})
	}
	return compact(d)
}

// tcb returns the SVNs of a level: in version 2 each component is a member, in
// version 3 they are an array.
func tcb(info *dcap.TCBInfo, l *dcap.TCBLevel) []byte {
	if info.Version == 2 {
		return componentMembers(l)
	}
	b := fmt.Appendf(nil, `{"sgxtcbcomponents":%s,"pcesvn":%d`, components(&l.SGX), l.PCESVN)
	if info.ID == dcap.TCBInfoTDX {
		b = fmt.Appendf(b, `,"tdxtcbcomponents":%s`, components(&l.TDX))
	}
	return append(b, '}')
}

func componentMembers(l *dcap.TCBLevel) []byte {
	b := []byte{'{'}
	for i, c := range l.SGX {
		b = fmt.Appendf(b, `"sgxtcbcomp%02dsvn":%d,`, i+1, c.SVN)
	}
	return fmt.Appendf(b, `"pcesvn":%d}`, l.PCESVN)
}

func components(c *[16]dcap.TCBComponent) []byte {
	var list [16]jsonComponent
	for i := range c {
		list[i] = jsonComponent(c[i])
	}
	return compact(list)
}

func encodeIdentity(id *dcap.EnclaveIdentity) []byte {
	d := jsonIdentity{
		ID: id.ID, Version: id.Version, IssueDate: date(id.IssueDate), NextUpdate: date(id.NextUpdate),
		EvaluationDataNumber: id.EvaluationDataNumber,
		MiscSelect:           miscSelect(id.MiscSelect), MiscSelectMask: miscSelect(id.MiscSelectMask),
		Attributes: upper(id.Attributes[:]), AttributesMask: upper(id.AttributesMask[:]),
		MRSigner: upper(id.MRSigner[:]), ISVProdID: id.ISVProdID, Levels: []jsonLevel{},
	}
	for _, l := range id.Levels {
		d.Levels = append(d.Levels, jsonLevel{isvsvn(l.ISVSVN), date(l.Date), statusName(l.Status), l.AdvisoryIDs})
	}
	return compact(d)
}

// miscSelect is the hexadecimal of the four bytes as they lie in a report.
func miscSelect(v uint32) string { return upper(binary.LittleEndian.AppendUint32(nil, v)) }

// statusName is Intel's word for a status. An unknown one is written as its
// number, which no verifier takes.
func statusName(s dcap.TCBStatus) string {
	if int(s) < len(statusNames) && statusNames[s] != "" {
		return statusNames[s]
	}
	return fmt.Sprintf("%d", uint8(s))
}

var statusNames = [...]string{
	dcap.UpToDate:                          "UpToDate",
	dcap.SWHardeningNeeded:                 "SWHardeningNeeded",
	dcap.ConfigurationNeeded:               "ConfigurationNeeded",
	dcap.ConfigurationAndSWHardeningNeeded: "ConfigurationAndSWHardeningNeeded",
	dcap.OutOfDate:                         "OutOfDate",
	dcap.OutOfDateConfigurationNeeded:      "OutOfDateConfigurationNeeded",
	dcap.Revoked:                           "Revoked",
}

func module(m *dcap.TDXModule) jsonTDXModule {
	return jsonTDXModule{upper(m.MRSigner[:]), upper(m.Attributes[:]), upper(m.AttributesMask[:])}
}

func isvsvn(n uint16) []byte  { return fmt.Appendf(nil, `{"isvsvn":%d}`, n) }
func upper(b []byte) string   { return strings.ToUpper(hex.EncodeToString(b)) }
func date(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// compact writes JSON without spaces, and without the escapes of HTML.
func compact[T any](v T) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("testpki: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}
