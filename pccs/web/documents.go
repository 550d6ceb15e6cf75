package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/store"
)

// documentsPage is how many documents a page has.
const documentsPage = 100

// document is a row: a cached document and how it fares.
type document struct {
	pccs.DocumentStatus
	At    time.Time
	Fetch *store.Fetch // of its last failure, or nil
	State string       // "expired", "failing", "due" or "fresh"
}

// Tone is the class of the state.
func (d document) Tone() string {
	return map[string]string{"expired": "bad", "failing": "poor", "due": "fair", "fresh": "good"}[d.State]
}

// rows are the documents of a status: what is expired or failing first, then by
// the time at which they expire.
func rows(s *pccs.Status) []document {
	failures := map[string]*store.Fetch{}
	for i := range s.Failures {
		failures[s.Failures[i].Name] = &s.Failures[i]
	}
	list := make([]document, 0, len(s.Documents))
	for _, d := range s.Documents {
		row := document{DocumentStatus: d, At: s.At, Fetch: failures[d.Name], State: "fresh"}
		switch {
		case d.Expired:
			row.State = "expired"
		case d.Failures > 0:
			row.State = "failing"
		case !d.Due.IsZero() && d.Due.Before(s.At) && s.Mode != pccs.Offline:
			row.State = "due"
		}
		list = append(list, row)
	}
	order := []string{"expired", "failing"}
	urgency := func(d document) int {
		if i := slices.Index(order, d.State); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortFunc(list, func(a, b document) int {
		return cmp.Or(cmp.Compare(urgency(a), urgency(b)), compareEnds(a.NextUpdate, b.NextUpdate), cmp.Compare(a.Name, b.Name))
	})
	return list
}

// compareEnds sorts what never expires last.
func compareEnds(a, b time.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b)
}

type documentsView struct {
	At       time.Time
	Offline  bool
	Rows     []document
	Timeline timeline
	Total    int
	First    int // number of the first row
	Previous int // number of a page, 0 for none
	Next     int
}

func (h *Handler) documents(_ context.Context, r *http.Request, s *pccs.Status) (string, view, error) {
	all := rows(s)
	pages := max(1, (len(all)+documentsPage-1)/documentsPage)
	page, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil || page < 1 {
		page = 1
	}
	page = min(page, pages)
	v := documentsView{At: s.At, Offline: s.Mode == pccs.Offline, Total: len(all), First: (page-1)*documentsPage + 1}
	v.Rows = all[v.First-1 : min(page*documentsPage, len(all))]
	v.Timeline = draw(v.Rows, s.At)
	if page > 1 {
		v.Previous = page - 1
	}
	if page < pages {
		v.Next = page + 1
	}
	return "Documents", v, nil
}
