package cli

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/host"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/measure"
	"github.com/feidi-dev/feidi/sign"
)

func (a *app) inspect() *cobra.Command {
	var sigstruct string
	var pages bool
	cmd := a.verb(&cobra.Command{
		Use:   "inspect FILE",
		Short: "Show what an enclave file holds, and check it",
		Long: `Inspect shows the format of an enclave file, its identity, its attributes and
its layout. It computes MRENCLAVE from the file's pages, compares it with the
one that the SIGSTRUCT claims, and checks the SIGSTRUCT's signature. It runs
nothing.

It exits with 0 if measurement and signature fit, or if there is no SIGSTRUCT
to compare with; with 1 if one of them does not fit.

In JSON, "debug" is ATTRIBUTES.DEBUG as signed, and "debug_allowed" says
whether the signer lets the enclave be loaded for debugging. Without a
SIGSTRUCT, what it would tell is null.`,
		Example: `  feidi demo enclave --save /tmp/feidi-demo
  feidi inspect /tmp/feidi-demo/alice.signed.so
  feidi inspect /tmp/feidi-demo/stream.sgxs --sigstruct /tmp/feidi-demo/stream.sig --pages
  feidi inspect /tmp/feidi-demo/alice.signed.so --json`,
		Args: operands("the enclave's file"),
		RunE: func(_ *cobra.Command, args []string) error {
			m, err := readImage(args[0], sigstruct)
			if err != nil {
				return err
			}
			r := inspection(args[0], m, pages)
			if a.json {
				if err := a.writeJSON(r); err != nil {
					return err
				}
			} else {
				r.show(a, m)
			}
			return r.verdict()
		},
	})
	cmd.Flags().StringVar(&sigstruct, "sigstruct", "", "read the SIGSTRUCT from this `file`, in place of the enclave's own")
	cmd.Flags().BoolVar(&pages, "pages", false, "show the page map")
	return cmd
}

// inspected is the JSON object of inspect.
type inspected struct {
	File             string   `json:"file"`
	Format           string   `json:"format"`
	Mode             string   `json:"mode"`
	SDKVersion       string   `json:"sdk_version"`
	MetadataVersion  string   `json:"metadata_version"`
	MetadataVersions []string `json:"metadata_versions"`

	MREnclave        string  `json:"mrenclave"`
	MREnclaveClaimed *string `json:"mrenclave_claimed"`
	MRSigner         *string `json:"mrsigner"`
	SignatureValid   *bool   `json:"signature_valid"`
	SignatureError   string  `json:"signature_error,omitempty"`
	SignatureDate    *string `json:"signature_date"`
	Vendor           *string `json:"vendor"`
	ISVProdID        *uint16 `json:"isv_prod_id"`
	ISVSVN           *uint16 `json:"isv_svn"`
	Debug            bool    `json:"debug"`
	DebugAllowed     *bool   `json:"debug_allowed"`

	Attributes    attributes  `json:"attributes"`
	AttributeMask *attributes `json:"attribute_mask"`
	MiscSelect    string      `json:"misc_select"`
	MiscMask      *string     `json:"misc_mask"`
	KSS           bool        `json:"kss"`
	ISVExtProdID  *string     `json:"isv_ext_prod_id"`
	ISVFamilyID   *string     `json:"isv_family_id"`

	ELRangeSize   uint64      `json:"elrange_size"`
	Base          uint64      `json:"base"`
	Pages         uint64      `json:"pages"`
	HeapSize      uint64      `json:"heap_size"`
	SSAFramePages uint32      `json:"ssa_frame_pages"`
	TCSCount      int         `json:"tcs_count"`
	TCSUsable     int         `json:"tcs_usable"`
	ThreadPolicy  string      `json:"thread_policy"`
	Threads       []thread    `json:"threads"`
	PageMap       []pageRange `json:"page_map,omitempty"`
}

type attributes struct {
	Flags string   `json:"flags"`
	XFRM  string   `json:"xfrm"`
	Names []string `json:"names"`
}

type thread struct {
	Offset uint64 `json:"offset"`
	Usable bool   `json:"usable"`
}

type pageRange struct {
	Offset   uint64 `json:"offset"`
	Pages    uint64 `json:"pages"`
	Kind     string `json:"kind"`     // type and permissions
	Measured string `json:"measured"` // "yes", "no" or the number of chunks
	Content  string `json:"content"`
}

