package web

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pccs"
)

func percentOf(t *testing.T, s string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Distances in the picture are as those in time: this many percent a day.
func TestTimelineIsToScale(t *testing.T) {
	day := func(n int) time.Time { return now.Add(time.Duration(n) * 24 * time.Hour) }
	doc := func(issued, had, due, until time.Time) document {
		d := document{}
		d.Issued, d.Fetched, d.Due, d.NextUpdate = issued, had, due, until
		return d
	}
	tl := draw([]document{
		doc(day(-12), day(-1), day(1), day(18)),
		doc(day(-10), day(-9), day(-8), day(-2)),            // expired
		doc(day(-100), day(-50), day(2), day(300)),          // goes beyond both edges
		doc(time.Time{}, day(-3), time.Time{}, time.Time{}), // says nothing of its time
		doc(day(5), day(-1), day(4), day(-7)),               // nonsense
	}, now)
	// From 35 days ago to 45 days hence, with a thirtieth on each side.
	perDay := 100 / (80 * (1 + 2.0/30))
	zero := percentOf(t, tl.Now)
	near := func(what, got string, days float64) {
		t.Helper()
		if f := percentOf(t, got); math.Abs(f-zero-days*perDay) > 0.02 {
			t.Errorf("%s at %.2f%%, want %.2f%%", what, f, zero+days*perDay)
		}
	}
	near("issue", tl.Bars[0].X, -12)
	near("had", tl.Bars[0].Had, -1)
	near("due", tl.Bars[0].Due, 1)
	if w := percentOf(t, tl.Bars[0].Width); math.Abs(w-30*perDay) > 0.02 {
		t.Errorf("a bar of 30 days is %.2f%% wide, want %.2f%%", w, 30*perDay)
	}
	if p := percentOf(t, tl.Bars[0].Past); math.Abs(p-12*perDay) > 0.02 {
		t.Errorf("12 days of it are over: %.2f%%", p)
	}
	if b := tl.Bars[1]; b.Past != b.Width {
		t.Errorf("of an expired one %s is over, and it is %s wide", b.Past, b.Width)
	}
	if b := tl.Bars[2]; b.X != "0.00%" || b.Width != "100.00%" || b.Had != "" {
		t.Errorf("the long one: %+v", b)
	}
	for i, b := range tl.Bars {
		if x, w := percentOf(t, b.X), percentOf(t, b.Width); x < 0 || w < 0 || x+w > 100.31 || percentOf(t, b.Past) < 0 {
			t.Errorf("bar %d leaves the picture: %+v", i, b)
		}
	}
	if len(tl.Ticks) < 3 || len(tl.Ticks) > 7 {
		t.Errorf("%d ticks", len(tl.Ticks))
	}
	for _, tick := range tl.Ticks {
		at, err := time.Parse("2 Jan 2006", tick.Label+" 2026")
		if err != nil {
			t.Fatal(err)
		}
		near("tick "+tick.Label, tick.X, at.Sub(now).Hours()/24)
	}
}

func TestDocumentsOrderAndPages(t *testing.T) {
	f := broken()
	var states []string
	for _, d := range rows(&f.status) {
		states = append(states, d.State)
	}
	order := strings.Join(states, " ")
	if !strings.HasPrefix(order, strings.Repeat("expired ", 6)+strings.Repeat("failing ", 6)) {
		t.Errorf("the order is %s", order)
	}
	many := empty(pccs.Lazy)
	for i := range 2*documentsPage + 5 {
		d := f.status.Documents[0]
		d.Name = fmt.Sprintf("n%04d", i)
		many.status.Documents = append(many.status.Documents, d)
	}
	seen := map[string]int{}
	for page := 1; page <= 3; page++ {
		body := get(t, many.handler(t), fmt.Sprintf("%sdocuments?page=%d", Prefix, page)).Body.String()
		for i := range many.status.Documents {
			if name := many.status.Documents[i].Name; strings.Contains(body, `data-key="`+name+`"`) {
				seen[name]++
			}
		}
	}
	for _, d := range many.status.Documents {
		if seen[d.Name] != 1 {
			t.Errorf("%s is on %d pages", d.Name, seen[d.Name])
		}
	}
}
