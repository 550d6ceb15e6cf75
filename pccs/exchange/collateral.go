package exchange

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/internal/strictjson"
	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/store"
)

const whatCollateral = "platform collateral"

// ParseCollateral reads a platform_collaterals.json of pccsadmin, which is also
// the body of PUT /platformcollateral, of version 3 or 4: MaxCollateral bytes at
// most, of which little more than the result is in memory at a time.
//
// TCB info comes out as it was signed, without the spaces that Intel's tool puts
// into it. A file has fewer chains than documents; each gets the one of its
// kind. The CRL of a CA whose chain is not there is left out, since Intel's tool
// writes the chains only of those CAs that a platform is of; so are platforms
// that are listed without certificates. Errors are *Error, or those of the reader.
func ParseCollateral(in io.Reader) (*pccs.Collateral, error) {
	f := &file{stream: newStream(whatCollateral, in, MaxCollateral), version: 3, rows: map[store.PlatformID][]row{}, chains: map[string][]byte{}}
	has := map[string]bool{}
	f.object("", func(key, where string) {
		has[key] = true
		switch key {
		case "platforms":
			f.array(where, f.row)
		case "collaterals":
			f.collaterals(where)
		default:
			f.skip(where)
		}
	})
	if err := f.end(); err != nil {
		return nil, err
	}
	for _, key := range []string{"platforms", "collaterals"} {
		if !has[key] {
			return nil, &Error{What: whatCollateral, Err: ErrFormat, Reason: "it has no " + key}
		}
	}
	return f.join()
}

// file is a platform_collaterals.json that is being read.
type file struct {
	*stream
	version   int
	nrows     int
	rows      map[store.PlatformID][]row
	platforms []store.Platform
	documents []collateral.Document // version and chains may stand behind them
	chains    map[string][]byte     // by the names below
	rootCRL   []byte
}

// Names of chains, as keys of file.chains.
const (
	chainProcessor = "PROCESSOR"
	chainPlatform  = "PLATFORM"
	chainTCB       = "TCB-Info-Issuer-Chain"
	chainIdentity  = "SGX-Enclave-Identity-Issuer-Chain"

	chainTCB3 = "SGX-TCB-Info-Issuer-Chain"
	chainPCK  = "SGX-PCK-Certificate-Issuer-Chain"
)

// identities are the keys of enclave identities.
var identities = map[string]collateral.Item{
	"qeidentity":         {Kind: collateral.QEIdentity, Update: collateral.Standard},
	"qeidentity_early":   {Kind: collateral.QEIdentity, Update: collateral.Early},
	"tdqeidentity":       {Kind: collateral.QEIdentity, TEE: dcap.TEETDX, Update: collateral.Standard},
	"tdqeidentity_early": {Kind: collateral.QEIdentity, TEE: dcap.TEETDX, Update: collateral.Early},
	"qveidentity":        {Kind: collateral.QVEIdentity, Update: collateral.Standard},
	"qveidentity_early":  {Kind: collateral.QVEIdentity, Update: collateral.Early},
}

// tcbInfos are the keys of TCB infos. In a file of the other version they count
// for nothing.
var tcbInfos = map[string]collateral.Item{
	"tcbinfo":           {Kind: collateral.TCBInfo, API: 3, Update: collateral.Standard},
	"tcbinfo_early":     {Kind: collateral.TCBInfo, API: 3, Update: collateral.Early},
	"sgx_tcbinfo":       {Kind: collateral.TCBInfo, API: 4, Update: collateral.Standard},
	"sgx_tcbinfo_early": {Kind: collateral.TCBInfo, API: 4, Update: collateral.Early},
	"tdx_tcbinfo":       {Kind: collateral.TCBInfo, API: 4, TEE: dcap.TEETDX, Update: collateral.Standard},
	"tdx_tcbinfo_early": {Kind: collateral.TCBInfo, API: 4, TEE: dcap.TEETDX, Update: collateral.Early},
}

func (f *file) row(where string) {
	if f.nrows++; f.nrows > MaxPlatforms {
		f.fail(where, ErrTooLarge, "there are more platforms than are read at once")
		return
	}
	f.value(where, func(r *strictjson.Reader) {
		p := readRow(r)
		f.rows[p.PlatformID] = append(f.rows[p.PlatformID], p)
	})
}

func (f *file) collaterals(where string) {
	has := map[string]bool{}
	f.object(where, func(key, where string) {
		has[key] = true
		identity, isIdentity := identities[key]
		switch {
		case isIdentity:
			f.value(where, func(r *strictjson.Reader) { f.document(identity, []byte(text(r))) })
		case key == "version":
			f.value(where, func(r *strictjson.Reader) {
				at := r.Start()
				if f.version = int(r.Uint(1000)); r.Err() == nil && f.version != 3 && f.version != 4 {
					r.Fail(ErrFormat, at, fmt.Sprintf("version %d is not read: 3 and 4 are", f.version))
				}
			})
		case key == "pck_certs":
			f.array(where, f.platform)
		case key == "tcbinfos":
			f.array(where, f.tcbInfo)
		case key == "pckcacrl":
			f.value(where, f.pckCRLs)
		case key == "certificates":
			f.value(where, f.certificates)
		case key == "rootcacrl":
			f.value(where, func(r *strictjson.Reader) { f.rootCRL = octets(r, dcap.MaxCRLSize) })
		default: // also rootcacrl_cdp, which the root certificate says
			f.skip(where)
		}
	})
	for _, key := range []string{"pck_certs", "tcbinfos", "certificates"} {
		if !has[key] {
			f.fail(where, ErrFormat, "it has no "+key)
		}
	}
}

