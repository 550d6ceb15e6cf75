package collateral

import (
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/feidi-dev/feidi/dcap"
)

// Kind is the kind of a document, by the path that the PCS has it at.
type Kind string

// The kinds.
const (
	TCBInfo     Kind = "tcb"
	QEIdentity  Kind = "qe/identity"
	QVEIdentity Kind = "qve/identity"
	PCKCRL      Kind = "pckcrl"
	RootCRL     Kind = "rootcacrl"
	CRL         Kind = "crl"    // any, by the address that certificates name
	FMSPCs      Kind = "fmspcs" // not signed
	Evaluations Kind = "tcbevaluationdatanumbers"
)

// The values of Item.Update.
const (
	Standard = "standard"
	Early    = "early"
)

// Item says which document is meant. Two valid items that mean the same are
// equal, and so are their names: what a document does not depend on is left
// out, and has one spelling. Canonical makes a valid item of what a client asks
// for.
type Item struct {
	Kind Kind
	API  int          // version of the API whose form it has: 3 or 4; 4 if there is but one form, as of CRLs
	TEE  dcap.TEEType // of TCB infos, QE identities and evaluations; SGX otherwise

	FMSPC      string // of a TCB info: 12 digits, upper case
	Update     string // of TCB infos and identities: Standard or Early,
	Evaluation uint32 // or in its place the TCB evaluation data number, which API 3 does not know
	CA         string // of a PCK CRL: "processor" or "platform"
	URI        string // of a CRL: at most 2048 bytes; see Checker.Resolve
	Platform   string // of FMSPCs: "all", "client", "E3" or "E5"
}

// Canonical returns the item as it is written if it is valid: cases are
// Intel's, what was left out is the service's default, and nothing is said that
// does not matter.
func (i Item) Canonical() Item {
	i.FMSPC, i.CA = strings.ToUpper(i.FMSPC), strings.ToLower(i.CA)
	switch i.Kind {
	case TCBInfo, QEIdentity, QVEIdentity:
		if i.Update == "" && i.Evaluation == 0 {
			i.Update = Standard
		}
		return i
	case FMSPCs:
		if i.Platform == "" {
			i.Platform = "all"
		}
	case Evaluations:
		i.API = 4
		return i
	}
	i.API, i.TEE = 4, dcap.TEESGX
	return i
}

// String returns the item's name, by which the store has it: as a PCS would be
// asked for it, such as "sgx/v4/tcb?fmspc=00906ED50000&update=standard".
func (i Item) String() string {
	tee := "sgx"
	if i.TEE == dcap.TEETDX {
		tee = "tdx"
	}
	var q []string
	add := func(name, value string) {
		if value != "" {
			q = append(q, name+"="+value)
		}
	}
	add("ca", i.CA)
	add("fmspc", i.FMSPC)
	add("platform", i.Platform)
	if i.Evaluation != 0 {
		add("tcbEvaluationDataNumber", strconv.FormatUint(uint64(i.Evaluation), 10))
	}
	add("update", i.Update)
	if i.URI != "" {
		add("uri", url.QueryEscape(i.URI))
	}
	s := fmt.Sprintf("%s/v%d/%s", tee, i.API, i.Kind)
	if len(q) > 0 {
		s += "?" + strings.Join(q, "&")
	}
	return s
}

// ParseItem is the inverse of String.
func ParseItem(name string) (Item, error) {
	if len(name) > maxName {
		return Item{}, badItem(name, "it is too long")
	}
	path, query, _ := strings.Cut(name, "?")
	tee, rest, _ := strings.Cut(path, "/")
	version, kind, _ := strings.Cut(rest, "/")
	i := Item{Kind: Kind(kind)}
	switch tee {
	case "tdx":
		i.TEE = dcap.TEETDX
	case "sgx":
		i.TEE = dcap.TEESGX
	default:
		return Item{}, badItem(name, "it begins with neither sgx/ nor tdx/")
	}
	switch version {
	case "v3":
		i.API = 3
	case "v4":
		i.API = 4
	default:
		return Item{}, badItem(name, "its API is neither v3 nor v4")
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return Item{}, badItem(name, "its parameters are not percent-encoded")
	}
	i.FMSPC, i.Update, i.CA = values.Get("fmspc"), values.Get("update"), values.Get("ca")
	i.URI, i.Platform = values.Get("uri"), values.Get("platform")
	if n := values.Get("tcbEvaluationDataNumber"); n != "" {
		v, err := strconv.ParseUint(n, 10, 32)
		if err != nil {
			return Item{}, badItem(name, "its TCB evaluation data number is not one")
		}
		i.Evaluation = uint32(v)
	}
	if err := i.Valid(); err != nil {
		return Item{}, err
	}
	if i.String() != name {
		return Item{}, badItem(name, "it is not written as "+i.String())
	}
	return i, nil
}

// Valid returns what is wrong with an item, or nil.
func (i Item) Valid() error {
	only := Item{Kind: i.Kind, API: 4} // what such an item may say, and nothing besides
	ok := true
	var perTEE, chosen bool
	switch i.Kind {
	case TCBInfo:
		perTEE, chosen = true, true
		only.FMSPC = i.FMSPC
		b, err := hex.DecodeString(i.FMSPC)
		ok = err == nil && len(b) == 6 && strings.ToUpper(i.FMSPC) == i.FMSPC
	case QEIdentity:
		perTEE, chosen = true, true
	case QVEIdentity:
		chosen = true
	case Evaluations:
		perTEE = true
	case PCKCRL:
		only.CA = i.CA
		ok = i.CA == "processor" || i.CA == "platform"
	case CRL:
		only.URI = i.URI
		ok = i.URI != "" && len(i.URI) <= maxURI
	case FMSPCs:
		only.Platform = i.Platform
		ok = slices.Contains([]string{"all", "client", "E3", "E5"}, i.Platform)
	case RootCRL:
	default:
		ok = false
	}
	if perTEE && i.TEE == dcap.TEETDX {
		only.TEE = i.TEE
	} else if chosen && i.API == 3 { // which has nothing for TDX
		only.API = 3
	}
	if chosen {
		only.Update, only.Evaluation = i.Update, i.Evaluation
		byUpdate := i.Evaluation == 0 && (i.Update == Standard || i.Update == Early)
		byNumber := i.Evaluation != 0 && i.Update == "" && i.API == 4
		ok = ok && (byUpdate || byNumber)
	}
	if !ok || i != only {
		return badItem(i.String(), "there is no such document")
	}
	return nil
}

// maxURI is the size of the longest URI, in bytes, as Intel's service has it.
const maxURI = 2048

// maxName is the size of the longest name: each byte of a URI may be escaped.
const maxName = 3*maxURI + 64

func badItem(name, why string) error {
	return fmt.Errorf("pccs/collateral: item %.100q: %s", name, why)
}
