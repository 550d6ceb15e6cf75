package dcap_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

// The documents as encoding/json reads and writes them: a second way to each
// value.
type (
	refLevelEnd struct {
		TCBDate     string   `json:"tcbDate"`
		TCBStatus   string   `json:"tcbStatus"`
		AdvisoryIDs []string `json:"advisoryIDs,omitempty"`
	}
	refComponent struct {
		SVN      int    `json:"svn"`
		Category string `json:"category,omitempty"`
		Type     string `json:"type,omitempty"`
	}
	refLevel struct {
		TCB map[string]any `json:"tcb"`
		refLevelEnd
	}
	refModule struct {
		MRSigner       string `json:"mrsigner"`
		Attributes     string `json:"attributes"`
		AttributesMask string `json:"attributesMask"`
	}
	refSVNLevel struct {
		TCB struct {
			ISVSVN uint16 `json:"isvsvn"`
		} `json:"tcb"`
		refLevelEnd
	}
	refModuleIdentity struct {
		ID string `json:"id"`
		refModule
		TCBLevels []refSVNLevel `json:"tcbLevels"`
	}
	refTCBInfo struct {
		ID                      string              `json:"id,omitempty"`
		Version                 uint32              `json:"version"`
		IssueDate               string              `json:"issueDate"`
		NextUpdate              string              `json:"nextUpdate"`
		FMSPC                   string              `json:"fmspc"`
		PCEID                   string              `json:"pceId"`
		TCBType                 uint32              `json:"tcbType"`
		TCBEvaluationDataNumber uint32              `json:"tcbEvaluationDataNumber"`
		TDXModule               *refModule          `json:"tdxModule,omitempty"`
		TDXModuleIdentities     []refModuleIdentity `json:"tdxModuleIdentities,omitempty"`
		TCBLevels               []refLevel          `json:"tcbLevels"`
	}
	refIdentity struct {
		ID                      string `json:"id"`
		Version                 uint32 `json:"version"`
		IssueDate               string `json:"issueDate"`
		NextUpdate              string `json:"nextUpdate"`
		TCBEvaluationDataNumber uint32 `json:"tcbEvaluationDataNumber"`
		MiscSelect              string `json:"miscselect"`
		MiscSelectMask          string `json:"miscselectMask"`
		refModule
		ISVProdID uint16        `json:"isvprodid"`
		TCBLevels []refSVNLevel `json:"tcbLevels"`
	}
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func refDate(s string) time.Time { return must(time.Parse(time.RFC3339, s)) }
func refHex(s string) []byte     { return must(hex.DecodeString(s)) }

func (m *refModule) value() dcap.TDXModule {
	return dcap.TDXModule{
		MRSigner: [48]byte(refHex(m.MRSigner)), Attributes: [8]byte(refHex(m.Attributes)), AttributesMask: [8]byte(refHex(m.AttributesMask)),
	}
}

func refStatus(s string) dcap.TCBStatus { return must(dcap.ParseTCBStatus(s)) }

// value is the TCB info that a document means.
func (r *refTCBInfo) value(t testing.TB) dcap.TCBInfo {
	v := dcap.TCBInfo{
		ID: r.ID, Version: r.Version, IssueDate: refDate(r.IssueDate), NextUpdate: refDate(r.NextUpdate),
		FMSPC: [6]byte(refHex(r.FMSPC)), PCEID: [2]byte(refHex(r.PCEID)), TCBType: r.TCBType, EvaluationDataNumber: r.TCBEvaluationDataNumber,
	}
	if r.Version == 2 {
		v.ID = "SGX"
	}
	if r.TDXModule != nil {
		m := r.TDXModule.value()
		v.TDXModule = &m
	}
	for _, m := range r.TDXModuleIdentities {
		levels := m.TCBLevels
		sort.Slice(levels, func(i, j int) bool { return levels[i].TCB.ISVSVN > levels[j].TCB.ISVSVN })
		id := dcap.TDXModuleIdentity{ID: m.ID, TDXModule: m.value()}
		for _, l := range levels {
			id.Levels = append(id.Levels, dcap.TDXModuleLevel{ISVSVN: l.TCB.ISVSVN, Date: refDate(l.TCBDate), Status: refStatus(l.TCBStatus), AdvisoryIDs: l.AdvisoryIDs})
		}
		v.TDXModuleIdentities = append(v.TDXModuleIdentities, id)
	}
	sortKeys := map[*dcap.TCBLevel][]byte{}
	var levels []*dcap.TCBLevel
	for _, l := range r.TCBLevels {
		level := &dcap.TCBLevel{Date: refDate(l.TCBDate), Status: refStatus(l.TCBStatus), AdvisoryIDs: l.AdvisoryIDs}
		pcesvn := uint16(l.TCB["pcesvn"].(float64))
		level.PCESVN = pcesvn
		var sgx, tdx []byte
		for i := range 16 {
			if r.Version == 2 {
				level.SGX[i].SVN = uint8(l.TCB[fmt.Sprintf("sgxtcbcomp%02dsvn", i+1)].(float64))
			} else {
				level.SGX[i] = refComponentOf(l.TCB["sgxtcbcomponents"].([]any)[i])
			}
			if r.ID == "TDX" {
				level.TDX[i] = refComponentOf(l.TCB["tdxtcbcomponents"].([]any)[i])
			}
			sgx, tdx = append(sgx, level.SGX[i].SVN), append(tdx, level.TDX[i].SVN)
		}
		sortKeys[level] = append(append(sgx, byte(pcesvn>>8), byte(pcesvn)), tdx...)
		levels = append(levels, level)
	}
	sort.Slice(levels, func(i, j int) bool { return bytes.Compare(sortKeys[levels[i]], sortKeys[levels[j]]) > 0 })
	for _, l := range levels {
		v.Levels = append(v.Levels, *l)
	}
	return v
}

func refComponentOf(v any) dcap.TCBComponent {
	m := v.(map[string]any)
	c := dcap.TCBComponent{SVN: uint8(m["svn"].(float64))}
	c.Category, _ = m["category"].(string)
	c.Type, _ = m["type"].(string)
	return c
}

// value is the identity that a document means.
func (r *refIdentity) value() dcap.EnclaveIdentity {
	little := func(s string) uint32 {
		b := refHex(s)
		return uint32(b[0]) + uint32(b[1])*256 + uint32(b[2])*65536 + uint32(b[3])*16777216
	}
	v := dcap.EnclaveIdentity{
		ID: r.ID, Version: r.Version, IssueDate: refDate(r.IssueDate), NextUpdate: refDate(r.NextUpdate), EvaluationDataNumber: r.TCBEvaluationDataNumber,
		MiscSelect: little(r.MiscSelect), MiscSelectMask: little(r.MiscSelectMask), Attributes: [16]byte(refHex(r.Attributes)),
		AttributesMask: [16]byte(refHex(r.AttributesMask)), MRSigner: [32]byte(refHex(r.MRSigner)), ISVProdID: r.ISVProdID,
	}
	sort.Slice(r.TCBLevels, func(i, j int) bool {
		a, b := r.TCBLevels[i], r.TCBLevels[j]
		return a.TCB.ISVSVN > b.TCB.ISVSVN || a.TCB.ISVSVN == b.TCB.ISVSVN && a.TCBDate > b.TCBDate
	})
	for _, l := range r.TCBLevels {
		v.Levels = append(v.Levels, dcap.IdentityLevel{ISVSVN: l.TCB.ISVSVN, Date: refDate(l.TCBDate), Status: refStatus(l.TCBStatus), AdvisoryIDs: l.AdvisoryIDs})
	}
	return v
}

// made makes documents.
type made struct{ *rand.Rand }

func (m made) hex(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(m.Uint32())
	}
	if s := hex.EncodeToString(b); m.IntN(2) == 0 {
		return s
	} else {
		return strings.ToUpper(s)
	}
}

