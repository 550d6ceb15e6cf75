package exchange

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/internal/strictjson"
	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/store"
)

// WriteCollateral writes a platform_collaterals.json that ParseCollateral and
// Intel's PCCS read: of version 4, or 3 if all documents are. TCB infos and
// platforms come in the order of their FMSPCs and IDs, so that the same
// collateral gives the same file.
//
// The error is ErrMisfit for what the format has no place for: documents of
// both versions, or two of a kind; those for a TCB evaluation data number;
// documents of a kind whose issuers differ, as there is one chain for all.
func WriteCollateral(out io.Writer, c *pccs.Collateral) error {
	l := &layout{tcb: map[string]map[string][]byte{}, identity: map[string][]byte{}, crl: map[string][]byte{}, chains: map[string][]byte{}}
	for i := range c.Documents {
		if err := l.place(&c.Documents[i]); err != nil {
			return err
		}
	}
	platforms := slices.Clone(c.Platforms)
	slices.SortStableFunc(platforms, func(a, b store.Platform) int {
		return cmp.Or(strings.Compare(a.QEID, b.QEID), strings.Compare(a.PCEID, b.PCEID))
	})
	for i := range platforms {
		p := &platforms[i]
		if err := l.chain(strings.ToUpper(p.CA), p.Issuers, "platform "+p.QEID); err != nil {
			return err
		}
	}
	if l.version == 0 {
		l.version = 4
	}
	w := bufio.NewWriterSize(out, 64<<10)
	// A bufio.Writer keeps its first error, which Flush returns.
	w.WriteString(`{"platforms":[`)
	sep := ""
	for i := range platforms {
		for _, r := range rowsOf(&platforms[i]) {
			w.WriteString(sep)
			w.Write(appendRow(nil, &r))
			sep = ","
		}
	}
	fmt.Fprintf(w, `],"collaterals":{"version":%d,"pck_certs":[`, l.version)
	for i := range platforms {
		if i > 0 {
			w.WriteByte(',')
		}
		b, err := appendPCKCerts(nil, &platforms[i])
		if err != nil {
			return err
		}
		w.Write(b)
	}
	w.WriteString(`],`)
	w.Write(l.append(nil))
	w.Write(l.appendRootCRL(nil, c.RootCRL))
	w.WriteString("}}\n")
	return w.Flush()
}

// layout has documents by their places in the file.
type layout struct {
	version  int
	tcb      map[string]map[string][]byte // by FMSPC and key
	identity map[string][]byte            // by key
	crl      map[string][]byte            // by key
	chains   map[string][]byte            // by name
}

func misfit(where, reason string) error {
	return &Error{What: whatCollateral, Where: where, Reason: reason, Err: ErrMisfit}
}

// place puts a document into its place.
func (l *layout) place(d *collateral.Document) error {
	item, name := d.Item, d.Item.String()
	api := item.API // of the document; CRLs are the same in both
	var into map[string][]byte
	key, chain := "", ""
	switch d.Item.Kind {
	case collateral.TCBInfo:
		item.FMSPC = ""
		key, chain = keyOf(tcbInfos, item), chainTCB
		if l.tcb[d.Item.FMSPC] == nil {
			l.tcb[d.Item.FMSPC] = map[string][]byte{}
		}
		into = l.tcb[d.Item.FMSPC]
	case collateral.QEIdentity, collateral.QVEIdentity:
		item.API = 0
		key, chain, into = keyOf(identities, item), chainIdentity, l.identity
	case collateral.PCKCRL:
		key, chain, into = d.Item.CA+"Crl", strings.ToUpper(d.Item.CA), l.crl
		api = l.version
	case collateral.RootCRL:
		return nil // pccs.Collateral has it besides
	}
	switch {
	case key == "":
		return misfit(name, "such a document is not in these files: fetch standard or early ones")
	case into[key] != nil:
		return misfit(name, "there are two of it")
	case l.version != 0 && l.version != api:
		return misfit(name, fmt.Sprintf("other documents are of version %d of the interface, and a file has those of one", l.version))
	}
	l.version, into[key] = api, d.Body
	return l.chain(chain, d.Chain, name)
}

func keyOf(keys map[string]collateral.Item, item collateral.Item) string {
	for key, i := range keys {
		if i == item {
			return key
		}
	}
	return ""
}

func (l *layout) chain(name string, pem []byte, of string) error {
	if len(pem) == 0 {
		return nil
	}
	if old := l.chains[name]; old != nil && !bytes.Equal(old, pem) {
		return misfit(of, "it has other issuers than documents of the same kind, and a file has one chain for all: get all anew at the same time")
	}
	l.chains[name] = pem
	return nil
}

