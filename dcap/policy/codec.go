package policy

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
)

// A codec is how one value stands in a file. What it does not read back from
// what it wrote is no valid value.
type codec[T any] struct {
	form
	read  func(string) (T, bool)
	write func(T) string
}

// form tells of a value what a person, and a schema, must know.
type form struct {
	kind    kind
	what    string   // to be read after "write": "64 hexadecimal digits"
	pattern string   // regular expression (ECMA 262 and RE2) of a text
	words   []string // or all that it may be
	max     uint64   // of a number
	list    bool     // or a list of such
	empty   bool     // and the list may be empty
}

// hexOf is an array of bytes in hexadecimal digits.
func hexOf[A [6]byte | [16]byte | [32]byte | [48]byte | [64]byte]() codec[A] {
	var zero A
	size := len(zero)
	return codec[A]{
		form: form{kind: textual, what: fmt.Sprintf("%d hexadecimal digits", 2*size), pattern: fmt.Sprintf("^[0-9a-fA-F]{%d}$", 2*size)},
		read: func(s string) (a A, ok bool) {
			b, err := hex.DecodeString(s)
			if err != nil || len(b) != size {
				return a, false
			}
			for i := range size {
				a[i] = b[i]
			}
			return a, true
		},
		write: func(a A) string {
			b := make([]byte, size)
			for i := range size {
				b[i] = a[i]
			}
			return hex.EncodeToString(b)
		},
	}
}

// hexUpTo is 1 to n bytes in hexadecimal digits.
func hexUpTo(n int) codec[string] {
	return codec[string]{
		form: form{kind: textual, what: fmt.Sprintf("2 to %d hexadecimal digits", 2*n), pattern: fmt.Sprintf("^([0-9a-fA-F]{2}){1,%d}$", n)},
		read: func(s string) (string, bool) {
			b, err := hex.DecodeString(s)
			return string(b), err == nil && len(b) > 0 && len(b) <= n
		},
		write: func(s string) string { return hex.EncodeToString([]byte(s)) },
	}
}

// word is one of several, which v stands for in the order of words.
func word[T comparable](words []string, v []T) codec[T] {
	return codec[T]{
		form: form{kind: textual, what: oneOf(words), words: words},
		read: func(s string) (t T, ok bool) {
			i := slices.Index(words, s)
			if i < 0 {
				return t, false
			}
			return v[i], true
		},
		write: func(t T) string {
			if i := slices.Index(v, t); i >= 0 {
				return words[i]
			}
			return fmt.Sprint(t)
		},
	}
}

func oneOf(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = strconv.Quote(w)
	}
	return strings.Join(quoted, ", ")
}

// acceptable are the statuses that a policy may accept: neither revoked
// platforms, nor those that Intel says nothing of.
func acceptable() codec[dcap.TCBStatus] {
	v := []dcap.TCBStatus{
		dcap.UpToDate, dcap.SWHardeningNeeded, dcap.ConfigurationNeeded, dcap.ConfigurationAndSWHardeningNeeded, dcap.OutOfDate,
		dcap.OutOfDateConfigurationNeeded, dcap.RelaunchAdvised, dcap.RelaunchAdvisedConfigurationNeeded,
	}
	var words []string
	for _, s := range v {
		words = append(words, s.String())
	}
	return word(words, v)
}

var (
	authorities = word([]string{"processor", "platform"}, []verify.CA{verify.ProcessorCA, verify.PlatformCA})
	sgxTypes    = word([]string{"standard", "scalable", "scalable-with-integrity"}, []dcap.SGXType{dcap.SGXStandard, dcap.SGXScalable, dcap.SGXScalableWithIntegrity})
	graceStarts = word([]string{"tcb_date", "newer_level"}, []GraceStart{FromTCBDate, FromNewerLevel})
	toggles     = codec[bool]{form{kind: boolean, what: "true or false"}, func(s string) (bool, bool) { return s == "true", true }, strconv.FormatBool}
)