func (m made) date() string {
	return time.Unix(m.Int64N(4e9), 0).UTC().Format(time.RFC3339)
}

func (m made) end(statuses ...string) refLevelEnd {
	e := refLevelEnd{TCBDate: m.date(), TCBStatus: statuses[m.IntN(len(statuses))]}
	for range m.IntN(4) {
		e.AdvisoryIDs = append(e.AdvisoryIDs, fmt.Sprintf("INTEL-SA-%05d", m.IntN(2000)))
	}
	return e
}

func (m made) components(first int) []refComponent {
	c := make([]refComponent, 16)
	for i := range c {
		c[i].SVN = m.IntN(256)
		c[i].Category = []string{"", "BIOS", "OS/VMM", "ä \" \\ \u2028 <\n>"}[m.IntN(4)]
		c[i].Type = []string{"", "Early Microcode Update", "SEAMLDR ACM"}[m.IntN(3)]
	}
	c[0].SVN = first // differs from level to level
	return c
}

func (m made) module() refModule {
	return refModule{MRSigner: m.hex(48), Attributes: m.hex(8), AttributesMask: m.hex(8)}
}

func (m made) svnLevels() []refSVNLevel {
	levels := make([]refSVNLevel, 1+m.IntN(4))
	svns := m.Perm(300)
	for i := range levels {
		levels[i].TCB.ISVSVN = uint16(svns[i])
		levels[i].refLevelEnd = m.end("UpToDate", "OutOfDate", "Revoked")
	}
	return levels
}

