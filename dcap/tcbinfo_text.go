package dcap

import (
	"strconv"
	"time"
)

// decimal is strconv.Itoa, for messages.
func decimal(n int) string { return strconv.Itoa(n) }

// noHex is what is no hexadecimal digit.
const noHex = 0xFF

// hexValues are the values of the digits.
var hexValues = func() (values [256]byte) {
	for i := range values {
		values[i] = noHex
	}
	for i := range byte(10) {
		values['0'+i] = i
	}
	for i := range byte(6) {
		values['a'+i], values['A'+i] = 10+i, 10+i
	}
	return values
}()

// decodeHex fills dst with the bytes of exactly as many digits, and reports
// whether s was that.
func decodeHex(dst []byte, s string) bool {
	if len(s) != 2*len(dst) {
		return false
	}
	for i := range dst {
		high, low := hexValues[s[2*i]], hexValues[s[2*i+1]]
		if high|low == noHex {
			return false
		}
		dst[i] = high<<4 | low
	}
	return true
}

// mixedCase reports whether hexadecimal digits are of both cases.
func mixedCase(s string) bool {
	var lower, upper bool
	for i := range len(s) {
		lower = lower || s[i] >= 'a'
		upper = upper || s[i] >= 'A' && s[i] <= 'F'
	}
	return lower && upper
}

// appendHex appends the digits of src: those of "0123456789ABCDEF", or of
// "0123456789abcdef".
func appendHex(b, src []byte, digits string) []byte {
	for _, c := range src {
		b = append(b, digits[c>>4], digits[c&15])
	}
	return b
}

const (
	upperHex = "0123456789ABCDEF"
	lowerHex = "0123456789abcdef"
)

// jsonDate is how Intel's documents write a time, which is UTC.
const jsonDate = "2006-01-02T15:04:05Z"

// parseJSONDate reads a time of exactly that form. time.Parse takes more, such
// as fractions of a second, and longer.
func parseJSONDate(s string) (time.Time, bool) {
	if len(s) != len(jsonDate) || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' || s[19] != 'Z' {
		return time.Time{}, false
	}
	century, ok1 := twoDigits(s[0:])
	year, ok2 := twoDigits(s[2:])
	month, ok3 := twoDigits(s[5:])
	day, ok4 := twoDigits(s[8:])
	hour, ok5 := twoDigits(s[11:])
	minute, ok6 := twoDigits(s[14:])
	second, ok7 := twoDigits(s[17:])
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6 && ok7) || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	t := time.Date(100*century+year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	// A day that the month does not have is moved into the next.
	return t, day <= 28 || t.Day() == day
}

// twoDigits is the number that s begins with.
func twoDigits(s string) (int, bool) {
	high, low := s[0]-'0', s[1]-'0'
	return 10*int(high) + int(low), high <= 9 && low <= 9
}
