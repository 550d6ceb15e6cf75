package web

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/store"
)

// What of long lists the overview has.
const (
	timelineShown = 16
	failuresShown = 50
	concernsShown = 6 // of each sort
	itemsShown    = 5 // of each concern
)

type overview struct {
	*pccs.Status
	Platforms int
	Concerns  []concern
	Hidden    int // concerns that are not shown
	Families  []family
	Counted   string // how long ago platforms were counted by TCB, "" if they were not
	CountErr  error
	Timeline  timeline
	Shown     int // documents of the timeline
	Fetches   []store.Fetch
	Fails     int
}

// concern is something that an administrator should know, and what to do.
type concern struct {
	Tone   string // "bad", "poor" or "fair"
	What   string
	Items  []string // that it concerns
	Why    string
	Advice string
	Page   string // where there is more of it: a page of this site, or ""
	FMSPC  string // that the page is about, or ""
}

// gravity is the order of tones.
var gravity = map[string]int{"bad": 0, "poor": 1, "fair": 2}

func (h *Handler) overview(ctx context.Context, _ *http.Request, s *pccs.Status) (string, view, error) {
	docs := rows(s)
	n := h.census.get(ctx, h.source.groups)
	v := overview{Status: s, Families: h.families(ctx, s, n), Counted: n.ago(), CountErr: n.Err, Fails: len(s.Failures)}
	for _, c := range s.Platforms {
		v.Platforms += c
	}
	byEnd := slices.Clone(docs)
	slices.SortStableFunc(byEnd, func(a, b document) int { return compareEnds(a.NextUpdate, b.NextUpdate) })
	v.Shown = min(len(byEnd), timelineShown)
	v.Timeline = draw(byEnd[:v.Shown], s.At)
	v.Fetches = slices.SortedFunc(slices.Values(s.Failures), func(a, b store.Fetch) int {
		return cmp.Or(-cmp.Compare(a.Failures, b.Failures), cmp.Compare(a.Name, b.Name))
	})
	v.Fetches = v.Fetches[:min(len(v.Fetches), failuresShown)]

	for _, list := range [][]concern{expired(docs, s), failing(s), outdated(v.Families), uncovered(v.Families, s), waiting(s)} {
		shown := min(len(list), concernsShown)
		v.Concerns = append(v.Concerns, list[:shown]...)
		v.Hidden += len(list) - shown
	}
	slices.SortStableFunc(v.Concerns, func(a, b concern) int { return cmp.Compare(gravity[a.Tone], gravity[b.Tone]) })
	return "Overview", v, nil
}

// expired are the documents out of their time, those together of which nothing
// else is to be said.
func expired(docs []document, s *pccs.Status) []concern {
	var list []concern
	var counts []int
	for _, d := range docs {
		if d.State != "expired" {
			continue
		}
		c := concern{Tone: "bad", Page: "documents"}
		switch {
		case s.Mode == pccs.Offline:
			c.Why = "In OFFLINE mode nobody else is asked for newer ones."
			c.Advice = "Get them where there is a network, with feidi pccs fetch, and bring them with feidi pccs put."
		case d.Failures > 0:
			c.Why = printable(d.Message)
			c.Advice = "Mend that; it is tried again by and by, or at once with feidi pccs refresh."
		default:
			c.Why = "They were not refreshed yet."
			c.Advice = "feidi pccs refresh does it now."
		}
		i := slices.IndexFunc(list, func(other concern) bool { return other.Why == c.Why })
		if i < 0 {
			i = len(list)
			list, counts = append(list, c), append(counts, 0)
		}
		counts[i]++
		if counts[i] <= itemsShown {
			list[i].Items = append(list[i].Items, title(d.Item)+", "+ago(d.NextUpdate, s.At))
		}
	}
	for i := range list {
		list[i].What = plural(counts[i], "document") + " expired"
		if more := counts[i] - itemsShown; more > 0 {
			list[i].Items = append(list[i].Items, number(more)+" more")
		}
	}
	return list
}

// failing are the reasons for which fetches fail, each once.
func failing(s *pccs.Status) []concern {
	type cause struct {
		fetch store.Fetch
		n     int
		next  time.Time
	}
	var order []string
	causes := map[string]*cause{}
	for _, f := range s.Failures {
		c := causes[f.Reason]
		if c == nil {
			c = &cause{fetch: f, next: f.Due}
			causes[f.Reason] = c
			order = append(order, f.Reason)
		}
		c.n++
		if f.Due.Before(c.next) {
			c.next = f.Due
		}
	}
	slices.SortFunc(order, func(a, b string) int { return cmp.Or(-cmp.Compare(causes[a].n, causes[b].n), cmp.Compare(a, b)) })
	var list []concern
	for _, reason := range order {
		c := causes[reason]
		list = append(list, concern{
			Tone: "poor", Page: "#failures",
			What:   fmt.Sprintf("%s: %s", fetches(c.n), printable(reason)),
			Why:    printable(c.fetch.Message),
			Advice: "The next try is " + ago(c.next, s.At) + ". What is cached is served meanwhile.",
		})
	}
	return list
}

func fetches(n int) string {
	if n == 1 {
		return "1 fetch fails"
	}
	return number(n) + " fetches fail"
}

// outdated are the groups of platforms that lack fixes, or are revoked.
func outdated(families []family) []concern {
	var list []concern
	for _, f := range families {
		for _, sh := range f.Shares {
			t := tone(sh.Status)
			if t != "poor" && t != "bad" {
				continue
			}
			c := concern{Tone: t, Page: "fmspc", FMSPC: f.FMSPC, Why: meanings[sh.Status]}
			c.What = fmt.Sprintf("%s of FMSPC %s: %v", plural(sh.Count, "platform"), f.FMSPC, sh.Status)
			for _, g := range f.Groups {
				if g.Status == sh.Status && len(g.Steps) > 0 && len(g.Steps[len(g.Steps)-1].Lacks) > 0 {
					st := g.Steps[len(g.Steps)-1]
					c.Advice = fmt.Sprintf("To be %v (TCB of %s): %s", st.Level.Status, date(st.Level.Date), printable(st.Lacks[0].String()))
					if n := len(st.Lacks) - 1; n > 0 {
						c.Advice += fmt.Sprintf(", and %d more", n)
					}
					c.Advice += "."
					break
				}
			}
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b concern) int { return cmp.Compare(gravity[a.Tone], gravity[b.Tone]) })
	return list
}

// uncovered are FMSPCs whose platforms nobody can verify with what is cached.
func uncovered(families []family, s *pccs.Status) []concern {
	var list []concern
	for _, f := range families {
		if f.Count == 0 || f.Info != nil {
			continue
		}
		c := concern{Tone: "fair", Page: "fmspc", FMSPC: f.FMSPC, What: "FMSPC " + f.FMSPC + " has " + plural(f.Count, "platform") + " and no TCB info to judge them by", Why: "The reason: " + f.Why + "."}
		if s.Mode == pccs.Lazy {
			c.Advice = "It is fetched when the first verifier asks for it."
		} else {
			c.Advice = "Bring it with feidi pccs fetch and feidi pccs put."
		}
		list = append(list, c)
	}
	return list
}

// waiting is the queue of registrations.
func waiting(s *pccs.Status) []concern {
	if s.Waiting == 0 {
		return nil
	}
	return []concern{{
		Tone: "fair", What: plural(s.Waiting, "registration") + " waiting for an administrator",
		Why:    "These platforms registered, and their certificates are not here yet.",
		Advice: "Get the list with feidi pccs get, the certificates with feidi pccs fetch, and bring them with feidi pccs put.",
	}}
}
