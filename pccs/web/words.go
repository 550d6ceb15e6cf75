package web

import (
	"fmt"
	"html/template"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/internal/text"
	"github.com/feidi-dev/feidi/pccs/collateral"
)

// words are the functions of the templates.
var words = template.FuncMap{
	"ago":       ago,
	"date":      date,
	"moment":    moment,
	"iso":       func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"number":    number,
	"plural":    plural,
	"tone":      tone,
	"meaning":   func(s dcap.TCBStatus) string { return meanings[s] },
	"title":     title,
	"printable": printable,
	"advisory":  func(s string) bool { return intelAdvisory.MatchString(s) },
	"lower":     strings.ToLower,
	"inc":       func(i int) int { return i + 1 },
	"below":     func(y int) int { return y + timelineBar },
	"at":        func(t, now time.Time, otherwise string) when { return when{t, now, otherwise} },
	"evenly":    evenly,
	"camel":     camel,
	"segments":  segments,
}

// when is a time as it is shown: how far from now, or something else if there is none.
type when struct {
	Time, Now time.Time
	Else      string
}

// intelAdvisory are those that have a page of Intel's. Who signs a TCB info may
// write anything there.
var intelAdvisory = regexp.MustCompile(`^INTEL-SA-[0-9]{5}$`)

// printable makes what came from elsewhere fit for one line of bounded length.
func printable(s string) string {
	const most = 600
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.Join(strings.Fields(text.Printable(s)), " ")
}

// ago says how far a time is from now: "3 days ago", "in 2 hours".
func ago(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	d := t.Sub(now)
	switch s := span(d.Abs()); {
	case s == "":
		return "now"
	case d < 0:
		return s + " ago"
	default:
		return "in " + s
	}
}

// span says how long a duration is, in a unit of which there are at least two,
// and nothing if it is less than a second.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Second:
		return ""
	case d < 2*time.Minute:
		return plural(int(d/time.Second), "second")
	case d < 2*time.Hour:
		return plural(int(d/time.Minute), "minute")
	case d < 2*day:
		return plural(int(d/time.Hour), "hour")
	case d < 60*day:
		return plural(int(d/day), "day")
	case d < 2*365*day:
		return plural(int(d/(30*day)), "month")
	}
	return plural(int(d/(365*day)), "year")
}

func date(t time.Time) string { return t.UTC().Format("2 Jan 2006") }

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// number groups digits by three.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}

// title says which document an item is.
func title(i collateral.Item) string {
	tee := "SGX"
	if i.TEE == dcap.TEETDX {
		tee = "TDX"
	}
	var s string
	switch i.Kind {
	case collateral.TCBInfo:
		s = fmt.Sprintf("%s TCB info of %s", tee, i.FMSPC)
	case collateral.QEIdentity:
		s = tee + " quoting enclave"
	case collateral.QVEIdentity:
		s = "Quote verification enclave"
	case collateral.PCKCRL:
		s = "CRL of the " + i.CA + " CA"
	case collateral.RootCRL:
		s = "CRL of the root CA"
	case collateral.CRL:
		s = "CRL at " + i.URI
	case collateral.FMSPCs:
		s = "List of FMSPCs"
	case collateral.Evaluations:
		s = tee + " TCB evaluation data numbers"
	default:
		return printable(i.String())
	}
	if i.Platform != "" {
		s += " (" + i.Platform + ")"
	}
	switch {
	case i.Evaluation != 0:
		s += fmt.Sprintf(", evaluation %d", i.Evaluation)
	case i.Update == collateral.Early:
		s += ", early"
	}
	if i.API == 3 {
		s += ", v3"
	}
	return printable(s)
}

// evenly breaks long digits, which a browser would not.
func evenly(s string) []string {
	const n = 16
	s = printable(s)
	var parts []string
	for len(s) > n {
		cut := n
		for cut > 1 && s[cut]&0xC0 == 0x80 {
			cut--
		}
		parts, s = append(parts, s[:cut]), s[cut:]
	}
	return append(parts, s)
}

// camel breaks the name of a status into its words, because some names are as
// long as a phone is wide.
func camel(s dcap.TCBStatus) []string { return capitalised.FindAllString(s.String(), -1) }

var capitalised = regexp.MustCompile(`[A-Z]+[^A-Z]*`)

// segments breaks an address behind its scheme, host and folders.
func segments(address string) []string {
	address = printable(address)
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return []string{address}
	}
	parts := strings.SplitAfter(rest, "/")
	parts[0] = scheme + "://" + parts[0]
	return parts
}
