package web

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pccs/store"
)

// family are the platforms of one FMSPC, and what the TCB info that is cached
// of it says of them.
type family struct {
	FMSPC  string
	Count  int
	Info   *dcap.TCBInfo // nil if none is cached
	Why    string        // why there is none
	TDX    bool          // a TCB info for TDX is cached, too
	Shares []share       // by status, the best first
	Groups []judged      // with what they lack, the worst first
}

// share is how many TCBs of a family are of a status.
type share struct {
	Status   dcap.TCBStatus
	Count    int
	X, Width float64 // percent, in the bar of all
}

// judged is a group with its verdict.
type judged struct {
	store.TCBGroup
	verdict
}

// infoItems lists the TCB infos of an FMSPC that are cached, the one that
// verifiers ask for first: of SGX, the standard one, in the form of v4.
func infoItems(s *pccs.Status, fmspc string) []collateral.Item {
	var list []collateral.Item
	for _, d := range s.Documents {
		if d.Item.Kind == collateral.TCBInfo && d.Item.FMSPC == fmspc {
			list = append(list, d.Item)
		}
	}
	rank := func(i collateral.Item) int {
		n := 0
		if i.TEE == dcap.TEETDX {
			n += 4
		}
		if i.Update != collateral.Standard {
			n += 2
		}
		if i.API == 3 {
			n++
		}
		return n
	}
	slices.SortFunc(list, func(a, b collateral.Item) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), -cmp.Compare(a.Evaluation, b.Evaluation), cmp.Compare(a.String(), b.String()))
	})
	return list
}

// info reads a TCB info from the cache.
func (h *Handler) info(ctx context.Context, i collateral.Item) (*dcap.TCBInfo, error) {
	d, err := h.source.document(ctx, i.String())
	if err != nil {
		return nil, err
	}
	signed, err := dcap.ParseTCBInfo(d.Body)
	if err != nil {
		return nil, err
	}
	return &signed.TCBInfo, nil
}

// family judges the platforms of an FMSPC.
func (h *Handler) family(ctx context.Context, s *pccs.Status, n count, fmspc string) family {
	f := family{FMSPC: fmspc, Count: s.Platforms[fmspc]}
	items := infoItems(s, fmspc)
	f.TDX = slices.ContainsFunc(items, func(i collateral.Item) bool { return i.TEE == dcap.TEETDX })
	if len(items) == 0 {
		f.Why = "no TCB info of it is cached yet"
	} else if info, err := h.info(ctx, items[0]); err != nil {
		f.Why = printable(err.Error())
	} else {
		f.Info = info
	}
	for _, g := range n.Groups[fmspc] {
		f.Groups = append(f.Groups, judged{g, h.judgeSample(ctx, f.Info, g)})
	}
	slices.SortFunc(f.Groups, func(a, b judged) int {
		return cmp.Or(-cmp.Compare(worse(a.Status), worse(b.Status)), -cmp.Compare(a.Index, b.Index), -cmp.Compare(a.Count, b.Count), cmp.Compare(a.TCBm, b.TCBm))
	})
	f.Shares = shares(f.Groups)
	return f
}

func shares(groups []judged) []share {
	counts := map[dcap.TCBStatus]int{}
	all := 0
	for _, g := range groups {
		counts[g.Status] += g.Count
		all += g.Count
	}
	var list []share
	x := 0.0
	for _, status := range slices.SortedFunc(maps.Keys(counts), func(a, b dcap.TCBStatus) int { return cmp.Compare(worse(a), worse(b)) }) {
		w := 100 * float64(counts[status]) / float64(all)
		list = append(list, share{status, counts[status], x, w})
		x += w
	}
	return list
}

// worse ranks statuses; a TCB that meets no level is worst.
func worse(s dcap.TCBStatus) int {
	if s == dcap.TCBUnknown {
		return int(dcap.Revoked) + 1
	}
	return int(s)
}