// inspection gathers what is known of m.
func inspection(file string, m *image.Image, pages bool) *inspected {
	mrenclave := measure.Image(m)
	r := &inspected{
		File: file, Format: string(m.Format), Mode: string(m.Mode), SDKVersion: m.SDK,
		MetadataVersions: []string{}, MREnclave: hex.EncodeToString(mrenclave[:]),
		Attributes: showAttributes(m.Attributes), Debug: m.Attributes.Flags&isa.AttrDebug != 0,
		MiscSelect: fmt.Sprintf("%#x", uint32(m.MiscSelect)), KSS: m.Attributes.Flags&isa.AttrKSS != 0,
		ELRangeSize: m.Size, Base: m.Base, HeapSize: m.HeapSize, SSAFramePages: m.SSAFrameSize,
		TCSCount: len(m.Threads), ThreadPolicy: map[image.ThreadPolicy]string{image.PolicyBind: "bind", image.PolicyUnbind: "unbind"}[m.ThreadPolicy],
		Threads: []thread{},
	}
	if m.Version != 0 {
		r.MetadataVersion = showVersion(m.Version)
	}
	for _, v := range m.Versions {
		r.MetadataVersions = append(r.MetadataVersions, showVersion(v))
	}
	for _, t := range m.Threads {
		r.Threads = append(r.Threads, thread{t.Offset, t.Usable})
		if t.Usable {
			r.TCSUsable++
		}
	}
	for i := range m.Runs {
		r.Pages += m.Runs[i].Pages
		if pages {
			r.PageMap = append(r.PageMap, showRun(&m.Runs[i]))
		}
	}
	if m.SigStruct != nil {
		r.signed(m.SigStruct)
	}
	return r
}

// signed adds what s says, and whether it is signed.
func (r *inspected) signed(s *isa.SigStruct) {
	err := sign.Verify(s)
	if err != nil {
		r.SignatureError = err.Error()
	}
	mrsigner := sign.MRSigner(s)
	mask := showAttributes(s.AttributeMask)
	r.Debug = s.Attributes.Flags&isa.AttrDebug != 0
	r.KSS = r.KSS || s.Attributes.Flags&isa.AttrKSS != 0
	r.MREnclaveClaimed = ptr(hex.EncodeToString(s.EnclaveHash[:]))
	r.MRSigner = ptr(hex.EncodeToString(mrsigner[:]))
	r.SignatureValid = ptr(err == nil)
	r.SignatureDate = ptr(fmt.Sprintf("%04x-%02x-%02x", s.Date>>16, s.Date>>8&0xFF, s.Date&0xFF))
	r.Vendor = ptr(fmt.Sprintf("%#x", s.Vendor))
	r.ISVProdID, r.ISVSVN = ptr(s.ISVProdID), ptr(s.ISVSVN)
	r.DebugAllowed = ptr(r.Debug || s.AttributeMask.Flags&isa.AttrDebug == 0)
	r.AttributeMask = &mask
	r.MiscMask = ptr(fmt.Sprintf("%#x", uint32(s.MiscMask)))
	r.ISVExtProdID = ptr(hex.EncodeToString(s.ISVExtProdID[:]))
	r.ISVFamilyID = ptr(hex.EncodeToString(s.ISVFamilyID[:]))
}

func ptr[T any](v T) *T { return &v }

// verdict is the error of a file that contradicts its SIGSTRUCT.
func (r *inspected) verdict() error {
	var wrong []error
	if r.MREnclaveClaimed != nil && *r.MREnclaveClaimed != r.MREnclave {
		wrong = append(wrong, fmt.Errorf("%s: MRENCLAVE is not the one that the SIGSTRUCT claims", r.File))
	}
	if r.SignatureError != "" {
		wrong = append(wrong, fmt.Errorf("%s: %s", r.File, r.SignatureError))
	}
	if wrong == nil {
		return nil
	}
	return no(errors.Join(wrong...))
}

func showAttributes(v isa.Attributes) attributes {
	return attributes{
		Flags: fmt.Sprintf("%#x", uint64(v.Flags)), XFRM: fmt.Sprintf("%#x", uint64(v.XFRM)),
		Names: bits(uint64(v.Flags), attributeNames),
	}
}

func showVersion(v uint64) string { return fmt.Sprintf("%d.%d", v>>32, uint32(v)) }

