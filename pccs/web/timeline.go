package web

import (
	"fmt"
	"time"
)

// Measures of the timeline in pixels. Across it is measured in percent, so that
// it is as wide as the page and its letters stay as large.
const (
	timelineTop = 34
	timelineRow = 34
	timelineBar = 9
)

// timeline is the picture of when documents were issued, were had, are
// refreshed and expire.
type timeline struct {
	Height int
	Now    string // all across are percentages
	Ticks  []tick
	Bars   []bar
}

type tick struct{ X, Label string }

// bar is a row of the picture.
type bar struct {
	document
	TextY, Y              int
	X, Width              string // of the time for which it holds
	Past                  string // width of that of it which is over
	Had, Due              string // "" if outside of the picture, or not known
	Unending, EarlierThan bool   // it goes on at the right, at the left
}

// The picture shows this much, unless less suffices.
const (
	furthestPast   = 35 * 24 * time.Hour
	furthestFuture = 45 * 24 * time.Hour
)

// draw makes the timeline of documents as of now.
func draw(docs []document, now time.Time) timeline {
	t := timeline{Height: timelineTop + timelineRow*len(docs) + 6}
	from, to := now.Add(-24*time.Hour), now.Add(24*time.Hour)
	for _, d := range docs {
		for _, at := range []time.Time{start(d), d.Fetched, d.Due, d.NextUpdate} {
			if at.IsZero() {
				continue
			}
			if at.Before(from) {
				from = at
			}
			if at.After(to) {
				to = at
			}
		}
	}
	from, to = latest(from, now.Add(-furthestPast)), earliest(to, now.Add(furthestFuture))
	margin := to.Sub(from) / 30
	from, to = from.Add(-margin), to.Add(margin)
	across := func(at time.Time) float64 {
		return 100 * min(1, max(0, float64(at.Sub(from))/float64(to.Sub(from))))
	}
	percent := func(f float64) string { return fmt.Sprintf("%.2f%%", f) }
	place := func(at time.Time) string {
		if at.Before(from) || at.After(to) {
			return ""
		}
		return percent(across(at))
	}
	t.Now = percent(across(now))
	t.Ticks = ticks(from, to, place)
	for i, d := range docs {
		b := bar{document: d, TextY: timelineTop + i*timelineRow + 12, Y: timelineTop + i*timelineRow + 18, Had: place(d.Fetched), Due: place(d.Due)}
		begin, end := start(d), d.NextUpdate
		if end.IsZero() {
			end = latest(d.Due, d.Fetched)
		}
		if end.Before(begin) {
			end = begin
		}
		x, right := across(begin), across(end)
		b.X, b.Width = percent(x), percent(max(right-x, 0.3))
		b.Past = percent(min(right, max(across(now), x)) - x)
		b.Unending, b.EarlierThan = end.After(to), begin.Before(from)
		t.Bars = append(t.Bars, b)
	}
	return t
}

// start is when a document was issued, or else had.
func start(d document) time.Time {
	if d.Issued.IsZero() {
		return d.Fetched
	}
	return d.Issued
}

// ticks are at most seven, at midnights: so many that a phone has room.
func ticks(from, to time.Time, place func(time.Time) string) []tick {
	const day = 24 * time.Hour
	for _, days := range []int{1, 2, 7, 14, 30} {
		step := time.Duration(days) * day
		if to.Sub(from)/step > 6 {
			continue
		}
		var list []tick
		for at := from.UTC().Truncate(day).Add(day); at.Before(to); at = at.Add(step) {
			// A label at the very edge would be cut off.
			if margin := to.Sub(from) / 25; at.Sub(from) > margin && to.Sub(at) > margin {
				list = append(list, tick{place(at), at.Format("2 Jan")})
			}
		}
		return list
	}
	return nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