// judgeSample judges the certificate that a group of platforms has in common by
// that of the first of them: what a certificate's TCB is, its TCBm does not tell.
func (h *Handler) judgeSample(ctx context.Context, info *dcap.TCBInfo, g store.TCBGroup) verdict {
	p, err := h.source.platform(ctx, g.Examples[0])
	if err != nil {
		return verdict{Why: printable(err.Error())}
	}
	return judgeTCBm(info, p, g.TCBm)
}

// judgeTCBm judges the certificate of a platform that is for a TCBm.
func judgeTCBm(info *dcap.TCBInfo, p *store.Platform, tcbm string) verdict {
	if info == nil {
		return verdict{Why: "there is no TCB info to judge it by"}
	}
	for _, c := range p.Certs {
		if c.TCBm != tcbm {
			continue
		}
		chain, err := dcap.ParseChain([]byte(c.Cert))
		if err != nil {
			return verdict{Why: printable(err.Error())}
		}
		if chain[0].SGX == nil {
			return verdict{Why: "its certificate has no SGX extension"}
		}
		return judge(info, chain[0])
	}
	return verdict{Why: "no certificate was chosen for this TCB"}
}

// familiesShown is how many FMSPCs the overview has: Intel has given out some
// two hundred in all.
const familiesShown = 300

// families are those with platforms, the largest first, and those of which only
// TCB info is cached.
func (h *Handler) families(ctx context.Context, s *pccs.Status, n count) []family {
	names := maps.Clone(s.Platforms)
	if names == nil {
		names = map[string]int{}
	}
	for _, d := range s.Documents {
		if d.Item.Kind == collateral.TCBInfo {
			names[d.Item.FMSPC] += 0
		}
	}
	sorted := slices.SortedFunc(maps.Keys(names), func(a, b string) int {
		return cmp.Or(-cmp.Compare(names[a], names[b]), cmp.Compare(a, b))
	})
	var list []family
	for _, fmspc := range sorted[:min(len(sorted), familiesShown)] {
		list = append(list, h.family(ctx, s, n, fmspc))
	}
	return list
}

// fmspcView is the page of one FMSPC.
type fmspcView struct {
	family
	Offline bool
	Counted string // as in overview
	At      time.Time
	Levels  []levels // of each TCB info that is cached
	Rows    []document
}

// levels are the levels of a TCB info.
type levels struct {
	Item collateral.Item
	Info *dcap.TCBInfo
	Why  string
	At   []int // how many TCBs meet each level, and no better one; nil for TDX
}

func (h *Handler) fmspc(ctx context.Context, r *http.Request, s *pccs.Status) (string, view, error) {
	name := strings.ToUpper(r.URL.Query().Get("fmspc"))
	if !hexadecimal(name, 12) || len(name) != 12 {
		return "", nil, problem{http.StatusNotFound, "There is no such FMSPC", "An FMSPC has 12 hexadecimal digits."}
	}
	n := h.census.get(ctx, h.source.groups)
	v := fmspcView{family: h.family(ctx, s, n, name), Counted: n.ago(), At: s.At, Offline: s.Mode == pccs.Offline}
	for _, d := range rows(s) {
		if d.Item.FMSPC == name {
			v.Rows = append(v.Rows, d)
		}
	}
	for _, i := range infoItems(s, name) {
		l := levels{Item: i}
		info, err := h.info(ctx, i)
		if err != nil {
			l.Why = printable(err.Error())
		} else {
			l.Info = info
			if v.Info != nil && i.TEE == dcap.TEESGX && info.EvaluationDataNumber == v.Info.EvaluationDataNumber {
				l.At = make([]int, len(info.Levels))
				for _, g := range v.Groups {
					if g.Level != nil && g.Index < len(l.At) {
						l.At[g.Index] += g.Count
					}
				}
			}
		}
		v.Levels = append(v.Levels, l)
	}
	return "FMSPC " + name, v, nil
}
