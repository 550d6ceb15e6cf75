package der

import "time"

// Time returns a UTCTime or a GeneralizedTime, in UTC. DER has one form of
// each: with seconds, without fractions, and with Z for the time zone. A
// UTCTime is of the years 1950 to 2049 (RFC 5280 §4.1.2.5.1).
func (r *Reader) Time() time.Time {
	start := r.pos
	century := 0
	var b []byte
	if r.Next(TagGeneralizedTime) {
		if b = r.Bytes(TagGeneralizedTime); len(b) == 15 {
			century = 100 * digits(b)
			b = b[2:]
		} else {
			b = nil
		}
	} else if b = r.Bytes(TagUTCTime); len(b) == 13 {
		if century = 1900; b[0] < '5' {
			century = 2000
		}
	}
	if len(b) != 13 || b[12] != 'Z' {
		r.fail(Malformed, start, "a time that is not of the form YYMMDDhhmmssZ or YYYYMMDDhhmmssZ")
		return time.Time{}
	}
	yy := digits(b)
	year := century + yy
	month, day := digits(b[2:]), digits(b[4:])
	hour, minute, second := digits(b[6:]), digits(b[8:]), digits(b[10:])
	if century > 9900 || yy > 99 || year == 0 || uint(day-1) >= uint(daysIn(year, month)) || hour > 23 || minute > 59 || second > 59 {
		r.fail(Malformed, start, "a time that does not exist")
		return time.Time{}
	}
	return time.Unix(86400*days(year, month, day)+int64(3600*hour+60*minute+second), 0).UTC()
}

// digits returns the number of two digits, or 1000 if they are none.
func digits(b []byte) int {
	tens, ones := b[0]-'0', b[1]-'0'
	if tens > 9 || ones > 9 {
		return 1000
	}
	return 10*int(tens) + int(ones)
}

// daysIn returns how many days a month has, which is none if there is no such
// month.
func daysIn(year, month int) int {
	switch month {
	case 1, 3, 5, 7, 8, 10, 12:
		return 31
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 0
}

// days returns the days from 1970-01-01 to a date of the Gregorian calendar,
// year 1 or later. Years are counted from March, so that the leap day is the
// last day of one.
func days(year, month, day int) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	return int64(365*year+year/4-year/100+year/400+(153*(month-3)+2)/5+day) - 719469
}