// document takes a document in, unless it is empty, as which Intel's tool
// writes what it has not got.
func (f *file) document(item collateral.Item, body []byte) {
	if len(body) > 0 {
		f.documents = append(f.documents, collateral.Document{Item: item, Body: body})
	}
}

// tcbInfo reads the TCB infos of an FMSPC. It is in the file as JSON and not as
// text, which Intel's tool writes with spaces; without them it is what is signed.
func (f *file) tcbInfo(where string) {
	fmspc, first := "", len(f.documents)
	raw := f.raw(where)
	f.read(where, raw, func(r *strictjson.Reader) {
		for r.Object(); r.NextKey(); {
			item, known := tcbInfos[r.Key()]
			switch {
			case r.Key() == "fmspc":
				fmspc = digits(r, digitsFMSPC, false)
			case !known:
				r.Skip()
			case !r.Null():
				at := r.Start()
				r.Skip()
				if r.Err() == nil {
					f.document(item, compact(raw[at:r.Pos()]))
				}
			}
		}
		if r.Err() == nil && fmspc == "" {
			r.Fail(ErrFormat, 0, "it has no fmspc")
		}
	})
	for i := first; i < len(f.documents); i++ {
		f.documents[i].Item.FMSPC = fmspc
	}
}

func (f *file) pckCRLs(r *strictjson.Reader) {
	for r.Object(); r.NextKey(); {
		switch r.Key() {
		case "processorCrl":
			f.document(collateral.Item{Kind: collateral.PCKCRL, CA: "processor"}, octets(r, dcap.MaxCRLSize))
		case "platformCrl":
			f.document(collateral.Item{Kind: collateral.PCKCRL, CA: "platform"}, octets(r, dcap.MaxCRLSize))
		default:
			r.Skip()
		}
	}
}

func (f *file) certificates(r *strictjson.Reader) {
	chain := func(name string) {
		at := r.Start()
		s := text(r)
		if r.Err() != nil || s == "" {
			return
		}
		pem, _, err := unescape(s)
		if err != nil {
			r.Fail(ErrFormat, at, err.Error())
		}
		f.chains[name] = pem
	}
	for r.Object(); r.NextKey(); {
		switch key := r.Key(); key {
		case chainTCB, chainTCB3:
			chain(chainTCB)
		case chainIdentity:
			chain(chainIdentity)
		case chainPCK:
			for r.Object(); r.NextKey(); {
				switch ca := r.Key(); ca {
				case chainProcessor, chainPlatform:
					chain(ca)
				default:
					r.Skip()
				}
			}
		default:
			r.Skip()
		}
	}
}

// join puts together what stands in different places of the file.
func (f *file) join() (*pccs.Collateral, error) {
	tcb, identity := f.chains[chainTCB], f.chains[chainIdentity]
	if tcb == nil {
		tcb = identity // one authority signs both
	}
	if identity == nil {
		identity = tcb
	}
	f.documents = slices.DeleteFunc(f.documents, func(d collateral.Document) bool {
		return d.Item.API != 0 && d.Item.API != f.version
	})
	for i := range f.documents {
		d := &f.documents[i]
		d.Item.API = f.version
		d.Item = d.Item.Canonical()
		switch d.Item.Kind {
		case collateral.TCBInfo:
			d.Chain = tcb
		case collateral.QEIdentity, collateral.QVEIdentity:
			d.Chain = identity
		case collateral.PCKCRL:
			d.Chain = f.chains[strings.ToUpper(d.Item.CA)]
		}
		if err := d.Item.Valid(); err != nil {
			return nil, &Error{What: whatCollateral, Err: ErrFormat, Reason: err.Error()}
		}
	}
	if len(f.documents) > 0 && len(f.chains) == 0 {
		return nil, &Error{What: whatCollateral, Where: "collaterals.certificates", Err: ErrFormat,
			Reason: "it has no issuers of the documents, so that nobody could verify them (`pccsadmin fetch -c` makes such files): fetch all, or with `feidi pccs fetch --crl`"}
	}
	f.documents = slices.DeleteFunc(f.documents, func(d collateral.Document) bool { return d.Chain == nil })
	for i := range f.platforms {
		f.finish(&f.platforms[i])
	}
	return &pccs.Collateral{Documents: f.documents, RootCRL: f.rootCRL, Platforms: f.platforms}, nil
}