func showRun(r *image.Run) pageRange {
	p := pageRange{Offset: r.Offset, Pages: r.Pages, Kind: pageKind(r.Flags), Measured: "no", Content: "data"}
	if r.Measured {
		p.Measured = "yes"
	} else if len(r.Chunks) > 0 {
		p.Measured = count(len(r.Chunks), "chunk")
	}
	if r.Data == nil {
		p.Content = "zeros"
		if r.Fill != 0 {
			p.Content = fmt.Sprintf("%#08x repeated", r.Fill)
		}
	}
	return p
}

// or is *s, or "none".
func or(s *string) string {
	if s == nil {
		return "none"
	}
	return *s
}

func (r *inspected) show(a *app, m *image.Image) {
	a.printf("%s\n", r.File)
	var t table
	add := func(name, value string) { t.add(name, value) }
	kind := r.Format + ", " + r.Mode + " build"
	if r.SDKVersion != "" {
		kind += ", SDK " + r.SDKVersion
	}
	add("Format", kind)
	if len(r.MetadataVersions) > 0 {
		add("Metadata", r.MetadataVersion+" of "+strings.Join(r.MetadataVersions, ", "))
	}
	r.showIdentity(add, m)
	add("Attributes", r.Attributes.Flags+" ("+strings.Join(r.Attributes.Names, " ")+")")
	add("XFRM", r.Attributes.XFRM+" ("+strings.Join(bits(uint64(m.Attributes.XFRM), xfrmNames), " ")+")")
	add("MISCSELECT", strings.TrimSuffix(r.MiscSelect+" "+strings.Join(bits(uint64(m.MiscSelect), miscNames), " "), " "))
	if r.AttributeMask != nil {
		add("Masks", "attributes "+r.AttributeMask.Flags+", XFRM "+r.AttributeMask.XFRM+", MISCSELECT "+*r.MiscMask)
	}
	add("ELRANGE", fmt.Sprintf("%s (%#x)", host.Bytes(r.ELRangeSize), r.ELRangeSize))
	if r.Base != 0 {
		add("Base", fmt.Sprintf("%#x, demanded by the file", r.Base))
	}
	add("Pages", fmt.Sprintf("%d (%s)", r.Pages, host.Bytes(r.Pages*isa.PageSize)))
	if r.HeapSize != 0 {
		add("Heap", host.Bytes(r.HeapSize))
	}
	add("Threads", fmt.Sprintf("%d TCS, %d usable, policy %s; SSA frames of %s", r.TCSCount, r.TCSUsable, r.ThreadPolicy, count(r.SSAFramePages, "page")))
	t.write(a, "  ")
	if len(r.PageMap) > 0 {
		a.printf("Page map\n")
		var p table
		p.add("offset", "pages", "kind", "measured", "content")
		for _, e := range r.PageMap {
			p.add(fmt.Sprintf("%#x", e.Offset), fmt.Sprint(e.Pages), e.Kind, e.Measured, e.Content)
		}
		p.write(a, "  ")
	}
}

func (r *inspected) showIdentity(add func(name, value string), m *image.Image) {
	switch {
	case r.MREnclaveClaimed == nil:
		add("MRENCLAVE", r.MREnclave+" (no SIGSTRUCT to compare with)")
		add("Signature", "none")
		return
	case *r.MREnclaveClaimed == r.MREnclave:
		add("MRENCLAVE", r.MREnclave+" (as signed)")
	default:
		add("MRENCLAVE", r.MREnclave+" (NOT as signed)")
		add("  signed", *r.MREnclaveClaimed)
	}
	add("MRSIGNER", or(r.MRSigner))
	if *r.SignatureValid {
		add("Signature", "valid, of "+*r.SignatureDate+", vendor "+*r.Vendor)
	} else {
		add("Signature", "INVALID: "+r.SignatureError)
	}
	add("Product", fmt.Sprintf("id %d, SVN %d", *r.ISVProdID, *r.ISVSVN))
	if r.KSS {
		add("KSS", "extended product id "+*r.ISVExtProdID+", family id "+*r.ISVFamilyID)
	}
	switch {
	case r.Debug:
		add("Debug", "signed for debugging")
	case *r.DebugAllowed:
		add("Debug", "allowed")
	default:
		add("Debug", "not allowed")
	}
}
