package web

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/store"
)

const (
	platformsPage = 50
	tcbsShown     = 4 // of a platform
)

// platform is a row.
type platform struct {
	store.Platform
	TCBs []rawTCB
	More int // TCBs that are not shown
	At   time.Time
}

// rawTCB is a TCB that a platform was seen with, and what Intel says of it.
type rawTCB struct {
	store.RawTCB
	verdict
}

type platformsView struct {
	FMSPCs      []string // that can be chosen
	FMSPC, QEID string   // that are asked for
	Bad         string   // what is wrong about that
	Rows        []platform
	Total       int // of the FMSPC, or all; not looked at the QE ID
	After       store.PlatformID
	More        bool
	First       bool // it is the first page
}

func (h *Handler) platforms(ctx context.Context, r *http.Request, s *pccs.Status) (string, view, error) {
	q := r.URL.Query()
	v := platformsView{
		FMSPCs: slices.Sorted(maps.Keys(s.Platforms)),
		FMSPC:  strings.ToUpper(strings.TrimSpace(q.Get("fmspc"))),
		QEID:   strings.ToUpper(strings.TrimSpace(q.Get("qeid"))),
		After:  store.PlatformID{QEID: q.Get("after"), PCEID: q.Get("pce")},
	}
	v.First = v.After == store.PlatformID{}
	if !hexadecimal(v.FMSPC, 12) || len(v.QEID) > 260 || len(v.After.QEID) > 260 || len(v.After.PCEID) > 4 {
		v.Bad, v.FMSPC, v.QEID = "An FMSPC has up to 12 hexadecimal digits, and a QE ID up to 260.", "", ""
		return "Platforms", v, nil
	}
	// The FMSPC may be the beginning of one, as typed.
	var fmspcs []string
	for _, f := range v.FMSPCs {
		if strings.HasPrefix(f, v.FMSPC) {
			fmspcs = append(fmspcs, f)
			v.Total += s.Platforms[f]
		}
	}
	if len(fmspcs) == 0 {
		return "Platforms", v, nil
	}
	if v.FMSPC == "" {
		fmspcs = nil
	}
	// The list is in the order of the QE ID: those that begin with one text are
	// side by side.
	after := v.After
	if after.QEID < v.QEID {
		after = store.PlatformID{QEID: v.QEID}
	}
	list, err := h.source.platforms(ctx, fmspcs[:min(len(fmspcs), store.MaxPage)], after, platformsPage+1)
	if errors.Is(err, store.ErrInvalid) {
		v.Bad = printable(err.Error())
		return "Platforms", v, nil
	}
	if err != nil {
		return "", nil, err
	}
	if i := slices.IndexFunc(list, func(p store.Platform) bool { return !strings.HasPrefix(p.QEID, v.QEID) }); i >= 0 {
		list = list[:i]
	}
	if v.More = len(list) > platformsPage; v.More {
		list = list[:platformsPage]
		v.After = list[platformsPage-1].PlatformID
	}
	infos := map[string]*dcap.TCBInfo{}
	for _, p := range list {
		if _, ok := infos[p.FMSPC]; !ok {
			infos[p.FMSPC] = nil
			if items := infoItems(s, p.FMSPC); len(items) > 0 {
				infos[p.FMSPC], _ = h.info(ctx, items[0]) // the page of the FMSPC says why there is none
			}
		}
		row := platform{Platform: p, At: s.At}
		whole, err := h.source.platform(ctx, p.PlatformID)
		if err != nil {
			whole = &p // gone meanwhile
		}
		for i, t := range p.TCBs {
			if i == tcbsShown {
				row.More = len(p.TCBs) - tcbsShown
				break
			}
			row.TCBs = append(row.TCBs, rawTCB{t, judgeTCBm(infos[p.FMSPC], whole, t.TCBm)})
		}
		v.Rows = append(v.Rows, row)
	}
	return "Platforms", v, nil
}

// hexadecimal reports whether a text has at most n characters, all of them
// hexadecimal digits.
func hexadecimal(s string, n int) bool {
	return len(s) <= n && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}
