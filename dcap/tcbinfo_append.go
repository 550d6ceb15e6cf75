package dcap

import (
	"strconv"
	"time"

	"github.com/feidi-dev/feidi/internal/strictjson"
)

// AppendJSON appends the TCB info in the form in which Intel's service (PCS
// API v4, and v3 for version 2) writes it: no white space, its order of keys,
// upper case hexadecimal. This is the body, which is signed; it has no
// signature yet. ParseTCBInfo reads it back, inside a signed document.
func (t *TCBInfo) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	if t.Version != 2 {
		b = append(appendString(b, `"id":`, t.ID), ',')
	}
	b = appendUint(b, `"version":`, t.Version)
	b = appendDate(b, `,"issueDate":`, t.IssueDate)
	b = appendDate(b, `,"nextUpdate":`, t.NextUpdate)
	b = appendHexField(b, `,"fmspc":`, t.FMSPC[:])
	b = appendHexField(b, `,"pceId":`, t.PCEID[:])
	b = appendUint(b, `,"tcbType":`, t.TCBType)
	b = appendUint(b, `,"tcbEvaluationDataNumber":`, t.EvaluationDataNumber)
	if t.Version != 2 && t.TDXModule != nil {
		b = append(b, `,"tdxModule":{`...)
		b = append(t.TDXModule.appendFields(b), '}')
	}
	if t.Version != 2 && len(t.TDXModuleIdentities) > 0 {
		b = append(b, `,"tdxModuleIdentities":`...)
		b = appendList(b, t.TDXModuleIdentities, (*TDXModuleIdentity).append)
	}
	b = append(b, `,"tcbLevels":`...)
	b = appendList(b, t.Levels, func(l *TCBLevel, b []byte) []byte {
		b = append(b, `{"tcb":{`...)
		b = t.appendSVNs(b, l)
		return appendLevelEnd(b, l.Date, l.Status, l.AdvisoryIDs)
	})
	return append(b, '}')
}

// appendSVNs appends what is inside of the "tcb" of a level.
func (t *TCBInfo) appendSVNs(b []byte, l *TCBLevel) []byte {
	if t.Version == 2 {
		for i, c := range l.SGX {
			b = append(b, '"')
			b = append(b, componentKeys[i]...)
			b = append(appendUint(b, `":`, c.SVN), ',')
		}
		return appendUint(b, `"pcesvn":`, l.PCESVN)
	}
	b = append(b, `"sgxtcbcomponents":`...)
	b = appendList(b, l.SGX[:], (*TCBComponent).append)
	b = appendUint(b, `,"pcesvn":`, l.PCESVN)
	if t.ID == TCBInfoTDX {
		b = append(b, `,"tdxtcbcomponents":`...)
		b = appendList(b, l.TDX[:], (*TCBComponent).append)
	}
	return b
}

func (c *TCBComponent) append(b []byte) []byte {
	b = appendUint(b, `{"svn":`, c.SVN)
	if c.Category != "" {
		b = appendString(b, `,"category":`, c.Category)
	}
	if c.Type != "" {
		b = appendString(b, `,"type":`, c.Type)
	}
	return append(b, '}')
}

func (m *TDXModule) appendFields(b []byte) []byte {
	b = appendHexField(b, `"mrsigner":`, m.MRSigner[:])
	b = appendHexField(b, `,"attributes":`, m.Attributes[:])
	return appendHexField(b, `,"attributesMask":`, m.AttributesMask[:])
}

func (m *TDXModuleIdentity) append(b []byte) []byte {
	b = append(appendString(b, `{"id":`, m.ID), ',')
	b = m.appendFields(b)
	b = append(b, `,"tcbLevels":`...)
	b = appendList(b, m.Levels, func(l *TDXModuleLevel, b []byte) []byte {
		b = appendUint(b, `{"tcb":{"isvsvn":`, l.ISVSVN)
		return appendLevelEnd(b, l.Date, l.Status, l.AdvisoryIDs)
	})
	return append(b, '}')
}

// AppendSignedTCBInfo appends the document that is served: the body, such as
// AppendJSON writes it, and the signature over it.
func AppendSignedTCBInfo(b, body []byte, signature [64]byte) []byte {
	return appendSigned(b, `{"tcbInfo":`, body, signature)
}

func appendSigned(b []byte, start string, body []byte, signature [64]byte) []byte {
	b = append(b, start...)
	b = append(b, body...)
	b = append(b, `,"signature":"`...)
	b = appendHex(b, signature[:], lowerHex)
	return append(b, `"}`...)
}

// appendLevelEnd appends what all levels have behind their SVNs, and closes
// "tcb" and the level.
func appendLevelEnd(b []byte, date time.Time, status TCBStatus, advisoryIDs []string) []byte {
	b = appendDate(b, `},"tcbDate":`, date)
	b = appendString(b, `,"tcbStatus":`, status.String())
	if len(advisoryIDs) > 0 {
		b = append(b, `,"advisoryIDs":`...)
		b = appendList(b, advisoryIDs, func(id *string, b []byte) []byte { return strictjson.AppendString(b, *id) })
	}
	return append(b, '}')
}

func appendList[T any](b []byte, list []T, element func(*T, []byte) []byte) []byte {
	b = append(b, '[')
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = element(&list[i], b)
	}
	return append(b, ']')
}

func appendUint[T uint8 | uint16 | uint32](b []byte, key string, v T) []byte {
	return strconv.AppendUint(append(b, key...), uint64(v), 10)
}

func appendString(b []byte, key, s string) []byte {
	return strictjson.AppendString(append(b, key...), s)
}

func appendDate(b []byte, key string, t time.Time) []byte {
	b = append(append(b, key...), '"')
	return append(t.UTC().AppendFormat(b, jsonDate), '"')
}

func appendHexField(b []byte, key string, v []byte) []byte {
	b = append(append(b, key...), '"')
	return append(appendHex(b, v, upperHex), '"')
}