// append appends what comes after the PCK certificates.
func (l *layout) append(b []byte) []byte {
	b = append(b, `"tcbinfos":[`...)
	for i, fmspc := range slices.Sorted(maps.Keys(l.tcb)) {
		if i > 0 {
			b = append(b, ',')
		}
		// PCCS 1.23 compares it with lower case.
		b = fmt.Appendf(b, `{"fmspc":%q`, strings.ToLower(fmspc))
		for _, key := range slices.Sorted(maps.Keys(l.tcb[fmspc])) {
			b = fmt.Appendf(b, `,%q:%s`, key, l.tcb[fmspc][key])
		}
		b = append(b, '}')
	}
	b = append(b, `],"pckcacrl":{`...)
	for i, key := range slices.Sorted(maps.Keys(l.crl)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `%q:"%x"`, key, l.crl[key])
	}
	b = append(b, '}')
	for _, key := range slices.Sorted(maps.Keys(identities)) {
		// Intel's tool has the three that are not early always.
		if body := l.identity[key]; body != nil || !strings.HasSuffix(key, "_early") {
			b = strictjson.AppendString(fmt.Appendf(b, ",%q:", key), string(body))
		}
	}
	b = append(b, `,"certificates":{"`+chainPCK+`":{`...)
	sep := ""
	for _, ca := range []string{chainPlatform, chainProcessor} {
		if l.chains[ca] != nil {
			b = fmt.Appendf(b, `%s%q:"%s"`, sep, ca, escape(l.chains[ca]))
			sep = ","
		}
	}
	name := chainTCB
	if l.version == 3 {
		name = chainTCB3
	}
	return fmt.Appendf(b, `},%q:"%s",%q:"%s"}`, name, escape(l.chains[chainTCB]), chainIdentity, escape(l.chains[chainIdentity]))
}

// appendRootCRL appends the root CRL, and where the root certificate says that
// it is: Intel's PCCS then has it for who asks for that address.
func (l *layout) appendRootCRL(b, crl []byte) []byte {
	b = fmt.Appendf(b, `,"rootcacrl":"%x"`, crl)
	for _, name := range slices.Sorted(maps.Keys(l.chains)) {
		chain, err := dcap.ParseChain(l.chains[name])
		if err != nil {
			continue
		}
		if uri := chain[len(chain)-1].CRLDistributionPoint; uri != "" {
			return strictjson.AppendString(append(b, `,"rootcacrl_cdp":`...), uri)
		}
	}
	return b
}

// rowsOf returns an entry for each TCB of a platform, or one without a TCB.
func rowsOf(p *store.Platform) []store.Registration {
	one := store.Registration{PlatformID: p.PlatformID, EncryptedPPID: p.EncryptedPPID, Manifest: p.Manifest}
	if len(p.TCBs) == 0 {
		return []store.Registration{one}
	}
	rows := make([]store.Registration, len(p.TCBs))
	for i, t := range p.TCBs {
		rows[i] = one
		rows[i].CPUSVN, rows[i].PCESVN = t.CPUSVN, t.PCESVN
	}
	return rows
}

func appendPCKCerts(b []byte, p *store.Platform) ([]byte, error) {
	b = strictjson.AppendString(append(b, `{"qe_id":`...), p.QEID)
	b = strictjson.AppendString(append(b, `,"pce_id":`...), p.PCEID)
	b = hex.AppendEncode(append(b, `,"enc_ppid":"`...), p.EncryptedPPID)
	b = hex.AppendEncode(append(b, `","platform_manifest":"`...), p.Manifest)
	b = append(b, `","certs":`...)
	b, err := appendCerts(b, p.Certs)
	if err != nil {
		return nil, fmt.Errorf("platform %s: %w", p.QEID, err)
	}
	return append(b, '}'), nil
}

// appendCerts appends PCK certificates as Intel's PCS serves them. What TCB each
// is for stands in it.
func appendCerts(b []byte, certs []store.PCKCert) ([]byte, error) {
	b = append(b, '[')
	for i, c := range certs {
		if i > 0 {
			b = append(b, ',')
		}
		_, ders, err := unescape(c.Cert)
		if err == nil && len(ders) != 1 {
			err = fmt.Errorf("%d certificates in the place of one", len(ders))
		}
		var ext *dcap.PCKExtension
		if err == nil {
			ext, _, err = kindOf(ders[0])
		}
		if err != nil {
			return nil, &Error{What: "PCK certificate", Where: c.TCBm, Reason: err.Error(), Err: ErrFormat}
		}
		b = append(b, `{"tcb":{`...)
		for i, svn := range ext.TCB {
			b = fmt.Appendf(b, `"sgxtcbcomp%02dsvn":%d,`, i+1, svn)
		}
		b = fmt.Appendf(b, `"pcesvn":%d},"tcbm":%q,"cert":"%s"}`, ext.PCESVN, c.TCBm, escape([]byte(c.Cert)))
	}
	return append(b, ']'), nil
}

// compact returns JSON without white space between its parts.
func compact(doc []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, doc) != nil {
		return nil
	}
	return b.Bytes()
}