// tcbInfo makes one of an ID; none is version 2.
func (m made) tcbInfo(id string) *refTCBInfo {
	r := &refTCBInfo{
		ID: id, Version: 3, IssueDate: m.date(), NextUpdate: m.date(),
		FMSPC: m.hex(6), PCEID: m.hex(2), TCBEvaluationDataNumber: m.Uint32(),
	}
	if r.ID == "" {
		r.Version = 2
	}
	if r.ID == "TDX" {
		module := m.module()
		r.TDXModule = &module
		for i := range 2 * m.IntN(3) {
			r.TDXModuleIdentities = append(r.TDXModuleIdentities, refModuleIdentity{fmt.Sprintf("TDX_%02d", i), m.module(), m.svnLevels()})
		}
	}
	firsts := m.Perm(256)
	for i := range 1 + m.IntN(4) {
		tcb := map[string]any{"pcesvn": m.IntN(65536)}
		sgx := m.components(firsts[i] / 3)
		if r.Version == 2 {
			for i, c := range sgx {
				tcb[fmt.Sprintf("sgxtcbcomp%02dsvn", i+1)] = c.SVN
			}
		} else {
			tcb["sgxtcbcomponents"] = sgx
			tcb["tdxtcbcomponents"] = m.components(firsts[i]) // to be ignored for SGX
		}
		r.TCBLevels = append(r.TCBLevels, refLevel{tcb, m.end("UpToDate", "SWHardeningNeeded", "ConfigurationNeeded",
			"ConfigurationAndSWHardeningNeeded", "OutOfDate", "OutOfDateConfigurationNeeded", "Revoked")})
	}
	return r
}

func (m made) identity() *refIdentity {
	r := &refIdentity{
		ID: []string{"QE", "QVE", "TD_QE"}[m.IntN(3)], Version: 2, IssueDate: m.date(), NextUpdate: m.date(), TCBEvaluationDataNumber: m.Uint32(),
		MiscSelect: m.hex(4), MiscSelectMask: m.hex(4), refModule: refModule{m.hex(32), m.hex(16), m.hex(16)}, ISVProdID: uint16(m.Uint32()), TCBLevels: m.svnLevels(),
	}
	if last := r.TCBLevels[len(r.TCBLevels)-1]; m.IntN(2) == 0 { // the same ISVSVN again, of another day
		last.TCBDate = "1999-12-31T23:59:59Z"
		r.TCBLevels = append([]refSVNLevel{last}, r.TCBLevels...)
	}
	return r
}

// documents are the ways to write a signed document with the body: as it is,
// with keys in alphabetical order and unknown ones, with the signature first,
// and with white space.
func (m made) documents(name string, body any) [][]byte {
	plain := must(json.Marshal(body))
	var object map[string]any
	d := json.NewDecoder(bytes.NewReader(plain))
	d.UseNumber()
	if err := d.Decode(&object); err != nil {
		panic(err)
	}
	object["Version"] = 99
	object["aaa"] = map[string]any{"x": []any{nil, true, 1.5, "\u2028"}}
	object["zzz"] = "}"
	sorted := must(json.Marshal(object))
	signature := m.hex(64)
	var docs [][]byte
	for _, form := range []string{
		`{"%[1]s":%[2]s,"signature":"%[4]s"}`, `{"a":[],"%[1]s":%[3]s,"signature":"%[4]s"}`, `{"signature":"%[4]s","%[1]s":%[3]s,"signature2":0}`,
	} {
		doc := fmt.Appendf(nil, form, name, plain, sorted, signature)
		var indented bytes.Buffer
		if err := json.Indent(&indented, doc, " ", "\t"); err != nil {
			panic(err)
		}
		docs = append(docs, doc, indented.Bytes())
	}
	return docs
}

// document is a signed document in the plain form.
func (m made) document(name string, body any) []byte {
	return fmt.Appendf(nil, `{"%s":%s,"signature":"%s"}`, name, must(json.Marshal(body)), m.hex(64))
}

// edited changes a document: the value at a path, such as
// "tcbInfo.tcbLevels.0.tcb", becomes another, or goes if that is empty. Keys
// come out in alphabetical order.
func edited(doc []byte, path, value string) []byte {
	var tree any
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		panic(err)
	}
	if path == "" {
		return []byte(value)
	}
	at, steps := tree, strings.Split(path, ".")
	for i, step := range steps {
		last := i == len(steps)-1
		switch v := at.(type) {
		case map[string]any:
			if last && value == "" {
				delete(v, step)
			} else if last {
				v[step] = json.RawMessage(value)
			}
			at = v[step]
		case []any:
			n := must(strconv.Atoi(step))
			if last {
				v[n] = json.RawMessage(value)
			}
			at = v[n]
		default:
			panic("no such path: " + path)
		}
	}
	return must(json.Marshal(tree))
}
