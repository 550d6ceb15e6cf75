package dcap

import (
	"unicode/utf8"

	"github.com/feidi-dev/feidi/internal/der"
)

// name reads a Name (RFC 5280 §4.1.2.4) and returns its bytes.
func (r *derReader) name(n *Name) (raw []byte) {
	var common, country, locality, state, organization bool // seen
	start := r.Offset()
	name := r.Enter(der.TagSequence)
	for r.More() {
		set := r.Enter(der.TagSet)
		for more := true; more && r.OK(); more = r.More() {
			attribute := r.Enter(der.TagSequence)
			oid := r.OID()
			value := r.nameValue()
			r.Leave(attribute)
			if len(oid) != 3 || oid[0] != 0x55 || oid[1] != 4 { // 2.5.4
				continue
			}
			switch oid[2] {
			case 3:
				first(&n.CommonName, &common, value)
			case 6:
				first(&n.Country, &country, value)
			case 7:
				first(&n.Locality, &locality, value)
			case 8:
				first(&n.State, &state, value)
			case 10:
				first(&n.Organization, &organization, value)
			}
		}
		r.Leave(set)
	}
	r.Leave(name)
	return r.Since(start)
}

// first keeps the value that an attribute had first.
func first(attribute *string, seen *bool, value []byte) {
	if !*seen {
		*attribute, *seen = intern(value), true
	}
}

// nameValue reads the string of an attribute. Of the character sets of one
// byte only ASCII is taken: what other bytes of a TeletexString mean is not
// agreed upon, and Intel's library takes such a string for an empty one.
func (r *derReader) nameValue() []byte {
	at := r.Offset()
	tag, value := r.Any()
	ok := r.OK()
	switch tag {
	case der.TagUTF8String:
		ok = ok && utf8.Valid(value)
	case der.TagPrintableString:
		for _, c := range value {
			ok = ok && printable(c)
		}
	case der.TagIA5String, der.TagTeletexString:
		for _, c := range value {
			ok = ok && c < 0x80
		}
	default:
		ok = false
	}
	if !ok {
		r.fail(ErrFormat, at, "a string that is not UTF-8 or ASCII")
	}
	return value
}

// printable reports whether a PrintableString has a character (X.680 §41.4).
func printable(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '\'' <= c && c <= ':' && c != '*':
		return true
	}
	return c == ' ' || c == '=' || c == '?'
}

// intern returns a string, which takes no memory if it is one that Intel's
// certificates have.
func intern(b []byte) string {
	switch string(b) {
	case "US":
		return "US"
	case "CA":
		return "CA"
	case "Santa Clara":
		return "Santa Clara"
	case "Intel Corporation":
		return "Intel Corporation"
	case "Intel SGX Root CA":
		return "Intel SGX Root CA"
	case "Intel SGX PCK Processor CA":
		return "Intel SGX PCK Processor CA"
	case "Intel SGX PCK Platform CA":
		return "Intel SGX PCK Platform CA"
	case "Intel SGX PCK Certificate":
		return "Intel SGX PCK Certificate"
	case "Intel SGX TCB Signing":
		return "Intel SGX TCB Signing"
	case "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der":
		return "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
	case "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=platform&encoding=der":
		return "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=platform&encoding=der"
	case "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=processor&encoding=der":
		return "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=processor&encoding=der"
	}
	return string(b)
}
