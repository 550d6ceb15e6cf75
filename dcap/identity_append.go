package dcap

import "encoding/binary"

// AppendJSON appends the identity in the form in which Intel's service (PCS
// API v4) writes it: no white space, its order of keys, upper case
// hexadecimal. This is the body, which is signed; it has no signature yet.
// ParseEnclaveIdentity reads it back, inside a signed document.
func (e *EnclaveIdentity) AppendJSON(b []byte) []byte {
	b = appendString(b, `{"id":`, e.ID)
	b = appendUint(b, `,"version":`, e.Version)
	b = appendDate(b, `,"issueDate":`, e.IssueDate)
	b = appendDate(b, `,"nextUpdate":`, e.NextUpdate)
	b = appendUint(b, `,"tcbEvaluationDataNumber":`, e.EvaluationDataNumber)
	b = appendMiscSelect(b, `,"miscselect":`, e.MiscSelect)
	b = appendMiscSelect(b, `,"miscselectMask":`, e.MiscSelectMask)
	b = appendHexField(b, `,"attributes":`, e.Attributes[:])
	b = appendHexField(b, `,"attributesMask":`, e.AttributesMask[:])
	b = appendHexField(b, `,"mrsigner":`, e.MRSigner[:])
	b = appendUint(b, `,"isvprodid":`, e.ISVProdID)
	b = append(b, `,"tcbLevels":`...)
	b = appendList(b, e.Levels, func(l *IdentityLevel, b []byte) []byte {
		b = appendUint(b, `{"tcb":{"isvsvn":`, l.ISVSVN)
		return appendLevelEnd(b, l.Date, l.Status, l.AdvisoryIDs)
	})
	return append(b, '}')
}

// AppendSignedIdentity appends the document that is served: the body, such as
// AppendJSON writes it, and the signature over it.
func AppendSignedIdentity(b, body []byte, signature [64]byte) []byte {
	return appendSigned(b, `{"enclaveIdentity":`, body, signature)
}

func appendMiscSelect(b []byte, key string, v uint32) []byte {
	return appendHexField(b, key, binary.LittleEndian.AppendUint32(nil, v))
}
