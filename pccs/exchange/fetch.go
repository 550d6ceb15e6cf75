package exchange

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/store"
	"github.com/feidi-dev/feidi/pcs"
)

// FetchOptions say what Fetch gets.
type FetchOptions struct {
	CRLs    bool     // nothing but revocation lists
	Updates []string // collateral.Standard, collateral.Early or both; Standard if there is none
	// Known is a kind of platforms, "all", "client", "E3" or "E5", whose TCB
	// infos are got although no platform of the list has the FMSPC; none if
	// it is empty.
	Known string
	// Progress, if it is not nil, is called for each thing that was asked for;
	// all grows as more turns out to be wanted. Calls do not overlap.
	Progress func(done, all int)
}

// Fetched tells what Fetch got.
type Fetched struct {
	Platforms, Certificates, Documents int
	NotAvailable                       int       // TCB levels of platforms that there is no certificate for
	Failed                             []Refusal // platforms that could not be had
}

// asking is how many requests are under way at a time.
const asking = 4

// Fetch gets what a PCCS that asks nobody is to be brought for platforms, from
// Intel's PCS or another: PCK certificates, TCB infos, identities and revocation
// lists, all verified. Platforms that fail are told in the report, and left out;
// any other failure is the error. That there is no TCB info for TDX is none.
func Fetch(ctx context.Context, from *collateral.Client, list []store.Registration, o FetchOptions) (*pccs.Collateral, *Fetched, error) {
	if len(o.Updates) == 0 {
		o.Updates = []string{collateral.Standard}
	}
	f := &fetching{ctx: ctx, from: from, o: o, report: &Fetched{}, out: &pccs.Collateral{}}
	steps := []func([]store.Registration) error{f.lists, f.platforms, f.tcbInfos, f.identities}
	if o.CRLs {
		steps = steps[:1]
	}
	for _, step := range steps {
		if err := step(list); err != nil {
			return nil, f.report, err
		}
	}
	f.report.Documents, f.report.Platforms = len(f.out.Documents), len(f.out.Platforms)
	for i := range f.out.Platforms {
		f.report.Certificates += len(f.out.Platforms[i].Certs)
	}
	return f.out, f.report, nil
}

// fetching is a Fetch that is under way.
type fetching struct {
	ctx    context.Context
	from   *collateral.Client
	o      FetchOptions
	report *Fetched
	out    *pccs.Collateral

	mu        sync.Mutex // guards done and all, and calls of Progress
	done, all int
}

// each calls f for 0 to n-1, some at a time, and returns an error for each.
func (f *fetching) each(n int, get func(int) error) []error {
	f.mu.Lock()
	f.all += n
	f.mu.Unlock()
	errs := make([]error, n)
	free := make(chan struct{}, asking)
	var wg sync.WaitGroup
	for i := range n {
		free <- struct{}{}
		wg.Go(func() {
			if errs[i] = f.ctx.Err(); errs[i] == nil {
				errs[i] = get(i)
			}
			f.mu.Lock()
			if f.done++; f.o.Progress != nil {
				f.o.Progress(f.done, f.all)
			}
			f.mu.Unlock()
			<-free
		})
	}
	wg.Wait()
	return errs
}

// documents gets documents. That one is not known is an error unless optional
// says else.
func (f *fetching) documents(items []collateral.Item, optional func(collateral.Item) bool) error {
	docs := make([]*collateral.Document, len(items))
	errs := f.each(len(items), func(i int) (err error) {
		docs[i], err = f.from.Fetch(f.ctx, items[i])
		return err
	})
	for i, err := range errs {
		switch {
		case err == nil:
			f.out.Documents = append(f.out.Documents, *docs[i])
		case !errors.Is(err, pcs.ErrNotFound) || !optional(items[i]):
			return err
		}
	}
	return nil
}

func never(collateral.Item) bool { return false }

// lists gets the revocation lists.
func (f *fetching) lists([]store.Registration) error {
	err := f.documents([]collateral.Item{
		{Kind: collateral.RootCRL, API: 4},
		{Kind: collateral.PCKCRL, API: 4, CA: "processor"},
		{Kind: collateral.PCKCRL, API: 4, CA: "platform"},
	}, never)
	if err != nil {
		return err
	}
	f.out.RootCRL = f.out.Documents[0].Body
	f.out.Documents = f.out.Documents[1:]
	return nil
}

// platforms gets the PCK certificates of platforms.
func (f *fetching) platforms(list []store.Registration) error {
	platforms := together(list)
	missing := make([]int, len(platforms))
	errs := f.each(len(platforms), func(i int) (err error) {
		missing[i], err = f.pckCerts(&platforms[i])
		return err
	})
	for i, err := range errs {
		p := &platforms[i]
		switch {
		case f.ctx.Err() != nil:
			return context.Cause(f.ctx)
		case errors.Is(err, pcs.ErrUnauthorized):
			return err // so it is for all
		case err != nil:
			f.report.Failed = append(f.report.Failed, Refusal{"platform/" + p.QEID + "/" + p.PCEID, err})
			continue
		}
		f.report.NotAvailable += missing[i]
		f.out.Platforms = append(f.out.Platforms, *p)
	}
	return nil
}

