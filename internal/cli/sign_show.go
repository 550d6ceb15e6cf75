package cli

import (
	"crypto/rsa"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/internal/host"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
	"github.com/feidi-dev/feidi/sign/sdk"
)

// signed is the JSON object of sign, gendata and catsig.
type signed struct {
	Enclave          string     `json:"enclave"`
	Out              string     `json:"out"`
	SDKVersion       string     `json:"sdk_version"`
	MREnclave        string     `json:"mrenclave"`
	MRSigner         *string    `json:"mrsigner"` // null before it is signed
	SignatureDate    string     `json:"signature_date"`
	ISVProdID        uint16     `json:"isv_prod_id"`
	ISVSVN           uint16     `json:"isv_svn"`
	Attributes       attributes `json:"attributes"`
	AttributeMask    attributes `json:"attribute_mask"`
	MiscSelect       string     `json:"misc_select"`
	MiscMask         string     `json:"misc_mask"`
	MetadataVersions []string   `json:"metadata_versions"`
	ELRangeSize      uint64     `json:"elrange_size"`
	Memory           uint64     `json:"memory"` // bytes that are added before EINIT
	Notes            []string   `json:"notes"`
}

// showSigned shows what was signed, or is to be.
func (a *app) showSigned(f *signFlags, u *sdk.Unsigned) error {
	s := u.SigStruct()
	r := signed{
		Enclave: string(f.enclave), Out: string(f.out), SDKVersion: u.SDK(),
		MREnclave: hex.EncodeToString(s.EnclaveHash[:]), SignatureDate: showDate(s.Date),
		ISVProdID: s.ISVProdID, ISVSVN: s.ISVSVN,
		Attributes: showAttributes(s.Attributes), AttributeMask: showAttributes(s.AttributeMask),
		MiscSelect: fmt.Sprintf("%#x", uint32(s.MiscSelect)), MiscMask: fmt.Sprintf("%#x", uint32(s.MiscMask)),
		Memory: u.Memory(), Notes: u.Notes(),
	}
	for _, m := range u.Metadata() {
		r.MetadataVersions = append(r.MetadataVersions, showVersion(m.Version))
		r.ELRangeSize = m.EnclaveSize
		if m.ELRange != nil {
			r.ELRangeSize = m.ELRange.Size
		}
	}
	if s.Signature != [isa.RSAKeySize]byte{} {
		mrsigner := sign.MRSigner(s)
		r.MRSigner = ptr(hex.EncodeToString(mrsigner[:]))
	}
	if a.json {
		return a.writeJSON(r)
	}
	a.printf("%s\n", r.Out)
	var t table
	t.add("MRENCLAVE", r.MREnclave)
	if r.MRSigner != nil {
		t.add("MRSIGNER", *r.MRSigner)
	} else {
		t.add("MRSIGNER", "to be signed: RSA-3072, PKCS #1 v1.5, SHA-256")
	}
	t.add("Product", fmt.Sprintf("id %d, SVN %d", r.ISVProdID, r.ISVSVN))
	t.add("Date", r.SignatureDate)
	t.add("Attributes", r.Attributes.Flags+" ("+strings.Join(r.Attributes.Names, " ")+"), XFRM "+r.Attributes.XFRM)
	t.add("Masks", "attributes "+r.AttributeMask.Flags+", XFRM "+r.AttributeMask.XFRM+", MISCSELECT "+r.MiscMask)
	t.add("MISCSELECT", strings.TrimSuffix(r.MiscSelect+" "+strings.Join(bits(uint64(s.MiscSelect), miscNames), " "), " "))
	t.add("Metadata", strings.Join(r.MetadataVersions, ", ")+", for SDK "+r.SDKVersion)
	t.add("Memory", fmt.Sprintf("%s of %s", host.Bytes(r.Memory), host.Bytes(r.ELRangeSize)))
	t.write(a, "  ")
	for _, n := range r.Notes {
		fmt.Fprintf(a.err, "feidi: note: %s\n", n)
	}
	return nil
}

// showKey shows a new key.
func (a *app) showKey(file string, key *rsa.PublicKey) error {
	mrsigner := sign.KeyMRSigner(key)
	if a.json {
		return a.writeJSON(map[string]any{"key": file, "mrsigner": hex.EncodeToString(mrsigner[:])})
	}
	a.printf("%s\n  MRSIGNER  %x\n", file, mrsigner)
	return nil
}

// showDate is a date in binary-coded decimal as year-month-day.
func showDate(bcd uint32) string {
	return fmt.Sprintf("%04x-%02x-%02x", bcd>>16, bcd>>8&0xFF, bcd&0xFF)
}