// numberUpTo is a number from 0.
func numberUpTo[T ~uint16 | ~uint32](most T) codec[T] {
	return codec[T]{
		form: form{kind: number, what: fmt.Sprintf("a number from 0 to %d", most), max: uint64(most)},
		read: func(s string) (T, bool) {
			v, err := strconv.ParseUint(strings.ReplaceAll(strings.TrimPrefix(s, "+"), "_", ""), 0, 64)
			return T(v), err == nil && v <= uint64(most)
		},
		write: func(t T) string { return strconv.FormatUint(uint64(t), 10) },
	}
}

// title is a short text on one line.
var title = codec[string]{
	form{kind: textual, what: "1 to 64 printable characters"},
	func(s string) (string, bool) {
		plain := !strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) })
		return s, s != "" && plain && utf8.ValidString(s) && utf8.RuneCountInString(s) <= 64
	},
	func(s string) string { return s },
}

// advisory is the name of a security advisory, in upper case.
var advisory = codec[string]{
	form{kind: textual, what: `an advisory like "INTEL-SA-00615"`, pattern: advisoryPattern.String()},
	func(s string) (string, bool) { return strings.ToUpper(s), advisoryPattern.MatchString(s) },
	strings.ToUpper,
}

var (
	advisoryPattern = regexp.MustCompile("^[Ii][Nn][Tt][Ee][Ll]-[A-Za-z]{2,8}-[0-9]{4,8}$")
	datePattern     = regexp.MustCompile("^2[0-9]{3}-[0-9]{2}-[0-9]{2}([Tt][0-9]{2}:[0-9]{2}:[0-9]{2}([Zz]|[+-][0-9]{2}:[0-9]{2}))?$")
)

// day is the time unit that Go's durations lack.
const day = 24 * time.Hour

var timeUnits = []struct {
	name byte
	unit time.Duration
}{{'d', day}, {'h', time.Hour}, {'m', time.Minute}, {'s', time.Second}}

// period is a duration of one unit, up to a hundred years.
var period = codec[time.Duration]{
	form{kind: textual, what: `a duration like "90d", "12h", "30m" or "45s", of a hundred years at most`, pattern: "^[1-9][0-9]{0,9}[dhms]$"},
	func(s string) (time.Duration, bool) {
		const most = 36500 * day
		for _, u := range timeUnits {
			if s == "" || s[len(s)-1] != u.name || s[0] < '1' || s[0] > '9' {
				continue
			}
			n, err := strconv.ParseUint(s[:len(s)-1], 10, 34)
			return time.Duration(n) * u.unit, err == nil && n <= uint64(most/u.unit)
		}
		return 0, false
	},
	func(d time.Duration) string {
		for _, u := range timeUnits {
			if d%u.unit == 0 {
				return fmt.Sprintf("%d%c", d/u.unit, u.name)
			}
		}
		return d.String()
	},
}

// date is a day, or a time of a day with its zone, in this millennium.
var date = codec[time.Time]{
	form{kind: textual, what: `a date like "2024-03-13", or "2024-03-13T00:00:00Z"`, pattern: datePattern.String()},
	func(s string) (time.Time, bool) {
		t, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t, err = time.Parse(time.RFC3339, strings.ToUpper(s))
		}
		return t.UTC(), err == nil && datePattern.MatchString(s)
	},
	func(t time.Time) string {
		t = t.UTC()
		if t.Equal(t.Truncate(day)) {
			return t.Format(time.DateOnly)
		}
		return t.Format(time.RFC3339Nano)
	},
}

// root is Intel's, or one that is named by the fingerprint of its key.
type root struct {
	intel bool
	key   [32]byte
}

var roots = codec[root]{
	form{kind: textual, what: `"intel", or the fingerprint of a key: 64 hexadecimal digits`, pattern: "^(intel|(sha256:)?[0-9a-fA-F]{64})$"},
	func(s string) (root, bool) {
		if s == "intel" {
			return root{intel: true}, true
		}
		key, ok := hexOf[[32]byte]().read(strings.TrimPrefix(s, "sha256:")) // as verdicts have it
		return root{key: key}, ok
	},
	func(r root) string {
		if r.intel {
			return "intel"
		}
		return hex.EncodeToString(r.key[:])
	},
}