// together makes platforms of a list that has an entry for each of their TCBs.
func together(list []store.Registration) (platforms []store.Platform) {
	at := map[store.PlatformID]int{}
	for i := range list {
		r := &list[i]
		n, ok := at[r.PlatformID]
		if !ok {
			n = len(platforms)
			at[r.PlatformID] = n
			platforms = append(platforms, store.Platform{PlatformID: r.PlatformID})
		}
		p := &platforms[n]
		if r.EncryptedPPID != nil {
			p.EncryptedPPID = r.EncryptedPPID
		}
		if r.Manifest != nil {
			p.Manifest = r.Manifest
		}
		if t := (store.RawTCB{CPUSVN: r.CPUSVN, PCESVN: r.PCESVN}); t.CPUSVN != "" && t.PCESVN != "" && !slices.Contains(p.TCBs, t) {
			p.TCBs = append(p.TCBs, t)
		}
	}
	return platforms
}

// pckCerts gets the PCK certificates of a platform, and returns for how many TCB
// levels there is none.
func (f *fetching) pckCerts(p *store.Platform) (missing int, err error) {
	pceID, err := hex.DecodeString(p.PCEID)
	if err != nil || len(pceID) != 2 {
		return 0, fmt.Errorf("its PCE ID %.10q is not 4 hexadecimal digits", p.PCEID)
	}
	r := pcs.PCKCertsRequest{EncryptedPPID: p.EncryptedPPID, Manifest: p.Manifest, PCEID: [2]byte(pceID)}
	if len(r.Manifest) > 0 {
		r.EncryptedPPID = nil // as Intel's tool asks
	}
	got, err := f.from.PCKCerts(f.ctx, r)
	if err != nil {
		return 0, err
	}
	p.FMSPC, p.CA, p.Issuers = upperHex(got.FMSPC[:]), string(got.CA), got.Issuers
	for _, l := range got.Levels {
		if l.Cert == nil {
			missing++
			continue
		}
		tcbm := append(slices.Clone(l.CPUSVN[:]), byte(l.PCESVN), byte(l.PCESVN>>8))
		p.Certs = append(p.Certs, store.PCKCert{TCBm: upperHex(tcbm), Cert: string(l.Cert)})
	}
	if len(p.Certs) == 0 {
		return missing, errors.New("there is a certificate for none of its TCB levels")
	}
	return missing, nil
}

// tcbInfos gets the TCB infos of the FMSPCs of platforms, and of others that are
// wanted.
func (f *fetching) tcbInfos([]store.Registration) error {
	own := map[string]bool{}
	for i := range f.out.Platforms {
		own[f.out.Platforms[i].FMSPC] = true
	}
	all := maps.Clone(own)
	if f.o.Known != "" {
		list, err := f.from.Fetch(f.ctx, collateral.Item{Kind: collateral.FMSPCs, API: 4, Platform: f.o.Known})
		if err != nil {
			return err
		}
		known, err := pcs.ParseFMSPCs(list.Body)
		if err != nil {
			return err
		}
		for _, k := range known {
			all[upperHex(k.FMSPC[:])] = true
		}
	}
	var items []collateral.Item
	for _, fmspc := range slices.Sorted(maps.Keys(all)) {
		for _, tee := range []dcap.TEEType{dcap.TEESGX, dcap.TEETDX} {
			for _, update := range f.o.Updates {
				items = append(items, collateral.Item{Kind: collateral.TCBInfo, API: 4, TEE: tee, FMSPC: fmspc, Update: update})
			}
		}
	}
	// Certificates of a platform are chosen by the TCB info of SGX.
	return f.documents(items, func(i collateral.Item) bool {
		return i.TEE == dcap.TEETDX || !own[strings.ToUpper(i.FMSPC)] || i.Update == collateral.Early && len(f.o.Updates) > 1
	})
}

// identities gets those of the enclaves that quote and verify.
func (f *fetching) identities([]store.Registration) error {
	var items []collateral.Item
	for _, update := range f.o.Updates {
		items = append(items,
			collateral.Item{Kind: collateral.QEIdentity, API: 4, Update: update},
			collateral.Item{Kind: collateral.QEIdentity, API: 4, TEE: dcap.TEETDX, Update: update},
			collateral.Item{Kind: collateral.QVEIdentity, API: 4, Update: update})
	}
	return f.documents(items, func(i collateral.Item) bool { return i.Update == collateral.Early && len(f.o.Updates) > 1 })
}
